/**
 * The central promise: the planned peak equals the measured peak to the byte, is never above the budget, and no better
 * plan exists. Tested for generated models, mini-batches and budgets on every device, for the models of the library,
 * and for the search alone, over arbitrary peaks.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Batch, fromArrays } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { TensorTooLargeError } from '../src/device/errors.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { VirtualDevice } from '../src/device/virtual.js'
import { BudgetExceededError, noBytes } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { HeapAllocator, PAGE_BYTES } from '../src/memory/heap.js'
import * as models from '../src/models/index.js'
import {
  AveragePool2d,
  BatchNorm2d,
  Buffer,
  Conv2d,
  Dropout,
  Flatten,
  GELU,
  GroupNorm,
  generator,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  Tanh,
} from '../src/nn/index.js'
import { scaledDotProductAttention } from '../src/ops/attention.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { matmul } from '../src/ops/matmul.js'
import { permute } from '../src/ops/movement.js'
import { noGrad } from '../src/ops/tape.js'
import { adam, sgd } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { DoesNotFitError } from '../src/stream/errors.js'
import { balanced, countOf, describeParts, type Measured, type Plan, type Split, sizesOf } from '../src/stream/plan.js'
import { LARGEST_BATCH, makePlan } from '../src/stream/search.js'
import { Streamer } from '../src/stream/streamer.js'
import { fromHost, zeros } from '../src/tensor/create.js'
import { ShapeError } from '../src/tensor/errors.js'
import type { Shape } from '../src/tensor/shape.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { StrictDevice, WatchedDevice } from './devices.js'
import { batchNormModel, CLASSES, INPUT, ResidualBlock, randomBatch, residualModel } from './fixtures.js'
import { fc } from './property.js'
import { SPLIT_GRADIENT } from './tolerances.js'

// Random models

const KINDS = [
  ...['conv', 'strided', 'residual', 'maxPool', 'averagePool', 'batchNorm', 'groupNorm'],
  ...['linear', 'layerNorm', 'relu', 'gelu', 'tanh', 'dropout', 'flatten'],
] as const

interface Layer {
  kind: (typeof KINDS)[number]
  width: number
}

/** Large enough that some dozen samples take several pages. */
const IMAGE: Shape = [2, 12, 12]

/** A classifier made of these layers; a layer that makes no sense at its place is left out. */
function stack(device: Device, layers: readonly Layer[]): Sequential {
  const random = generator(5)
  let shape: Shape = IMAGE
  const size = (): number => shape.reduce((product, dim) => product * dim, 1)
  const made = layers.flatMap(({ kind, width }): Module[] => {
    if (kind === 'relu') return [new ReLU(device)]
    if (kind === 'gelu') return [new GELU(device)]
    if (kind === 'tanh') return [new Tanh(device)]
    if (kind === 'dropout') return [new Dropout(device, 0.25)]
    if (kind === 'layerNorm') return [new LayerNorm(device, shape)]
    if (shape.length === 1) {
      if (kind !== 'linear') return []
      const linear = new Linear(device, shape[0], 3 * width, { random })
      shape = [3 * width]
      return [linear]
    }
    const [channels, height, side] = shape
    if (kind === 'flatten') {
      shape = [size()]
      return [new Flatten(device)]
    }
    if (kind === 'conv') {
      shape = [width, height, side]
      return [new Conv2d(device, channels, width, 3, { padding: 1, random, bias: width > 2 })]
    }
    if (kind === 'residual') return [new ResidualBlock(device, channels, random)]
    if (kind === 'batchNorm') return [new BatchNorm2d(device, channels)]
    if (kind === 'groupNorm') return [new GroupNorm(device, 2, channels)]
    if (side < 4 || kind === 'linear') return []
    if (kind === 'strided') {
      shape = [width, height / 2, side / 2]
      return [new Conv2d(device, channels, width, 2, { stride: 2, random })]
    }
    shape = [channels, height / 2, side / 2]
    return [kind === 'maxPool' ? new MaxPool2d(device, 2) : new AveragePool2d(device, 2)]
  })
  return new Sequential(...made, new Flatten(device), new Linear(device, size(), CLASSES, { random }))
}

