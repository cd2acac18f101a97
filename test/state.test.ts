/** Saved state is taken whole or not at all, and every moment goes to the parameter that it was saved for. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import { ArgumentError } from '../src/memory/errors.js'
import { BatchNorm2d, Linear, type Module, Parameter, Sequential, StateError } from '../src/nn/index.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { adam, type Optimizer, sgd } from '../src/optim/index.js'
import { Streamer } from '../src/stream/streamer.js'
import { batchNormModel, randomBatch, TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const MEMORY = { memory: '256KiB' } as const
const RUNS = { seed: 14, numRuns: 150 * TEST_RUNS }

interface Entry {
  shape: readonly number[]
  data: ArrayLike<number>
}

/** The values of an entry, one of which throws when it is read. */
function throwing({ data }: Entry, at: number): ArrayLike<number> {
  const values = Array.from(data)
  Object.defineProperty(values, at % values.length, {
    get() {
      throw new Error('the disk is gone')
    },
  })
  return values
}

/** An object that looks like a typed array, and throws when it is copied. */
const impostor = ({ data }: Entry): unknown =>
  new Proxy(Float32Array.from(data), {
    get(values, key) {
      if (key !== 'length') throw new Error('no')
      return values.length
    },
  })

const withValue = ({ data }: Entry, at: number, value: unknown): unknown[] =>
  Array.from<unknown>(Array.from(data)).map((own, i) => (i === at % data.length ? value : own))

/** Ways to spoil an entry; `undefined` takes it out. */
const FAULTS: Readonly<Record<string, (entry: Entry, at: number) => unknown>> = {
  missing: () => undefined,
  null: () => null,
  'a number': () => 3,
  'text for an entry': () => 'abc',
  'no data': ({ shape }) => ({ shape }),
  'no shape': ({ data }) => ({ data }),
  'a shape that is text': ({ data }) => ({ shape: '3', data }),
  'another shape': ({ shape, data }) => ({ shape: [...shape, 2], data }),
  'a huge shape': ({ data }) => ({ shape: new Array(100_000).fill('x'.repeat(100)), data }),
  'too few values': ({ shape, data }) => ({ shape, data: Array.from(data).slice(1) }),
  'text for data': ({ shape, data }) => ({ shape, data: '1'.repeat(data.length) }),
  'a length alone': ({ shape, data }) => ({ shape, data: { length: data.length } }),
  'a view of bytes': ({ shape, data }) => ({ shape, data: new DataView(new ArrayBuffer(4 * data.length)) }),
  'text among numbers': (entry, at) => ({ shape: entry.shape, data: withValue(entry, at, '1') }),
  'null among numbers': (entry, at) => ({ shape: entry.shape, data: withValue(entry, at, null) }),
  'an object among numbers': (entry, at) => ({ shape: entry.shape, data: withValue(entry, at, Object.create(null)) }),
  'a hole': (entry, at) => ({ shape: entry.shape, data: withValue(entry, at, undefined) }),
  'values that throw': (entry, at) => ({ shape: entry.shape, data: throwing(entry, at) }),
  'an impostor': (entry) => ({ shape: entry.shape, data: impostor(entry) }),
}
const FAULT_NAMES = Object.keys(FAULTS)

/** The same state with one entry spoiled. */
function spoil(
  state: Readonly<Record<string, Entry>>,
  which: number,
  fault: string,
  at: number,
): Record<string, Entry> {
  const names = Object.keys(state)
  const name = names[which % names.length]
  const bad = FAULTS[fault](state[name], at)
  const { [name]: _, ...others } = state
  const entries = names.flatMap((each) =>
    each !== name ? [[each, others[each]]] : bad === undefined ? [] : [[each, bad]],
  )
  return Object.fromEntries(entries)
}

