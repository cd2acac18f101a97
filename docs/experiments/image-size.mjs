/**
 * 3. The size of the images against the micro-batch that fits: ResNet-50 and U-Net, planned at full size.
 *
 *   node docs/experiments/image-size.mjs [--quick]
 *
 * A plan needs no memory of its size, so these are the networks of the papers, with SGD and momentum, on a budget of 8 GiB and
 * batches of 128 and 16. Nothing is trained here.
 */
import { BudgetExceededError, crossEntropy, DoesNotFitError, models, openVirtualDevice, optim, Streamer } from 'sluice'
import { begin, grouped } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'

const { setups, finish } = begin(import.meta.url, {
  claims: [
    'The micro-batch falls as the images grow: micro-batch x pixels stays within a factor of 1.5 wherever 4 images or more fit.',
    'At the sizes of the authors (ResNet-50: 224 and 500; U-Net: 384) the batch in one piece is refused, and streamed it fits.',
    'With values made again, for at most 15 % more time as predicted, the micro-batch is at least 1.5 times as large.',
  ],
  full: {
    setups: [
      { name: 'ResNet-50', batch: 128, sides: [96, 160, 224, 320, 416, 500, 640, 800], asked: [224, 500] },
      { name: 'U-Net', batch: 16, sides: [96, 160, 224, 320, 384, 512, 640, 800], asked: [384] },
    ],
  },
  quick: { setups: [{ name: 'U-Net', batch: 16, sides: [224, 384], asked: [384] }] },
})

const MEMORY = '8GiB'
const NETS = {
  'ResNet-50': {
    make: (device, side) => models.resnet50(device, { inputShape: [3, side, side], classes: 102 }),
    loss: crossEntropy,
  },
  'U-Net': { make: (device, side) => models.unet(device, { inputShape: [3, side, side] }), loss: models.maskLoss },
}

/** The plan of `limit` samples; a micro-batch of 0 if not even one fits. */
function planned(name, side, recompute, limit) {
  const { make, loss } = NETS[name]
  try {
    const model = make(openVirtualDevice('cpu', { memory: MEMORY }), side)
    const optimizer = optim.sgd(model, { learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 })
    const targetShape = name === 'U-Net' ? [1, side, side] : []
    return new Streamer({ model, loss, optimizer, recompute }).plan({ batch: limit, targetShape })
  } catch (error) {
    if (error instanceof DoesNotFitError || error instanceof BudgetExceededError)
      return { microBatch: 0, wholeBatchBytes: Infinity }
    throw error
  }
}

const LIMIT = 4096
const rows = setups.flatMap(({ name, batch, sides, asked }) =>
  sides.map((side) => ({
    name,
    side,
    batch,
    asked: asked.includes(side),
    never: planned(name, side, 'never', LIMIT).microBatch,
    cheap: planned(name, side, 0.15, LIMIT).microBatch,
    needed: planned(name, side, 'never', batch).wholeBatchBytes,
  })),
)

const budget = 8 * 2 ** 30
const isSteady = (name) => {
  const pixels = rows.filter((row) => row.name === name && row.never >= 4).map(({ never, side }) => never * side ** 2)
  return Math.max(...pixels) <= 1.5 * Math.min(...pixels)
}
finish({
  seeds: 'nothing is drawn',
  holds: [
    setups.every(({ name }) => isSteady(name)),
    rows.filter(({ asked }) => asked).every(({ never, needed }) => never > 0 && needed > budget),
    rows.filter(({ never }) => never >= 4).every(({ never, cheap }) => cheap >= 1.5 * never),
  ],
  tables: [
    {
      columns: ['net', 'image', 'largest micro-batch', 'with 15 % more time', 'batch', 'it needs in one piece, GiB'],
      rows: rows.map(({ name, side, batch, never, cheap, needed }) => [
        name,
        `${side} x ${side}`,
        grouped(never),
        grouped(cheap),
        batch,
        `${(needed / 2 ** 30).toFixed(1)}${needed > budget ? ': refused' : ''}`,
      ]),
    },
  ],
  picture: draw({
    title: 'The largest micro-batch on 8 GiB, by the side of the images',
    x: { label: 'side in pixels' },
    y: { label: 'samples', log: true, show: (value) => grouped(value) },
    series: setups.flatMap(({ name }) =>
      ['never', 'cheap'].map((kind) => ({
        name: kind === 'never' ? name : `${name}, 15 % more time`,
        points: rows.filter((row) => row.name === name && row[kind] > 0).map((row) => [row.side, row[kind]]),
      })),
    ),
  }),
})
