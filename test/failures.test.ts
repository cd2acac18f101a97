/** A step is atomic: no failure in it loses anything. Misuse is an error that says what to do. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Batch } from '../src/data/index.js'
import { DeviceError, PlanMismatchError, RehearsalError } from '../src/device/errors.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import type { SluiceError } from '../src/memory/errors.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { Linear, Module, Parameter } from '../src/nn/index.js'
import { mul } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import type { Loss } from '../src/ops/loss.js'
import { reshape, slice } from '../src/ops/movement.js'
import { mse } from '../src/ops/point-loss.js'
import { relu, sqrt } from '../src/ops/unary.js'
import { adam, adamw, sgd } from '../src/optim/index.js'
import { planOf } from '../src/step/pass.js'
import { rehearse } from '../src/step/record.js'
import { scope } from '../src/step/scope.js'
import { DoesNotFitError, InterruptedError, ModelError, NonFiniteError } from '../src/stream/errors.js'
import { Streamer } from '../src/stream/streamer.js'
import { fromHost } from '../src/tensor/create.js'
import { DisposedError, ScopeError } from '../src/tensor/errors.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { checkEveryAllocation } from '../src/testing/index.js'
import { FailingAllocator, StrictDevice } from './devices.js'
import { errorOf } from './error-of.js'
import { batchNormModel, CLASSES, denseModel, INPUT, randomBatch, residualModel } from './fixtures.js'
import { SPLIT_GRADIENT } from './tolerances.js'

const BUDGET = 1 << 20

const open = (bytes = BUDGET): HeapDevice => new HeapDevice('cpu', new HeapAllocator(bytes))

type Build = (device: HeapDevice) => Module

function trainer(device: HeapDevice, build: Build, optimizer: 'sgd' | 'adam' = 'sgd', loss: Loss = crossEntropy) {
  const model = build(device)
  const rule = optimizer === 'sgd' ? sgd(model, { learningRate: 0.1, momentum: 0.9, clipNorm: 1 }) : adam(model)
  return { model, optimizer: rule, streamer: new Streamer({ model, loss, optimizer: rule }) }
}

/** Everything that a commit changes. */
async function lasting({ model, optimizer, streamer }: ReturnType<typeof trainer>) {
  return { model: await model.stateDict(), optimizer: await optimizer.stateDict(), cursor: streamer.cursor }
}

const step = (streamer: Streamer, batch: Batch) => streamer.step(batch, { microBatch: 5 })

const aliasing = (allocator: HeapAllocator) => new HeapDevice('cpu', allocator)
const forbidding = (allocator: HeapAllocator) => new StrictDevice('cpu', allocator)

/** A device that cannot prepare the kernels of a commit, like a gpu device whose programs do not compile. */
class UnpreparedDevice extends HeapDevice {
  asked: string[] | null = null

  protected override prepare(kernels: ReadonlySet<string>): void {
    if (!this.asked) return
    this.asked.push(...kernels)
    throw new DeviceError('no kernels')
  }
}

test('kernels that cannot be prepared fail before the first update', async () => {
  const device = new UnpreparedDevice('cpu', new HeapAllocator(BUDGET))
  const run = trainer(device, batchNormModel, 'adam')
  await step(run.streamer, randomBatch(12, 1))
  const before = await lasting(run)
  const held = device.memory.heldBytes
  device.asked = []
  assert.instance(await errorOf(() => run.optimizer.step()), DeviceError)
  assert.equal(device.asked, ['adam'])
  device.asked = []
  const target = run.model.parameters()[0].storage('test')
  const parameters = { size: target.size, a: 2, b: 0 }
  const twice = { kernel: 'blend', parameters, targets: [target], inputs: [target] } as const
  assert.instance(await errorOf(() => device.commit([twice, twice])), DeviceError)
  assert.equal(device.asked, ['blend'])
  device.asked = null
  assert.equal(await lasting(run), before)
  assert.is(device.memory.heldBytes, held)
  await step(run.streamer, randomBatch(12, 2))
})

