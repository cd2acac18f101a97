/** Making tensors: from any number of values; a bad value, shape or scale is refused and leaves nothing allocated. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  type Device,
  data,
  fromHost,
  full,
  type HostArray,
  mse,
  type NestedArray,
  nn,
  openDevice,
  openVirtualDevice,
  optim,
  ShapeError,
  SluiceError,
  Streamer,
  tensor,
  zeros,
} from '../src/index.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const RUNS = 200 * TEST_RUNS
const cpu = await openDevice('cpu', { memory: '1MiB', threads: 1 })
const reference = await openDevice('reference', { memory: '1MiB' })

type Refused = new (...args: never[]) => SluiceError

/** Asserts that `run` throws one of these errors, and leaves the held bytes unchanged. */
function refuses(device: Device, run: () => unknown, ...errors: readonly Refused[]): string {
  const { heldBytes } = device.memory
  const signature = device.allocator.signature()
  try {
    run()
  } catch (error) {
    assert.ok(
      errors.some((type) => error instanceof type),
      `${error}`,
    )
    assert.is(device.memory.heldBytes, heldBytes, `${error}`)
    assert.is(device.allocator.signature(), signature)
    assert.ok(String(error).length < 2200, 'an error is short')
    return String(error)
  }
  throw new Error('it was taken')
}

test('nested arrays of a hundred million numbers', () => {
  const row = new Array<number>(14_000).fill(1)
  const made = tensor(openVirtualDevice('cpu'), new Array<number[]>(10_000).fill(row))
  assert.equal(made.shape, [10_000, 14_000])
})

test('rows may be typed arrays, and lists that are only read', async () => {
  const rows = tensor(cpu, [Float32Array.of(1, 2), [3, 4], Uint8ClampedArray.of(300, 6)])
  assert.equal(await rows.array(), [
    [1, 2],
    [3, 4],
    [255, 6],
  ])
  const frozen = Object.freeze([Object.freeze([1, 2]), Object.freeze([3, 4])] as const)
  assert.equal(await tensor(cpu, frozen).array(), frozen)
  assert.equal(await tensor(cpu, Uint8ClampedArray.of(1, 2), [2, 1] as const).array(), [[1], [2]])
  refuses(cpu, () => tensor(cpu, [Float32Array.of(1, 2), [3]]), ShapeError)
})

test('nested arrays of any shape arrive in order', async () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      let next = 0
      const nested = (axis: number): NestedArray =>
        axis === shape.length ? next++ : Array.from({ length: shape[axis] }, () => nested(axis + 1))
      const values = nested(0)
      for (const device of [cpu, reference]) {
        const made = tensor(device, values)
        assert.equal(made.shape, shape)
        assert.equal(
          [...(await made.data())],
          Array.from({ length: next }, (_, i) => i),
        )
        assert.equal(await made.array(), values)
        made.dispose()
      }
    }),
    { seed: 11, numRuns: RUNS / 4 },
  )
})

const NO_NUMBERS: readonly unknown[] = [
  ...['1', '', 'x'.repeat(1e6), true, false, null, undefined, 1n, Symbol('x'), () => 1, {}, { length: 2 }, new Date()],
  ...[Object.create(null), new Map(), BigInt64Array.of(1n)],
]

test('a value that is not a number is refused, wherever it is among nested arrays', () => {
  const places = fc.record({
    rows: fc.integer({ min: 1, max: 4 }),
    columns: fc.integer({ min: 1, max: 4 }),
    at: fc.nat(),
    value: fc.constantFrom(...NO_NUMBERS),
  })
  fc.assert(
    fc.property(
      places,
      fc.constantFrom(cpu, reference, openVirtualDevice('cpu')),
      ({ rows, columns, at, value }, device) => {
        const values: unknown[][] = Array.from({ length: rows }, () => new Array<unknown>(columns).fill(1))
        values[at % rows][(at >> 2) % columns] = value
        refuses(device, () => tensor(device, values as number[][]), ArgumentError)
        values[at % rows] = value as number[]
        refuses(device, () => tensor(device, values as number[][]), ArgumentError)
      },
    ),
    { seed: 19, numRuns: RUNS },
  )
  refuses(cpu, () => tensor(cpu, [1, [2]]), ShapeError)
  refuses(cpu, () => tensor(cpu, [[1, 2], [3]]), ShapeError)
  refuses(cpu, () => tensor(cpu, [[1], 2]), ShapeError)
  refuses(cpu, () => tensor(cpu, []), ShapeError)
  const endless: NestedArray[] = []
  endless.push(endless)
  refuses(cpu, () => tensor(cpu, endless), ShapeError)
})

