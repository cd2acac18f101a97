/** A step in passes is atomic like any other, whatever runs before and after it, and holds to the budget of its store. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HeapDevice } from '../src/device/heap-device.js'
import {
  type Batch,
  type Device,
  data,
  Module,
  nn,
  optim,
  Streamer,
  type StreamerOptions,
  type Tensor,
} from '../src/index.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { add } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { reshape } from '../src/ops/movement.js'
import { relu } from '../src/ops/unary.js'
import { InterruptedError, ModelError, StoreExceededError } from '../src/stream/errors.js'
import { verifyPlan } from '../src/verify/verify.js'
import { FailingAllocator, Fault, FaultyDevice, StrictDevice } from './devices.js'
import { errorOf } from './error-of.js'
import { samplesOf } from './lessons.js'
import { EXACT_NORM } from './tolerances.js'

const BUDGET = 1 << 20
const SHAPE = [2, 4, 4]

/** Two batch norms in series and a skip. A test can let its forward throw. */
class Skipping extends Module {
  override readonly inputShape = SHAPE
  readonly conv: nn.Conv2d
  readonly norm1: nn.BatchNorm2d
  readonly inner: nn.Conv2d
  readonly norm2: nn.BatchNorm2d
  readonly fc: nn.Linear
  /** called in each forward */
  before = (): void => {}

  constructor(device: Device, policy: nn.BatchNormPolicy = 'exact') {
    super(device)
    const random = nn.generator(5)
    this.conv = new nn.Conv2d(device, 2, 4, 3, { padding: 1, bias: false, random })
    this.norm1 = new nn.BatchNorm2d(device, 4)
    this.inner = new nn.Conv2d(device, 4, 4, 3, { padding: 1, bias: false, random })
    this.norm2 = new nn.BatchNorm2d(device, 4)
    this.fc = new nn.Linear(device, 64, 3, { random })
    nn.setBatchNormPolicy(this, policy)
  }

  forward(x: Tensor): Tensor {
    this.before()
    const h = relu(this.norm1.forward(this.conv.forward(x)))
    const y = relu(add(h, this.norm2.forward(this.inner.forward(h))))
    return this.fc.forward(reshape(y, [-1, 64]))
  }
}

/** A skip around a linear layer. Its gradient is added to a value that was read before, so that value is always stored. */
class Adding extends Skipping {
  readonly skipped = new nn.Linear(this.device, 64, 64, { random: nn.generator(6) })

  override forward(x: Tensor): Tensor {
    const h = reshape(this.norm1.forward(this.conv.forward(x)), [-1, 64])
    const sum = add(h, relu(this.skipped.forward(h)))
    return this.fc.forward(reshape(this.norm2.forward(reshape(sum, [-1, 4, 4, 4])), [-1, 64]))
  }
}

const aliasing = (allocator: HeapAllocator): Device => new HeapDevice('cpu', allocator, { threads: 1 })
const forbidding = (allocator: HeapAllocator): Device => new StrictDevice('cpu', allocator)
const precise = (budgetBytes = BUDGET): Device => new HeapDevice('reference', new HeapAllocator(budgetBytes))

type Options = Pick<StreamerOptions, 'store'>

function trainer(device: Device, options: Options = {}, Net = Skipping) {
  const model = new Net(device)
  const optimizer = optim.adam(model, { learningRate: 0.01 })
  return { device, model, optimizer, streamer: new Streamer({ model, loss: crossEntropy, optimizer, ...options }) }
}

type Run = ReturnType<typeof trainer>

/** Everything that a commit changes, and the held bytes. */
const lasting = async ({ device, model, optimizer, streamer }: Run) => ({
  model: await model.stateDict(),
  optimizer: await optimizer.stateDict(),
  cursor: streamer.cursor,
  heldBytes: device.memory.heldBytes,
})

const BATCHES = [1, 2].map((seed) => samplesOf(10, SHAPE, 3, seed))
const step = ({ streamer }: Run, batch: Batch, options = {}) => streamer.step(batch, { microBatch: 4, ...options })

/** The same after two steps that nothing disturbs. */
async function undisturbed(device: Device, options: Options) {
  const run = trainer(device, options)
  for (const batch of BATCHES) await step(run, batch)
  return lasting(run)
}

const PLACES: Readonly<Record<string, Options>> = { 'on the device': {}, 'on the host': { store: '1MiB' } }