for (const [name, build, optimizer, openOver] of [
  ['residual, sgd', residualModel, 'sgd', aliasing],
  ['batch norm, adam', batchNormModel, 'adam', aliasing],
] as const) {
  test(`failing every allocation of a step in turn changes nothing that lasts: ${name}`, async () => {
    const batches = [randomBatch(12, 1), randomBatch(12, 2)]
    const undisturbed = trainer(openOver(new HeapAllocator(BUDGET)), build, optimizer)
    for (const batch of batches) await step(undisturbed.streamer, batch)
    const allocator = new FailingAllocator(BUDGET)
    const device = openOver(allocator)
    const run = trainer(device, build, optimizer)
    await step(run.streamer, batches[0])
    const before = await lasting(run)
    const held = device.memory.heldBytes
    let failures = 0
    for (let n = 1; ; n++) {
      allocator.remaining = n
      const outcome = await step(run.streamer, batches[1]).catch((error: unknown) => error)
      allocator.remaining = Infinity
      if (!(outcome instanceof Error)) break
      assert.instance(outcome, BudgetExceededError)
      assert.is(device.memory.heldBytes, held)
      assert.equal(await lasting(run), before)
      failures++
    }
    assert.ok(failures > 30, `only ${failures} allocations in a step`)
    assert.equal(await lasting(run), await lasting(undisturbed))
  })
}

test('the same by checkEveryAllocation, on a device that forbids aliasing', async () => {
  const { failures } = await checkEveryAllocation({
    model: (device) => batchNormModel(device),
    loss: crossEntropy,
    batch: randomBatch(12, 1),
    optimizer: (model) => adam(model),
  })
  assert.ok(failures > 60, `only ${failures} allocations`)
})

test('2,000 steps end with the held bytes of the first', async () => {
  const device = open()
  const { streamer } = trainer(device, denseModel)
  const batch = randomBatch(6, 1)
  await step(streamer, batch)
  const { heldBytes } = device.memory
  for (let i = 1; i < 2000; i++) {
    const { peakBytes, plannedPeakBytes } = await step(streamer, batch)
    assert.is(peakBytes, plannedPeakBytes)
    assert.is(device.memory.heldBytes, heldBytes)
  }
})

/** The next step must fail with this error and change nothing; after `mend`, training goes on. */
async function survives(
  run: ReturnType<typeof trainer>,
  device: HeapDevice,
  type: typeof SluiceError,
  mend: () => void,
) {
  const before = await lasting(run)
  const held = device.memory.heldBytes
  const error = await errorOf(step(run.streamer, randomBatch(12, 2)))
  if (!(error instanceof type)) throw error
  assert.equal(await lasting(run), before)
  assert.is(device.memory.heldBytes, held)
  mend()
  assert.is((await step(run.streamer, randomBatch(12, 2))).step, 2)
  return error
}

/** A linear model whose forward a test can replace. */
class Bent extends Module {
  bend: (x: Tensor) => Tensor = (x) => x
  cached: Tensor | null = null
  fc: Linear

  constructor(device: HeapDevice) {
    super(device)
    this.fc = new Linear(device, 32, CLASSES)
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(this.bend(reshape(x, [-1, 32])))
  }
}

const bent = () => {
  const device = open()
  const model = new Bent(device)
  const optimizer = sgd(model, { learningRate: 0.1 })
  return {
    device,
    bend: model,
    run: { model, optimizer, streamer: new Streamer({ model, loss: crossEntropy, optimizer }) },
  }
}

test('a forward that throws', async () => {
  const { device, bend, run } = bent()
  await step(run.streamer, randomBatch(12, 1))
  bend.bend = () => {
    throw new TypeError('x is not what I thought')
  }
  const error = await survives(run, device, ModelError, () => {
    bend.bend = (x) => x
  })
  assert.match(error.message, 'x is not what I thought')
  assert.instance(error.cause, TypeError)
})

test('a forward or a loss that returns something other than a tensor, or a tensor that depends on no parameter', async () => {
  const wrong: [unknown, string][] = [
    [Promise.reject(new Error('later')), 'the forward returned a Promise'],
    [[], 'the forward returned an array'],
    [undefined, 'the forward returned undefined'],
  ]
  for (const [value, message] of wrong) {
    const { bend, run } = bent()
    bend.forward = () => value as Tensor
    const error = await errorOf(step(run.streamer, randomBatch(12, 1)))
    assert.instance(error, ModelError)
    assert.match(String(error), message)
  }
  const { bend, run } = bent()
  bend.forward = (x) => slice(reshape(x, [-1, 32]), [0, 0], [x.shape[0], CLASSES])
  assert.match(String(await errorOf(step(run.streamer, randomBatch(12, 1)))), 'the loss depends on no parameter')
  const number = trainer(open(), denseModel, 'sgd', (() => 1) as unknown as Loss)
  assert.match(String(await errorOf(step(number.streamer, randomBatch(12, 1)))), 'the loss returned 1')
})

