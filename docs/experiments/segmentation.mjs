/**
 * 4. U-Net: true intersection over union (IoU), and Dice, of masks learned in one piece and in micro-batches.
 *
 *   node docs/experiments/segmentation.mjs [--quick]
 *
 * Drawn shapes and their masks stand for photographs of cars; the loss is that of the paper's authors, binary cross-entropy
 * and Dice, but on logits once. What their code reports as IoU is Dice, which is larger: 2 IoU / (1 + IoU) for one image.
 */
import { models } from 'sluice'
import { masks } from './common/data.mjs'
import { begin, mean, percent, spread } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'
import { train } from './common/train.mjs'

const MARGIN = 0.03
const { seeds, splits, samples, tests, epochs, finish } = begin(import.meta.url, {
  claims: [
    `With exact batch norm the mean IoU of each split is within ${percent(MARGIN)} of that in one piece.`,
    'Dice is above IoU in every run, so that the one is no measure of the other.',
  ],
  full: {
    seeds: [1, 2, 3],
    splits: [
      [16, 'exact'],
      [4, 'exact'],
      [1, 'exact'],
      [4, 'deferred'],
      [1, 'deferred'],
    ],
    samples: 320,
    tests: 100,
    epochs: 8,
  },
  quick: {
    seeds: [1],
    splits: [
      [16, 'exact'],
      [4, 'exact'],
    ],
    samples: 48,
    tests: 40,
    epochs: 1,
  },
})

/** The mean over images of what `measure` makes of the pixels in both masks, in the target, and found (a logit above 0). */
const overlap = (measure) => () => {
  const values = []
  return {
    add({ data: logits }, { targets: { data, shape } }) {
      const pixels = data.length / shape[0]
      for (let from = 0; from < data.length; from += pixels) {
        let [both, target, found] = [0, 0, 0]
        for (let i = from; i < from + pixels; i++) {
          target += data[i]
          if (logits[i] > 0) found++
          if (logits[i] > 0 && data[i] === 1) both++
        }
        values.push(measure(both, target, found))
      }
    },
    get value() {
      return mean(values)
    },
  }
}
const metrics = {
  iou: overlap((both, target, found) => both / (target + found - both)),
  dice: overlap((both, target, found) => (2 * both) / (target + found)),
}

const sets = masks({ samples, tests })
const rows = []
for (const [microBatch, policy] of splits) {
  const runs = []
  for (const seed of seeds) {
    const model = (device) =>
      models.unet(device, { inputShape: [3, 16, 16], width: 4, levels: 2, batchNorm: policy, seed })
    runs.push(await train({ model, loss: models.maskLoss, metrics, seed, batch: 16, microBatch, epochs, data: sets }))
  }
  rows.push({
    policy,
    microBatch,
    iou: runs.map(({ metrics }) => metrics.iou),
    dice: runs.map(({ metrics }) => metrics.dice),
  })
}

const [whole, ...others] = rows
finish({
  seeds: `seeds ${seeds.join(', ')}`,
  holds: [
    others
      .filter(({ policy }) => policy === 'exact')
      .every(({ iou }) => Math.abs(mean(iou) - mean(whole.iou)) <= MARGIN),
    rows.every(({ iou, dice }) => dice.every((value, i) => value > iou[i])),
  ],
  tables: [
    {
      columns: ['micro-batch of 16', 'batch norm', 'IoU (lowest to highest)', 'Dice', 'Dice above IoU by'],
      rows: rows.map(({ microBatch, policy, iou, dice }) => [
        microBatch,
        microBatch === 16 ? 'any: in one piece' : policy,
        spread(iou, percent),
        spread(dice, percent),
        percent(mean(dice) - mean(iou)),
      ]),
    },
  ],
  picture: draw({
    title: 'U-Net on drawn shapes: IoU and Dice of a mini-batch of 16',
    kind: 'bars',
    x: { label: 'micro-batch and batch norm', names: rows.map(({ microBatch, policy }) => `${microBatch} ${policy}`) },
    y: { label: 'mean over the test images and seeds', show: (value) => percent(value, 0) },
    series: [
      { name: 'IoU', values: rows.map(({ iou }) => mean(iou)) },
      { name: 'Dice', values: rows.map(({ dice }) => mean(dice)) },
    ],
  }),
})
