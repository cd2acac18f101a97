/** Optimizers and learning rates. */
export { Adam, type AdamGroupOptions, type AdamOptions, adam, adamw } from './adam.js'
export type { Clipping } from './clipping.js'
export type { Group, HasParameters, Trainable } from './groups.js'
export { type GroupOptions, Optimizer } from './optimizer.js'
export { Rmsprop, type RmspropGroupOptions, type RmspropOptions, rmsprop } from './rmsprop.js'
export { constant, cosine, type Schedule, stepDecay, warmUp } from './schedule.js'
export { Sgd, type SgdGroupOptions, type SgdOptions, sgd } from './sgd.js'
export type { HasNames, OptimizerState, SavedOptimizerState } from './state.js'