/** Asserts that `load` throws a StateError of bounded length, and changes no bit. */
async function refuses(load: () => void, lasting: () => Promise<unknown>, what: string): Promise<void> {
  const before = await lasting()
  let refusal: unknown
  try {
    load()
  } catch (error) {
    refusal = error
  }
  assert.instance(refusal, StateError, what)
  const { message } = refusal as StateError
  assert.ok(message.length < 4000, `${what}: a message of ${message.length} characters`)
  assert.match(message, 'Nothing was changed', what)
  assert.equal(await lasting(), before, what)
}

const different = (state: Readonly<Record<string, Entry>>): Record<string, Entry> =>
  Object.fromEntries(
    Object.entries(state).map(([name, { shape, data }]) => [name, { shape, data: Array.from(data, (x) => x + 1) }]),
  )

const faults = fc.tuple(fc.nat(), fc.constantFrom(...FAULT_NAMES), fc.nat())

for (const kind of ['cpu', 'reference'] as const) {
  test(`a state with one bad entry changes no bit of a model, an optimizer or a streamer on ${kind}`, async () => {
    const device = await openDevice(kind, MEMORY)
    const model = batchNormModel(device)
    const optimizer = adam(model)
    const streamer = new Streamer({ model, loss: crossEntropy, optimizer })
    await streamer.step(randomBatch(4, 1))
    const lasting = async () => [await model.stateDict(), await optimizer.stateDict(), streamer.cursor]
    const saved = await streamer.checkpoint()
    const good = different(saved.model)
    const { steps, updates, moments } = saved.optimizer
    const better = { steps: steps + 1, updates, moments: different(moments) }
    const check = async ([which, fault, at]: readonly [number, string, number]): Promise<void> => {
      const badModel = spoil(good, which, fault, at)
      const badOptimizer = { ...better, moments: spoil(better.moments, which, fault, at) }
      await refuses(() => model.loadStateDict(badModel), lasting, fault)
      await refuses(() => optimizer.loadStateDict(badOptimizer), lasting, fault)
      const cursor = { ...saved.cursor }
      for (const [ofModel, ofOptimizer] of [
        [badModel, better],
        [good, badOptimizer],
      ] as const) {
        const checkpoint = { model: ofModel, optimizer: ofOptimizer, cursor } as typeof saved
        await refuses(() => streamer.restore(checkpoint), lasting, fault)
      }
    }
    await fc.assert(fc.asyncProperty(faults, check), RUNS)
    // every kind of fault, in the last entry
    for (const fault of FAULT_NAMES) await check([Object.keys(good).length - 1, fault, 0])
    streamer.restore({ model: good, optimizer: better, cursor: saved.cursor } as typeof saved)
    assert.equal(
      Object.values(await model.stateDict()).map(({ data }) => [...data]),
      Object.values(good).map(({ data }) => [
        ...new Float64Array(Array.from(data, kind === 'cpu' ? Math.fround : Number)),
      ]),
    )
  })
}

