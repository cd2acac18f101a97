/**
 * A training that goes on from a file, in another streamer on another device, ends like one without a disturbance: with
 * the same bits if the plan is the same, else with the same losses up to the order of sums.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  type Checkpoint,
  checkpointToSafetensors,
  crossEntropy,
  type Device,
  data,
  type EpochResult,
  FileError,
  type FitOptions,
  loadCheckpoint,
  Module,
  models,
  nn,
  openDevice,
  optim,
  Parameter,
  parseSafetensors,
  SafetensorsError,
  Streamer,
  saveCheckpoint,
  type Tensor,
  toSafetensors,
} from '../src/index.js'
import { errorOf } from './error-of.js'
import { batchNormModel, denseModel, randomBatch, residualModel, TEST_RUNS, transformerModel } from './fixtures.js'
import { fc } from './property.js'

const folder = mkdtempSync(join(tmpdir(), 'sluice-resume-'))
test.after(() => rmSync(folder, { recursive: true }))
const FILE = join(folder, 'run.safetensors')

const MODELS = { residual: residualModel, dense: denseModel, transformer: transformerModel, batchNorm: batchNormModel }
type ModelName = keyof typeof MODELS
/** Models whose samples do not see each other. */
const SEPARABLE = ['residual', 'dense', 'transformer'] as const

const OPTIMIZERS = {
  adam: (model: Module) => optim.adam(model, { learningRate: optim.cosine({ learningRate: 1e-2, steps: 9 }) }),
  sgd: (model: Module) => optim.sgd(model, { learningRate: 0.05, momentum: 0.9, clipNorm: 1 }),
}

/** 23 samples, some of which do not count. */
const SAMPLES = data.fromArrays({ ...randomBatch(23, 5, { weighted: true, ignored: [3, 4, 17] }), name: 'samples' })
const OPTIONS: FitOptions = { batch: 8, epochs: 3, microBatch: 3 }
const STEPS = 9

interface Setting {
  kind: 'cpu' | 'reference'
  memory: string
  threads?: number
  model: ModelName
  optimizer: keyof typeof OPTIMIZERS
}

async function streamerOf({ kind, memory, threads, model, optimizer }: Setting, seed = 7): Promise<Streamer> {
  const device = await openDevice(kind, { memory, threads })
  const made = MODELS[model](device)
  return new Streamer({ model: made, loss: crossEntropy, optimizer: OPTIMIZERS[optimizer](made), seed })
}

/** Train to the end, or for `steps` steps. */
async function follow(streamer: Streamer, options: FitOptions, steps = Infinity) {
  const losses: number[] = []
  const epochs: Pick<EpochResult, 'epoch' | 'trainLoss'>[] = []
  const onEpoch = ({ epoch, trainLoss }: EpochResult) => void epochs.push({ epoch, trainLoss })
  if (steps > 0) {
    for await (const { loss } of streamer.fit(SAMPLES, { ...options, onEpoch, from: streamer.cursor })) {
      losses.push(loss)
      if (losses.length === steps) break
    }
  }
  return { losses, epochs }
}

const settings = fc.record({
  kind: fc.constantFrom('cpu' as const, 'reference' as const),
  memory: fc.constant<string>('512KiB'),
  model: fc.constantFrom(...(Object.keys(MODELS) as ModelName[])),
  optimizer: fc.constantFrom('adam' as const, 'sgd' as const),
})

test('with the same plan: the same bits, from any step', async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.integer({ min: 0, max: STEPS }), async (setting, steps) => {
      const straight = await streamerOf(setting)
      const expected = await follow(straight, OPTIONS)
      assert.is(expected.losses.length, STEPS)
      const first = await streamerOf(setting)
      const before = await follow(first, OPTIONS, steps)
      await saveCheckpoint(await first.checkpoint(), FILE)
      const second = await streamerOf(setting)
      second.restore(await loadCheckpoint(FILE))
      const after = await follow(second, OPTIONS)
      assert.equal([...before.losses, ...after.losses], expected.losses)
      assert.equal([...before.epochs, ...after.epochs], expected.epochs)
      assert.equal(await second.checkpoint(), await straight.checkpoint())
    }),
    { seed: 20263, numRuns: 12 * TEST_RUNS, examples: [[{ ...DEFAULT, model: 'batchNorm' }, 4]] },
  )
})

const DEFAULT: Setting = { kind: 'cpu', memory: '512KiB', model: 'residual', optimizer: 'adam' }

