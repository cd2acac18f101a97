/**
 * 6. Batch norm of a split mini-batch: micro, deferred and exact statistics against those of the mini-batch in one piece.
 *
 *   node docs/experiments/batch-norm.mjs [--quick]
 *
 * A residual network with nine batch norms learns digits in mini-batches of 128. The gradients of one mini-batch are compared
 * at the first weights and at trained ones.
 */
import { data, optim } from 'sluice'
import { digits, first } from './common/data.mjs'
import { begin, mean, percent, spread } from './common/experiment.mjs'
import { smallResNet } from './common/nets.mjs'
import { draw } from './common/picture.mjs'
import { distance, gradientsOf, streamerOf, train } from './common/train.mjs'

const { seeds, sizes, count, epochs, finish } = begin(import.meta.url, {
  claims: [
    'Exact: the gradient is within 1 % of that in one piece, for every size, before and after training.',
    'Micro and deferred: it is more than 10 % off, and more so the smaller the micro-batch.',
    'Exact: the mean test accuracy is within 1 % of that in one piece.',
  ],
  full: { seeds: [1, 2, 3], sizes: [32, 8, 2], count: 1438, epochs: 4 },
  quick: { seeds: [1], sizes: [16], count: 256, epochs: 1 },
})

const { train: all, test } = digits()
const sets = {
  train: data.subset(
    all,
    Array.from({ length: count }, (_, i) => i),
  ),
  test,
}
const batch = first(sets.train, 128)
const POLICIES = ['micro', 'deferred', 'exact']
const optimizer = (model) => {
  const steps = epochs * Math.ceil(count / 128)
  return optim.sgd(model, { learningRate: optim.cosine({ learningRate: 0.1, steps }), momentum: 0.9 })
}
const still = (model) => optim.sgd(model, { learningRate: 0 })

/** The gradient of the mini-batch, at these weights or at the first ones. */
async function gradient(policy, microBatch, seed, state) {
  const { streamer, model, close } = await streamerOf({
    make: (device) => smallResNet(device, { policy, seed }),
    optimizer: still,
  })
  if (state) model.loadStateDict(state)
  await streamer.step(batch, { microBatch })
  const values = await gradientsOf(model)
  await close()
  return values
}

const rows = new Map()
const note = (policy, size, found) => {
  const key = `${policy} ${size}`
  if (!rows.has(key)) rows.set(key, { policy, size, found: [] })
  rows.get(key).found.push(found)
}
for (const seed of seeds) {
  const run = (policy, microBatch) =>
    train({
      model: (device) => smallResNet(device, { policy, seed }),
      optimizer,
      seed,
      batch: 128,
      microBatch,
      epochs,
      data: sets,
    })
  const whole = await run('exact', 128)
  note('one piece', 128, { before: 0, after: 0, accuracy: whole.accuracy })
  const [before, after] = [await gradient('exact', 128, seed), await gradient('exact', 128, seed, whole.state)]
  for (const policy of POLICIES) {
    for (const size of sizes) {
      note(policy, size, {
        before: distance(await gradient(policy, size, seed), before),
        after: distance(await gradient(policy, size, seed, whole.state), after),
        accuracy: (await run(policy, size)).accuracy,
      })
    }
  }
}

const table = [...rows.values()].map(({ policy, size, found }) => ({
  policy,
  size,
  before: mean(found.map(({ before }) => before)),
  after: mean(found.map(({ after }) => after)),
  most: Math.max(...found.flatMap(({ before, after }) => [before, after])),
  accuracies: found.map(({ accuracy }) => accuracy),
}))
const of = (policy) => table.filter((row) => row.policy === policy)
const [whole] = of('one piece')
const loss = (row) => mean(whole.accuracies) - mean(row.accuracies)
const grows = (policy, when) =>
  of(policy).every((row, i, list) => row[when] > 0.1 && (i === 0 || row[when] > list[i - 1][when]))

finish({
  seeds: `seeds ${seeds.join(', ')}`,
  holds: [
    of('exact').every(({ most }) => most < 0.01),
    ['micro', 'deferred'].every((policy) => grows(policy, 'before') && grows(policy, 'after')),
    of('exact').every((row) => Math.abs(loss(row)) <= 0.01),
  ],
  tables: [
    {
      columns: [
        'batch norm',
        'micro-batch of 128',
        'gradient off, first weights',
        'gradient off, trained',
        'test accuracy: mean (lowest to highest)',
      ],
      rows: table.map(({ policy, size, before, after, accuracies }) => [
        policy,
        size,
        policy === 'one piece' ? '' : percent(before, 3),
        policy === 'one piece' ? '' : percent(after, 3),
        spread(accuracies, percent),
      ]),
    },
  ],
  picture: draw({
    title: 'Gradient of a mini-batch of 128, off from that in one piece (trained weights)',
    x: { label: 'micro-batch', names: sizes },
    y: { label: 'share of its length', log: true, show: (value) => `${Number((100 * value).toPrecision(1))} %` },
    series: POLICIES.map((policy) => ({ name: policy, values: of(policy).map(({ after }) => after) })),
  }),
})
