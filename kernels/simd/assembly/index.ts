/** What the module exports: one function for each kernel, on addresses. */
export { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution'
export { matmul } from './matmul'
export { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool'
export { fail, itemsOfWorkers, wantsWorkers, work, workers } from './parallel'
export { staticEnd } from './static'