/** Losses of size 1 with their sums in another order: 16 roundings, of 2^-24 in float32. Measured: 2 in 60 trainings. */
const SAME_LOSS = { reference: 2 ** -49, cpu: 2 ** -20 }

test('with another budget, micro-batch, number of threads or device: the same losses', async () => {
  const others = fc.record({
    kind: fc.constantFrom('cpu' as const, 'reference' as const),
    memory: fc.constantFrom('512KiB', '2MiB'),
    threads: fc.constantFrom(1, 2),
    microBatch: fc.integer({ min: 1, max: 8 }),
  })
  const model = fc.constantFrom(...SEPARABLE)
  const optimizer = fc.constantFrom('adam' as const, 'sgd' as const)
  await fc.assert(
    fc.asyncProperty(
      others,
      others,
      model,
      optimizer,
      fc.integer({ min: 0, max: 8 }),
      async (one, other, model, optimizer, steps) => {
        const at = ({ microBatch, ...setting }: typeof one) =>
          [
            { ...setting, model, optimizer, threads: setting.kind === 'cpu' ? setting.threads : undefined },
            { ...OPTIONS, microBatch },
          ] as const
        const [ownSetting, ownOptions] = at(one)
        const [otherSetting, otherOptions] = at(other)
        const expected = await follow(await streamerOf(ownSetting), ownOptions)
        const first = await streamerOf(ownSetting)
        const before = await follow(first, ownOptions, steps)
        const file = checkpointToSafetensors(await first.checkpoint())
        const second = await streamerOf(otherSetting)
        second.restore(await loadCheckpoint(file))
        const after = await follow(second, otherOptions)
        const losses = [...before.losses, ...after.losses]
        assert.is(losses.length, STEPS)
        const exact = one.kind === 'reference' && other.kind === 'reference'
        const worst = Math.max(...losses.map((loss, i) => Math.abs(loss - expected.losses[i])))
        assert.ok(worst < SAME_LOSS[exact ? 'reference' : 'cpu'], `off by ${worst}`)
      },
    ),
    { seed: 20264, numRuns: 12 * TEST_RUNS },
  )
})

test('a checkpoint of another seed, of another model, or no checkpoint, is refused with an error that says what to write', async () => {
  const streamer = await streamerOf(DEFAULT)
  await follow(streamer, OPTIONS, 2)
  const checkpoint = await streamer.checkpoint()
  assert.is(checkpoint.seed, 7)
  const bytes = checkpointToSafetensors(checkpoint)
  const other = await streamerOf(DEFAULT, 8)
  const before = await other.checkpoint()
  const refused = await errorOf(async () => other.restore(await loadCheckpoint(bytes)))
  assert.instance(refused, nn.StateError)
  assert.match(
    String(refused),
    /seed 7, and this streamer has seed 8.*write|Write new Streamer\(\{ \.\.\., seed: 7 \}\)/,
  )
  const another = await streamerOf({ ...DEFAULT, model: 'dense' })
  assert.instance(await errorOf(async () => another.restore(await loadCheckpoint(bytes))), nn.StateError)
  assert.equal(await other.checkpoint(), before)
  other.restore({ ...(await loadCheckpoint(bytes)), seed: undefined })
  assert.equal((await other.checkpoint()).model, checkpoint.model)
  const weights = toSafetensors(await streamer.model.stateDict())
  assert.match(
    String(await errorOf(loadCheckpoint(weights))),
    /SafetensorsError: it has weights and no training .* load\(\) reads/,
  )
  // a checkpoint is a file of weights too, under the names of the model
  const { tensors } = parseSafetensors(bytes)
  const { missing, unexpected } = other.model.loadStateDict(tensors, { strict: false })
  assert.equal(missing, [])
  assert.ok(unexpected.length > 0 && unexpected.every((name) => name.startsWith('optimizer/')))
})

test('what is not a checkpoint, such as its Promise, is refused by what to write', async () => {
  const streamer = await streamerOf(DEFAULT)
  const promise = streamer.checkpoint()
  await promise
  for (const value of [promise, null, undefined, {}, 'run']) {
    const checkpoint = value as unknown as Checkpoint
    for (const use of [checkpointToSafetensors, (given: Checkpoint) => streamer.restore(given)]) {
      const error = await errorOf(() => void use(checkpoint))
      assert.instance(error, nn.StateError)
      assert.match(String(error), /is not a checkpoint: write `await streamer\.checkpoint\(\)`/)
    }
  }
})

class Awkward extends Module {
  readonly layer: nn.Linear

  constructor(device: Device) {
    super(device)
    this.layer = new nn.Linear(device, 2, 2)
    Object.assign(this, { 'optimizer/x': new Parameter(device, [1]) })
  }