test('bad counts, states that are not objects, and thousands of unknown names are refused', async () => {
  const device = await openDevice('cpu', MEMORY)
  const model = batchNormModel(device)
  const optimizer = adam(model)
  const lasting = async () => [await model.stateDict(), await optimizer.stateDict()]
  const saved = await optimizer.stateDict()
  const [name] = Object.keys(saved.updates)
  const { [name]: _, ...fewer } = saved.updates
  const count = `updates of ${name} is`
  for (const [message, state] of [
    ['steps is 1.5;', { ...saved, steps: 1.5 }],
    [`${count} undefined, not a whole number`, { ...saved, updates: fewer }],
    [`${count} -1, not a whole number`, { ...saved, updates: { ...saved.updates, [name]: -1 } }],
    ['updates of other is unexpected', { ...saved, updates: { ...saved.updates, other: 1 } }],
    ['updates is undefined, not an object', { steps: 0, moments: saved.moments }],
  ] as const) {
    assert.throws(() => optimizer.loadStateDict(state as typeof saved), new RegExp(message))
  }
  const refused: Readonly<Record<string, unknown>> = {
    'half a step': { ...saved, steps: 1.5 },
    'no steps': { ...saved, steps: undefined },
    'steps in words': { ...saved, steps: '1' },
    'a count less': { ...saved, updates: fewer },
    'a count more': { ...saved, updates: { ...saved.updates, other: 1 } },
    'a negative count': { ...saved, updates: { ...saved.updates, [name]: -1 } },
    'no counts': { steps: 0, moments: saved.moments },
    'no moments': { steps: 0, updates: saved.updates },
    'a state of version 0.1': { steps: 0, moments: { '0.exp_avg': { shape: [1], data: [1] } } },
    ...Object.fromEntries([null, undefined, 'text', 3, []].map((value) => [String(value), value])),
  }
  for (const [what, state] of Object.entries(refused)) {
    await refuses(() => optimizer.loadStateDict(state as typeof saved), lasting, what)
  }
  const own = await model.stateDict()
  const strange = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`layer.${i}.weight`, own[Object.keys(own)[0]]]),
  )
  for (const state of [null, undefined, 'text', 3, strange, { ...own, ['x'.repeat(3_000_000)]: 1 }]) {
    await refuses(() => model.loadStateDict(state as typeof own), lasting, `${typeof state}`)
  }
})

test("numbers of any kind load: PyTorch's int64 counts, bytes, plain arrays", async () => {
  const device = await openDevice('cpu', MEMORY)
  const layer = new BatchNorm2d(device, 2)
  layer.loadStateDict({
    weight: { shape: [2], data: [1.5, -2] },
    bias: { shape: [2], data: Int32Array.of(3, -4) },
    running_mean: { shape: [2], data: { length: 2, 0: 5, 1: 6 } },
    running_var: { shape: [2], data: BigUint64Array.of(7n, 8n) },
    num_batches_tracked: { shape: [], data: BigInt64Array.of(41n) },
  })
  const state = await layer.stateDict()
  assert.equal(
    Object.values(state).flatMap(({ data }) => [...data]),
    [1.5, -2, 3, -4, 5, 6, 7, 8, 41],
  )
})

/** Two layers of the same shape, so that only names tell them apart. */
const twins = (device: Device): Sequential => new Sequential(new Linear(device, 3, 3), new Linear(device, 3, 3))

/** A step in which every gradient of layer i is i + 1, so that a moment tells which layer it belongs to. */
async function take(optimizer: Optimizer, model: Sequential): Promise<void> {
  optimizer.zeroGrad()
  for (const [i, layer] of model.layers.entries()) {
    for (const { grad, size, device } of (layer as Module).parameters()) {
      if (grad) device.upload(grad.storage('test'), new Float32Array(size).fill(i + 1))
    }
  }
  optimizer.step()
}

const momentsOf = async (optimizer: Optimizer, model?: Module) => {
  const { moments } = await optimizer.stateDict(model)
  return Object.fromEntries(Object.entries(moments).map(([name, { data }]) => [name, data[0]]))
}

const learningRate = 0.1
const momentum = 0.9

test('state is matched by the names of the model, in whatever order the groups are', async () => {
  const device = await openDevice('cpu', MEMORY)
  const model = twins(device)
  const [first, second] = model.layers as readonly Module[]
  const whole = sgd(model, { learningRate, momentum })
  await take(whole, model)
  const saved = await whole.stateDict()
  assert.equal(Object.keys(saved.updates), [...model.namedParameters().keys()])
  const expected = {
    '0.weight.momentum_buffer': 1,
    '0.bias.momentum_buffer': 1,
    '1.weight.momentum_buffer': 2,
    '1.bias.momentum_buffer': 2,
  }
  assert.equal(await momentsOf(whole), expected)
  for (const groups of [
    [{ parameters: first }, { parameters: second, learningRate: 1 }],
    [{ parameters: second, learningRate: 1 }, { parameters: first }],
    [{ parameters: [...second.parameters(), ...first.parameters()] }],
  ]) {
    const optimizer = sgd(groups, { learningRate, momentum })
    optimizer.loadStateDict(saved, model)
    assert.equal(await momentsOf(optimizer, model), expected)
    // without the model, an optimizer cannot tell the two apart, or has other names for them, and says so
    await refusesWithoutModel(optimizer, saved)
  }
  const named = sgd([{ parameters: second }], { learningRate, momentum })
  assert.equal(Object.keys((await named.stateDict()).updates), ['weight', 'bias'])
})

