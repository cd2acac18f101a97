/** What some kernels can do, by name. */
import type { KernelName } from './kernels.js'

/** An output element depends on the element at its own place alone, of every input that is as large as the output. */
export const ELEMENTWISE: ReadonlySet<string> = new Set<KernelName>([
  'unary',
  'unaryGradient',
  'maskGradient',
  'binary',
  'binaryGradient',
  'select',
  'dropout',
  'normalize',
  'normalizePartGradient',
])

/** Kernels with the parameter `accumulate`, so that a gradient can be added directly to its buffer. */
export const ACCUMULATING: ReadonlySet<KernelName> = new Set<KernelName>([
  'reduce',
  'matmul',
  'convolutionWeightGradient',
  'embeddingGradient',
  'normalizeScaleGradient',
])
