/** Data sets, splits, mini-batches, and the embedded digits. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Batch,
  checkBatch,
  DataError,
  type DataSource,
  type Dataset,
  digits,
  digitsShape,
  fromArrays,
  type MiniBatchOptions,
  miniBatches,
  NotResumableError,
  permutation,
  sliceBatch,
  split,
  subset,
} from '../src/data/index.js'
import { fc } from './property.js'

const SEED = { seed: 20241 }
const counts = fc.integer({ min: 1, max: 40 })
const seeds = fc.integer({ min: 0, max: 1000 })

/** Samples first .. first + count - 1 of an endless source whose every value tells which sample it belongs to. */
function samples(first: number, count: number, weighted = false): Batch {
  const ids = Array.from({ length: count }, (_, i) => first + i)
  return {
    inputs: { data: Uint8Array.from(ids.flatMap((id) => [id, 255 - id])), shape: [count, 2], scale: 1 / 16 },
    targets: { data: Int32Array.from(ids), shape: [count] },
    ...(weighted && { weights: { data: Float32Array.from(ids), shape: [count] } }),
  }
}

function* chunked(sizes: readonly number[], weighted = false): Generator<Batch> {
  let first = 0
  for (const size of sizes) {
    yield samples(first, size, weighted)
    first += size
  }
}

const ids = (batch: Batch): number[] => Array.from(batch.targets.data)

async function collect(source: DataSource, options: MiniBatchOptions): Promise<Batch[]> {
  const batches: Batch[] = []
  for await (const batch of miniBatches(source, options)) batches.push(batch)
  return batches
}

async function rejects(promise: Promise<unknown>, kind: new (message: string) => Error, message: RegExp) {
  try {
    await promise
  } catch (error) {
    assert.instance(error, kind)
    assert.match(error instanceof Error ? error.message : '', message)
    return
  }
  assert.unreachable(`expected ${kind.name}`)
}

const dataError = (message: RegExp) => (error: unknown) => error instanceof DataError && message.test(error.message)

test('gather copies samples in the order asked for and keeps class, scale and weights', () => {
  const data = fromArrays({ ...samples(0, 5, true), name: 'five', classes: 5 })
  assert.equal([data.name, data.length, data.inputShape, data.targetShape, data.classes], ['five', 5, [2], [], 5])
  const batch = data.gather([3, 0, 3])
  assert.equal(batch.inputs, { data: Uint8Array.of(3, 252, 0, 255, 3, 252), shape: [3, 2], scale: 1 / 16 })
  assert.equal(batch.targets.data, Int32Array.of(3, 0, 3))
  assert.equal(batch.weights?.data, Float32Array.of(3, 0, 3))
  batch.targets.data[0] = 9
  assert.is(data.gather([3]).targets.data[0], 3)
  for (const bad of [[5], [-1], [0.5], [Number.NaN], []]) assert.throws(() => data.gather(bad), dataError(/^five: /))
})

test('a batch that does not describe samples is refused, naming the array', () => {
  const { inputs, targets } = samples(0, 4)
  const weights = (...values: number[]) => ({ data: Float32Array.from(values), shape: [values.length] })
  const bad: [Batch, RegExp][] = [
    [{ inputs: { ...inputs, shape: [4, 3] }, targets }, /^inputs: shape \[4, 3\] has 12 elements, its data 8/],
    [{ inputs: { ...inputs, shape: [-4, -2] }, targets }, /^inputs: shape .* positive integers/],
    [{ inputs: { ...inputs, shape: [4, 2, 0.5, 2] }, targets }, /^inputs: shape .* positive integers/],
    [{ inputs: { ...inputs, shape: [] }, targets }, /^inputs: shape \[\]/],
    [{ inputs: { data: new Uint8Array(0), shape: [0, 2] }, targets }, /^inputs \[0, 2\]: no sample/],
    [{ inputs: { ...inputs, scale: Number.NaN }, targets }, /^inputs: scale NaN/],
    [{ inputs, targets: samples(0, 3).targets }, /inputs \[4, 2\] and targets \[3\] differ in samples/],
    [{ inputs, targets, weights: weights(1, 1) }, /^weights \[2\]: expected one per sample, \[4\]/],
    [{ inputs, targets, weights: weights(1, 1, -1, 1) }, /^weights: sample 2 has -1/],
    [{ inputs, targets, weights: weights(1, Number.POSITIVE_INFINITY, 1, 1) }, /^weights: sample 1 has Infinity/],
  ]
  for (const [batch, message] of bad) {
    assert.throws(() => checkBatch(batch), dataError(message))
    assert.throws(() => fromArrays(batch), dataError(message))
  }
  assert.throws(() => fromArrays({ inputs, targets, classes: 0 }), dataError(/^classes: 0/))
})

