/** Targets on the host, before they go to a device: sums over them, and the check of their values. */
import { ArgumentError } from '../memory/errors.js'
import { ShapeError } from '../tensor/errors.js'
import type { HostArray } from '../tensor/host.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import { isArray } from '../tensor/structure.js'

export const valueAt = ({ data, scale = 1 }: HostArray, i: number): number => data[i] * scale

/**
 * A sum in float64 with an error of about one rounding for any number of terms (Neumaier), so it does not depend on how
 * the terms are split.
 */
export class ExactSum {
  #sum = 0
  #lost = 0

  add(value: number): void {
    const sum = this.#sum + value
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum
    this.#sum = sum
  }

  get total(): number {
    return this.#sum + this.#lost
  }
}

export function sumOf(array: HostArray): number {
  const sum = new ExactSum()
  for (let i = 0; i < array.data.length; i++) sum.add(valueAt(array, i))
  return sum.total
}

/** The number of targets that are not ignored, each counted with the weight of its sample. */
export function keptWeight(ignores: (target: number) => boolean, targets: HostArray, weights?: HostArray): number {
  const each = targets.data.length / targets.shape[0]
  const sum = new ExactSum()
  for (let i = 0; i < targets.data.length; i++) {
    if (!ignores(valueAt(targets, i))) sum.add(weights ? valueAt(weights, Math.floor(i / each)) : 1)
  }
  return sum.total
}

/**
 * Check the shape of the targets, and that every value is `good`.
 * @param allowed  says what a good value is, for the error
 * @throws ShapeError, ArgumentError  naming the first bad target; or there are several targets for each sample
 */
export function checkTargets(
  op: string,
  targets: HostArray,
  shape: Shape,
  allowed: string,
  good: (value: number) => boolean,
): void {
  if (!isArray(targets)) {
    throw new ArgumentError(
      `${op}: the targets are ${Array.isArray(targets) ? 'a list' : 'a record'} of arrays, and this loss takes one. Write ` +
        'a loss that says what becomes of each: (outputs, targets) => ...',
    )
  }
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