interface Case {
  layers: readonly Layer[]
  optimizer: 'sgd' | 'momentum' | 'adam'
  /** samples of the mini-batch, and of the last one of an epoch */
  batch: number
  ragged: number
  weighted: boolean
  /** floats of a tensor that was made before the model and freed: a hole between standing tensors */
  hole: number
  /** the position of the budget between the smallest one and the one for the whole mini-batch */
  share: number
  /** additional bytes, less than a page */
  odd: number
}

const cases: fc.Arbitrary<Case> = fc
  .noBias(
    fc.record({
      layers: fc.array(fc.record({ kind: fc.constantFrom(...KINDS), width: fc.constantFrom(2, 4, 6, 8) }), {
        minLength: 3,
        maxLength: 9,
        size: 'max',
      }),
      optimizer: fc.constantFrom('sgd', 'momentum', 'adam'),
      batch: fc.oneof(fc.integer({ min: 1, max: 48 }), fc.integer({ min: 24, max: 48 })),
      tail: fc.nat(100),
      weighted: fc.boolean(),
      hole: fc.constantFrom(0, 0, 50, 500, 4000),
      share: fc.integer({ min: 0, max: 16 }).map((i) => i / 16),
      odd: fc.nat(PAGE_BYTES - 1),
    }),
  )
  .map(({ tail, ...rest }): Case => ({ ...rest, ragged: 1 + (tail % rest.batch) }))

function train(device: Device, { layers, optimizer, hole }: Pick<Case, 'layers' | 'optimizer' | 'hole'>) {
  const filler = hole > 0 ? zeros(device, [hole]) : null
  const model = stack(device, layers)
  const rule = {
    sgd: () => sgd(model, { learningRate: 1e-3 }),
    momentum: () => sgd(model, { learningRate: 1e-3, momentum: 0.9, clipNorm: 1 }),
    adam: () => adam(model, { weightDecay: 0.01 }),
  }[optimizer]()
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: rule, seed: 3 })
  filler?.dispose()
  return { device, model, streamer }
}

function batchOf(samples: number, seed: number, inputShape: Shape, classes: number, weighted = false): Batch {
  const random = generator(seed)
  const size = inputShape.reduce((product, dim) => product * dim, samples)
  return {
    inputs: { data: Float32Array.from({ length: size }, () => 2 * random() - 1), shape: [samples, ...inputShape] },
    targets: { data: Int32Array.from({ length: samples }, () => Math.floor(classes * random())), shape: [samples] },
    ...(weighted && {
      weights: { data: Float32Array.from({ length: samples }, () => 0.25 + random()), shape: [samples] },
    }),
  }
}

/** The rules of a device that forbids aliasing, without values. */
class NoAliasVirtualDevice extends VirtualDevice {
  override readonly aliases = false

  constructor(budgetBytes: number) {
    super('cpu', budgetBytes)
  }
}

interface Rules {
  open(budgetBytes: number): Device
  /** the same without values */
  virtual(budgetBytes: number): Device
}

const DEVICES: Readonly<Record<string, Rules>> = {
  cpu: {
    open: (budgetBytes) => new WatchedDevice('cpu', budgetBytes),
    virtual: (budgetBytes) => new VirtualDevice('cpu', budgetBytes),
  },
  reference: {
    open: (budgetBytes) => new WatchedDevice('reference', budgetBytes),
    virtual: (budgetBytes) => new VirtualDevice('reference', budgetBytes),
  },
  'a device that forbids aliasing': {
    open: (budgetBytes) => new StrictDevice('cpu', new HeapAllocator(budgetBytes)),
    virtual: (budgetBytes) => new NoAliasVirtualDevice(budgetBytes),
  },
}

/** All that a plan says. What more it can be asked is tested in largest.test.ts. */
const contents = ({ frontier, largest, ...plan }: Plan) => ({
  ...plan,
  toString: String(plan),
  toJSON: plan.toJSON(),
})

/**
 * One step, compared with its plan in three ways: by the report of the streamer, the statistics of the allocator, and
 * the highest byte of any kernel's operand.
 */