  forward(x: Tensor): Tensor {
    return this.layer.forward(x)
  }
}

test('a parameter that has the name of a moment, and numbers that JSON does not know', async () => {
  const device = await openDevice('cpu', { memory: '256KiB' })
  const model = new Awkward(device)
  const optimizer = optim.sgd(model, { momentum: 0.9 })
  const checkpoint: Checkpoint = {
    model: await model.stateDict(),
    optimizer: await optimizer.stateDict(model),
    cursor: { epoch: 1, samples: 3, seed: null, length: null, weight: 2.5, lossSum: Number.NaN },
    seed: 0,
  }
  assert.match(
    String(await errorOf(() => checkpointToSafetensors(checkpoint))),
    /'optimizer\/x' begins with 'optimizer\/'/,
  )
  const plain = { ...checkpoint, model: {} }
  for (const lossSum of [Number.NaN, Infinity, -Infinity, 1 / 3]) {
    const bytes = checkpointToSafetensors(
      { ...plain, cursor: { ...plain.cursor, lossSum } },
      { metadata: { run: 'a' } },
    )
    const loaded = await loadCheckpoint(bytes)
    assert.equal(loaded.cursor, { ...plain.cursor, lossSum })
    assert.is(loaded.metadata.run, 'a')
  }
})

test('the error for a checkpoint with a wrong text names the fault', async () => {
  const good = {
    version: 1,
    steps: 1,
    updates: { a: 1 },
    cursor: { epoch: 0, samples: 1, seed: 1, length: 2, weight: 1, lossSum: 1 },
    seed: 0,
  }
  const cases: [unknown, RegExp][] = [
    ['{', /sluice\.checkpoint is not JSON/],
    ['3', /sluice\.checkpoint: it is '3'; it must be an object/],
    [{ ...good, version: 2 }, /version is 2; it must be 1/],
    [{ ...good, steps: -1 }, /steps is -1; it must be a whole number/],
    [{ ...good, updates: null }, /updates is null; it must be an object/],
    [{ ...good, updates: { a: 1.5 } }, /updates of a is 1\.5/],
    [{ ...good, seed: '1' }, /seed is '1'/],
    [{ ...good, cursor: 3 }, /cursor is 3/],
    [{ ...good, cursor: { ...good.cursor, epoch: undefined } }, /cursor's epoch is undefined/],
    [{ ...good, cursor: { ...good.cursor, length: -1 } }, /cursor's length is -1/],
    [{ ...good, cursor: { ...good.cursor, lossSum: 'much' } }, /cursor's lossSum is 'much'; it must be a number/],
  ]
  for (const [value, message] of cases) {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const error = await errorOf(loadCheckpoint(toSafetensors({}, { 'sluice.checkpoint': text })))
    assert.instance(error, SafetensorsError)
    assert.match((error as Error).message, message)
  }
  assert.is((await loadCheckpoint(toSafetensors({}, { 'sluice.checkpoint': JSON.stringify(good) }))).optimizer.steps, 1)
})

test('a damaged checkpoint gives a typed error and changes no bit, or is still a whole checkpoint', async () => {
  const device = await openDevice('cpu', { memory: '512KiB' })
  const model = models.mlp(device, { inputShape: [2, 4, 4], hidden: [3], classes: 3 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model) })
  await streamer.step(randomBatch(4, 1), { microBatch: 2 })
  const whole = checkpointToSafetensors(await streamer.checkpoint())
  const text = new TextDecoder('latin1').decode(whole)
  const headerEnd = text.lastIndexOf('}') + 1
  const edit = fc.record({
    at: fc.integer({ min: 8, max: headerEnd }),
    byte: fc.constantFrom(...'0129-.{}[]",:aZ\u00ff\u0000'),
  })
  let refusals = 0
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      const bytes = Uint8Array.from(whole)
      for (const { at, byte } of edits) bytes[at] = byte.charCodeAt(0)
      const before = await streamer.checkpoint()
      try {
        streamer.restore(await loadCheckpoint(bytes))
        streamer.restore(before)
      } catch (error) {
        refusals++
        const typed = [FileError, nn.StateError, ArgumentError].some((Kind) => error instanceof Kind)
        assert.ok(typed, String(error))
        assert.equal(await streamer.checkpoint(), before)
      }
    }),
    { seed: 20265, numRuns: 200 * TEST_RUNS },
  )
  assert.ok(refusals > 20, `${refusals} refusals`)
})

test.run()
