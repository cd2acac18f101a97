/**
 * Each model of the library, scaled down, trains to a stated accuracy under a budget that forbids its batch.
 *
 *   node docs/experiments/models.mjs [--quick]
 *
 * The budget is what stands between steps, and a third of what the batch takes beside that in one piece. Images are the real
 * digits, enlarged where a model asks for more pixels; masks are of drawn shapes, text is from a small grammar.
 */
import { crossEntropy, DoesNotFitError, models, openVirtualDevice, optim, Streamer } from 'sluice'
import { digits, enlarged, first, masks, sentences } from './common/data.mjs'
import { begin, grouped, percent } from './common/experiment.mjs'
import { draw } from './common/picture.mjs'
import { streamerOf } from './common/train.mjs'

const { names, epochsOf, goalOf, finish } = begin(import.meta.url, {
  claims: [
    'Each model refuses its batch in one piece under the budget.',
    'Each trains under it to the accuracy that the table states: of classes, of pixels (U-Net), or of the next character.',
  ],
  full: { names: null, epochsOf: ({ epochs }) => epochs, goalOf: ({ goal }) => goal },
  quick: { names: ['lenet'], epochsOf: () => 3, goalOf: () => 0.2 },
})

const small = digits()
const large = { train: enlarged(small.train, 4), test: enlarged(small.test, 4) }
const text = sentences({ samples: 512, tests: 100 })
const shapes = masks({ samples: 512, tests: 100 })
const tokens = { vocabulary: text.vocabulary, context: 64, width: 32, heads: 4, layers: 2 }

/** What the model is made with, its data, epochs, and the accuracy that it has to reach. */
const image = (options, epochs, goal, rate = 1e-2) => ({ options, sets: small, epochs, goal, rate })
const MODELS = {
  mlp: image({}, 10, 0.93),
  lenet: image({}, 12, 0.93),
  convnet: image({}, 10, 0.93),
  resnet18: image({ width: 8, inputShape: [1, 8, 8] }, 5, 0.9),
  resnet34: image({ width: 8, inputShape: [1, 8, 8] }, 5, 0.9),
  resnet50: image({ width: 8, inputShape: [1, 8, 8] }, 8, 0.85),
  resnet101: image({ width: 8, inputShape: [1, 8, 8] }, 8, 0.85),
  vgg16: { ...image({ width: 4, inputShape: [1, 32, 32], batchNorm: 'deferred', dropout: 0 }, 5, 0.9), sets: large },
  mobilenet: image({ width: 8, inputShape: [1, 8, 8], dropout: 0 }, 8, 0.9),
  amoebanet: image({ layers: 3, filters: 16, inputShape: [1, 8, 8] }, 6, 0.9),
  unet: {
    options: { width: 4, levels: 2, inputShape: [3, 16, 16] },
    sets: shapes,
    epochs: 8,
    goal: 0.95,
    rate: 1e-2,
    loss: models.maskLoss,
    metrics: { pixels },
  },
  lstm: image({ width: 64 }, 10, 0.9),
  gpt: { options: tokens, sets: text, epochs: 6, goal: 0.5, rate: 1e-2 },
  transformer: { options: tokens, sets: text, epochs: 6, goal: 0.5, rate: 1e-2 },
}

/** The share of pixels that are on the right side. */
function pixels() {
  let [right, all] = [0, 0]
  return {
    add({ data: logits }, { targets: { data } }) {
      for (let i = 0; i < data.length; i++) if (logits[i] > 0 === (data[i] === 1)) right++
      all += data.length
    },
    get value() {
      return right / all
    },
  }
}

const BATCH = 128
const adam = (rate, steps) => (model) =>
  optim.adam(model, { learningRate: optim.cosine({ learningRate: rate, steps }) })

/** A third of what the batch in one piece takes beside what stands, in pages of 64 KiB. */
function budgetFor({ make, loss = crossEntropy, targetShape }) {
  const model = make(openVirtualDevice('cpu'))
  const plan = new Streamer({ model, loss, optimizer: optim.adam(model) }).plan({ batch: BATCH, targetShape })
  const standing = Object.values(plan.heldBytes).reduce((sum, bytes) => sum + bytes)
  return {
    whole: plan.wholeBatchBytes,
    memory: 2 ** 16 * Math.ceil((standing + (plan.wholeBatchBytes - standing) / 3) / 2 ** 16),
  }
}

async function run(name) {
  const { options, sets, rate, loss, metrics, ...setup } = MODELS[name]
  const [epochs, goal] = [epochsOf(setup), goalOf(setup)]
  const make = (device) => models[name](device, { ...options, seed: 1 })
  const { whole, memory } = budgetFor({ make, loss, targetShape: sets.train.targetShape })
  const optimizer = adam(rate, epochs * Math.ceil(sets.train.length / BATCH))
  const { streamer, close } = await streamerOf({ make, loss, optimizer, memory, recompute: 'cheap' })
  const batch = first(sets.train, BATCH)
  const refused = await streamer.step(batch, { microBatch: BATCH }).then(
    () => false,
    (error) => error instanceof DoesNotFitError,
  )
  let peak = 0
  for await (const { peakBytes } of streamer.fit(sets.train, { batch: BATCH, epochs })) peak = Math.max(peak, peakBytes)
  const { microBatch } = streamer.plan({ batch: BATCH, targetShape: sets.train.targetShape })
  const { accuracy, metrics: measured } = await streamer.evaluate(sets.test, { metrics })
  const parameters = streamer.model.parameters().reduce((sum, { size }) => sum + size, 0)
  await close()
  return {
    name,
    parameters,
    whole,
    memory,
    microBatch,
    refused,
    peak,
    epochs,
    goal,
    accuracy: accuracy ?? measured.pixels,
  }
}

const rows = []
for (const name of names ?? Object.keys(MODELS)) {
  rows.push(await run(name))
  console.log(`${name}: ${percent(rows.at(-1).accuracy)}`)
}
finish({
  seeds: 'seed 1',
  holds: [
    rows.every(({ refused, memory, peak }) => refused && peak <= memory),
    rows.every(({ accuracy, goal }) => accuracy >= goal),
  ],
  tables: [
    {
      columns: [
        'model',
        'parameters',
        'batch 128 needs, bytes',
        'budget',
        'micro-batch',
        'highest peak',
        'epochs',
        'stated accuracy',
        'test accuracy',
      ],
      rows: rows.map(({ name, parameters, whole, memory, microBatch, peak, epochs, goal, accuracy }) => [
        `\`${name}\``,
        grouped(parameters),
        grouped(whole),
        grouped(memory),
        microBatch,
        grouped(peak),
        epochs,
        percent(goal, 0),
        percent(accuracy),
      ]),
    },
  ],
  picture: draw({
    title: 'What a batch of 128 needs in one piece, and the budget under which it trained',
    kind: 'bars',
    x: {
      label: 'model',
      names: rows.map(({ name }) => name.replace('resnet', 'res').replace('transformer', 'transf.')),
    },
    y: { label: 'MiB', log: true, show: (value) => String(value) },
    series: [
      { name: 'in one piece', values: rows.map(({ whole }) => whole / 2 ** 20) },
      { name: 'budget', values: rows.map(({ memory }) => memory / 2 ** 20) },
    ],
  }),
})