async function stepAsPlanned(device: Device, streamer: Streamer, batch: Batch, plan: Plan): Promise<void> {
  if (device instanceof WatchedDevice) device.highestByte = 0
  const { peakBytes, plannedPeakBytes, parts } = await streamer.step(batch)
  assert.is(peakBytes, plan.plannedPeakBytes)
  assert.is(plannedPeakBytes, plan.plannedPeakBytes)
  assert.is(device.allocator.peakBytes, plan.plannedPeakBytes)
  assert.ok(peakBytes <= device.allocator.budgetBytes)
  assert.equal(parts, plan.parts)
  if (!(device instanceof WatchedDevice)) return
  const beyond = peakBytes - device.highestByte
  assert.ok(beyond >= 0 && beyond < 64, `peak ${peakBytes}, highest operand byte ${device.highestByte}`)
}

/** The error that `attempt` throws because of the budget. */
function unfit(attempt: () => unknown): DoesNotFitError | BudgetExceededError {
  try {
    attempt()
  } catch (error) {
    if (error instanceof DoesNotFitError || error instanceof BudgetExceededError) return error
    throw error
  }
  throw new Error('it fits')
}

for (const [name, { open, virtual }] of Object.entries(DEVICES)) {
  test(`${name}: generated models peak as planned at every step, under the smallest budgets and under any others`, async () => {
    let split = 0
    await fc.assert(
      fc.asyncProperty(cases, async (drawn) => {
        const { batch, ragged, weighted, share, odd } = drawn
        const shapes = { inputShape: IMAGE, weighted }
        const planOn = (device: Device, samples = batch) =>
          train(device, drawn).streamer.plan({ ...shapes, batch: samples })
        const whole = planOn(virtual(Infinity))
        const { minimumBudgetBytes, wholeBatchBytes } = whole
        const between = minimumBudgetBytes + Math.floor(share * (wholeBatchBytes - minimumBudgetBytes)) + odd

        for (const budget of new Set([minimumBudgetBytes, between, wholeBatchBytes])) {
          const { device, streamer } = train(open(budget), drawn)
          const plan = streamer.plan({ ...shapes, batch })
          assert.equal(contents(plan), contents(planOn(virtual(budget))), 'a virtual device gives the same plan')
          assert.equal([plan.minimumBudgetBytes, plan.wholeBatchBytes], [minimumBudgetBytes, wholeBatchBytes])
          if (countOf(plan.parts) > 1) split++
          if (plan.microBatch < batch) {
            const microBatch = plan.microBatch + 1
            assert.instance(
              unfit(() => streamer.plan({ ...shapes, batch, microBatch })),
              DoesNotFitError,
            )
          }
          await stepAsPlanned(device, streamer, batchOf(batch, 1, IMAGE, CLASSES, weighted), plan)
          await stepAsPlanned(device, streamer, batchOf(batch, 2, IMAGE, CLASSES, weighted), plan)
          if (ragged === batch || budget === wholeBatchBytes) continue
          const last = streamer.plan({ ...shapes, batch: ragged })
          await stepAsPlanned(device, streamer, batchOf(ragged, 3, IMAGE, CLASSES, weighted), last)
          const dataset = fromArrays(batchOf(batch + ragged, 4, IMAGE, CLASSES, weighted))
          const evaluation = streamer.plan({ ...shapes, batch: batch + ragged, mode: 'evaluate' })
          const { peakBytes, plannedPeakBytes } = await streamer.evaluate(dataset)
          assert.equal([peakBytes, plannedPeakBytes], [evaluation.plannedPeakBytes, evaluation.plannedPeakBytes])
        }

        assert.is(countOf(planOn(virtual(wholeBatchBytes)).parts), 1)
        if (wholeBatchBytes > minimumBudgetBytes) {
          const { parts, extraTime } = planOn(virtual(wholeBatchBytes - 64))
          assert.ok(countOf(parts) > 1 || extraTime > 0)
        }
        const refused = unfit(() => planOn(open(minimumBudgetBytes - 64)))
        if (refused instanceof DoesNotFitError) assert.is(refused.minimumBudgetBytes, minimumBudgetBytes)
      }),
      { seed: 64, numRuns: 12 },
    )
    assert.ok(split >= 8, `only ${split} plans had to split`)
  })
}

