/** What the tests of the SIMD and GPU kernels draw from: numbers, options of optimizers, views with permuted axes. */
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

/** Seeds for `noise`. */
export const seeds = fc.integer({ min: 1, max: 1e6 })

/** The options that SGD and Adam share. */
export const optimizerOptions = (lengths: fc.Arbitrary<number>) => ({
  size: lengths,
  learningRate: fc.constantFrom(0.1, 0.003),
  weightDecay: fc.constantFrom(0, 0.02),
  clip: fc.boolean(),
  maxNorm: fc.constantFrom(0.5, 100),
})

/** A kernel that clips takes the norm of the gradient as its last operand: here 2, given as the factors 4 and 0.5. */
export const normOperand = ({ clip }: { clip: boolean }): Float32Array[] => (clip ? [Float32Array.of(4, 0.5)] : [])

export interface Axis {
  size: number
  /** elements left out before the slice, and as many after it */
  cut: number
  /** ranks the axes in memory: the lowest has the largest stride */
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
