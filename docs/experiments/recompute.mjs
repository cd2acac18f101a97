/**
 * 9. Making values again: the bytes that more time buys, the micro-batch that fits then, and the time as measured.
 *
 *   node docs/experiments/recompute.mjs [--quick]
 *
 * The frontier of each net is planned at a budget that holds a quarter of its batch, with nothing made again. Then steps are
 * measured at some of its points: the budget that the point needs, and the plan's micro-batch. Steps of all points take turns;
 * the shortest of each counts, in processor time on one thread.
 */
import { crossEntropy, models, openVirtualDevice, optim, Streamer } from 'sluice'
import { digits, first, masks, sentences } from './common/data.mjs'
import { begin, grouped, percent, processorMs } from './common/experiment.mjs'
import { smallResNet } from './common/nets.mjs'
import { draw } from './common/picture.mjs'
import { streamerOf } from './common/train.mjs'

const { nets, rounds, limit, finish } = begin(import.meta.url, {
  claims: ({ limit }) => [
    'Within 15 % more time, as predicted, the micro-batch that fits is at least 1.5 times as large for every net.',
    'Every measured peak is the planned one, and no loss or gradient norm differs from those without: values are made again to the same bits.',
    `No measured time is more than ${percent(limit, 0)} of the step without above its prediction.`,
  ],
  full: { nets: ['ResNet', 'U-Net', 'GPT'], rounds: 9, limit: 0.25 },
  quick: { nets: ['ResNet'], rounds: 3, limit: 1 },
})

const BATCH = 64
const text = sentences({ samples: BATCH })
const NETS = {
  ResNet: { make: (device) => smallResNet(device, { width: 16, seed: 1 }), set: digits().train },
  'U-Net': {
    make: (device) => models.unet(device, { inputShape: [3, 32, 32], width: 8, levels: 2, seed: 1 }),
    set: masks({ samples: BATCH, size: 32 }).train,
    loss: models.maskLoss,
  },
  GPT: {
    make: (device) =>
      models.gpt(device, { vocabulary: text.vocabulary, context: 64, width: 64, heads: 4, layers: 3, seed: 1 }),
    set: text.train,
  },
}
const optimizer = (model) => optim.adam(model)

function planOf({ make, set: { targetShape }, loss = crossEntropy }, memory, microBatch, recompute) {
  const model = make(openVirtualDevice('cpu', memory ? { memory } : {}))
  return new Streamer({ model, loss, optimizer: optimizer(model), recompute }).plan({
    batch: BATCH,
    microBatch,
    targetShape,
  })
}

/** The whole frontier, and at most four of its points measured. */
async function measure(net) {
  const memory = planOf(net, null, BATCH / 4, 'never').neededBudgetBytes
  const frontier = planOf(net, memory, BATCH / 4, 'never').frontier()
  const within = frontier.filter(({ extraTime }) => extraTime <= 0.15)
  const points = [0, 1 / 3, 2 / 3, 1].map((share) => within[Math.round(share * (within.length - 1))])
  const players = []
  for (const point of new Set(points)) {
    // the memory of the cpu device comes in pages of 64 KiB
    const memory = 2 ** 16 * Math.ceil(point.peakBytes / 2 ** 16)
    const recompute = point.extraTime + 1e-9
    const opened = await streamerOf({ make: net.make, loss: net.loss, memory, optimizer, recompute })
    players.push({ point, memory, ...opened, best: Infinity })
  }
  const batch = first(net.set, BATCH)
  for (let round = 0; round <= rounds; round++) {
    for (const player of players) {
      const before = processorMs()
      const step = await player.streamer.step(batch, { microBatch: BATCH / 4 })
      const took = processorMs() - before
      player.first ??= step
      player.exact = step.peakBytes === step.plannedPeakBytes && step.peakBytes <= player.memory
      if (round > 0) player.best = Math.min(player.best, took)
    }
  }
  for (const { close } of players) await close()
  return { frontier, players }
}

const results = []
for (const name of nets) results.push({ name, ...(await measure(NETS[name])) })

const gain = ({ frontier }) =>
  Math.max(...frontier.filter(({ extraTime }) => extraTime <= 0.15).map(({ microBatch }) => microBatch)) /
  frontier[0].microBatch
const measured = ({ players }) =>
  players.map(({ point, best, first, exact }) => ({ ...point, first, exact, took: best / players[0].best - 1 }))
finish({
  seeds: 'seed 1',
  holds: [
    results.every((result) => gain(result) >= 1.5),
    results.every((result) =>
      measured(result).every(
        ({ exact, first }, _, [{ first: without }]) =>
          exact && first.loss === without.loss && first.gradNorm === without.gradNorm,
      ),
    ),
    results.every((result) => measured(result).every(({ took, extraTime }) => took <= extraTime + limit)),
  ],
  tables: [
    {
      columns: [
        'net',
        'more time, predicted',
        'measured',
        'peak of a step in micro-batches of 16, bytes',
        'share',
        'micro-batch that fits',
      ],
      rows: results.flatMap((result) =>
        measured(result).map(({ extraTime, took, peakBytes, microBatch }, _, [{ peakBytes: without }]) => [
          result.name,
          percent(extraTime),
          percent(took),
          grouped(peakBytes),
          percent(peakBytes / without, 0),
          microBatch,
        ]),
      ),
    },
  ],
  notes: ['The picture has every point of each frontier up to 60 % more time; the table those that were measured.'],
  picture: draw({
    title: 'Bytes of a step against the time that making values again takes',
    x: { label: 'more time in %, as predicted' },
    y: { label: 'peak, share of that without', show: (value) => percent(value, 0) },
    series: results.map(({ name, frontier }) => ({
      name,
      points: frontier
        .filter(({ extraTime }) => extraTime <= 0.6)
        .map(({ extraTime, peakBytes }) => [100 * extraTime, peakBytes / frontier[0].peakBytes]),
    })),
  }),
})