test('the micro-batch of a plan is the largest size that fits, and a larger budget never makes it smaller', () => {
  let many = 0
  fc.assert(
    fc.property(cases, fc.constantFrom(...Object.values(DEVICES)), (drawn, { virtual }) => {
      const { batch, weighted } = drawn
      const shapes = { inputShape: IMAGE, batch, weighted }
      const { minimumBudgetBytes, wholeBatchBytes } = train(virtual(Infinity), drawn).streamer.plan(shapes)
      const pages = (wholeBatchBytes - minimumBudgetBytes) / PAGE_BYTES
      if (pages > 4) many++
      let before = 0
      for (let page = 0; page <= pages; page += Math.ceil(pages / 8) || 1) {
        const { streamer } = train(virtual(minimumBudgetBytes + page * PAGE_BYTES), drawn)
        const { microBatch } = streamer.plan(shapes)
        for (let more = microBatch + 1; more <= batch; more++) {
          unfit(() => streamer.plan({ ...shapes, microBatch: more }))
        }
        assert.is(streamer.plan({ ...shapes, microBatch }).microBatch, microBatch)
        assert.ok(microBatch >= before, `${page} pages more: ${microBatch} samples after ${before}`)
        before = microBatch
      }
    }),
    { seed: 7, numRuns: 20 },
  )
  assert.ok(many >= 5, `only ${many} models had budgets to choose from`)
})

// The models of the library, and those of the other tests

const NAMED: Readonly<Record<string, { build: (device: Device) => Module; inputShape: Shape; classes: number }>> = {
  mlp: { build: models.mlp, inputShape: [1, 8, 8], classes: 10 },
  lenet: { build: models.lenet, inputShape: [1, 8, 8], classes: 10 },
  convnet: { build: models.convnet, inputShape: [1, 8, 8], classes: 10 },
  'residual block': { build: residualModel, inputShape: INPUT, classes: CLASSES },
  'batch norm': { build: batchNormModel, inputShape: INPUT, classes: CLASSES },
}

const trainer = (device: Device, build: (device: Device) => Module) => {
  const model = build(device)
  return new Streamer({ model, loss: crossEntropy, optimizer: adam(model) })
}

for (const [name, { build, inputShape, classes }] of Object.entries(NAMED)) {
  for (const kind of ['cpu', 'reference'] as const) {
    test(`${name} on ${kind}: peaks as planned, even for the last mini-batch and in evaluation`, async () => {
      const shapes = { batch: 120, inputShape }
      const virtual = (memory?: number) => trainer(openVirtualDevice(kind, { memory }), build)
      const { minimumBudgetBytes, wholeBatchBytes } = virtual().plan(shapes)
      for (const memory of [minimumBudgetBytes, minimumBudgetBytes + 100_000]) {
        const device = await openDevice(kind, { memory })
        const streamer = trainer(device, build)
        const plan = streamer.plan(shapes)
        assert.equal(contents(plan), contents(virtual(memory).plan(shapes)))
        assert.equal([plan.minimumBudgetBytes, plan.wholeBatchBytes], [minimumBudgetBytes, wholeBatchBytes])
        await stepAsPlanned(device, streamer, batchOf(120, 1, inputShape, classes), plan)
        await stepAsPlanned(device, streamer, batchOf(120, 2, inputShape, classes), plan)
        const last = streamer.plan({ ...shapes, batch: 37 })
        await stepAsPlanned(device, streamer, batchOf(37, 3, inputShape, classes), last)
        const evaluation = streamer.plan({ ...shapes, batch: 77, mode: 'evaluate' })
        const { peakBytes } = await streamer.evaluate(fromArrays(batchOf(77, 4, inputShape, classes)))
        assert.is(peakBytes, evaluation.plannedPeakBytes)
        assert.ok(peakBytes <= memory)
      }
      assert.is(countOf(virtual(wholeBatchBytes).plan(shapes).parts), 1)
      unfit(() => virtual(minimumBudgetBytes - 64).plan(shapes))
    })
  }
}

// Changes between steps

