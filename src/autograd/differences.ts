/**
 * A function at a point, its gradients by backward, and its central differences.
 *
 * Note [One direction]
 *   For y = f(x), fixed random weights c and a random direction v, the gradient g of sum(c y) must satisfy
 *   <g, v> = (sum c f(x + h v) - sum c f(x - h v)) / 2h up to O(h^2). One random direction catches a wrong
 *   gradient almost surely, and costs two forwards however large x is.
 */
import type { Device } from '../device/device.js'
import { mul } from '../ops/binary.js'
import { sum } from '../ops/reduce.js'
import { tensor } from '../tensor/create.js'
import { scope } from '../tensor/scope.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { backward } from './backward.js'

/** The truncation error h^2 f''' / 6 and the rounding error 2^-53 f / h are both far below the tolerance 1e-6. */
export const STEP = 1e-4

/** The values of an input. */
export interface Point {
  readonly shape: Shape
  readonly values: ArrayLike<number>
}

export interface Differentiable {
  readonly device: Device
  /** the inputs whose gradients are wanted */
  readonly points: readonly Point[]
  /** Run it at such inputs, within a scope. @returns the result, and the leaves that the inputs are */
  run(at: readonly Point[]): { y: Tensor; leaves: readonly Tensor[] }
}

type Values = ArrayLike<number>

/** The values of y. */
export async function valuesAt({ device, run }: Differentiable, at: readonly Point[]): Promise<Values> {
  const y = scope(device, () => {
    device.step.call = 0
    return run(at).y
  })
  try {
    return await y.data()
  } finally {
    y.dispose()
  }
}

/** The gradient of sum(c y) for each leaf; 0 where none arrives. @param weights  c, for a y of this shape */
export async function gradientsAt(
  { device, run }: Differentiable,
  at: readonly Point[],
  weights: (shape: Shape) => Float64Array,
): Promise<readonly Values[]> {
  const made: Tensor[] = []
  try {
    scope(device, () => {
      device.step.call = 0
      const { y, leaves } = run(at)
      made.push(...leaves)
      backward(sum(mul(y, tensor(device, weights(y.shape), y.shape))))
    })
    const gradients: Values[] = []
    for (const { grad, size } of made) gradients.push(grad ? await grad.data() : new Float64Array(size))
    return gradients
  } finally {
    for (const leaf of made) {
      leaf.grad?.dispose()
      leaf.grad = null
    }
  }
}

/** The points with one of them moved. */
export function moved(points: readonly Point[], which: number, direction: Values, step: number): Point[] {
  const { shape, values } = points[which]
  const point = { shape, values: Float64Array.from(values, (value, i) => value + step * direction[i]) }
  return points.map((each, i) => (i === which ? point : each))
}

/** (f(x + h v) - f(x - h v)) / 2h for every element of y. */
export async function slopes(f: Differentiable, which: number, direction: Values, step = STEP): Promise<Float64Array> {
  const [up, down] = [
    await valuesAt(f, moved(f.points, which, direction, step)),
    await valuesAt(f, moved(f.points, which, direction, -step)),
  ]
  return Float64Array.from(up, (value, i) => (value - down[i]) / (2 * step))
}

export function dot(a: Values, b: Values): number {
  let total = 0
  for (let i = 0; i < a.length; i++) total += a[i] * b[i]
  return total
}

/** |analytic - numeric| / max(1, |numeric|); NaN counts as infinite. */
export function errorOf(analytic: number, numeric: number): number {
  const error = Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric))
  return Number.isNaN(error) ? Infinity : error
}

/** Numbers from -1 to 1. */
export const drawn = (size: number, random: () => number): Float64Array =>
  Float64Array.from({ length: size }, () => 2 * random() - 1)

/** `size` numbers, 1 at `place` and 0 elsewhere. */
export function unit(size: number, place: number): Float64Array {
  const values = new Float64Array(size)
  values[place] = 1
  return values
}
