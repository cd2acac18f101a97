/** What tests of the SIMD and of the GPU kernels draw: numbers, options of optimizers, views with permuted axes. */
import { contiguous, product } from '../kernels/strides.js'
import { fc } from './property.js'

/** Numbers in [-1, 1], the same for the same seed. */
export function noise(size: number, seed: number): Float32Array {
  let state = seed * 2654435761
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  })
}

/** For `noise`. */
export const seeds = fc.integer({ min: 1, max: 1e6 })

/** What SGD and Adam share. */
export const optimizerOptions = (lengths: fc.Arbitrary<number>) => ({
  size: lengths,
  learningRate: fc.constantFrom(0.1, 0.003),
  weightDecay: fc.constantFrom(0, 0.02),
  clip: fc.boolean(),
  maxNorm: fc.constantFrom(0.5, 100),
})

/** Where the gradient is clipped, its norm is an operand: 2, as the product of two numbers. */
export const normOperand = ({ clip }: { clip: boolean }): Float32Array[] => (clip ? [Float32Array.of(4, 0.5)] : [])

export interface Axis {
  size: number
  /** elements left out before and behind */
  cut: number
  /** axes are stored by ascending order */
  order: number
}

/** A slice of an array whose axes are permuted; `storedSize` is the size of the whole array. */
export function permutedSlice(axes: readonly Axis[]) {
  const shape = axes.map(({ size }) => size)
  const order = axes.map((_, i) => i).sort((i, j) => axes[i].order - axes[j].order)
  const stored = contiguous(order.map((i) => shape[i] + 2 * axes[i].cut))
  const strides = axes.map((_, i) => stored[order.indexOf(i)])
  const offset = axes.reduce((sum, { cut }, i) => sum + cut * strides[i], 0)
  return { shape, strides, offset, storedSize: product(axes.map(({ size, cut }) => size + 2 * cut)) }
}