test('plans take account of tensors that a user makes or frees between steps', async () => {
  const device = new WatchedDevice('cpu', 6 * PAGE_BYTES)
  const streamer = trainer(device, residualModel)
  const step = async (samples: number): Promise<Plan> => {
    const plan = streamer.plan({ batch: samples, inputShape: INPUT })
    await stepAsPlanned(device, streamer, randomBatch(samples, 1), plan)
    return plan
  }
  const first = await step(200)
  const mine = zeros(device, [PAGE_BYTES / 2])
  const second = await step(200)
  assert.ok(second.microBatch < first.microBatch, `${second.microBatch} samples after ${first.microBatch}`)
  assert.is(second.heldBytes.activation, 2 * PAGE_BYTES)
  const rest = zeros(device, [(device.memory.remainingBytes - 512) / 4])
  unfit(() => streamer.plan({ batch: 200, inputShape: INPUT }))
  rest.dispose()
  assert.equal(contents(await step(200)), contents(second))
  mine.dispose()
  assert.equal(contents(await step(200)), contents(first))
})

test('sizes that a model refuses enter neither a plan nor the smallest budget', () => {
  // one pixel for each channel: a batch norm that trains on one sample has nothing to normalise by
  const build = (device: Device) =>
    new Sequential(
      new Conv2d(device, INPUT[0], 4096, [4, 4]),
      new BatchNorm2d(device, 4096),
      new Flatten(device),
      new Linear(device, 4096, CLASSES),
    )
  for (const batch of [3, 8, 9]) {
    const shapes = { batch, inputShape: INPUT }
    const { minimumBudgetBytes } = trainer(openVirtualDevice('cpu'), build).plan(shapes)
    const { parts } = trainer(openVirtualDevice('cpu', { memory: minimumBudgetBytes }), build).plan(shapes)
    assert.ok(
      parts.every(({ size }) => size >= 2),
      describeParts(parts),
    )
    const less = trainer(openVirtualDevice('cpu', { memory: minimumBudgetBytes - 64 }), build)
    assert.instance(
      unfit(() => less.plan(shapes)),
      DoesNotFitError,
    )
  }
  const plenty = trainer(openVirtualDevice('cpu'), build)
  const { message } = unfit(() => plenty.plan({ batch: 8, inputShape: INPUT, microBatch: 1 }))
  assert.match(message, 'a micro-batch of 1 sample cannot run under any budget (batchNorm2d')
  assert.not.match(message, 'Infinity')
})

test('samples of another shape have a plan of their own', async () => {
  const device = new WatchedDevice('cpu', 6 * PAGE_BYTES)
  const streamer = trainer(device, (device) => new Sequential(new LayerNorm(device, 4), new Flatten(device)))
  const peaks = new Set<number>()
  for (const [inputShape, weighted] of [
    [[2, 4], false],
    [[2, 4], true],
    [[4, 4], false],
    [[2, 4], false],
  ] as const) {
    const plan = streamer.plan({ batch: 30, inputShape, weighted })
    await stepAsPlanned(device, streamer, batchOf(30, 1, inputShape, CLASSES, weighted), plan)
    peaks.add(plan.plannedPeakBytes)
  }
  assert.is(peaks.size, 3)
})

test('if updates need spares, the commit can be the peak', async () => {
  const device = new StrictDevice('cpu', new HeapAllocator(16 * PAGE_BYTES))
  const streamer = trainer(device, (device) => models.mlp(device, { inputShape: INPUT, classes: CLASSES }))
  const plan = streamer.plan({ batch: 2, inputShape: INPUT })
  assert.is(plan.peakOp, 'commit')
  await stepAsPlanned(device, streamer, randomBatch(2, 1), plan)
})

// Evaluation and prediction

for (const [name, { build, inputShape, classes }] of Object.entries(NAMED)) {
  test(`${name}: predict and evaluate agree with the model's own forward`, async () => {
    const batch = batchOf(90, 8, inputShape, classes)
    const whole = await openDevice('reference', { memory: '16MiB' })
    const model = build(whole)
    model.eval()
    const outputs = scope(whole, () => noGrad(whole, () => model.forward(fromHost(whole, batch.inputs))))
    const expected = await outputs.data()

    const plenty = trainer(openVirtualDevice('reference'), build)
    const { minimumBudgetBytes } = plenty.plan({ batch: 90, inputShape })
    const small = await openDevice('reference', { memory: minimumBudgetBytes })
    const streamer = trainer(small, build)
    const plan = streamer.plan({ batch: 90, inputShape, mode: 'predict' })
    assert.ok(name === 'batch norm' || countOf(plan.parts) > 1, 'one micro-batch would prove nothing')
    const { data, shape } = await streamer.predict(batch.inputs)
    assert.equal(shape, [90, classes])
    assert.equal(data, expected, 'every sample alone')

    let loss = 0
    let correct = 0
    for (let i = 0; i < 90; i++) {
      const logits = Array.from(expected.subarray(i * classes, (i + 1) * classes))
      const target = batch.targets.data[i]
      loss += Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[target]
      if (logits.indexOf(Math.max(...logits)) === target) correct++
    }
    const evaluation = await streamer.evaluate(fromArrays(batch))
    assert.is(evaluation.accuracy, correct / 90)
    assert.ok(Math.abs(evaluation.loss - loss / 90) <= SPLIT_GRADIENT * Math.max(1, loss / 90))
    assert.is(evaluation.samples, 90)
  })
}

