/** What the module exports: one function for each kernel, on addresses. */
export { attentionSoftmax, attentionSoftmaxGradient } from './attention'
export { binary, binaryGradient, select } from './binary'
export { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution'
export { crossEntropyGradient, crossEntropyRows } from './cross-entropy'
export { convolutionFewChannels } from './bands/direct'
export { dropout } from './dropout'
export { embedding, embeddingGradient } from './embedding'
export { convolutionWeightGradientFewChannels } from './bands/few-channels'
export { lossRows, lossRowsGradient, weightedMean } from './loss'
export { matmul, matmulBatch } from './matmul'
export { copyPlanes, fill } from './movement'
export { moments, normalize, normalizeGradient, normalizeScaleGradient } from './norm'
export { adam, blend, clipRoot, sgd, sgdMomentum, storeNorm, sumOfSquares } from './optimizer'
export { fail, isShared, itemsOfWorkers, parallelCalls, wantsWorkers, work, workers } from './machine/parallel'
export { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool'
export { power, powerGradient } from './power'
export { reduceColumns, reduceLines } from './reduce'
export { softmax, softmaxGradient } from './softmax'
export { unary, unaryGradient } from './unary'

/** The first byte that the module's constants leave free. */
export function staticEnd(): usize {
  return __heap_base
}
