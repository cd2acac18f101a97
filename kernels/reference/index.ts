/**
 * The reference dialect: every kernel as plain loops over Float32Array or Float64Array.
 *
 * It is the definition of each op. Gradient checks run on it in double precision, and the other dialects are
 * compared with it. Sums are taken in double precision whatever the arrays hold.
 */
import type { Kernels } from '../kernels.js'
import { attentionSoftmax, attentionSoftmaxGradient } from './attention.js'
import { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution.js'
import { addExactly, binary, binaryGradient, blend, fill, select, unary, unaryGradient } from './elementwise.js'
import { crossEntropyGradient, crossEntropyRows, lossRows, lossRowsGradient } from './loss.js'
import { matmul } from './matmul.js'
import { concat, embedding, embeddingGradient, pad, stridedCopy } from './movement.js'
import { normalize, normalizeGradient, normalizeScaleGradient } from './norm.js'
import { adam, gradientNorm, sgd } from './optimizer.js'
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool.js'
import { dropout } from './random.js'
import {
  argmax,
  maxGradient,
  moments,
  reduce,
  squaredDeviation,
  squaredDeviationGradient,
  weightedMean,
} from './reduce.js'
import { softmax, softmaxGradient } from './softmax.js'

export const reference: Kernels = {
  fill,
  blend,
  gradientNorm,
  addExactly,
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
  squaredDeviation,
  squaredDeviationGradient,
  argmax,
  moments,
  weightedMean,
  matmul,
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  maxPool,
  maxPoolGradient,
  averagePool,
  averagePoolGradient,
  softmax,
  softmaxGradient,
  attentionSoftmax,
  attentionSoftmaxGradient,
  crossEntropyRows,
  crossEntropyGradient,
  lossRows,
  lossRowsGradient,
  normalize,
  normalizeGradient,
  normalizeScaleGradient,
  dropout,
  sgd,
  adam,
}