// The search alone, against exhaustive search

/** An allocator in which every byte counts, so that no rounding hides a mistake. */
class ByteAllocator extends HeapAllocator {
  override budgetFor(peakBytes: number): number {
    return peakBytes
  }
}

interface Landscape {
  /** by size, from 1: live bytes never fall, and the address peak is anywhere above them; null: refused by the model */
  peaks: readonly ({ held: number; peak: number } | null)[]
  budgetBytes: number
}

const landscapes: fc.Arbitrary<Landscape> = fc.record({
  peaks: fc
    .array(fc.record({ grows: fc.nat(40), holes: fc.oneof(fc.nat(20), fc.nat(300)), refused: fc.nat(9) }), {
      minLength: 1,
      maxLength: 30,
      size: 'max',
    })
    .map((rises) => {
      let held = 100
      return rises.map(({ grows, holes, refused }, i) => {
        held += grows
        return refused === 0 && i < rises.length - 1 ? null : { held, peak: held + holes }
      })
    }),
  budgetBytes: fc.integer({ min: 50, max: 1000 }),
})

/** The results of a rehearsal other than its peaks. */
const REHEARSED = {
  peakOp: 'test op',
  heldAtPeak: noBytes(),
  modulesAtPeak: [],
  passes: [],
  store: null,
  joint: null,
  waitingBytes: 0,
  besideBytes: 0,
  outputShape: [],
  notes: [],
  outputRows: 1,
}

function search({ peaks, budgetBytes }: Landscape, microBatch: number | 'fit' = 'fit'): Split | DoesNotFitError {
  const measure = (size: number): Measured => {
    const found = peaks[size - 1]
    if (!found) throw new ShapeError(`not with ${size}`)
    const { held, peak } = found
    return { ...REHEARSED, peakBytes: peak, peakHeldBytes: held }
  }
  const allocator = new ByteAllocator(budgetBytes)
  try {
    return makePlan({ mode: 'train', batch: peaks.length, microBatch, allocator, measure })
  } catch (error) {
    if (error instanceof DoesNotFitError) return error
    throw error
  }
}

/** The budget that micro-batches of at most this size need. */
function needs({ peaks }: Landscape, microBatch: number): number {
  const parts = [microBatch, ...sizesOf(balanced(peaks.length, microBatch))]
  return Math.max(...parts.map((size) => peaks[size - 1]?.peak ?? Infinity))
}

test('search: if the whole mini-batch needs tensors too large for the device, it runs in parts, and the plan says so', () => {
  const largest = 5
  const measure = (size: number): Measured => {
    if (size > largest) throw new TensorTooLargeError(`no tensor for ${size}`)
    return { ...REHEARSED, peakBytes: 100 + 10 * size, peakHeldBytes: 100 + 10 * size }
  }
  const plan = (batch: number, microBatch: number | 'fit', least = 1) =>
    makePlan({
      ...{ mode: 'train', batch, microBatch, allocator: new ByteAllocator(1000) },
      measure: (size) => measure(Math.max(size, least)),
    })
  const found = plan(12, 'fit')
  assert.is(found.microBatch, largest)
  assert.equal(found.parts, [{ size: 4, count: 3 }])
  assert.is(found.wholeBatchBytes, Infinity)
  assert.is(found.bytesPerSample, 10)
  assert.match(String(found), /whole batch needs +tensors larger than this device has, whatever the budget/)
  assert.throws(
    () => plan(12, 6),
    (error: unknown) => error instanceof DoesNotFitError,
  )
  assert.throws(
    () => plan(12, 'fit', 6),
    (error: unknown) => error instanceof TensorTooLargeError,
  )
  assert.throws(
    () => plan(1, 'fit', 6),
    (error: unknown) => error instanceof TensorTooLargeError,
  )
})

