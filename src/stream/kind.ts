/** What is done with which samples: all that a plan depends on besides the model. */
import { type AnyBatch, sampleShapes } from '../data/batch.js'
import type { Shapes } from '../tensor/structure.js'

/**
 * What a step does: learn, measure the loss, or only compute outputs. Learning can be cut in two: 'gradient' goes forward and
 * back over some samples of a mini-batch, and 'sum' learns from the sums of such gradients. See range.ts.
 */
export type Mode = 'train' | 'evaluate' | 'predict' | 'gradient' | 'sum'

/** Is its forward one of training? */
export const trains = (mode: Mode): boolean => mode !== 'evaluate' && mode !== 'predict'

/** The shapes of one sample: of its input or inputs, and of its target or targets. */
export interface SampleShape {
  input: Shapes
  target: Shapes
  /** does every sample carry a weight? */
  weighted: boolean
}

/** What is done with which samples. */
export interface Kind {
  readonly mode: Mode
  readonly shape: SampleShape
}

/** The shapes of one sample of a batch. */
export function sampleShapeOf({ inputs, targets, weights }: AnyBatch): SampleShape {
  return { input: sampleShapes(inputs), target: sampleShapes(targets), weighted: weights !== undefined }
}
