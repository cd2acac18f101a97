/**
 * The GPU dialect: kernels as programs that gpu.js runs on textures.
 *
 * Note [Dialect]
 *   What a program may say is what gpu.js 2.24.1 can read and a GPU computes alike everywhere:
 *   - Flat functions, `const` and `let`, `if`, `for` with a counter; arrays only as whole texels, `v[0]` to `v[3]`.
 *   - `infinity`, `notANumber`, `isNotANumber`, `exponential`, `logarithm`, `hyperbolicTangent` of builtins.ts instead of
 *     JavaScript's own, which a GPU does not have, or not exactly. A NaN may pass any comparison.
 *   - No helper is named as a function of GLSL (`dot`, `length`, `step`, `mix`...).
 *   - Indices are floats. Whole numbers are divided by `quotient`, never by `/`; a single value is `at(x, i)`.
 *   - A program takes at most 65,535 rounds of all its loops, the four values of a texel together: Mesa's software GL ends
 *     it there, silently. Longer sums are cut into parts.
 *   - Values past the end of an input are garbage, NaN too: choose, do not multiply by 0.
 *   - What is written with the same name in two programs is the same: programs are cached by name.
 *   - Inputs are read-only, and no output is an input: the device sees to it (`aliases` is false).
 *
 * Note [Long sums]
 *   As in kernels/simd/assembly/machine/sums.ts: no more than 64 numbers, or texels, are added in a chain; then the block is added
 *   to the sum. Within the loop that adds them, which so takes no more rounds.
 */
import type { KernelName, KernelParameters } from '../kernels.js'
import { addExactly, blend, gradientNorm } from './accumulation.js'
import { attentionSoftmax } from './attention.js'
import { concat } from './concat.js'
import { convolution, convolutionInputGradient } from './convolution.js'
import { convolutionWeightGradient } from './convolution-weight.js'
import { crossEntropyGradient, crossEntropyRows } from './cross-entropy.js'
import { moments, squaredDeviation, squaredDeviationGradient } from './deviation.js'
import { dropout } from './dropout.js'
import { binary, unary, unaryGradient } from './elementwise.js'
import { embedding, embeddingGradient } from './embedding.js'
import { lossRows, lossRowsGradient, weightedMean } from './loss.js'
import type { GpuKernels } from './machine/kernel.js'
import { matmul } from './matmul.js'
import { fill, stridedCopy } from './movement.js'
import { normalize, normalizeGradient, normalizeScaleGradient } from './norm.js'
import { adam, sgd } from './optimizer.js'
import { pad } from './pad.js'
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool.js'
import { argmax, maxGradient, reduce } from './reduce.js'
import { attentionSoftmaxGradient, softmax, softmaxGradient } from './softmax.js'
import { binaryGradient, select } from './ternary.js'

export type { GpuKernel, GpuKernels } from './machine/kernel.js'
export { type Four, type Gpu, LARGEST_TENSOR, type Program } from './machine/program.js'
export { type ProgramText, textOf } from './machine/text.js'
export { COPY } from './movement.js'

export const gpuKernels: GpuKernels = {
  fill,
  stridedCopy,
  pad,
  concat,
  embedding,
  embeddingGradient,
  unary,
  unaryGradient,
  binary,
  binaryGradient,
  select,
  reduce,
  maxGradient,
  argmax,
  squaredDeviation,
  squaredDeviationGradient,
  moments,
  normalize,
  normalizeGradient,
  normalizeScaleGradient,
  softmax,
  softmaxGradient,
  attentionSoftmax,
  attentionSoftmaxGradient,
  matmul,
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  maxPool,
  maxPoolGradient,
  averagePool,
  averagePoolGradient,
  crossEntropyRows,
  crossEntropyGradient,
  weightedMean,
  lossRows,
  lossRowsGradient,
  dropout,
  blend,
  gradientNorm,
  addExactly,
  sgd,
  adam,
}

/** Sizes, in values, of what a kernel needs beside its operands. */
export function gpuWorkspaces<Name extends KernelName>(name: Name, p: KernelParameters[Name]): readonly number[] {
  return gpuKernels[name].workspaces?.(p) ?? []
}