test('search: it finds the largest size that fits with its parts, and the smallest budget, for any rise and fall of the peaks', () => {
  const outcomes = { whole: 0, split: 0, refused: 0 }
  fc.assert(
    fc.property(landscapes, (landscape) => {
      const { peaks, budgetBytes } = landscape
      const sizes = peaks.map((_, i) => i + 1)
      const largest = sizes.findLast((size) => needs(landscape, size) <= budgetBytes)
      const smallestBudget = Math.min(...sizes.map((size) => needs(landscape, size)))
      const plan = search(landscape)
      assert.is(plan.minimumBudgetBytes, smallestBudget)
      if (plan instanceof DoesNotFitError) {
        outcomes.refused++
        assert.is(largest, undefined)
        assert.is(plan.neededBytes, smallestBudget)
        assert.is(needs(landscape, plan.microBatch), smallestBudget)
        return
      }
      outcomes[countOf(plan.parts) > 1 ? 'split' : 'whole']++
      assert.is(plan.microBatch, largest)
      assert.equal(plan.parts, balanced(peaks.length, plan.microBatch))
      assert.is(plan.plannedPeakBytes, Math.max(...plan.parts.map(({ size }) => peaks[size - 1]?.peak ?? Infinity)))
      assert.is(plan.neededBudgetBytes, needs(landscape, plan.microBatch))
      assert.is(plan.wholeBatchBytes, peaks.at(-1)?.peak)
    }),
    { seed: 64, numRuns: 2000 },
  )
  assert.ok(Math.min(...Object.values(outcomes)) > 100, JSON.stringify(outcomes))
})

test('search: the smallest budget works, and a byte less does not', () => {
  fc.assert(
    fc.property(landscapes, (landscape) => {
      const { minimumBudgetBytes } = search(landscape)
      assert.not.instance(search({ ...landscape, budgetBytes: minimumBudgetBytes }), DoesNotFitError)
      assert.instance(search({ ...landscape, budgetBytes: minimumBudgetBytes - 1 }), DoesNotFitError)
    }),
    { seed: 65, numRuns: 500 },
  )
})

test('search: a requested size is planned or refused, never replaced', () => {
  fc.assert(
    fc.property(landscapes, fc.integer({ min: 1, max: 40 }), (landscape, asked) => {
      const size = Math.min(asked, landscape.peaks.length)
      const plan = search(landscape, asked)
      const needed = needs(landscape, size)
      if (plan instanceof DoesNotFitError) {
        assert.ok(needed > landscape.budgetBytes)
        assert.equal([plan.microBatch, plan.neededBytes], [size, needed])
      } else {
        assert.ok(needed <= landscape.budgetBytes)
        assert.is(plan.microBatch, size)
      }
    }),
    { seed: 66, numRuns: 1000 },
  )
})

test('search: the smallest budget is found in few rehearsals if holes have room for the whole step', () => {
  const holes = new HeapAllocator(2 ** 40)
  const first = holes.alloc(2 ** 30, 'activation', 'test')
  holes.alloc(64, 'activation', 'test')
  holes.free(first)
  const { peakBytes: tailBytes } = holes.arrange([])
  for (const aboveTail of [0, 640]) {
    let measured = 0
    const measure = (size: number): Measured => {
      measured++
      const held = 64 + 16 * size
      return { ...REHEARSED, peakBytes: Math.max(tailBytes + aboveTail, held), peakHeldBytes: held }
    }
    const batch = LARGEST_BATCH
    const plan = makePlan({ mode: 'train', batch, microBatch: 'fit', allocator: holes, measure })
    assert.is(plan.minimumBudgetBytes, holes.budgetFor(tailBytes + aboveTail))
    assert.is(plan.wholeBatchBytes, holes.budgetFor(64 + 16 * batch))
    assert.ok(measured < 600, `${measured} rehearsals`)
  }
})

