/**
 * 8. A small GPT on sentences of different lengths: micro-batches weighted by their tokens, or each by 1 / K.
 *
 *   node docs/experiments/tokens.mjs [--quick]
 *
 * The sentences are drawn from a small grammar; the targets after their end are ignored. 1 / K is the usual loop by hand: the
 * mean over the tokens of each of K micro-batches, and the mean of these.
 */
import { backward, crossEntropy, data, fromHost, models, optim, scope } from 'sluice'
import { part, sentences } from './common/data.mjs'
import { begin, mean, percent, spread } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'
import { difference, distance, gradientsOf, streamerOf, valuesOf } from './common/train.mjs'

const { seeds, sizes, samples, epochs, finish } = begin(import.meta.url, {
  claims: [
    'By tokens: the first gradient of every split is within 1e-4 of that in one piece, and the test loss ends within 0.01.',
    'By 1 / K: the first gradient of every split is more than 1 % off.',
    'By 1 / K with one sentence at a time, the weights end further from those in one piece than by tokens.',
  ],
  full: { seeds: [1, 2, 3], sizes: [8, 3, 1], samples: 256, epochs: 4 },
  quick: { seeds: [1], sizes: [8], samples: 64, epochs: 1 },
})

const BATCH = 32
const text = sentences({ samples })
const make = (seed) => (device) =>
  models.gpt(device, { vocabulary: text.vocabulary, context: 64, width: 32, heads: 4, layers: 2, seed })
const optimizer = (model) => optim.adam(model, { learningRate: 3e-3 })

/** One step, by hand: each micro-batch counts 1 / K. */
function oneByK({ model, device, streamer }, batch, size) {
  streamer.optimizer.zeroGrad()
  const count = Math.ceil(BATCH / size)
  for (let from = 0; from < BATCH; from += size) {
    scope(device, () => {
      const { inputs, targets } = part(batch, from, Math.min(BATCH, from + size))
      backward(crossEntropy(model.forward(fromHost(device, inputs)), fromHost(device, targets)).div(count))
    })
  }
  streamer.optimizer.step()
}

/** @returns the first gradient, the final weights, and the loss on the test sentences, each token counting the same */
async function trained(seed, rule, size) {
  const learner = await streamerOf({ make: make(seed), optimizer })
  let gradient
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = data.permutation(samples, seed, epoch)
    for (let from = 0; from < samples; from += BATCH) {
      const batch = text.train.gather(order.subarray(from, from + BATCH))
      if (rule === '1 / K') oneByK(learner, batch, size)
      else await learner.streamer.step(batch, { microBatch: size })
      gradient ??= await gradientsOf(learner.model)
    }
  }
  const { loss, accuracy } = await learner.streamer.evaluate(text.test)
  const weights = await valuesOf(learner.model)
  await learner.close()
  return { gradient, weights, loss, accuracy }
}

const rows = []
for (const [rule, size] of [
  ['tokens', BATCH],
  ...sizes.flatMap((size) => [
    ['tokens', size],
    ['1 / K', size],
  ]),
]) {
  const runs = []
  for (const seed of seeds) runs.push(await trained(seed, rule, size))
  const whole = rows.length > 0 ? rows[0].runs : runs
  const start = await streamerOf({ make: make(seeds[0]) })
  const first = await valuesOf(start.model)
  await start.close()
  rows.push({
    rule,
    size,
    runs,
    off: mean(runs.map(({ gradient }, i) => distance(gradient, whole[i].gradient))),
    apart: distance(runs[0].weights, whole[0].weights, difference(whole[0].weights, first)),
    losses: runs.map(({ loss }) => loss),
    accuracy: mean(runs.map(({ accuracy }) => accuracy)),
  })
}

const [whole, ...others] = rows
const byTokens = others.filter(({ rule }) => rule === 'tokens')
const byK = others.filter(({ rule }) => rule === '1 / K')
finish({
  seeds: `seeds ${seeds.join(', ')}`,
  holds: [
    byTokens.every(
      ({ off, losses }) => off < 1e-4 && losses.every((loss, i) => Math.abs(loss - whole.losses[i]) <= 0.01),
    ),
    byK.every(({ off }) => off > 0.01),
    byK.at(-1).apart > byTokens.at(-1).apart,
  ],
  tables: [
    {
      columns: [
        'micro-batch of 32',
        'each counts',
        'first gradient off',
        'weights apart',
        'test loss, nats for a token (lowest to highest)',
        'test accuracy',
      ],
      rows: rows.map(({ rule, size, off, apart, losses, accuracy }) => [
        size === BATCH ? '32: in one piece' : size,
        size === BATCH ? '' : rule === 'tokens' ? 'by its tokens' : '1 / K',
        off.toExponential(1),
        apart.toExponential(1),
        spread(losses, (loss) => loss.toFixed(4)),
        percent(accuracy),
      ]),
    },
  ],
  notes: [
    'Weights apart: |w - v| / |v - u| of the first seed, where w are the final weights, v those in one piece, u those at the start.',
  ],
  picture: draw({
    title: 'The first gradient of a small GPT, off from that in one piece',
    x: { label: 'micro-batch of a mini-batch of 32', names: sizes },
    y: { label: 'share of its length', log: true, show: (value) => value.toExponential(0) },
    series: [
      { name: 'by tokens', values: byTokens.map(({ off }) => off) },
      { name: '1 / K', values: byK.map(({ off }) => off) },
    ],
  }),
})
