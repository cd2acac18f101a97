/** Optimizers and learning rates. */
export { Adam, type AdamOptions, adam, adamw } from './adam.js'
export {
  type Clipping,
  type Group,
  type GroupOptions,
  type HasNames,
  type HasParameters,
  Optimizer,
  type OptimizerState,
  type SavedOptimizerState,
  type Trainable,
} from './optimizer.js'
export { constant, cosine, type Schedule, stepDecay, warmUp } from './schedule.js'
export { Sgd, type SgdOptions, sgd } from './sgd.js'
