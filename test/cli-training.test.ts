/** A run of the command line gives the same numbers, to the bit, as the same run written with the library. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import {
  crossEntropy,
  DoesNotFitError,
  data,
  models,
  nn,
  openDevice,
  openVirtualDevice,
  optim,
  Streamer,
} from '../src/index.js'
import { type Event, eventsOf, sluice } from './command-line.js'
import { writeIdx } from './idx-files.js'

/** The wanted fields of all events with one name. */
const fields = (all: readonly Event[], name: string, ...wanted: string[]): unknown[][] =>
  all.filter(({ event }) => event === name).map((event) => wanted.map((field) => event[field]))

function write(folder: string, name: string, shape: readonly [number, number, number], classes: number): void {
  const random = nn.generator(classes)
  writeIdx(folder, `${name}-images-idx3-ubyte`, shape, () => Math.floor(256 * random()))
  writeIdx(folder, `${name}-labels-idx1-ubyte`, [shape[0]], (i) => i % classes)
}

/**
 * Two folders with 60 images of 6 x 6 pixels in 4 classes. One is split to get a test set; the other has 21 test
 * images, in 3 classes.
 */
const [alone, withTests] = ['alone', 'with tests'].map((name) => mkdtempSync(join(tmpdir(), `sluice ${name} `)))
test.before(() => {
  write(alone, 'train', [60, 6, 6], 4)
  write(withTests, 'train', [60, 6, 6], 4)
  write(withTests, 't10k', [21, 6, 6], 3)
})
test.after(() => {
  for (const folder of [alone, withTests]) rmSync(folder, { recursive: true })
})

interface Job {
  /** default: the sets of the split folder */
  sets?: (seed: number) => Promise<{ train: data.Dataset; test: data.Dataset }>
  kind?: 'cpu' | 'reference'
  optimizer: (model: nn.Module) => optim.Optimizer
  seed?: number
  batch?: number
  epochs?: number
  microBatch?: number
}

const splitFolder = async (seed: number) => {
  const { train } = await data.idxFolder(alone)
  return data.split(train, { testFraction: 0.2, seed })
}

/** The same training as a user of the library writes it. */
async function library({ sets = splitFolder, kind = 'cpu', ...job }: Job) {
  const { optimizer, seed = 1, batch = 20, epochs = 1, microBatch } = job
  const { train, test } = await sets(seed)
  const device = await openDevice(kind, { memory: '512KiB' })
  const { inputShape, classes } = train
  const model = models.mlp(device, { inputShape, classes, seed })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optimizer(model), seed })
  const steps: unknown[][] = []
  const ends: unknown[][] = []
  const training = streamer.fit(train, {
    ...{ batch, epochs, microBatch },
    evaluate: test,
    onEpoch: ({ epoch, trainLoss, evaluation }) =>
      void ends.push([epoch + 1, trainLoss, evaluation?.loss, evaluation?.accuracy]),
  })
  for await (const { epoch, step, samples, loss, peakBytes } of training) {
    steps.push([epoch + 1, step, samples, loss, peakBytes])
  }
  device.close()
  return { steps, ends }
}

/** A rate that rises in a straight line to `rate` over `rise` steps, and then follows `after`. */
const risen = (rate: number, rise: number, after: (step: number) => number) => (step: number) =>
  step < rise ? (rate * (step + 1)) / rise : after(step - rise)

const cosine = (rate: number, steps: number) => (step: number) =>
  (rate * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))) / 2

/** The flags of every case. A case can override a flag. */
const SMALL = `--model mlp --data idx:${alone} --batch 20 --memory 512KiB --epochs 1`.split(/ (?=--)/)

