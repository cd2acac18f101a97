/** Targets on the host, before they go to a device: their sum, and the search for one that cannot be. */
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'

export const valueAt = ({ data, scale = 1 }: HostArray, i: number): number => data[i] * scale

export function sumOf(array: HostArray): number {
  let sum = 0
  for (let i = 0; i < array.data.length; i++) sum += valueAt(array, i)
  return sum
}

/** Find the first target that is not as it should be. `allowed` says what it should. */
export function checkTargets(
  op: string,
  targets: HostArray,
  shape: Shape,
  allowed: string,
  good: (value: number) => boolean,
): void {
  if (!sameShape(targets.shape, shape)) {
    throw new ShapeError(`${op}: the targets ${showShape(targets.shape)} must be ${showShape(shape)} for this output`)
  }
  for (let i = 0; i < targets.data.length; i++) {
    const value = valueAt(targets, i)
    if (!good(value))
      throw new ArgumentError(`${op}: target ${value} at ${showShape(place(i, shape))} is not ${allowed}`)
  }
}

/** Flat position -> index along each axis. */
function place(i: number, shape: Shape): number[] {
  return shape.map((dim, axis) => Math.floor(i / sizeOf(shape.slice(axis + 1))) % dim)
}
