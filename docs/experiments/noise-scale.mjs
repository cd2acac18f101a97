/**
 * 10. The size of the mini-batch: one that follows the gradient noise scale, against a sweep of fixed sizes.
 *
 *   node docs/experiments/noise-scale.mjs [--quick]
 *
 * Every run sees each digit equally often. A fixed mini-batch goes in at least two micro-batches, of at most 256,
 * so that its noise can be measured.
 */
import { models, optim } from 'sluice'
import { digits } from './common/data.mjs'
import { begin, grouped, mean, percent, spread } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'
import { streamerOf } from './common/train.mjs'

const { seeds, batches, epochs, margin, finish } = begin(import.meta.url, {
  claims: ({ margin }) => [
    `The mean test accuracy of the mini-batch that grows is within ${percent(margin)} of the best fixed size.`,
    'It takes at most three quarters of the steps of the smallest size.',
    'It grows to at least 64 samples.',
  ],
  full: { seeds: [1, 2, 3], batches: [16, 64, 256, 1024], epochs: 20, margin: 0.01 },
  quick: { seeds: [1], batches: [16], epochs: 3, margin: 0.15 },
})

/** @param batch  a size, or 'auto' */
async function run(batch, seed) {
  const { train, test } = digits()
  const make = (device) => models.lenet(device, { seed })
  const { streamer, close } = await streamerOf({
    make,
    memory: '2MiB',
    seed,
    optimizer: (model) => optim.adam(model, { learningRate: 3e-3 }),
  })
  const noise = []
  const sizes = []
  const options = batch === 'auto' ? { batch } : { batch, microBatch: Math.min(256, batch / 2) }
  const onEpoch = ({ noiseScale }) => void noise.push(noiseScale)
  for await (const { samples } of streamer.fit(train, { ...options, epochs, onEpoch })) sizes.push(samples)
  const { accuracy, loss } = await streamer.evaluate(test)
  await close()
  return { accuracy, loss, steps: sizes.length, noise, largest: Math.max(...sizes) }
}

const rows = []
for (const batch of [...batches, 'auto']) {
  const runs = []
  for (const seed of seeds) runs.push(await run(batch, seed))
  rows.push({
    batch,
    runs,
    accuracies: runs.map(({ accuracy }) => accuracy),
    steps: mean(runs.map(({ steps }) => steps)),
  })
}

const fixed = rows.slice(0, -1)
const auto = rows.at(-1)
const best = Math.max(...fixed.map(({ accuracies }) => mean(accuracies)))
/** The mean noise scale of an epoch; where no gradient was found in the noise, it counts as the number of samples. */
const noiseAt = ({ runs }, epoch) => mean(runs.map(({ noise }) => Math.min(1438, noise.at(epoch) ?? 1438)))
finish({
  seeds: `seeds ${seeds.join(', ')}`,
  holds: [
    mean(auto.accuracies) >= best - margin,
    auto.steps <= 0.75 * fixed[0].steps,
    auto.runs.every(({ largest }) => largest >= 64),
  ],
  tables: [
    {
      columns: [
        'mini-batch',
        'steps',
        'test accuracy: mean (lowest to highest)',
        'test loss',
        'noise scale after epoch 1',
        `after epoch ${epochs}`,
      ],
      rows: rows.map((row) => [
        row.batch === 'auto' ? `16, growing to ${Math.max(...row.runs.map(({ largest }) => largest))}` : row.batch,
        grouped(row.steps),
        spread(row.accuracies, percent),
        mean(row.runs.map(({ loss }) => loss)).toFixed(4),
        grouped(noiseAt(row, 0)),
        grouped(noiseAt(row, -1)),
      ]),
    },
  ],
  notes: [
    `A noise scale above the 1,438 samples counts as 1,438. Every run is ${epochs} epochs of Adam with a rate of 0.003, for any size.`,
  ],
  picture: draw({
    title: 'The gradient noise scale of LeNet on the digits, by epoch',
    x: { label: 'epoch' },
    y: { label: 'samples', log: true, show: (value) => grouped(value) },
    series: rows.map((row) => ({
      name: row.batch === 'auto' ? 'growing' : `mini-batch ${row.batch}`,
      points: Array.from({ length: epochs }, (_, epoch) => [epoch + 1, Math.max(1, noiseAt(row, epoch))]),
    })),
  }),
})
