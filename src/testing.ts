/**
 * For property tests of your own ops and models with fast-check, which you install beside Sluice:
 * arbitraries of values that are exact in binary and shrink to readable ones, and `checkGradient`.
 */
import fc from 'fast-check'
import type { HostArray } from './tensor/host.js'
import { type Shape, sizeOf } from './tensor/shape.js'

export { type CheckOptions, checkGradient, type GradientCheck } from './autograd/gradcheck.js'

export interface ShapeBounds {
  /** default 0 */
  minRank?: number
  /** default 4 */
  maxRank?: number
  /** default 4 */
  maxDim?: number
}

/** Small shapes, in which dims of 1 are more frequent than by chance. */
export function shapes({ minRank = 0, maxRank = 4, maxDim = 4 }: ShapeBounds = {}): fc.Arbitrary<number[]> {
  const dim = fc.oneof(
    { weight: 1, arbitrary: fc.constant(1) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: maxDim }) },
  )
  return fc.array(dim, { minLength: minRank, maxLength: maxRank })
}

/** Multiples of 1/16 in [-2, 2]: sums and products of a few are exact in float32. */
export const gridValue = (): fc.Arbitrary<number> => fc.integer({ min: -32, max: 32 }).map((i) => i / 16)

/** Odd multiples of 1/32 in [-2, 2]: like gridValue, but never on a kink at 0. */
export const offGridValue = (): fc.Arbitrary<number> => fc.integer({ min: -32, max: 31 }).map((i) => (2 * i + 1) / 32)

/** Host arrays of a shape, or of any small shape. */
export function hostArrays(shape?: Shape, value: fc.Arbitrary<number> = gridValue()): fc.Arbitrary<HostArray> {
  const ofShape = (shape: Shape): fc.Arbitrary<HostArray> => {
    const size = sizeOf(shape)
    return fc
      .array(value, { minLength: size, maxLength: size })
      .map((values) => ({ data: Float64Array.from(values), shape }))
  }
  return shape ? ofShape(shape) : shapes().chain(ofShape)
}
