/**
 * The SIMD dialect: kernels in AssemblyScript on the memory of a device.
 *
 * To add one: write it in assembly/, export it from assembly/index.ts, name it in `Assembly` (machine/module.ts), and put the
 * TypeScript side of it, which takes the kernel's parameters apart, into the table below.
 */
import type { KernelName, KernelParameters } from '../kernels.js'
import { attentionSoftmax, attentionSoftmaxGradient } from './attention.js'
import { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution.js'
import { dropout } from './dropout.js'
import { binary, binaryGradient, select, unary, unaryGradient } from './elementwise.js'
import { embedding, embeddingGradient } from './embedding.js'
import {
  crossEntropyGradient,
  crossEntropyRows,
  lossRows,
  lossRowsGradient,
  softmax,
  softmaxGradient,
  weightedMean,
} from './loss.js'
import type { SimdKernels } from './machine/kernel.js'
import { matmul } from './matmul.js'
import { concat, fill, pad, stridedCopy } from './movement.js'
import { moments, normalize, normalizeGradient, normalizeScaleGradient } from './norm.js'
import { adam, blend, gradientNorm, sgd } from './optimizer.js'
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool.js'
import { reduce } from './reduce.js'

export { MAX_THREADS, RUNTIME_BYTES } from './layout.js'
export { type Assembly, hasWebAssembly, instantiate, type SimdVariant, simdVariants } from './machine/module.js'
export { availableThreads, canThread, dropped, Workers } from './machine/threads.js'

export const simd: SimdKernels = {
  matmul,
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  maxPool,
  maxPoolGradient,
  averagePool,
  averagePoolGradient,
  unary,
  unaryGradient,
  binary,
  binaryGradient,
  select,
  fill,
  stridedCopy,
  pad,
  concat,
  reduce,
  dropout,
  blend,
  gradientNorm,
  sgd,
  adam,
  softmax,
  softmaxGradient,
  attentionSoftmax,
  attentionSoftmaxGradient,
  crossEntropyRows,
  crossEntropyGradient,
  lossRows,
  lossRowsGradient,
  weightedMean,
  moments,
  normalize,
  normalizeGradient,
  normalizeScaleGradient,
  embedding,
  embeddingGradient,
}

/** What a kernel needs beside its operands, whichever dialect it ends up running in. */
export function workspaceBytes<Name extends KernelName>(name: Name, parameters: KernelParameters[Name]): number {
  return simd[name]?.workspaceBytes?.(parameters) ?? 0
}
