/**
 * The SIMD dialect: kernels in AssemblyScript on the memory of a device.
 *
 * To add a kernel, write its function in assembly/ and export it from assembly/index.ts; write its TypeScript side,
 * which turns the kernel's parameters into the function's arguments, and name that in the table below.
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

/** Bytes that a kernel of the heap needs beside its operands; plain loops need none. */
export function workspaceBytes<Name extends KernelName>(name: Name, parameters: KernelParameters[Name]): number {
  return simd[name]?.workspaceBytes?.(parameters) ?? 0
}