for (const [place, options] of Object.entries(PLACES)) {
  for (const [name, open] of Object.entries({ aliasing, forbidding })) {
    test(`failing every allocation of a step in passes in turn changes nothing, with a store ${place}: ${name}`, async () => {
      const allocator = new FailingAllocator(BUDGET)
      const run = trainer(open(allocator), options)
      await step(run, BATCHES[0])
      const before = await lasting(run)
      let failures = 0
      const failedAt = new Set<string>()
      for (let n = 1; ; n++) {
        allocator.remaining = n
        const outcome = await step(run, BATCHES[1]).catch((error: unknown) => error)
        allocator.remaining = Infinity
        if (!(outcome instanceof Error)) break
        if (!(outcome instanceof BudgetExceededError)) throw outcome
        failedAt.add(outcome.category)
        assert.equal(await lasting(run), before)
        failures++
      }
      assert.ok(failures > 60, `only ${failures} allocations in a step`)
      assert.is(failedAt.has('store'), !options.store)
      assert.equal(await lasting(run), await undisturbed(open(new HeapAllocator(BUDGET)), options))
    })
  }

  test(`a step in passes that is aborted after any of its micro-batches changes nothing, with a store ${place}`, async () => {
    const run = trainer(aliasing(new HeapAllocator(BUDGET)), options)
    await step(run, BATCHES[0])
    const before = await lasting(run)
    const passes = run.streamer.plan({ batch: 10, microBatch: 4 }).passes
    assert.ok(passes >= 4, `${passes}`)
    for (let after = 0; after < 3 * passes; after++) {
      const controller = new AbortController()
      if (after === 0) controller.abort()
      const onMicroBatch = ({ done, of }: { done: number; of: number }): void => {
        assert.is(of, 3 * passes)
        if (done === after) controller.abort()
      }
      const error = await errorOf(step(run, BATCHES[1], { signal: controller.signal, onMicroBatch }))
      assert.instance(error, InterruptedError)
      assert.equal(await lasting(run), before)
    }
    for (const done of [1, 4, 3 * passes]) {
      const onMicroBatch = (progress: { done: number }): void => {
        if (progress.done === done) throw new RangeError('no more')
      }
      assert.match(String(await errorOf(step(run, BATCHES[1], { onMicroBatch }))), 'no more')
      assert.equal(await lasting(run), before)
    }
    await step(run, BATCHES[1])
    assert.equal(await lasting(run), await undisturbed(aliasing(new HeapAllocator(BUDGET)), options))
  })

  test(`a forward that throws in any micro-batch of a step in passes changes nothing, with a store ${place}`, async () => {
    const run = trainer(aliasing(new HeapAllocator(BUDGET)), options)
    await step(run, BATCHES[0])
    const before = await lasting(run)
    for (let forwards = 1; forwards <= 3; forwards++) {
      let left = forwards
      run.model.before = () => {
        if (--left === 0) throw new TypeError('x is not what I thought')
      }
      assert.instance(await errorOf(step(run, BATCHES[1])), ModelError)
      assert.equal(await lasting(run), before)
    }
    run.model.before = () => {}
    await step(run, BATCHES[1])
    assert.equal(await lasting(run), await undisturbed(aliasing(new HeapAllocator(BUDGET)), options))
  })
}

test('a kernel, an upload or an allocation that fails in any pass changes nothing', async () => {
  for (const options of Object.values(PLACES)) {
    const device = new FaultyDevice('reference', BUDGET)
    const run = trainer(device, options)
    await step(run, BATCHES[0])
    const before = await lasting(run)
    let failures = 0
    for (let gathered = false; ; failures++) {
      const onMicroBatch = ({ done, of }: { done: number; of: number }): void => {
        gathered = done === of
      }
      device.countdown.remaining = failures + 1
      const error = await errorOf(step(run, BATCHES[1], { onMicroBatch }))
      device.countdown.remaining = Infinity
      // the commit has kernels too, which are prepared before the first of them changes anything
      if (gathered) break
      assert.instance(error, Fault)
      assert.equal(await lasting(run), before)
    }
    assert.ok(failures > 150, `${failures}`)
  }
})

const valuesOf = async ({ model }: Run): Promise<number[]> =>
  Object.values(await model.stateDict()).flatMap(({ data }) => [...data])

function expectNear(seen: readonly number[], wanted: readonly number[]): void {
  assert.is(seen.length, wanted.length)
  seen.forEach((value, i) => {
    assert.ok(
      Math.abs(value - wanted[i]) <= EXACT_NORM * Math.max(1, Math.abs(wanted[i])),
      `${value}, not ${wanted[i]}`,
    )
  })
}

test('a policy can change between steps', async () => {
  const turns = [
    ['exact', 4],
    ['frozen', 3],
    ['exact', 1],
    ['deferred', 10],
    ['exact', 9],
  ] as const
  const run = trainer(precise())
  const whole = trainer(precise())
  for (const [i, [policy, microBatch]] of turns.entries()) {
    for (const each of [run, whole]) nn.setBatchNormPolicy(each.model, policy)
    const { loss } = await step(run, BATCHES[i % 2], { microBatch })
    expectNear([loss], [(await step(whole, BATCHES[i % 2], { microBatch: 10 })).loss])
    expectNear(await valuesOf(run), await valuesOf(whole))
  }
})