test('groups that share a parameter name are saved only by the names of their model', async () => {
  const device = await openDevice('cpu', MEMORY)
  const model = twins(device)
  const optimizer = sgd(model.layers.map((layer) => ({ parameters: layer as Module })))
  const refusal: unknown = await optimizer.stateDict().catch((error: unknown) => error)
  assert.instance(refusal, ArgumentError)
  assert.match((refusal as ArgumentError).message, 'two of its parameters are called weight in their groups')
  assert.is(Object.keys((await optimizer.stateDict(model)).updates).length, 4)
})

async function refusesWithoutModel(optimizer: Optimizer, saved: Parameters<Optimizer['loadStateDict']>[0]) {
  assert.throws(
    () => optimizer.loadStateDict(saved),
    (error: unknown) =>
      error instanceof StateError || (error instanceof ArgumentError && /model that names them/.test(error.message)),
  )
}

test('state that was saved with another layer frozen is refused, not shifted', async () => {
  const device = await openDevice('cpu', MEMORY)
  const model = twins(device)
  const [first, second] = model.layers as readonly Module[]
  const freeze = (frozen: Module, trained: Module): Optimizer => {
    for (const parameter of frozen.parameters()) parameter.requiresGrad = false
    for (const parameter of trained.parameters()) parameter.requiresGrad = true
    return sgd(model, { learningRate, momentum })
  }
  const saved = await freeze(first, second).stateDict()
  const other = freeze(second, first)
  await refuses(
    () => other.loadStateDict(saved),
    () => other.stateDict(),
    'another layer',
  )
  assert.throws(() => other.loadStateDict(saved), /0\.weight\.momentum_buffer is missing/)
})

test('parameters without a module are matched by position: another count or shape is refused', async () => {
  const device = await openDevice('cpu', MEMORY)
  const make = (...shapes: readonly number[][]) =>
    sgd([{ parameters: shapes.map((shape) => new Parameter(device, shape)) }], { learningRate, momentum })
  const saved = await make([2], [3]).stateDict()
  assert.equal(Object.keys(saved.moments), ['0.momentum_buffer', '1.momentum_buffer'])
  make([2], [3]).loadStateDict(saved)
  for (const other of [make([3], [2]), make([2]), make([2], [3], [4])]) {
    await refuses(
      () => other.loadStateDict(saved),
      () => other.stateDict(),
      'another list',
    )
  }
})

test('a checkpoint of a streamer can be restored with the groups of the optimizer in another order', async () => {
  const device = await openDevice('reference', MEMORY)
  const build = (turned: boolean) => {
    const model = batchNormModel(device)
    const layers = model.layers as readonly Module[]
    const groups = [
      { parameters: layers[0], learningRate },
      { parameters: [...layers[1].parameters(), ...layers[4].parameters()], learningRate: learningRate / 2 },
    ]
    const optimizer = adam(turned ? groups.reverse() : groups)
    return { model, streamer: new Streamer({ model, loss: crossEntropy, optimizer }) }
  }
  const [straight, turned] = [build(false), build(true)]
  await straight.streamer.step(randomBatch(4, 1))
  turned.streamer.restore(await straight.streamer.checkpoint())
  for (const { streamer } of [straight, turned]) await streamer.step(randomBatch(4, 2))
  assert.equal(await turned.model.stateDict(), await straight.model.stateDict())
})

test.run()