// three steps an epoch, of 20, 20 and 8 samples; flags that are not given have their defaults
const CASES: Readonly<Record<string, Job>> = {
  '--epochs 4': {
    epochs: 4,
    optimizer: (model) => optim.adam(model, { learningRate: risen(0.01, 10, cosine(0.01, 2)) }),
  },
  '--epochs 2 --seed 4 --warm-up 2 --lr 0.02': {
    epochs: 2,
    seed: 4,
    optimizer: (model) => optim.adam(model, { learningRate: risen(0.02, 2, cosine(0.02, 4)) }),
  },
  '--epochs 2 --warm-up 9': {
    epochs: 2,
    optimizer: (model) => optim.adam(model, { learningRate: (step) => (0.01 * (step + 1)) / 9 }),
  },
  '--optimizer sgd --schedule constant --warm-up 0 --batch 10': {
    batch: 10,
    optimizer: (model) => optim.sgd(model, { learningRate: 0.05, momentum: 0.9 }),
  },
  '--optimizer sgd --lr 0.2 --momentum 0.5 --weight-decay 0.01 --clip-norm 0.25 --schedule step --warm-up 0 --seed 2': {
    seed: 2,
    optimizer: (model) =>
      optim.sgd(model, {
        ...{ momentum: 0.5, weightDecay: 0.01, clipNorm: 0.25 },
        learningRate: (step) => 0.2 * 0.1 ** step,
      }),
  },
  '--weight-decay 0.5 --clip-norm 0.01 --schedule constant --warm-up 2': {
    optimizer: (model) =>
      optim.adam(model, { learningRate: risen(0.01, 2, () => 0.01), weightDecay: 0.5, clipNorm: 0.01 }),
  },
  '--epochs 2 --optimizer adamw --schedule step --warm-up 1': {
    epochs: 2,
    optimizer: (model) =>
      optim.adamw(model, { learningRate: risen(0.01, 1, (step) => 0.01 * 0.1 ** Math.floor(step / 2)) }),
  },
  '--optimizer adamw --weight-decay 0.5 --clip-norm 0.01 --warm-up 1': {
    optimizer: (model) =>
      optim.adamw(model, { learningRate: risen(0.01, 1, cosine(0.01, 2)), weightDecay: 0.5, clipNorm: 0.01 }),
  },
  '--optimizer rmsprop --momentum 0.5 --clip-value 0.001 --weight-decay 0.01 --schedule constant --warm-up 0': {
    optimizer: (model) =>
      optim.rmsprop(model, { learningRate: 0.01, momentum: 0.5, clipValue: 0.001, weightDecay: 0.01 }),
  },
  '--optimizer rmsprop --warm-up 1': {
    optimizer: (model) => optim.rmsprop(model, { learningRate: risen(0.01, 1, cosine(0.01, 2)) }),
  },
  '--optimizer adamw --clip-value 0.002 --schedule constant --warm-up 0': {
    optimizer: (model) => optim.adamw(model, { learningRate: 0.01, clipValue: 0.002 }),
  },
  '--device reference --batch 1000 --micro-batch 7 --warm-up 0': {
    kind: 'reference',
    batch: 1000,
    microBatch: 7,
    optimizer: (model) => optim.adam(model, { learningRate: 0.01 }),
  },
  [`--data idx:${withTests} --warm-up 1`]: {
    sets: async () => {
      const { train, test } = await data.idxFolder(withTests)
      assert.ok(test)
      return { train, test }
    },
    optimizer: (model) => optim.adam(model, { learningRate: risen(0.01, 1, cosine(0.01, 2)) }),
  },
  '--data digits --batch 700 --seed 3 --warm-up 1': {
    sets: async (seed) => data.split(data.digits(), { testFraction: 0.2, seed }),
    batch: 700,
    seed: 3,
    optimizer: (model) => optim.adam(model, { learningRate: risen(0.01, 1, cosine(0.01, 2)) }),
  },
}

/** Flags and their values; a folder's name may have spaces. */
const words = (flags: readonly string[]): string[] => flags.flatMap((flag) => flag.split(/(?<=^--\S+) /))

for (const [flags, job] of Object.entries(CASES)) {
  test(`sluice train ${flags.replace(withTests, 'DIR')}: the library's numbers`, async () => {
    const all = await eventsOf(['train', ...words([...SMALL, ...flags.split(/ (?=--)/)])])
    const { steps, ends } = await library(job)
    assert.equal(fields(all, 'step', 'epoch', 'step', 'samples', 'loss', 'peakBytes'), steps)
    assert.equal(fields(all, 'epoch', 'epoch', 'trainLoss', 'testLoss', 'testAccuracy'), ends)
    const [, , testLoss, testAccuracy] = ends[ends.length - 1]
    const count = [steps.length, steps.length, ends.length, ends.length]
    assert.equal(
      fields(all, 'done', 'testLoss', 'testAccuracy', 'steps', 'stepsAsPlanned', 'evaluations', 'evaluationsAsPlanned'),
      [[testLoss, testAccuracy, ...count]],
    )
  })
}