test('a forward that runs other ops than its plan is planned again between mini-batches, and refused within one', async () => {
  const { device, bend, run } = bent()
  await step(run.streamer, randomBatch(12, 1))
  let forwards = 0
  bend.bend = (x) => (++forwards % 2 === 0 ? relu(x) : x)
  const error = await survives(run, device, PlanMismatchError, () => {
    bend.bend = (x) => x
  })
  assert.match(error.message, 'relu')
  bend.bend = (x) => relu(x)
  assert.is((await step(run.streamer, randomBatch(12, 1))).step, 3)
})

test('a forward that caches a tensor for the next micro-batch is refused', async () => {
  const { bend, run } = bent()
  await step(run.streamer, randomBatch(12, 1))
  bend.bend = (x) => {
    bend.cached ??= mul(x, 2)
    return x.shape[0] > 2 ? x : mul(bend.cached, x)
  }
  await errorOf(step(run.streamer, randomBatch(12, 2)))
  const fresh = bent()
  fresh.bend.bend = (x) => {
    fresh.bend.cached ??= mul(x, 2)
    return mul(x, fresh.bend.cached)
  }
  const error = await errorOf(step(fresh.run.streamer, randomBatch(12, 1)))
  assert.instance(error, DisposedError)
  assert.match(String(error), 'a buffer in the constructor of its module')
  fresh.bend.bend = (x) => x
  assert.is((await step(fresh.run.streamer, randomBatch(12, 2))).step, 1)
})

test('a loss of NaN is not committed', async () => {
  const device = open()
  const run = trainer(device, denseModel)
  await step(run.streamer, randomBatch(12, 1))
  const before = await lasting(run)
  const bad = randomBatch(12, 3)
  bad.inputs.data[5] = Number.NaN
  assert.instance(await errorOf(step(run.streamer, bad)), NonFiniteError)
  assert.equal(await lasting(run), before)
})

/** y = w^2; a loss can take its root. */
class Square extends Module {
  w = new Parameter(this.device, [1])
  forward(x: Tensor): Tensor {
    return mul(mul(this.w, this.w), x)
  }
}

test('a gradient that is not finite is not committed, even if the loss is finite', async () => {
  for (const device of [
    open(),
    new HeapDevice('reference', new HeapAllocator(BUDGET)),
    forbidding(new HeapAllocator(BUDGET)),
  ]) {
    for (const make of [sgd, adam, adamw]) {
      const model = new Square(device)
      const optimizer = make(model, { learningRate: 0.1, clipNorm: 1 })
      const run = { model, optimizer, streamer: new Streamer({ model, loss: (y, t) => mse(sqrt(y), t), optimizer }) }
      const batch = {
        inputs: { data: Float32Array.of(1, 1), shape: [2, 1] },
        targets: { data: Float32Array.of(1, 1), shape: [2, 1] },
      }
      const before = await lasting(run)
      // d sqrt(w^2) / dw = 1 / (2 sqrt(0)) * 2 * 0
      const error = await errorOf(run.streamer.step(batch))
      assert.instance(error, NonFiniteError)
      assert.match(String(error), /norm of this mini-batch's gradient is NaN, though its loss is 1\./)
      assert.equal(await lasting(run), before)
      const careless = new Streamer({ model, optimizer, loss: (y, t) => mse(sqrt(y), t), checkFinite: false })
      const { loss, gradNorm, step } = await careless.step(batch)
      assert.equal([loss, gradNorm, step], [1, Number.NaN, 1])
      assert.equal([...(await model.w.data())], [Number.NaN])
    }
  }
})

test('a step reports the gradient norm of a loop by hand, for any split', async () => {
  for (const clipNorm of [undefined, 0.01]) {
    const device = new HeapDevice('reference', new HeapAllocator(BUDGET))
    const model = denseModel(device, 0)
    const batch = randomBatch(12, 1)
    scope(device, () => {
      const output = model.forward(fromHost(device, batch.inputs))
      backward(crossEntropy(output, fromHost(device, batch.targets)))
    })
    const gradients = await Promise.all(model.parameters().map(async ({ grad }) => [...((await grad?.data()) ?? [])]))
    const norm = Math.hypot(...gradients.flat())
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0, clipNorm }) })
    for (const microBatch of [12, 5, 1]) {
      const { gradNorm } = await streamer.step(batch, { microBatch })
      assert.ok(Math.abs(gradNorm - norm) <= SPLIT_GRADIENT * norm, `${gradNorm} is not ${norm}`)
    }
  }
})

