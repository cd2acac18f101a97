/** The task that the data give a model: its loss, and the scores that its evaluations report. */
import type { DatasetShape } from '../data/index.js'
import { maskLoss, type Sample } from '../models/index.js'
import { crossEntropy } from '../ops/cross-entropy.js'
import type { Loss } from '../ops/loss.js'
import { mse } from '../ops/point-loss.js'
import type { Metrics } from '../stream/metric.js'
import { dice, meanIoU, topK } from '../stream/metrics.js'
import type { Evaluation } from '../stream/options.js'
import type { Arrays } from '../tensor/structure.js'

/** 0.9777 -> '97.8 %' */
export const showShare = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Results of an evaluation, by what `--json` calls them. */
export type Scores = Readonly<Partial<Record<keyof typeof SHOWN, number>>>

export interface Task {
  /** what a model has to learn from */
  readonly sample: Sample
  /** what the data have, in words */
  readonly needs: string
  readonly loss: Loss
  readonly metrics: Metrics
  scores(evaluation: Pick<Evaluation, 'loss' | 'accuracy' | 'metrics'>): Scores
}

/** How each score is told. */
const SHOWN = {
  perplexity: (value: number) => `perplexity ${value.toPrecision(4)}`,
  rmse: (value: number) => `root mean square error ${value.toPrecision(4)}`,
  iou: (value: number) => `IoU ${showShare(value)}`,
  dice: (value: number) => `Dice ${showShare(value)}`,
  accuracy: (value: number) => `accuracy ${showShare(value)}`,
  top5: (value: number) => `among the first five ${showShare(value)}`,
} as const

/** The scores as they are told, the one that counts most first. */
export const showScores = (scores: Scores): string[] =>
  Object.entries(SHOWN).flatMap(([name, show]) => {
    const value = scores[name as keyof typeof SHOWN]
    return value === undefined ? [] : [show(value)]
  })

/** With more classes than this, the top-5 accuracy is reported too. */
const FEW_CLASSES = 10

const CLASSES: Task = {
  sample: 'class',
  needs: 'samples with classes',
  loss: crossEntropy,
  metrics: {},
  scores: ({ accuracy, metrics: { top5 } }) => ({ accuracy, top5 }),
}
const VALUES: Task = {
  sample: 'class',
  needs: 'samples with numbers',
  loss: mse,
  metrics: {},
  scores: ({ loss }) => ({ rmse: Math.sqrt(loss) }),
}
/** Each pixel is of one class. */
const REGIONS: Task = {
  sample: 'mask',
  needs: 'images with masks',
  loss: crossEntropy,
  metrics: { iou: meanIoU({ background: false }), dice: dice({ background: false }) },
  scores: ({ accuracy, metrics: { iou, dice } }) => ({ iou, dice, accuracy }),
}
/** Each pixel may be in any of several masks. */
const MASKS: Task = { ...REGIONS, loss: maskLoss, metrics: {}, scores: () => ({}) }
const TOKENS: Task = {
  sample: 'tokens',
  needs: 'text',
  loss: crossEntropy,
  metrics: {},
  scores: ({ loss, accuracy }) => ({ perplexity: Math.exp(loss), accuracy }),
}

/** The task of a data set: it follows from the rank of the targets, and for tokens from the rank of the inputs too. */
export function taskOf({ inputShape, targetShape, classes }: DatasetShape<Arrays, Arrays>): Task {
  const [inputs, targets] = [inputShape, targetShape].map((shape) => (Array.isArray(shape) ? shape.length : 0))
  if (classes === undefined) return VALUES
  if (targets === 3) return MASKS
  if (targets === 2) return REGIONS
  if (targets === 1 && inputs === 1) return TOKENS
  return classes > FEW_CLASSES ? { ...CLASSES, metrics: { top5: topK(5) } } : CLASSES
}
