/** What the module exports: one function for each kernel, on addresses. */
export { convolution, convolutionInputGradient, convolutionWeightGradient } from './convolution'
export { matmul } from './matmul'
export { staticEnd } from './static'