test('permutation is a bijection that depends only on its length, seed and epoch', () => {
  fc.assert(
    fc.property(counts, seeds, seeds, (length, seed, epoch) => {
      const order = permutation(length, seed, epoch)
      assert.equal(
        Array.from(order).sort((a, b) => a - b),
        Array.from({ length }, (_, i) => i),
      )
      assert.equal(permutation(length, seed, epoch), order)
    }),
    SEED,
  )
  fc.assert(
    fc.property(seeds, seeds, (seed, epoch) => {
      assert.not.equal(permutation(100, seed, epoch), permutation(100, seed, epoch + 1))
      assert.not.equal(permutation(100, seed, epoch), permutation(100, seed + 1, epoch))
    }),
    SEED,
  )
  assert.is(permutation(0, 1, 0).length, 0)
  for (const bad of [-1, 1.5, 2 ** 32]) assert.throws(() => permutation(bad, 1, 0), dataError(/^permutation: /))
})

test('every position of a permutation is equally likely for every sample', () => {
  const trials = 6000
  const seen = new Uint32Array(36)
  for (let epoch = 0; epoch < trials; epoch++) {
    permutation(6, 1, epoch).forEach((sample, place) => {
      seen[sample * 6 + place]++
    })
  }
  // Binomial: mean 1000, standard deviation 29; 36 cells within 5 of them.
  for (const times of seen) assert.ok(Math.abs(times - trials / 6) < 145, `${seen}`)
})

test('split is disjoint and complete', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 1, max: 9 }), seeds, (length, tenths, seed) => {
      const testFraction = tenths / 10
      const testSamples = Math.round(length * testFraction)
      fc.pre(testSamples > 0 && testSamples < length)
      const parts = split(fromArrays(samples(0, length)), { testFraction, seed })
      assert.is(parts.test.length, testSamples)
      const all = [parts.train, parts.test].flatMap((part) => ids(part.gather([...Array(part.length).keys()])))
      assert.equal(
        all.sort((a, b) => a - b),
        [...Array(length).keys()],
      )
    }),
    SEED,
  )
  const one = fromArrays(samples(0, 1))
  assert.throws(() => split(one, { seed: 1 }), dataError(/leaves 1 to train and 0 to test/))
  assert.throws(() => split(one, { testFraction: Number.NaN, seed: 1 }), dataError(/^split/))
})

test('a subset of a subset', () => {
  const inner = subset(subset(fromArrays(samples(0, 10)), [9, 8, 7]), [2, 0], 'inner')
  assert.is(inner.name, 'inner')
  assert.equal(ids(inner.gather([0, 1])), [7, 9])
  assert.throws(() => inner.gather([2]), dataError(/^inner: index 2/))
  assert.throws(() => subset(inner, [2]), dataError(/^inner: index 2/))
})

test('a slice equals the samples it was cut from, and shares their memory', () => {
  fc.assert(
    fc.property(counts, fc.nat(), fc.nat(), fc.boolean(), (length, a, b, weighted) => {
      const start = a % length
      const count = 1 + (b % (length - start))
      const batch = samples(0, length, weighted)
      const slice = sliceBatch(batch, start, count)
      checkBatch(slice)
      assert.equal(slice, fromArrays(batch).gather(Array.from({ length: count }, (_, i) => start + i)))
      assert.is(slice.inputs.data.buffer, batch.inputs.data.buffer)
    }),
    SEED,
  )
  for (const [start, count] of [
    [-1, 1],
    [0, 0],
    [3, 2],
    [0.5, 1],
    [0, 1.5],
  ]) {
    assert.throws(() => sliceBatch(samples(0, 4), start, count), dataError(/^sliceBatch: samples .* of a batch of 4/))
  }
})

