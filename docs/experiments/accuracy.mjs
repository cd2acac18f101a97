/**
 * 1. Accuracy kept: a mini-batch of 64 digits in micro-batches of 64, 16, 7 and 1.
 *
 *   node docs/experiments/accuracy.mjs [--quick]
 *
 * LeNet has no batch norm; the residual network has nine, exact or micro. Training makes small differences large, so a control
 * says what rounding alone does: the mini-batch in one piece, with its samples in the reverse order.
 */
import { data, models, optim } from 'sluice'
import { digits } from './common/data.mjs'
import { begin, mean, percent, spread } from './common/experiment.mjs'
import { smallResNet } from './common/nets.mjs'
import { draw } from './common/picture.mjs'
import { difference, distance, train } from './common/train.mjs'

const MARGIN = 0.01
/** Rounding, which training makes larger. The control shows it without a split. */
const NOISE = 0.02
const { seeds, sizes, count, epochs, finish } = begin(import.meta.url, {
  claims: [
    `LeNet, and the ResNet with exact batch norm: the mean accuracy of each micro-batch is within ${percent(MARGIN)} of that in one piece.`,
    `Both: the weights end within ${percent(NOISE)} of the way that training moved them from those in one piece, in the mean over the seeds.`,
    'The ResNet with micro batch norm: the weights end further away than that, and further than with exact batch norm.',
  ],
  full: { seeds: [1, 2, 3, 4, 5], sizes: [16, 7, 1], count: 1438, epochs: { lenet: 8, resnet: 3 } },
  quick: { seeds: [1], sizes: [16], count: 256, epochs: { lenet: 1, resnet: 1 } },
})

const { train: all, test } = digits()
const samples = data.subset(
  all,
  Array.from({ length: count }, (_, i) => i),
)
const inOrder = { train: samples, test }
const reversed = { train: { ...samples, gather: (indices) => samples.gather([...indices].reverse()) }, test }
const NETS = {
  LeNet: { epochs: epochs.lenet, rate: 0.05, make: (seed) => (device) => models.lenet(device, { seed }) },
  'ResNet, exact': {
    epochs: epochs.resnet,
    rate: 0.1,
    make: (seed) => (device) => smallResNet(device, { policy: 'exact', seed }),
  },
  'ResNet, micro': {
    epochs: epochs.resnet,
    rate: 0.1,
    make: (seed) => (device) => smallResNet(device, { policy: 'micro', seed }),
  },
}

/** All runs of a net with a seed: accuracy, and the distance of the weights from those in one piece, by the way of those. */
async function compare({ epochs, rate, make }, seed) {
  const steps = epochs * Math.ceil(samples.length / 64)
  const optimizer = (model) =>
    optim.sgd(model, { learningRate: optim.cosine({ learningRate: rate, steps }), momentum: 0.9 })
  const run = (options) => train({ model: make(seed), optimizer, seed, batch: 64, epochs, data: inOrder, ...options })
  const start = await run({ epochs: 0 })
  const whole = await run({})
  const way = difference(whole.parameters, start.parameters)
  const told = (name, { accuracy, parameters }) => ({
    name,
    accuracy,
    apart: distance(parameters, whole.parameters, way),
  })
  const results = [told('64', whole), told('64, reversed', await run({ data: reversed }))]
  for (const microBatch of sizes) results.push(told(`${microBatch}`, await run({ microBatch })))
  return results
}

const rows = []
for (const [net, setup] of Object.entries(NETS)) {
  const bySeed = []
  for (const seed of seeds) bySeed.push(await compare(setup, seed))
  bySeed[0].forEach(({ name }, i) => {
    const runs = bySeed.map((results) => results[i])
    rows.push({
      net,
      name,
      accuracies: runs.map(({ accuracy }) => accuracy),
      apart: mean(runs.map(({ apart }) => apart)),
    })
  })
}

const of = (net) => {
  const [whole, control, ...split] = rows.filter((row) => row.net === net)
  return { whole, control, split }
}
const [lenet, exact, micro] = Object.keys(NETS).map(of)
finish({
  seeds: `seeds ${seeds.join(', ')} for weights and the order of samples`,
  holds: [
    [lenet, exact].every(({ whole, split }) =>
      split.every((row) => Math.abs(mean(row.accuracies) - mean(whole.accuracies)) <= MARGIN),
    ),
    [lenet, exact].every(({ split }) => split.every(({ apart }) => apart <= NOISE)),
    micro.split.every(({ apart }, i) => apart > NOISE && apart > exact.split[i].apart),
  ],
  tables: [
    {
      columns: ['net', 'micro-batch', 'test accuracy: mean (lowest to highest)', 'weights apart'],
      rows: rows.map(({ net, name, accuracies, apart }) => [
        net,
        name,
        spread(accuracies, percent),
        apart.toExponential(1),
      ]),
    },
  ],
  notes: [
    'The last column is the mean of |w - v| / |v - u|: w are the final weights, v those of the run in one piece, u those at the start.',
  ],
  picture: draw({
    title: 'How far the weights end from those of the mini-batch in one piece',
    x: { label: 'micro-batch of a mini-batch of 64', names: ['64, reversed', ...sizes] },
    y: { label: 'share of the way that training moved them', log: true, show: (value) => value.toExponential(0) },
    series: Object.keys(NETS).map((net) => ({
      name: net,
      values: [of(net).control, ...of(net).split].map(({ apart }) => apart),
    })),
  }),
})