test('the lines for a person have the same numbers', async () => {
  const started = performance.now()
  const { out } = await sluice(['train', ...words([...SMALL, '--epochs 2', '--warm-up 1'])])
  const seconds = (performance.now() - started) / 1000
  const optimizer = (model: nn.Module) => optim.adam(model, { learningRate: risen(0.01, 1, cosine(0.01, 5)) })
  const { steps, ends } = await library({ epochs: 2, optimizer })
  for (const [epoch, ...numbers] of ends) {
    const [trainLoss, testLoss, accuracy] = numbers.map(Number)
    const line =
      `epoch ${epoch}/2   loss ${trainLoss.toPrecision(4)}   test loss ${testLoss.toPrecision(4)}   ` +
      `accuracy ${(100 * accuracy).toFixed(1)} %`
    assert.ok(out.includes(line), `${line} is not in ${out}`)
  }
  assert.ok(out.includes(`Test accuracy ${(100 * Number(ends[1][3])).toFixed(1)} %.`))
  const peak = Math.max(...steps.map(([, , , , peakBytes]) => Number(peakBytes)))
  const [, highest, share, took] = /Highest peak .* \((.*) bytes\), (.*) % of .*\n.*\n(.*) s\.\n$/.exec(out) ?? []
  assert.equal([highest, share], [peak.toLocaleString('en-US'), (peak / 5242.88).toFixed(1)])
  assert.ok(Number(took) <= seconds + 0.05, `${took} of ${seconds} s`)
})

/** Asserts that a job is refused before anything is trained, with the budget that it needs. */
async function assertRefused(job: string, data: string, needed: number): Promise<void> {
  for (const command of ['train', 'plan']) {
    const { code, out, err } = await sluice([command, ...job.split(' '), '--data', data, '--json'])
    assert.equal([code, out.split('\n').length], [EXIT.doesNotFit, 2], out)
    assert.match(err, `(${needed} bytes)`)
  }
}

test('a job whose evaluation alone does not fit is refused before anything is trained, with the budget it needs', async () => {
  const model = models.mlp(openVirtualDevice('cpu'), { inputShape: [1, 8, 8], classes: 10 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model) })
  const [training, evaluation] = [
    streamer.plan({ batch: 50, microBatch: 300 }),
    streamer.plan({ batch: 359, microBatch: 300, mode: 'evaluate' }),
  ].map(({ neededBudgetBytes }) => neededBudgetBytes)
  assert.ok(training < evaluation)
  const job = `--model mlp --batch 50 --micro-batch 300 --epochs 1 --memory ${training}`
  await assertRefused(job, 'digits', evaluation)
})

test('a last mini-batch that needs more than a full one is refused too, and --micro-batch fast does not choose a size that it cannot run', async () => {
  // 48 images: a mini-batch of 25, and one of 23 that would need 1 MiB in one piece
  const more = 2 ** 20
  const { plan, fastest } = Streamer.prototype
  Streamer.prototype.plan = function uneven(options) {
    const found = plan.call(this, options)
    if (options.batch !== 23 || options.microBatch !== 25) return found
    const { budgetBytes, minimumBudgetBytes, peakOp, heldAtPeak } = found
    if (budgetBytes < more) throw new DoesNotFitError(25, 23, more, minimumBudgetBytes, budgetBytes, peakOp, heldAtPeak)
    return { ...found, neededBudgetBytes: more }
  }
  // the full mini-batch is made the fastest, independent of the clock
  Streamer.prototype.fastest = async function largestFirst(...args) {
    return (await fastest.apply(this, args)).toSorted((a, b) => b.microBatch - a.microBatch)
  }
  try {
    const job = '--model mlp --batch 25 --epochs 1 --memory 512KiB --micro-batch'
    await assertRefused(`${job} 25`, `idx:${alone}`, more)
    const all = await eventsOf(['train', ...job.split(' '), 'fast', '--data', `idx:${alone}`])
    const [[chosen, trials]] = fields(all, 'choice', 'microBatch', 'trials')
    assert.ok(Array.isArray(trials))
    assert.equal([trials[0].microBatch, chosen], [25, trials[1].microBatch])
    assert.equal(fields(all, 'step', 'samples'), [[25], [23]])
  } finally {
    Object.assign(Streamer.prototype, { plan, fastest })
  }
})

test("sluice plan: the library's plan", async () => {
  for (const [args, kind, build, optimizer] of [
    ['--model lenet --batch 1024 --memory 2MiB', 'cpu', models.lenet, optim.adam],
    ['--model mlp --batch 300 --memory 400KiB --optimizer sgd --momentum 0', 'cpu', models.mlp, optim.sgd],
    ['--model mlp --batch 300 --memory 1MiB --device gpu', 'gpu', models.mlp, optim.adam],
  ] as const) {
    const [event] = await eventsOf(`plan ${args}`)
    const device = openVirtualDevice(kind, { memory: Number(event.budgetBytes) })
    const model = build(device, { inputShape: [1, 8, 8], classes: 10, seed: 1 })
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optimizer(model) })
    const { outputShape, outputRows, toJSON, ...plan } = streamer.plan({ batch: Number(event.batch) })
    assert.equal(event, { event: 'plan', ...JSON.parse(JSON.stringify({ ...plan, frontier: plan.frontier() })) })
  }
})

test.run()