test('an epoch over a data set visits every sample once, in the order of its permutation', async () => {
  await fc.assert(
    fc.asyncProperty(counts, counts, seeds, async (length, batch, seed) => {
      const data = fromArrays(samples(0, length, true))
      const batches = await collect(data, { batch, seed, epoch: 3 })
      assert.equal(batches.flatMap(ids), Array.from(permutation(length, seed, 3)))
      assert.ok(batches.slice(0, -1).every((one) => one.inputs.shape[0] === batch))
      const plain = await collect(data, { batch, shuffle: false })
      assert.equal(plain.flatMap(ids), [...Array(length).keys()])
    }),
    SEED,
  )
})

const chunkSizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 })

test('chunks of any sizes become mini-batches of equal size, in order', async () => {
  await fc.assert(
    fc.asyncProperty(chunkSizes, counts, fc.boolean(), async (chunks, batch, weighted) => {
      const total = chunks.reduce((sum, size) => sum + size, 0)
      const whole = samples(0, total, weighted)
      const expected = Array.from({ length: Math.ceil(total / batch) }, (_, i) =>
        sliceBatch(whole, i * batch, Math.min(batch, total - i * batch)),
      )
      assert.equal(await collect(chunked(chunks, weighted), { batch }), expected)
      assert.equal(await collect([...chunked(chunks, weighted)], { batch, epoch: 1 }), expected)
    }),
    SEED,
  )
})

test('resuming by skip gives the samples that are left, each once and in the same order', async () => {
  await fc.assert(
    fc.asyncProperty(chunkSizes, counts, fc.nat(), async (chunks, batch, draw) => {
      const total = chunks.reduce((sum, size) => sum + size, 0)
      const skip = draw % (total + 1)
      const sources = [fromArrays(samples(0, total)), () => chunked(chunks), [...chunked(chunks)]]
      for (const source of sources) {
        const options = { epoch: 2, seed: 5 }
        const whole = (await collect(source, { ...options, batch: 3 })).flatMap(ids)
        const rest = await collect(source, { ...options, batch, skip })
        assert.equal(rest.flatMap(ids), whole.slice(skip))
        for (const [i, part] of rest.entries()) assert.is(ids(part).length, Math.min(batch, total - skip - i * batch))
        await rejects(collect(source, { batch, skip: total + 1 }), DataError, /^skip: .* samples of an epoch of/)
      }
    }),
    { ...SEED, numRuns: 50 },
  )
})

test('dropLast leaves out samples that do not fill a mini-batch, and refuses to leave out all samples', async () => {
  for (const source of [fromArrays(samples(0, 7)), () => chunked([2, 4, 1])]) {
    const options = { shuffle: false, dropLast: true }
    assert.equal((await collect(source, { ...options, batch: 3 })).map(ids), [
      [0, 1, 2],
      [3, 4, 5],
    ])
    assert.equal((await collect(source, { ...options, batch: 3, skip: 5 })).map(ids), [])
    assert.equal((await collect(source, { ...options, batch: 7 })).map(ids), [[0, 1, 2, 3, 4, 5, 6]])
    await rejects(collect(source, { ...options, batch: 8 }), DataError, /7 samples do not fill a mini-batch of 8/)
  }
})

test('a source that can be read only once is neither resumed nor read twice', async () => {
  async function* once() {
    yield* chunked([3])
  }
  const hint = /pass a function/
  await rejects(collect(chunked([3]), { batch: 2, skip: 1 }), NotResumableError, hint)
  await rejects(collect(once(), { batch: 2, epoch: 1 }), NotResumableError, hint)
  const spent = chunked([3])
  assert.is((await collect(spent, { batch: 2 })).length, 2)
  await rejects(collect(spent, { batch: 2 }), DataError, /gave no sample.*pass a function/)
  await rejects(
    collect(() => spent, { batch: 2, epoch: 1 }),
    DataError,
    /gave no sample/,
  )
})