test('a bad list of numbers, shape, scale or value is refused', () => {
  for (const device of [cpu, reference, openVirtualDevice('cpu')]) {
    const bytes = Uint8Array.of(1, 2)
    for (const value of NO_NUMBERS) {
      const values = value as Float32Array
      refuses(device, () => tensor(device, values), ArgumentError)
      refuses(device, () => tensor(device, values, [1]), ArgumentError)
      refuses(device, () => fromHost(device, { data: values, shape: [1] }), ArgumentError)
      if (device.executes) refuses(device, () => new nn.Parameter(device, [1], () => values), ArgumentError)
      if (device.executes) refuses(device, () => new nn.Buffer(device, [1], () => values), ArgumentError)
      refuses(device, () => full(device, [2], value as number), ArgumentError)
      if (value !== undefined)
        refuses(device, () => fromHost(device, { data: bytes, shape: [2], scale: value as number }), ArgumentError)
      refuses(device, () => zeros(device, value as number[]), ShapeError)
      refuses(device, () => zeros(device, [2, value as number]), ShapeError)
      if (value !== undefined && value !== null)
        refuses(device, () => tensor(device, bytes, value as number[]), ShapeError)
    }
    for (const scale of [Infinity, -Infinity, Number.NaN]) {
      assert.match(
        refuses(device, () => fromHost(device, { data: bytes, shape: [2], scale }), ArgumentError),
        'scale',
      )
    }
    refuses(device, () => zeros(device, 3 as unknown as number[]), ShapeError)
  }
})

test('an error is short, even about a large value', () => {
  const long = new Array<number>(1e5).fill(7)
  refuses(cpu, () => zeros(cpu, [...long, -1]), ShapeError)
  refuses(cpu, () => zeros(cpu, ['x'.repeat(1e6) as unknown as number]), ShapeError)
  const message = 'x'.repeat(1e6)
  const error = new SluiceError(`begins ${message} ends`)
  assert.ok(error.message.length < 2100)
  assert.match(error.message, /^begins x.*\(\d+ characters left out\).*x ends$/)
  assert.is(new SluiceError('short').message, 'short')
})

const model = new nn.Linear(cpu, 2, 1)
const optimizer = optim.sgd(model)
const streamer = new Streamer({ model, loss: mse, optimizer })

async function refusesLater(run: () => unknown, message: string): Promise<void> {
  const { heldBytes } = cpu.memory
  try {
    await run()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    assert.match(error.message, message)
    assert.ok(error.message.length < 2200)
    assert.is(cpu.memory.heldBytes, heldBytes)
    return
  }
  assert.unreachable('it was taken')
}

test('predict refuses inputs that are not an array of samples, before it allocates memory', async () => {
  const floats = new Float32Array(2)
  for (const shape of [
    [-1, 2],
    [4e9, 64],
    [0, 2],
    [],
    [1.5, 2],
    [Number.NaN, 2],
    [Infinity, 2],
    [2 ** 53, 2],
    [1, -2],
  ]) {
    await refusesLater(() => streamer.predict({ data: floats, shape }), 'inputs')
  }
  const others: readonly unknown[] = [null, undefined, {}, 3, 'x', { data: floats }, { data: [1, 2], shape: [1, 2] }]
  for (const wrong of [...others, { shape: [1] }]) {
    await refusesLater(() => streamer.predict(wrong as HostArray), 'inputs')
  }
})

test('fit refuses a bad source of samples, and chunks that are not batches', async () => {
  const fit = async (source: unknown): Promise<void> => {
    for await (const _ of streamer.fit(source as data.DataSource, { batch: 2 }));
  }
  const batch = {
    inputs: { data: new Float32Array(2), shape: [1, 2] },
    targets: { data: new Float32Array(1), shape: [1, 1] },
  }
  for (const wrong of [null, undefined, {}, 3, 'text', true, Object.create(null)]) {
    await refusesLater(() => fit(wrong), 'is not a source of samples')
    await refusesLater(() => fit(() => wrong), 'is not a source of samples')
    await refusesLater(() => fit([wrong]), '')
    await refusesLater(() => fit([batch, wrong]), '')
    await refusesLater(() => streamer.step(wrong as data.Batch), '')
  }
  await refusesLater(() => fit(batch), 'give [batch]')
  await refusesLater(() => fit([{ inputs: batch.inputs }]), 'targets')
  await refusesLater(() => fit([{ ...batch, weights: null }]), 'weights')
})

test('evaluate, and fit with evaluate, refuse a bad data set', async () => {
  const part = {
    inputs: { data: new Float32Array(2), shape: [1, 2] },
    targets: { data: new Float32Array(1), shape: [1, 1] },
  }
  const good = data.fromArrays(part)
  for (const wrong of [null, undefined, {}, 3, 'text', part, { ...good, length: 0 }, { ...good, length: 1.5 }]) {
    const set = wrong as data.Dataset
    await refusesLater(() => streamer.evaluate(set), 'evaluate')
    if (wrong === null || wrong === undefined) continue
    await refusesLater(async () => {
      for await (const _ of streamer.fit(good, { batch: 1, evaluate: set }));
    }, 'fit: evaluate')
  }
})

test('a forward or a loss can throw any value', async () => {
  const batch = {
    inputs: { data: new Float32Array(2), shape: [1, 2] },
    targets: { data: new Float32Array(1), shape: [1, 1] },
  }
  const odd = Object.assign(new Error('x'), { message: Object.create(null) })
  for (const thrown of [...NO_NUMBERS, odd, new Error('y'.repeat(1e6))]) {
    const throwing = new (class extends nn.Linear {
      override forward(): never {
        throw thrown
      }
    })(cpu, 2, 1)
    const own = optim.sgd(throwing)
    const broken = new Streamer({ model: throwing, loss: mse, optimizer: own })
    await refusesLater(() => broken.step(batch), 'the model threw')
    throwing.forward = () => thrown as never
    await refusesLater(() => broken.step(batch), 'the forward returned')
    broken.dispose()
    own.dispose()
    throwing.dispose()
  }
})

test.run()
