/** What some kernels can do, by name. */
import type { KernelName } from './kernels.js'

/**
 * The output may take the place of any input that is as large as it: what lies there is read before it is written. Elementwise
 * kernels read each element first; kernels that work row by row (or group by group) read all of a row first.
 */
export const OVERWRITING: ReadonlySet<string> = new Set<KernelName>([
  // element by element
  'unary',
  'unaryGradient',
  'maskGradient',
  'binary',
  'binaryGradient',
  'select',
  'dropout',
  'normalize',
  'normalizePartGradient',
  'lossRowsGradient',
  // row by row
  'softmax',
  'softmaxGradient',
  'crossEntropyGradient',
  'normalizeGradient',
])

/** Kernels with the parameter `accumulate`, so that a gradient can be added directly to its buffer. */
export const ACCUMULATING: ReadonlySet<KernelName> = new Set<KernelName>([
  'reduce',
  'matmul',
  'convolutionWeightGradient',
  'embeddingGradient',
  'normalizeScaleGradient',
])