test('after a data source throws, or an interrupt, training goes on from the cursor to the same bits', async () => {
  const batches = [1, 2, 3, 4].map((seed) => randomBatch(12, seed))
  const undisturbed = trainer(open(), denseModel)
  for await (const _ of undisturbed.streamer.fit(() => batches, { batch: 12, epochs: 2, microBatch: 5 }));
  const run = trainer(open(), denseModel)
  let broken = true
  const source = function* () {
    for (const [i, batch] of batches.entries()) {
      if (broken && i === 2) throw new Error('the disk is gone')
      yield batch
    }
  }
  const all = async (options: { signal?: AbortSignal; onMicroBatch?: () => void }) => {
    for await (const _ of run.streamer.fit(source, {
      batch: 12,
      epochs: 2,
      microBatch: 5,
      from: run.streamer.cursor,
      ...options,
    }));
  }
  assert.match(String(await errorOf(all({}))), 'the disk is gone')
  assert.is(run.streamer.cursor.epoch, 0)
  assert.is(run.streamer.cursor.samples, 24)
  broken = false
  const controller = new AbortController()
  let microBatches = 0
  const interrupted = all({ signal: controller.signal, onMicroBatch: () => ++microBatches === 7 && controller.abort() })
  assert.instance(await errorOf(interrupted), InterruptedError)
  assert.is(run.streamer.cursor.epoch, 1)
  assert.is(run.streamer.cursor.samples, 0)
  await all({})
  const [ran, expected] = [await lasting(run), await lasting(undisturbed)]
  assert.equal(ran, expected)
})

test('for a budget that cannot hold one sample, the error names one that can', async () => {
  const model = residualModel(open(64 << 10))
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.1 }) })
  try {
    streamer.plan({ batch: 4096, inputShape: INPUT, microBatch: 4096 })
    assert.unreachable()
  } catch (error) {
    if (!(error instanceof DoesNotFitError)) throw error
    const enough = residualModel(open(error.neededBytes))
    const other = new Streamer({ model: enough, loss: crossEntropy, optimizer: sgd(enough, { learningRate: 0.1 }) })
    assert.is(other.plan({ batch: 4096, inputShape: INPUT }).microBatch, 4096)
    const less = residualModel(open(error.neededBytes - 64))
    const tight = new Streamer({ model: less, loss: crossEntropy, optimizer: sgd(less, { learningRate: 0.1 }) })
    assert.ok(tight.plan({ batch: 4096, inputShape: INPUT }).microBatch < 4096)
  }
})

test('a function that returns a promise is refused, and a later rejection does not end the process', async () => {
  const device = open()
  const later = async () => {
    await null
    throw new Error('too late')
  }
  assert.throws(
    () => planOf(device, later),
    (error: unknown) => error instanceof RehearsalError,
  )
  assert.throws(
    () => scope(device, later),
    (error: unknown) => error instanceof ScopeError,
  )
  await new Promise((resolve) => setTimeout(resolve, 5))
})

test('a rehearsal that throws, or frees a standing tensor, leaves no trace', async () => {
  const device = open()
  const model = new Linear(device, 8, 8)
  const signature = device.allocator.signature()
  assert.throws(
    () =>
      planOf(device, () =>
        scope(device, () => {
          mul(model.weight, 2)
          throw new Error('no')
        }),
      ),
    /no/,
  )
  assert.throws(
    () => planOf(device, () => model.weight.dispose()),
    (error: unknown) => error instanceof RehearsalError,
  )
  assert.throws(
    () => planOf(device, async () => 1),
    (error: unknown) => error instanceof RehearsalError,
  )
  assert.throws(
    () => planOf(device, () => model.weight.data()),
    (error: unknown) => error instanceof RehearsalError,
  )
  assert.is(device.allocator.signature(), signature)
  assert.is((await model.weight.data()).length, 64)
  const kept = rehearse(device, () => mul(model.weight, 2)).result
  assert.throws(
    () => relu(kept),
    (error: unknown) => error instanceof RehearsalError,
  )
  const ended = { tensor: model.weight }
  scope(device, () => {
    ended.tensor = mul(model.weight, 2) as typeof model.weight
  })
  assert.throws(
    () => relu(ended.tensor),
    (error: unknown) => error instanceof DisposedError,
  )
})

test.run()