/** Attention with a mask, then a product for each sample: kernels that take the start of each matrix of a batch. */
class Batched extends Module {
  override readonly inputShape = [3, 4]
  readonly body = new Linear(this.device, 4, 4)
  readonly mask = new Buffer(this.device, [3, 3])

  forward(x: Tensor): Tensor {
    const h = this.body.forward(x)
    const seen = scaledDotProductAttention(h, h, h, { mask: this.mask.value })
    return permute(matmul(seen, h, { transposeB: true }), [0, 2, 1])
  }
}

const LARGE: Readonly<Record<string, { build: (device: Device) => Module; targetShape: Shape }>> = {
  lenet: { build: models.lenet, targetShape: [] },
  transformer: {
    build: (device) => models.transformer(device, { vocabulary: 8, context: 4, width: 8 }),
    targetShape: [4],
  },
  'batches of products': { build: (device) => new Batched(device), targetShape: [3] },
}

for (const [name, { build, targetShape }] of Object.entries(LARGE)) {
  test(`${name}: a mini-batch of 2^32 samples is planned at once on every kind of device; a larger one is refused`, () => {
    for (const kind of ['cpu', 'reference', 'gpu'] as const) {
      for (const memory of ['2MiB', '4TiB']) {
        const streamer = trainer(openVirtualDevice(kind, { memory }), build)
        const started = process.cpuUsage()
        const { parts } = streamer.plan({ batch: LARGEST_BATCH, targetShape })
        const { user, system } = process.cpuUsage(started)
        assert.ok((user + system) / 1e6 < 2, `${(user + system) / 1e6} s; twice the second that it may take alone`)
        assert.is(
          parts.reduce((sum, { size, count }) => sum + size * count, 0),
          LARGEST_BATCH,
        )
        for (const batch of [LARGEST_BATCH + 1, 1e12, 2 ** 53]) {
          assert.throws(
            () => streamer.plan({ batch, targetShape }),
            (error: unknown) =>
              error instanceof ArgumentError && /at most 4,294,967,296|positive whole/.test(error.message),
          )
        }
      }
    }
  })
}

test('a mini-batch with more bytes than can be counted is planned in parts', () => {
  const build = (device: Device) =>
    new Sequential(new Conv2d(device, 3, 64, 3, { padding: 1 }), new MaxPool2d(device, 224), new Flatten(device))
  const plan = trainer(openVirtualDevice('cpu', { memory: '4TiB' }), build).plan({
    batch: LARGEST_BATCH,
    inputShape: [3, 224, 224],
  })
  assert.is(plan.wholeBatchBytes, Infinity)
  assert.ok(plan.microBatch > 1e5, `${plan.microBatch}`)
})

test('search: in a mini-batch of many thousands or millions, few sizes are rehearsed', () => {
  const drawn = fc.record({
    batch: fc.oneof(fc.integer({ min: 2000, max: 60_000 }), fc.integer({ min: 2000, max: LARGEST_BATCH })),
    share: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    holes: fc.array(fc.nat(500), { minLength: 3, maxLength: 9 }),
  })
  fc.assert(
    fc.property(drawn, ({ batch, share, holes }) => {
      let measured = 0
      const peakOf = (size: number): number => 10_000 + 10 * size + holes[size % holes.length]
      const measure = (size: number): Measured => {
        measured++
        return { ...REHEARSED, peakBytes: peakOf(size), peakHeldBytes: 10_000 + 10 * size }
      }
      const budgetBytes = Math.round(peakOf(1) + 500 + share * 10 * batch)
      const allocator = new ByteAllocator(budgetBytes)
      const plan = makePlan({ mode: 'train', batch, microBatch: 'fit', allocator, measure })
      const fits = (size: number) => balanced(batch, size).every((part) => peakOf(part.size) <= budgetBytes)
      // holes are never negative: no larger size can fit
      let largest = Math.min(batch, Math.ceil((budgetBytes - 10_000) / 10))
      while (peakOf(largest) > budgetBytes || !fits(largest)) largest--
      assert.is(plan.microBatch, largest)
      assert.ok(measured < 200, `${measured} rehearsals`)
    }),
    { seed: 67, numRuns: 100 },
  )
})

test.run()
