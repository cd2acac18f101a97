/** Modules, layers and initial values. */

export { StateError } from '../tensor/errors.js'
export type { Checked, LoadOptions, LoadResult, SavedState, StateDict } from '../tensor/saved-state.js'
export { allOrNothing } from '../tensor/scope.js'
export {
  ELU,
  GELU,
  Hardsigmoid,
  Hardswish,
  Identity,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  ReLU6,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from './activations.js'
export {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormLayerOptions,
  type BatchNormPolicy,
  setBatchNormPolicy,
} from './batch-norm.js'
export {
  generator,
  kaimingNormal,
  kaimingUniform,
  normal,
  type Random,
  uniform,
  xavierNormal,
  xavierUniform,
} from './init.js'
export {
  AveragePool2d,
  Conv2d,
  ConvTranspose2d,
  type DrawnWeightOptions,
  Dropout,
  Embedding,
  Flatten,
  Linear,
  MaxPool2d,
  type WeightOptions,
} from './layers.js'
export { type AnyModule, type Arguments, Module } from './module.js'
export { type AffineOptions, GroupNorm, LayerNorm, RMSNorm } from './norms.js'
export {
  AveragePool1d,
  Conv1d,
  type Convolution1dOptions,
  MaxPool1d,
  type MaxPool1dOptions,
  type Pool1dOptions,
} from './one-dimension.js'
export { Buffer, type BufferOptions, Parameter } from './parameter.js'
export { GRU, LSTM, type RecurrentOptions } from './recurrent.js'
export { AdaptiveAveragePool2d, Upsample } from './resize.js'
export { type Layer, Sequential } from './sequential.js'
export {
  MultiheadAttention,
  type SelfAttentionOptions,
  TransformerBlock,
  type TransformerBlockOptions,
} from './transformer.js'
