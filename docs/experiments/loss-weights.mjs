/**
 * 5. The weights of the micro-batches: exact ones, against the common rules, where micro-batches are uneven.
 *
 *   node docs/experiments/loss-weights.mjs [--quick]
 *
 * K micro-batches have the losses mean_j, each over its own w_j targets; W is the sum of w_j.
 *   exact   sum of (w_j / W) mean_j   what a Streamer computes
 *   1 / K   sum of (1 / K) mean_j     the common rule, right if all w_j are equal
 *   sum     sum of mean_j             accumulation that divides by nothing
 * The common rules are loops by hand, cut as usual: all pieces are full but the last one.
 */
import { backward, crossEntropy, data, fromHost, models, optim, scope } from 'sluice'
import { digits, first, part, sentences } from './common/data.mjs'
import { begin, percent } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'
import { distance, gradientsOf, streamerOf } from './common/train.mjs'

const { epochs, samples, rates, finish } = begin(import.meta.url, {
  claims: [
    'Exact weights: the gradient is that of the mini-batch in one piece, within 1e-4 of its length, in every case.',
    '1 / K: it is so too where the micro-batches are equal, and more than 1 % off in every other case.',
    'Without division the gradient is as long as K of them: more than 100 % off in every case.',
    'After training on mini-batches of 33 in 16, 16 and 1, each rule at its best learning rate, exact weights give the lowest test loss.',
  ],
  full: { epochs: 10, samples: 1438, rates: [0.1, 0.03, 0.01, 0.003] },
  quick: { epochs: 2, samples: 660, rates: [0.03] },
})

const lenet = (device) => models.lenet(device, { seed: 1 })
const text = sentences({ samples: 64 })
const gpt = (device) =>
  models.gpt(device, { vocabulary: text.vocabulary, context: 64, width: 16, heads: 2, layers: 1, seed: 1 })
/** Sentences, the first `count` of them without any target. */
function without(count) {
  const { inputs, targets } = first(text.train, 8)
  return { inputs, targets: { ...targets, data: targets.data.map((token, i) => (i < 64 * count ? -100 : token)) } }
}
const CASES = {
  '64 as 16, 16, 16, 16': { make: lenet, batch: first(data.digits(), 64), cap: 16 },
  '33 as 16, 16, 1': { make: lenet, batch: first(data.digits(), 33), cap: 16 },
  '50 as 16, 16, 16, 2': { make: lenet, batch: first(data.digits(), 50), cap: 16 },
  '8 sentences as 2, 2, 2, 2': { make: gpt, batch: without(0), cap: 2 },
  'the same, the first two without any target': { make: gpt, batch: without(2), cap: 2 },
}

/** The usual loop: forward and backward of each piece, its loss times `factor(K)`. */
function accumulate({ model, device }, batch, cap, factor) {
  const samples = batch.inputs.shape[0]
  const count = Math.ceil(samples / cap)
  for (let from = 0; from < samples; from += cap) {
    scope(device, () => {
      const { inputs, targets } = part(batch, from, Math.min(samples, from + cap))
      backward(crossEntropy(model.forward(fromHost(device, inputs)), fromHost(device, targets)).mul(factor(count)))
    })
  }
}
const RULES = { '1 / K': (count) => 1 / count, sum: () => 1 }

/** The gradients of one step by each rule, and how far they are from that in one piece. */
async function compare({ make, batch, cap }) {
  const gradientBy = async (accumulated) => {
    const learner = await streamerOf({ make, optimizer: (model) => optim.sgd(model, { learningRate: 1e-9 }) })
    await accumulated(learner)
    const gradient = await gradientsOf(learner.model)
    await learner.close()
    return gradient
  }
  const whole = await gradientBy(({ streamer }) => streamer.step(batch))
  const exact = await gradientBy(({ streamer }) => streamer.step(batch, { microBatch: cap }))
  const errors = { exact: distance(exact, whole) }
  for (const [name, factor] of Object.entries(RULES)) {
    errors[name] = distance(await gradientBy((learner) => accumulate(learner, batch, cap, factor)), whole)
  }
  return errors
}

/** Training on mini-batches of 33. @param factor  null: a streamer */
async function trained(factor, rate) {
  const { train, test } = digits()
  const optimizer = (model) => optim.sgd(model, { learningRate: rate, momentum: 0.9 })
  const learner = await streamerOf({ make: lenet, optimizer, checkFinite: false })
  const { streamer, close } = learner
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = data.permutation(train.length, 1, epoch).subarray(0, samples)
    for (let from = 0; from + 33 <= order.length; from += 33) {
      const batch = train.gather(order.subarray(from, from + 33))
      if (factor) {
        streamer.optimizer.zeroGrad()
        accumulate(learner, batch, 16, factor)
        streamer.optimizer.step()
      } else await streamer.step(batch, { microBatch: 16 })
    }
  }
  const { loss, accuracy } = await streamer.evaluate(test)
  await close()
  return { rate, loss, accuracy }
}

const errors = []
for (const [name, each] of Object.entries(CASES)) errors.push({ name, ...(await compare(each)) })
const learned = []
for (const [name, factor] of Object.entries({ exact: null, ...RULES })) {
  for (const rate of rates) learned.push({ name, ...(await trained(factor, rate)) })
}
const best = (rule) =>
  Math.min(...learned.flatMap(({ name, loss }) => (name === rule && Number.isFinite(loss) ? [loss] : [])))
const [even, ...uneven] = errors

finish({
  seeds: 'seed 1; nothing is drawn but weights and the order of samples',
  holds: [
    errors.every(({ exact }) => exact < 1e-4),
    even['1 / K'] < 1e-4 && uneven.every((error) => !(error['1 / K'] < 0.01)),
    errors.every(({ sum }) => !(sum < 1)),
    best('exact') < best('1 / K') && best('exact') < best('sum'),
  ],
  tables: [
    {
      columns: ['mini-batch', 'gradient off by: exact weights', '1 / K', 'sum'],
      rows: errors.map(({ name, exact, ...others }) => [
        name,
        exact.toExponential(1),
        percent(others['1 / K']),
        percent(others.sum),
      ]),
    },
    {
      columns: ['LeNet, mini-batches of 33: learning rate', 'rule', 'test loss', 'test accuracy'],
      rows: learned.map(({ name, rate, loss, accuracy }) => [rate, name, loss.toFixed(3), percent(accuracy)]),
    },
  ],
  notes: [
    `The second table is after ${epochs} epochs with momentum 0.9. A mean over no target is 0 here; where it is 0 / 0, as in PyTorch, the last case spoils the whole gradient.`,
  ],
  picture: draw({
    title: 'Gradient by the common rules, off from the mini-batch in one piece',
    kind: 'bars',
    x: { label: 'mini-batch', names: ['4 equal', '33', '50', 'sentences', 'empty part'] },
    y: { label: 'share of its length', show: (value) => percent(value, 0) },
    series: ['1 / K', 'sum'].map((rule) => ({
      name: rule,
      values: errors.map((error) => (Number.isFinite(error[rule]) ? error[rule] : null)),
    })),
  }),
})
