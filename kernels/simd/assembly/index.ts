/** What the module exports: one function for each kernel, on addresses. */
export { matmul } from './matmul'
export { staticEnd } from './static'
