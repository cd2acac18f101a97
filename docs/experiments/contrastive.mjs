/**
 * 12. A contrastive loss with and without the whole mini-batch: which right half belongs to a left half?
 *
 *   node docs/experiments/contrastive.mjs [--quick]
 *
 * Two towers see the halves of a digit, and the loss (InfoNCE) compares every left half of a mini-batch with every right half.
 * Streamed, it compares all of them in spite of the split. The usual loop compares those of a micro-batch only, and accumulates.
 * Retrieval: the share of left halves of test images whose own right half is the most similar of all.
 */
import { backward, contrastive, data, fromHost, Module, nn, optim, scope } from 'sluice'
import { digits, part } from './common/data.mjs'
import { begin, mean, percent, spread } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'
import { streamerOf } from './common/train.mjs'

const { seeds, sizes, epochs, margin, finish } = begin(import.meta.url, {
  claims: ({ margin, sizes }) => [
    `Streamed, the mean retrieval accuracy is within ${percent(margin)} of that in one piece, for every micro-batch.`,
    `Compared within a micro-batch of ${sizes.at(-1)} only, it is more than ${percent(margin)} below that in one piece.`,
  ],
  full: { seeds: [1, 2, 3], sizes: [32, 4], epochs: 20, margin: 0.015 },
  quick: { seeds: [1], sizes: [4], epochs: 5, margin: 0.01 },
})

const BATCH = 256
const loss = contrastive({ temperature: 0.1 })

/** [N, 1, 8, 8] -> the left and the right halves of the images, [N, 32] each. */
function halves({ data: pixels, shape: [samples], scale }) {
  const side = (from) => {
    const half = new Uint8Array(32 * samples)
    for (let row = 0; row < 8 * samples; row++) half.set(pixels.subarray(8 * row + from, 8 * row + from + 4), 4 * row)
    return { data: half, shape: [samples, 32], scale }
  }
  return [side(0), side(4)]
}
function halved(set) {
  const gather = (indices) => {
    const { inputs, targets } = set.gather(indices)
    return { inputs: halves(inputs), targets }
  }
  return { ...set, inputShape: [[32], [32]], gather }
}
const [train, test] = [digits().train, digits().test].map(halved)

class TwoTowers extends Module {
  inputShape = [[32], [32]]

  constructor(device, seed) {
    super(device)
    const random = nn.generator(seed)
    const tower = () =>
      new nn.Sequential(
        new nn.Linear(device, 32, 128, { random }),
        new nn.ReLU(device),
        new nn.Linear(device, 128, 32, { random }),
      )
    this.left = tower()
    this.right = tower()
  }

  forward(a, b) {
    return [this.left.forward(a), this.right.forward(b)]
  }
}

/** The usual loop: the loss of each micro-batch by itself, divided by their number. */
function withinMicroBatches({ model, device, streamer }, batch, size) {
  streamer.optimizer.zeroGrad()
  for (let from = 0; from < BATCH; from += size) {
    scope(device, () => {
      const { inputs } = part(batch, from, from + size)
      backward(loss(model.forward(...inputs.map((half) => fromHost(device, half)))).mul(size / BATCH))
    })
  }
  streamer.optimizer.step()
}

/** The share of rows of a whose most similar row of b is their own. */
function retrieval([a, b]) {
  const [samples, features] = a.shape
  const directions = ({ data }) =>
    Array.from({ length: samples }, (_, i) => {
      const own = data.subarray(i * features, (i + 1) * features)
      return own.map((value) => value / Math.hypot(...own))
    })
  const [left, right] = [directions(a), directions(b)]
  const similarity = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0)
  return mean(
    left.map((u, i) => (right.every((v, j) => j === i || similarity(u, v) < similarity(u, right[i])) ? 1 : 0)),
  )
}

async function run({ streamed, size }, seed) {
  const learner = await streamerOf({
    make: (device) => new TwoTowers(device, seed),
    loss,
    optimizer: (model) => optim.adam(model, { learningRate: 3e-3 }),
  })
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = data.permutation(train.length, seed, epoch)
    for (let from = 0; from + BATCH <= train.length; from += BATCH) {
      const batch = train.gather(order.subarray(from, from + BATCH))
      if (streamed) await learner.streamer.step(batch, { microBatch: size })
      else withinMicroBatches(learner, batch, size)
    }
  }
  const { inputs } = test.gather(Array.from({ length: test.length }, (_, i) => i))
  const outputs = await learner.streamer.predict(inputs)
  await learner.close()
  return retrieval(outputs)
}

const setups = [
  { streamed: true, size: BATCH },
  ...sizes.map((size) => ({ streamed: true, size })),
  ...sizes.map((size) => ({ streamed: false, size })),
]
const rows = []
for (const setup of setups) {
  const found = []
  for (const seed of seeds) found.push(await run(setup, seed))
  rows.push({ ...setup, found })
}

const [whole, ...others] = rows
const gap = ({ found }) => mean(whole.found) - mean(found)
finish({
  seeds: `seeds ${seeds.join(', ')}`,
  holds: [
    others.filter(({ streamed }) => streamed).every((row) => Math.abs(gap(row)) <= margin),
    gap(others.at(-1)) > margin,
  ],
  tables: [
    {
      columns: [
        'micro-batch of 256',
        'a half is compared with',
        `right halves found among ${test.length} (lowest to highest)`,
      ],
      rows: rows.map(({ streamed, size, found }) => [
        size === BATCH ? '256: in one piece' : size,
        streamed ? 'all 256 of the mini-batch' : `the ${size} of its micro-batch`,
        spread(found, percent),
      ]),
    },
  ],
  picture: draw({
    title: 'Left halves of test digits that find their right half',
    kind: 'bars',
    x: { label: 'micro-batch', names: [BATCH, ...sizes] },
    y: { label: `share of ${test.length}, mean over seeds`, show: (value) => percent(value, 0) },
    series: [true, false].map((streamed) => ({
      name: streamed ? 'whole mini-batch' : 'within micro-batches',
      values: [BATCH, ...sizes].map((size) => {
        const row = rows.find((row) => row.size === size && (row.streamed === streamed || size === BATCH))
        return mean(row.found)
      }),
    })),
  }),
})