test('chunks that do not agree are refused and the source is closed', async () => {
  const { inputs, targets } = samples(3, 2)
  const strangers: [Batch, RegExp][] = [
    [{ inputs: { ...inputs, scale: 1 }, targets }, /\[2\] \* 0\.0625.*then.*\[2\] \* 1,/],
    [{ inputs: { ...inputs, shape: [2, 1, 2] }, targets }, /then inputs Uint8Array \[1, 2\]/],
    [{ inputs: { ...inputs, data: new Float32Array(4) }, targets }, /then inputs Float32Array/],
    [{ inputs, targets: { ...targets, shape: [2, 1] } }, /targets Int32Array \[1\]/],
    [samples(3, 2, true), /no weights; then.*, weights Float32Array/],
    [{ inputs, targets: samples(0, 1).targets }, /differ in samples/],
  ]
  for (const [stranger, message] of strangers) {
    let closed = false
    function* source() {
      try {
        yield samples(0, 3)
        yield stranger
      } finally {
        closed = true
      }
    }
    await rejects(collect(source, { batch: 4 }), DataError, message)
    assert.ok(closed)
  }
})

test('a consumer that stops or throws closes the source, and an error of the source reaches the consumer', async () => {
  let closed = 0
  let read = 0
  async function* source() {
    try {
      for (const chunk of chunked([2, 2, 2, 2])) {
        read++
        yield chunk
      }
    } finally {
      closed++
    }
  }
  for await (const batch of miniBatches(source, { batch: 3 })) {
    assert.equal(ids(batch), [0, 1, 2])
    break
  }
  assert.equal([closed, read], [1, 2], 'closed, and nothing read ahead')

  const consume = async () => {
    for await (const _ of miniBatches(source(), { batch: 3 })) throw new RangeError('consumer')
  }
  await rejects(consume(), RangeError, /consumer/)
  assert.is(closed, 2)

  function* failing() {
    yield samples(0, 2)
    throw new RangeError('disk on fire')
  }
  await rejects(collect(failing, { batch: 2 }), RangeError, /disk on fire/)
})

test('a source may reuse its arrays', async () => {
  const data = Uint8Array.of(0, 0)
  const labels = Int32Array.of(0)
  function* reusing() {
    for (let id = 0; id < 5; id++) {
      data.fill(id)
      labels.fill(id)
      yield { inputs: { data, shape: [1, 2] }, targets: { data: labels, shape: [1] } }
    }
  }
  const batches = await collect(reusing, { batch: 2 })
  assert.equal(batches.map(ids), [[0, 1], [2, 3], [4]])
})

test('impossible options and data sets are refused', async () => {
  const data = fromArrays(samples(0, 4))
  for (const batch of [0, -1, 1.5, Number.NaN]) await rejects(collect(data, { batch }), DataError, /^batch: /)
  await rejects(collect(data, { batch: 2, skip: -1 }), DataError, /^skip: -1/)
  await rejects(collect(data, { batch: 2, epoch: 0.5 }), DataError, /^epoch: 0.5/)
  const short: Dataset = { ...data, name: 'short', gather: () => samples(0, 1) }
  await rejects(collect(short, { batch: 2 }), DataError, /^short: gather of 2 indices gave 1 samples/)
  await rejects(collect({ ...data, length: 0 }, { batch: 2 }), DataError, /no sample/)
})

// The numbers come from the published CSV.
test('digits: every row, label and pixel arrived', () => {
  const data = digits()
  const { name, length, inputShape, targetShape, classes } = data
  assert.equal({ name, length, inputShape, targetShape, classes }, digitsShape)
  const { inputs, targets } = data.gather([...Array(length).keys()])
  assert.equal([inputs.shape, inputs.scale, targets.shape], [[1797, 1, 8, 8], 1 / 16, [1797]])
  assert.instance(inputs.data, Uint8Array)

  const perClass = new Array<number>(10).fill(0)
  for (const label of targets.data) perClass[label]++
  assert.equal(perClass, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
  let largest = 0
  let sum = 0
  // Weighted by position, so that two pixels cannot have changed places.
  let positionSum = 0
  inputs.data.forEach((pixel, i) => {
    largest = Math.max(largest, pixel)
    sum += pixel
    positionSum = (positionSum + pixel * (i + 1)) % 1000003
  })
  assert.equal([largest, sum, positionSum], [16, 561718, 48683])
  const first = [
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 0, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [0, 4, 12, 0, 0, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 0],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [0, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 0],
  ]
  assert.equal(Array.from(inputs.data.subarray(0, 64)), first.flat())
  assert.is(targets.data[0], 0)
})

test.run()