test('evaluations, predictions and plans between steps in passes change nothing, and see what was learned', async () => {
  const run = trainer(precise())
  const whole = trainer(precise())
  const alone = trainer(precise())
  const set = data.fromArrays(samplesOf(7, SHAPE, 3))
  for (const batch of BATCHES) {
    for (const each of [run, alone]) await step(each, batch)
    await step(whole, batch, { microBatch: 10 })
    const [seen, wanted] = await Promise.all(
      [run, whole].map(async ({ streamer }) => {
        const { loss } = await streamer.evaluate(set, { microBatch: 3 })
        return [loss, ...(await streamer.predict(batch.inputs, { microBatch: 3 })).data]
      }),
    )
    expectNear(seen, wanted)
    assert.is(run.streamer.plan({ batch: 10, microBatch: 4 }).passes, 5)
  }
  assert.equal(await valuesOf(run), await valuesOf(alone))
})

test('the timeline of a step in passes shows the store, and its highest point is the planned peak', () => {
  for (const options of Object.values(PLACES)) {
    const { streamer } = trainer(precise(), options)
    const split = { batch: 10, microBatch: 4 }
    const plan = streamer.plan(split)
    const held = streamer.timeline(split).map((point) => Object.values(point.held).reduce((a, b) => a + b))
    assert.is(
      Math.max(...held),
      Object.values(plan.heldAtPeak).reduce((a, b) => a + b),
    )
    const stored = streamer.timeline(split).map((point) => point.held.store)
    assert.is(Math.max(...stored), options.store ? 0 : plan.storeBytes)
  }
})

test('a step in passes needs no store', async () => {
  for (const microBatch of [4, 1]) {
    const run = trainer(precise(), { store: 0 })
    const plan = run.streamer.plan({ batch: 10, microBatch })
    assert.equal([plan.storeBytes, plan.storeTrafficBytes], [0, 0])
    assert.ok(plan.extraTime > 1, 'nearly everything is made again in every pass')
    verifyPlan(JSON.parse(JSON.stringify(plan)))
    const whole = trainer(precise())
    await step(run, BATCHES[0], { microBatch })
    await step(whole, BATCHES[0], { microBatch: 10 })
    expectNear(await valuesOf(run), await valuesOf(whole))
  }
})

test('a store that is too small is refused with the smallest that is enough', async () => {
  const batch = BATCHES[0]
  for (const microBatch of [4, 1] as const) {
    for (const store of [0, 1, 100]) {
      const run = trainer(precise(), { store }, Adding)
      const before = await valuesOf(run)
      const error = await errorOf(step(run, batch, { microBatch }))
      if (!(error instanceof StoreExceededError)) throw error
      const { neededBytes } = error
      assert.match(error.message, `store: ${neededBytes}`)
      assert.is(error.budgetBytes, store)
      assert.equal(await valuesOf(run), before)
      const enough = trainer(precise(), { store: neededBytes }, Adding)
      const plan = enough.streamer.plan({ batch: 10, microBatch })
      assert.is(plan.storeBytes, neededBytes)
      verifyPlan(JSON.parse(JSON.stringify(plan)))
      const whole = trainer(precise(), {}, Adding)
      await step(enough, batch, { microBatch })
      await step(whole, batch, { microBatch: 10 })
      expectNear(await valuesOf(enough), await valuesOf(whole))
      const less = trainer(precise(), { store: neededBytes - 1 }, Adding)
      const refused = await errorOf(step(less, batch, { microBatch }))
      assert.instance(refused, StoreExceededError)
      assert.is((refused as StoreExceededError).neededBytes, neededBytes)
    }
  }
})

/** The input of a batch norm depends on a buffer that every micro-batch changes, so no later pass can make it again. */
class Drifting extends Skipping {
  readonly drift = new nn.Buffer(this.device, [])

  override forward(x: Tensor): Tensor {
    const drift = this.drift.target
    const parameters = { size: 1, function: 'affine', a: 1, b: 0.5 } as const
    this.device.update({ kernel: 'unary', parameters, targets: [drift.storage('drift')], inputs: [] })
    return super.forward(relu(add(x, drift)))
  }
}

test('a value made from a buffer that the forward changes is stored, and not made again from the changed buffer', async () => {
  const batch = samplesOf(10, SHAPE, 3)
  for (const microBatch of [1, 4]) {
    const least = await errorOf(step(trainer(precise(), { store: 64 }, Drifting), batch, { microBatch }))
    if (!(least instanceof StoreExceededError)) throw least
    const seen: number[][] = []
    for (const store of ['1MiB', least.neededBytes]) {
      const run = trainer(precise(), { store }, Drifting)
      await step(run, batch, { microBatch })
      seen.push(await valuesOf(run))
    }
    assert.equal(seen[1], seen[0])
  }
})

test.run()
