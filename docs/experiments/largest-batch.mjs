/**
 * 2. The largest batch under one budget: in one piece it is refused, and streamed it goes up to 64 times that.
 *
 *   node docs/experiments/largest-batch.mjs [--quick]
 *
 * The budget of each net is what 16 samples in one piece need. Nothing is made again, so that only the split counts.
 */
import { crossEntropy, DoesNotFitError, models, openVirtualDevice, optim, Streamer } from 'sluice'
import { digits, first, masks, sentences } from './common/data.mjs'
import { begin, grouped } from './common/experiment.mjs'
import { smallResNet } from './common/nets.mjs'
import { draw } from './common/picture.mjs'
import { streamerOf } from './common/train.mjs'

const { times, epochs, nets, finish } = begin(import.meta.url, {
  claims: [
    'Every net refuses one sample more than its largest batch in one piece, and learns from 64 times that batch under the same budget.',
    'No step is above the budget, and each peaks at the byte that its plan says.',
    'The peak does not grow with the batch: that of 64 times the batch is at most that of the batch in one piece.',
  ],
  full: { times: [1, 4, 16, 64], epochs: 4, nets: ['LeNet', 'ResNet', 'U-Net', 'GPT'] },
  quick: { times: [1, 64], epochs: 1, nets: ['LeNet'] },
})

const text = sentences({ samples: 1438 })
const gpt = { vocabulary: text.vocabulary, context: 64, width: 32, heads: 4, layers: 2, seed: 1 }
const NETS = {
  LeNet: { make: (device) => models.lenet(device, { seed: 1 }), set: digits().train },
  ResNet: { make: (device) => smallResNet(device, { policy: 'deferred', seed: 1 }), set: digits().train },
  'U-Net': {
    make: (device) => models.unet(device, { inputShape: [3, 16, 16], width: 4, levels: 2, seed: 1 }),
    set: masks({ samples: 1438 }).train,
    loss: models.maskLoss,
  },
  GPT: { make: (device) => models.gpt(device, gpt), set: text.train },
}

/** A plan on a device without memory. */
function planOf({ make, set: { targetShape }, loss = crossEntropy }, memory, batch, microBatch) {
  const model = make(openVirtualDevice('cpu', memory === null ? {} : { memory }))
  const streamer = new Streamer({ model, loss, optimizer: optim.adam(model), recompute: 'never' })
  return streamer.plan({ batch, microBatch, targetShape })
}

const open = ({ make, loss }, memory) => streamerOf({ make, loss, memory })

/** The error of a step in one piece that does not fit. */
async function refusal(streamer, batch, microBatch) {
  try {
    await streamer.step(batch, { microBatch })
  } catch (error) {
    if (error instanceof DoesNotFitError) return error
    throw error
  }
  return null
}

const rows = []
for (const name of nets) {
  const net = NETS[name]
  const memory = planOf(net, null, 16, 16).neededBudgetBytes
  const largest = planOf(net, memory, 16, 16).largest('batch').value
  const learner = await open(net, memory)
  const more = await refusal(learner.streamer, first(net.set, largest + 1), largest + 1)
  const far = await refusal(learner.streamer, first(net.set, 64 * largest), 64 * largest)
  await learner.close()
  for (const factor of times) {
    const { streamer, close } = await open(net, memory)
    const batch = first(net.set, factor * largest)
    let step
    let [before, exact] = [null, true]
    for (let i = 0; i <= epochs; i++) {
      step = await streamer.step(batch)
      before ??= step.loss
      exact &&= step.peakBytes === step.plannedPeakBytes && step.peakBytes <= memory
    }
    const [{ size }] = step.parts
    rows.push({
      name,
      memory,
      factor,
      samples: factor * largest,
      size,
      peak: step.peakBytes,
      before,
      after: step.loss,
      exact,
      refused: more !== null && far !== null,
      needed: far?.neededBytes,
    })
    await close()
  }
}

const peaks = (factor) => rows.filter((row) => row.factor === factor).map(({ peak }) => peak)
const onePiece = peaks(1)
finish({
  seeds: 'seed 1',
  holds: [
    rows.every(({ refused, before, after }) => refused && after < before),
    rows.every(({ exact }) => exact),
    peaks(64).every((peak, i) => peak <= onePiece[i]),
  ],
  tables: [
    {
      columns: [
        'net',
        'budget, bytes',
        'batch',
        'goes as',
        'peak, bytes',
        'in one piece it would need',
        `loss, and after ${epochs} steps`,
      ],
      rows: rows.map(({ name, memory, factor, samples, size, peak, before, after, needed }) => [
        name,
        grouped(memory),
        factor === 1 ? `${samples}, the largest in one piece` : samples,
        `micro-batches of ${size}`,
        grouped(peak),
        factor === 1 ? grouped(peak) : factor === 64 ? grouped(needed) : '',
        `${before.toFixed(4)}, ${after.toFixed(4)}`,
      ]),
    },
  ],
  picture: draw({
    title: 'Peak of a step under one budget, by its batch',
    x: { label: 'batch, as multiple of the largest in one piece', names: times },
    y: { label: 'share of the budget', show: (value) => `${Math.round(100 * value)} %` },
    series: nets.map((net) => ({
      name: net,
      values: rows.filter(({ name }) => name === net).map(({ peak, memory }) => peak / memory),
    })),
  }),
})
