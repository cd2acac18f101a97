/** The functions that the module exports. Operands are addresses. */
export { attentionSoftmax, attentionSoftmaxGradient } from './attention'
export { averagePool, averagePoolGradient } from './average-pool'
export * from './binary'
export { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution'
export { crossEntropyGradient, crossEntropyRows } from './cross-entropy'
export { convolutionDirect } from './bands/direct'
export { dropout, uniform } from './machine/dropout'
export { embedding, embeddingGradient } from './embedding'
export { attention, attentionGradient } from './flash'
export { convolutionWeightDots } from './bands/dots'
export {
  binaryCrossEntropyWithLogitsGradient, binaryCrossEntropyWithLogitsRows, squaredErrorGradient, squaredErrorRows,
  weightedMean,
} from './loss'
export { matmul, matmulBatch } from './product/matmul'
export { copyPlanes, fill } from './movement'
export { moments, normalize, normalizeGradient, normalizePartGradient } from './norm'
export { normalizeScaleGradient } from './norm-scale'
export { adam, blend, clipRoot, rmsprop, sgd, sgdMomentum, storeNorm, sumOfSquares } from './optimizer'
export { fail, isShared, itemsOfWorkers, parallelCalls, wantsWorkers, work, workers } from './machine/parallel'
export { maskGradient } from './machine/masks'
export { maxPool, maxPoolChoices, maxPoolGradient } from './max-pool'
export { geluTanh, geluTanhGradient, pow, powGradient } from './power'
export { maxColumns, maxLines, sumColumns, sumLines } from './reduce'
export { softmax, softmaxGradient } from './softmax'
export * from './unary'
export { convolutionWinograd } from './product/winograd'
export { convolutionWinogradWeights } from './product/winograd-weights'

/** The first byte after the module's constants. */
export function staticEnd(): usize {
  return __heap_base
}
