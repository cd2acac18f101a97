/** Samples with several inputs and targets, and models with several outputs, against arithmetic by hand in float64. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HeapDevice } from '../src/device/heap-device.js'
import {
  type AnyBatch,
  type AnyModule,
  type AnySource,
  ArgumentError,
  type Arrays,
  type Batch,
  BudgetExceededError,
  checkSeparable,
  crossEntropy,
  type Device,
  type DeviceKind,
  data,
  type HostArray,
  ModelError,
  Module,
  mse,
  nn,
  openDevice,
  optim,
  type Shapes,
  SluiceError,
  Streamer,
  type Tensor,
} from '../src/index.js'
import { FailingAllocator } from './devices.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { BY_HAND } from './tolerances.js'

const PIXELS = 3
const WORDS = 2
const WIDTH = 2
const CLASSES = 3
const SIDES = 2

const matrix = (device: Device, rows: number, columns: number, seed: number) =>
  new nn.Linear(device, columns, rows, { bias: false, random: nn.generator(seed) })

interface Pair {
  image: Tensor
  text: Tensor
}

/** y = <A image, B text>: two towers, from a record. */
class Towers extends Module<Pair> {
  image = matrix(this.device, WIDTH, PIXELS, 1)
  text = matrix(this.device, WIDTH, WORDS, 2)

  forward({ image, text }: Pair): Tensor {
    return this.image.forward(image).mul(this.text.forward(text)).sum({ axes: 1 })
  }
}

/** The same from a list. */
class Sides extends Module<[Tensor, Tensor]> {
  image = matrix(this.device, WIDTH, PIXELS, 1)
  text = matrix(this.device, WIDTH, WORDS, 2)

  forward(image: Tensor, text: Tensor): Tensor {
    return this.image.forward(image).mul(this.text.forward(text)).sum({ axes: 1 })
  }
}

/** Classes and numbers of one input: two heads. */
class Heads extends Module<Tensor, [Tensor, Tensor]> {
  kind = matrix(this.device, CLASSES, PIXELS, 3)
  box = matrix(this.device, SIDES, PIXELS, 4)

  forward(x: Tensor): [Tensor, Tensor] {
    return [this.kind.forward(x), this.box.forward(x)]
  }
}

interface Found {
  kind: Tensor
  box: Tensor
}

/** The same two heads, as a record. */
class NamedHeads extends Module<{ x: Tensor }, Found> {
  kind = matrix(this.device, CLASSES, PIXELS, 3)
  box = matrix(this.device, SIDES, PIXELS, 4)

  forward({ x }: { x: Tensor }): Found {
    return { kind: this.kind.forward(x), box: this.box.forward(x) }
  }
}

const listLoss = ([kind, box]: [Tensor, Tensor], [k, b]: [Tensor, Tensor], { weights }: { weights?: Tensor } = {}) =>
  crossEntropy(kind, k, { weights }).add(mse(box, b, { weights }))

const namedLoss = (found: Found, target: Found, { weights }: { weights?: Tensor } = {}) =>
  crossEntropy(found.kind, target.kind, { weights }).add(mse(found.box, target.box, { weights }))

/** Whole numbers with a scale, so that every device holds them exactly. */
function numbers(random: () => number, ...shape: number[]): HostArray {
  const length = shape.reduce((product, dim) => product * dim, 1)
  return { data: Int8Array.from({ length }, () => Math.floor(64 * random()) - 32), shape, scale: 1 / 32 }
}

function samples(count: number, seed: number, weighted = false) {
  const random = nn.generator(seed)
  const kinds = Uint8Array.from({ length: count }, () => Math.floor(CLASSES * random()))
  return {
    image: numbers(random, count, PIXELS),
    text: numbers(random, count, WORDS),
    score: numbers(random, count),
    kind: { data: kinds, shape: [count] },
    box: numbers(random, count, SIDES),
    weights: weighted ? { data: Uint8Array.from({ length: count }, (_, i) => 1 + (i % 3)), shape: [count] } : undefined,
  }
}

type Samples = ReturnType<typeof samples>

const row = ({ data, shape, scale = 1 }: HostArray, i: number): number[] => {
  const size = data.length / shape[0]
  return Array.from({ length: size }, (_, j) => data[i * size + j] * scale)
}

const times = (weight: readonly number[], x: readonly number[]): number[] =>
  Array.from({ length: weight.length / x.length }, (_, i) =>
    x.reduce((sum, value, j) => sum + weight[i * x.length + j] * value, 0),
  )

/** Loss and gradient of one sample of a net with two matrices. */
type ByHand = (weights: readonly number[][], set: Samples, i: number) => { loss: number; gradient: number[][] }

const outer = (dy: readonly number[], x: readonly number[]): number[] => dy.flatMap((d) => x.map((value) => d * value))

const towersByHand: ByHand = ([a, b], { image, text, score }, i) => {
  const [u, v] = [times(a, row(image, i)), times(b, row(text, i))]
  const off = u.reduce((sum, value, k) => sum + value * v[k], 0) - row(score, i)[0]
  const towards = (other: readonly number[]) => other.map((value) => 2 * off * value)
  return { loss: off * off, gradient: [outer(towards(v), row(image, i)), outer(towards(u), row(text, i))] }
}

const headsByHand: ByHand = ([kinds, boxes], { image, kind, box }, i) => {
  const x = row(image, i)
  const logits = times(kinds, x)
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0)
  const target = kind.data[i]
  const off = times(boxes, x).map((value, k) => value - row(box, i)[k])
  const dlogits = logits.map((logit, c) => Math.exp(logit) / sum - (c === target ? 1 : 0))
  return {
    loss: Math.log(sum) - logits[target] + off.reduce((total, value) => total + (value * value) / SIDES, 0),
    gradient: [
      outer(dlogits, x),
      outer(
        off.map((value) => (2 * value) / SIDES),
        x,
      ),
    ],
  }
}

/** A task: its model and streamer, its batch, and its loss by hand. */
interface Task {
  open(device: Device): { model: AnyModule; streamer: StreamerLike }
  batch(set: Samples): AnyBatch
  byHand: ByHand
  inputShape: Shapes
  targetShape: Shapes
}

type StreamerLike = Pick<Streamer, 'step' | 'fit' | 'evaluate' | 'plan' | 'fastest' | 'cursor'>

const RATE = 0.5
const learn = (model: AnyModule) => optim.sgd(model, { learningRate: RATE })

const TASKS: Readonly<Record<string, Task>> = {
  'a record of inputs': {
    open: (device) => {
      const model = new Towers(device)
      return { model, streamer: new Streamer({ model, loss: mse, optimizer: learn(model) }) }
    },
    batch: ({ text, image, score, weights }) => ({ inputs: { text, image }, targets: score, weights }),
    byHand: towersByHand,
    inputShape: { image: [PIXELS], text: [WORDS] },
    targetShape: [],
  },
  'a list of inputs': {
    open: (device) => {
      const model = new Sides(device)
      return { model, streamer: new Streamer({ model, loss: mse, optimizer: learn(model) }) }
    },
    batch: ({ image, text, score, weights }) => ({ inputs: [image, text], targets: score, weights }),
    byHand: towersByHand,
    inputShape: [[PIXELS], [WORDS]],
    targetShape: [],
  },
  'lists of outputs and targets': {
    open: (device) => {
      const model = new Heads(device)
      return { model, streamer: new Streamer({ model, loss: listLoss, optimizer: learn(model) }) }
    },
    batch: ({ image, kind, box, weights }) => ({ inputs: image, targets: [kind, box], weights }),
    byHand: headsByHand,
    inputShape: [PIXELS],
    targetShape: [[], [SIDES]],
  },
  'records of outputs and targets': {
    open: (device) => {
      const model = new NamedHeads(device)
      return { model, streamer: new Streamer({ model, loss: namedLoss, optimizer: learn(model) }) }
    },
    batch: ({ image, kind, box, weights }) => ({ inputs: { x: image }, targets: { kind, box }, weights }),
    byHand: headsByHand,
    inputShape: { x: [PIXELS] },
    targetShape: { box: [SIDES], kind: [] },
  },
  'a Sequential whose first module takes a list and returns one': {
    open: (device) => {
      class Swap extends Module<[Tensor, Tensor], [Tensor, Tensor]> {
        forward(a: Tensor, b: Tensor): [Tensor, Tensor] {
          return [b, a]
        }
      }
      const model = new nn.Sequential<[Tensor, Tensor]>(new Swap(device), new Sides(device))
      return { model, streamer: new Streamer({ model, loss: mse, optimizer: learn(model) }) }
    },
    batch: ({ image, text, score, weights }) => ({ inputs: [text, image], targets: score, weights }),
    byHand: towersByHand,
    inputShape: [[WORDS], [PIXELS]],
    targetShape: [],
  },
}

const near = (got: number, expected: number, limit: number, what: string): void =>
  assert.ok(Math.abs(got - expected) <= limit * Math.max(1, Math.abs(expected)), `${what}: ${got} is not ${expected}`)

const weightsOf = async (model: AnyModule): Promise<number[][]> =>
  Promise.all(model.parameters().map(async (parameter) => [...(await parameter.data())]))

/** Loss and gradient of the weighted mean. */
function meanByHand(byHand: ByHand, values: readonly number[][], set: Samples) {
  const count = set.image.shape[0]
  const weight = (i: number): number => set.weights?.data[i] ?? 1
  const total = Array.from({ length: count }, (_, i) => weight(i)).reduce((sum, each) => sum + each, 0)
  let loss = 0
  const gradient = values.map((array) => array.map(() => 0))
  for (let i = 0; i < count; i++) {
    const share = weight(i) / total
    const sample = byHand(values, set, i)
    loss += share * sample.loss
    sample.gradient.forEach((array, k) => {
      array.forEach((value, j) => {
        gradient[k][j] += share * value
      })
    })
  }
  return { loss, gradient }
}

/** float32 sums of some ten terms up to 4, over three steps. */
const FLOAT32 = 1e-4

for (const [name, task] of Object.entries(TASKS)) {
  for (const [kind, limit] of [
    ['reference', BY_HAND],
    ['cpu', FLOAT32],
  ] as const satisfies readonly (readonly [DeviceKind, number])[]) {
    test(`${name} on ${kind}: any split learns what a loop by hand learns, within the plan`, async () => {
      const drawn = {
        count: fc.integer({ min: 1, max: 9 }),
        most: fc.integer({ min: 1, max: 9 }),
        weighted: fc.boolean(),
      }
      await fc.assert(
        fc.asyncProperty(fc.record({ ...drawn, seed: fc.nat(1000) }), async ({ count, most, weighted, seed }) => {
          const device = await openDevice(kind, { memory: '1MiB' })
          const { model, streamer } = task.open(device)
          let values = await weightsOf(model)
          const held = device.memory.heldBytes
          for (let i = 0; i < 3; i++) {
            const set = samples(count, seed + i, weighted)
            const microBatch = Math.min(most, count)
            const shapes = { inputShape: task.inputShape, targetShape: task.targetShape, weighted }
            const plan = streamer.plan({ batch: count, microBatch, ...shapes })
            const step = await streamer.step(task.batch(set), { microBatch })
            const expected = meanByHand(task.byHand, values, set)
            near(step.loss, expected.loss, limit, 'loss')
            near(step.gradNorm, Math.hypot(...expected.gradient.flat()), limit, 'norm')
            assert.is(step.peakBytes, plan.plannedPeakBytes)
            assert.is(step.plannedPeakBytes, plan.plannedPeakBytes)
            values = values.map((array, k) => array.map((value, j) => value - RATE * expected.gradient[k][j]))
            for (const [k, array] of (await weightsOf(model)).entries())
              for (const [j, value] of array.entries()) near(value, values[k][j], limit, `weight ${k} ${j}`)
            // steps start from the same values, so that errors of float32 do not add up
            values = await weightsOf(model)
          }
          assert.is(device.memory.heldBytes, held)
          const set = samples(count, seed, weighted)
          const { loss, accuracy } = await streamer.evaluate(data.fromArrays(task.batch(set)), { microBatch: most })
          near(loss, meanByHand(task.byHand, values, set).loss, limit, 'evaluated loss')
          assert.is(accuracy, undefined)
          assert.is(device.memory.heldBytes, held)
          await device.close()
        }),
        { numRuns: 10 * TEST_RUNS },
      )
    })
  }
}

test('predict returns what the forward returns: a list or a record of arrays, with all samples', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  const set = samples(7, 3)
  const list = new Heads(device)
  const named = new NamedHeads(device)
  const held = device.memory.heldBytes
  const [kind, box] = await new Streamer({ model: list, loss: listLoss, optimizer: learn(list) }).predict(set.image, {
    microBatch: 3,
  })
  const streamer = new Streamer({ model: named, loss: namedLoss, optimizer: learn(named) })
  const found = await streamer.predict({ x: set.image }, { microBatch: 2 })
  assert.equal(Object.keys(found).sort(), ['box', 'kind'])
  const [kinds, boxes] = await weightsOf(list)
  for (const [got, weights, rows] of [
    [kind, kinds, CLASSES],
    [found.kind, kinds, CLASSES],
    [box, boxes, SIDES],
    [found.box, boxes, SIDES],
  ] as const) {
    assert.equal(got.shape, [7, rows])
    for (let i = 0; i < 7; i++)
      for (const [j, value] of times(weights, row(set.image, i)).entries())
        near(row(got, i)[j], value, BY_HAND, 'output')
  }
  assert.ok(device.memory.heldBytes >= held)
  await device.close()
})

test('a model may return one tensor twice, or its input', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  class Twice extends Module<Tensor, [Tensor, Tensor, Tensor]> {
    layer = matrix(this.device, 2, PIXELS, 5)

    forward(x: Tensor): [Tensor, Tensor, Tensor] {
      const y = this.layer.forward(x)
      return [y, x, y]
    }
  }
  const model = new Twice(device)
  const loss = ([y]: [Tensor, Tensor, Tensor], target: Tensor) => mse(y, target)
  const streamer = new Streamer({ model, loss, optimizer: learn(model) })
  const held = device.memory.heldBytes
  const { image } = samples(5, 1)
  const [first, input, second] = await streamer.predict(image, { microBatch: 2 })
  assert.equal(first, second)
  assert.equal(
    Array.from(input.data),
    Array.from(image.data, (value) => value / 32),
  )
  assert.is(device.memory.heldBytes, held)
  await device.close()
})

/** Every array of sample i holds i, in its own class and shape. */
const numbered = (from: number, count: number) => {
  const counted = <A extends HostArray['data']>(array: A, size: number): A => {
    for (let i = 0; i < array.length; i++) array[i] = from + Math.floor(i / size)
    return array
  }
  return {
    inputs: {
      image: { data: counted(new Uint8Array(count * 4), 4), shape: [count, 2, 2], scale: 1 / 2 },
      text: { data: counted(new Int32Array(count * 3), 3), shape: [count, 3] },
    },
    targets: [
      { data: counted(new Float32Array(count), 1), shape: [count] },
      { data: counted(new Int16Array(count * 2), 2), shape: [count, 2] },
    ] as [HostArray, HostArray],
    weights: { data: counted(new Float64Array(count), 1), shape: [count] },
  }
}

const idsOf = ({ inputs: { image, text }, targets: [score, box], weights }: ReturnType<typeof numbered>) => {
  const ids = Array.from(score.data)
  for (const array of [image, text, box, ...(weights ? [weights] : [])]) {
    assert.equal(
      ids.flatMap((id) => Array.from({ length: array.data.length / ids.length }, () => id)),
      Array.from(array.data),
    )
    assert.is(array.shape[0], ids.length)
  }
  assert.is(image.scale, 1 / 2)
  assert.ok(image.data instanceof Uint8Array && text.data instanceof Int32Array && box.data instanceof Int16Array)
  return ids
}

test('data sets of structures: the arrays of a sample stay together through split, subset, shuffling and chunks', async () => {
  const set = data.fromArrays({ ...numbered(0, 23), name: 'numbered' })
  assert.equal(set.inputShape, { image: [2, 2], text: [3] })
  assert.equal(set.targetShape, [[], [2]])
  const known = (batch: unknown) => idsOf(batch as ReturnType<typeof numbered>)
  assert.equal(known(set.gather([4, 0, 4])), [4, 0, 4])
  const { train, test: held } = data.split(set, { seed: 1, testFraction: 0.3 })
  assert.equal(train.inputShape.text, [3])
  const all = [train, held].flatMap((part) => known(part.gather(Array.from({ length: part.length }, (_, i) => i))))
  assert.equal(
    [...all].sort((a, b) => a - b),
    Array.from({ length: 23 }, (_, i) => i),
  )
  assert.equal(known(data.subset(set, [5, 6, 7]).gather([2, 1])), [7, 6])
  assert.equal(known(data.sliceBatch(set.gather([9, 8, 7, 6]), 1, 2)), [8, 7])
  const epoch: number[] = []
  for await (const batch of data.miniBatches(set, { batch: 5, seed: 3 })) epoch.push(...known(batch))
  assert.equal(epoch, Array.from(data.permutation(23, 3, 0)))
  const chunks = [numbered(0, 4), numbered(4, 9), numbered(13, 1), numbered(14, 9)]
  const regrouped: number[][] = []
  for await (const batch of data.miniBatches(chunks, { batch: 7 })) regrouped.push(known(batch))
  assert.equal(
    regrouped.map((ids) => ids.length),
    [7, 7, 7, 2],
  )
  assert.equal(
    regrouped.flat(),
    Array.from({ length: 23 }, (_, i) => i),
  )
})

test('fit: an epoch that goes on after a break is the epoch without a break', async () => {
  const run = async (stop: boolean) => {
    const device = await openDevice('reference', { memory: '1MiB' })
    const model = new Towers(device)
    const streamer = new Streamer({ model, loss: mse, optimizer: learn(model), seed: 5 })
    const { image, text, score } = samples(20, 9)
    const set = data.fromArrays({ inputs: { image, text }, targets: score })
    const options = { batch: 6, microBatch: 4, epochs: 2, evaluate: set }
    for await (const _ of streamer.fit(set, options)) if (stop) break
    if (stop) for await (const _ of streamer.fit(set, { ...options, from: streamer.cursor }));
    const values = await weightsOf(model)
    await device.close()
    return values
  }
  assert.equal(await run(true), await run(false))
})

test('fastest takes structures too, and leaves the parameters', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const { model, streamer } = TASKS['a record of inputs'].open(device)
  const before = await weightsOf(model)
  const trials = await streamer.fastest(TASKS['a record of inputs'].batch(samples(8, 1)))
  assert.equal(trials.map(({ microBatch }) => microBatch).sort(), [1, 2, 4, 8])
  assert.equal(await weightsOf(model), before)
  await device.close()
})

test('a loss of two heads is separable, and says so; one that couples samples is not', async () => {
  const { kind, box } = samples(5, 2)
  const random = nn.generator(3)
  const outputs = [numbers(random, 5, CLASSES), numbers(random, 5, SIDES)] satisfies Arrays
  const { separable } = await checkSeparable(listLoss, [outputs[0], outputs[1]], [kind, box])
  assert.ok(separable)
  const coupled = ([, a]: [Tensor, Tensor], [, b]: [Tensor, Tensor]) => a.sub(b).mean().square()
  assert.not((await checkSeparable(coupled, [outputs[0], outputs[1]], [kind, box])).separable)
})

const one = (...shape: number[]): HostArray => ({
  data: new Float32Array(shape.reduce((product, dim) => product * dim, 1)),
  shape,
})

/** Whatever a caller may write. */
const given = (value: unknown): Arrays => value as Arrays

const HOSTILE: readonly (readonly [inputs: unknown, targets: unknown, message: RegExp])[] = [
  [[], one(2), /^inputs: there is no array in it/],
  [{}, one(2), /^inputs: there is no array in it/],
  [one(2), [], /^targets: there is no array in it/],
  [[one(2, 3), one(3, 3)], one(2), /^inputs\[0\] \[2, 3\] and inputs\[1\] \[3, 3\] differ in samples \(axis 0\)$/],
  [{ image: one(2, 3), text: one(2) }, [one(2), one(1)], /^inputs.image \[2, 3\] and targets\[1\] \[1\] differ/],
  [{ image: one(2), 'a b': one(3) }, one(2), /^inputs\['a b'\] \[3\] and inputs.image \[2\] differ/],
  [{ image: one(2), text: undefined }, one(2), /^inputs.text: undefined is not an array of samples/],
  [[one(2), null], one(2), /^inputs\[1\]: null is not an array of samples/],
  // biome-ignore lint/suspicious/noSparseArray: a list of a caller may have holes
  [[one(2), , one(2)], one(2), /^inputs\[1\]: undefined is not an array of samples/],
  [[[one(2)]], one(2), /^inputs\[0\]: an array is not an array of samples/],
  [{ image: { deep: one(2) } }, one(2), /^inputs.image: an object is not an array of samples/],
  [new Map([['image', one(2)]]), one(2), /^inputs: a Map is not an array of samples/],
  [new Float32Array(2), one(2), /^inputs: a Float32Array is not an array of samples/],
  [
    { image: { data: new Float32Array(3), shape: [2] } },
    one(2),
    /^inputs.image: shape \[2\] has 2 elements, its data 3/,
  ],
  [{ image: { data: [1, 2], shape: [2] } }, one(2), /^inputs.image: data must be one of/],
  [one(2), { kind: { data: new Float32Array(1), shape: [] } }, /^targets.kind: shape \[\] has no axis/],
  [one(2), { kind: { ...one(2), scale: Number.NaN } }, /^targets.kind: scale NaN/],
]

test('hostile structures are refused by name, before anything changes', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const model = new Towers(device)
  const streamer = new Streamer({ model, loss: mse, optimizer: learn(model) })
  const held = device.memory.heldBytes
  const before = await weightsOf(model)
  for (const [inputs, targets, message] of HOSTILE) {
    const batch = { inputs: given(inputs), targets: given(targets) }
    for (const run of [
      () => data.checkBatch(batch),
      () => data.fromArrays(batch),
      () => streamer.step(batch),
      () => streamer.fit([batch], { batch: 2 }).next(),
      () => data.miniBatches([batch], { batch: 2 }).next(),
    ]) {
      const error = await errorOf(async () => run())
      assert.ok(error instanceof data.DataError, String(error))
      assert.match(error.message, message)
    }
  }
  assert.equal(await weightsOf(model), before)
  assert.is(device.memory.heldBytes, held)
  await device.close()
})

test('chunks of one source have the same members', async () => {
  const unlike: readonly (readonly [Batch<Arrays, Arrays>, Batch<Arrays, Arrays>, RegExp])[] = [
    [
      { inputs: { image: one(1, 2), text: one(1) }, targets: one(1) },
      { inputs: { image: one(1, 2), audio: one(1) }, targets: one(1) },
      /first inputs.image .* inputs.text .*; then inputs.audio/,
    ],
    [
      { inputs: [one(1)], targets: one(1) },
      { inputs: one(1), targets: one(1) },
      /first inputs\[0\] Float32Array .*; then inputs Float32Array/,
    ],
    [
      { inputs: one(1), targets: [one(1), one(1, 2)] },
      { inputs: one(1), targets: [one(1), one(1, 3)] },
      /targets\[1\] Float32Array \[2\].*targets\[1\] Float32Array \[3\]/,
    ],
  ]
  for (const [first, then, message] of unlike) {
    const source: AnySource = [first, then]
    const error = await errorOf(async () => {
      for await (const _ of data.miniBatches(source, { batch: 2 }));
    })
    assert.ok(error instanceof data.DataError)
    assert.match(error.message, message)
  }
})

test('a model that states its inputs is given no others; one that does not says what it was called with', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  class Stated extends Towers {
    override readonly inputShape = { image: [PIXELS], text: [WORDS] }
  }
  const { image, text, score } = samples(4, 1)
  const stated = new Stated(device)
  const streamer = new Streamer({ model: stated, loss: mse, optimizer: learn(stated) })
  assert.is(streamer.plan({ batch: 4 }).microBatch, 4)
  const refusals: readonly (readonly [Arrays, RegExp])[] = [
    [
      { image, txt: text },
      /^inputs.txt is not expected: expected \{ image: \[3\], text: \[2\] \} for each sample, and got/,
    ],
    [{ image }, /^inputs.text is missing/],
    [[image, text], /^inputs\[0\] is not expected/],
    [image, /^inputs is not expected/],
  ]
  for (const [inputs, message] of refusals) {
    for (const run of [() => streamer.step({ inputs, targets: score }), () => streamer.predict(inputs)]) {
      const error = await errorOf(run())
      assert.ok(error instanceof SluiceError)
      assert.match(error.message, message)
    }
  }
  const model = new Towers(device)
  const loose = new Streamer({ model, loss: mse, optimizer: learn(model) })
  // a plan may begin with another number of samples
  const given = / \(it was called with \{ image: \[\d, 3\], txt: \[\d, 2\] \}\)/
  const wrong = await errorOf(loose.step({ inputs: { image, txt: text }, targets: score }))
  assert.ok(wrong instanceof ArgumentError)
  assert.match(wrong.message, /^linear: x is undefined; it must be a tensor/)
  assert.match(wrong.message, given)
  model.forward = ({ text }) => text.sum()
  const thrown = await errorOf(loose.step({ inputs: { image, txt: text }, targets: score }))
  assert.ok(thrown instanceof ModelError)
  assert.match(thrown.message, given)
  assert.match(thrown.message, 'Nothing was committed')
  await device.close()
})

test('what a forward returns is checked member by member', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const returning = (make: (x: Tensor) => unknown, message: RegExp) => async () => {
    class Returns extends Module<Tensor, Tensor> {
      layer = matrix(this.device, 2, PIXELS, 1)

      forward(x: Tensor): Tensor {
        return make(this.layer.forward(x)) as Tensor
      }
    }
    const model = new Returns(device)
    const loss = (output: Tensor | Record<string, Tensor>) => Object.values(output)[0].mean()
    const streamer = new Streamer({ model, loss, optimizer: learn(model) })
    const held = device.memory.heldBytes
    const error = await errorOf(async () => streamer.step({ inputs: one(5, PIXELS), targets: one(5, 2) }))
    assert.ok(error instanceof SluiceError, String(error))
    assert.match(error.message, message)
    assert.is(device.memory.heldBytes, held)
  }
  await returning(() => [], /the forward returned an array/)()
  await returning(() => ({}), /the forward returned an object without a tensor in it/)()
  await returning((y) => [y, 3], /the forward returned 3 at \[1\]; it must return a tensor, or a list or a record/)()
  await returning((y) => ({ y, size: 2 }), /the forward returned 2 at size;/)()
  await returning((y) => [y, Promise.resolve(y)], /the forward returned a Promise, after 'linear' at \[1\];/)()
  await returning((y) => [y, [y]], /the forward returned an array at \[1\];/)()
  await returning(
    (y) => [y, y.sum()],
    /the model made output\[1\] \[\] of 5 samples, inputs \[5, 3\]: the first axis/,
  )()
  await returning((y) => ({ y, mean: y.mean({ axes: 0 }) }), /the model made output.mean \[2\] of 5 samples/)()
  await device.close()
})

test('a loss of the library that is given several outputs says that they are no tensor', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const model: AnyModule & { forward(x: Tensor): Tensor } = new Heads(device) as never
  const streamer = new Streamer({ model, loss: mse, optimizer: learn(model) })
  const error = await errorOf(streamer.step({ inputs: one(4, PIXELS), targets: one(4, 2) }))
  assert.ok(error instanceof SluiceError)
  assert.is(error.message, 'mse: prediction is an array; it must be a tensor, such as tensor(device, [1, 2])')
  await device.close()
})

test('an output whose first axis is the samples at one size only is refused', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  class Chance extends Module<Tensor, [Tensor, Tensor]> {
    layer = matrix(this.device, 4, PIXELS, 1)

    forward(x: Tensor): [Tensor, Tensor] {
      const y = this.layer.forward(x)
      return [y, y.mean({ axes: 0 })]
    }
  }
  const model = new Chance(device)
  const loss = ([y]: [Tensor, Tensor], t: Tensor) => mse(y, t)
  const streamer = new Streamer({ model, loss, optimizer: learn(model) })
  const error = await errorOf(streamer.step({ inputs: one(4, PIXELS), targets: one(4, 4) }))
  assert.ok(error instanceof SluiceError)
  assert.match(error.message, /the first axis of its output must be the samples|only the first axis of an output/)
  await device.close()
})

test('a loss of one target refuses several, and one that ignores targets has to say their weight', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const model = new Heads(device)
  const { image, kind, box } = samples(4, 1)
  const batch = { inputs: image, targets: [kind, box] }
  const first = Object.assign(([k]: [Tensor, Tensor], [target]: [Tensor, Tensor]): Tensor => crossEntropy(k, target), {
    ignores: (target: number) => target === -100,
  })
  const streamer = new Streamer({ model, loss: first, optimizer: learn(model) })
  const error = await errorOf(streamer.step(batch))
  assert.ok(error instanceof SluiceError)
  assert.match(error.message, /the loss ignores some targets, and each sample has several: give it weight/)
  const checked = Object.assign(
    ([k]: [Tensor, Tensor], [target]: [Tensor, Tensor]): Tensor => crossEntropy(k, target),
    {
      check: (targets: [HostArray, HostArray], shapes: [readonly number[], readonly number[]]): void => {
        assert.equal(
          targets.map(({ shape }) => shape),
          [[4], [4, SIDES]],
        )
        assert.equal(shapes, [
          [4, CLASSES],
          [4, SIDES],
        ])
        crossEntropy.check(targets[0], shapes[0])
      },
      weight: (targets: [HostArray, HostArray]): number => targets[0].shape[0],
    },
  )
  const fine = new Streamer({ model, loss: checked, optimizer: learn(model) })
  assert.is((await fine.step(batch, { microBatch: 3 })).weight, 4)
  const bad = { ...kind, data: Uint8Array.of(0, 1, 9, 0) }
  assert.match(String(await errorOf(fine.step({ ...batch, targets: [bad, box] }))), /target 9 at \[2\] is not a class/)
  assert.throws(() => crossEntropy.check(batch.targets as never, [4, CLASSES]), /the targets are a list of arrays/)
  await device.close()
})

test('every allocation of a step fails in turn: nothing is lost, and the step can be tried again', async () => {
  for (const name of ['a record of inputs', 'lists of outputs and targets']) {
    const { open, batch } = TASKS[name]
    const allocator = new FailingAllocator(1 << 20)
    const device = new HeapDevice('cpu', allocator)
    const { model, streamer } = open(device)
    await streamer.step(batch(samples(7, 1)), { microBatch: 3 })
    const before = await weightsOf(model)
    const held = device.memory.heldBytes
    let failures = 0
    for (let n = 1; ; n++) {
      allocator.remaining = n
      const outcome = await streamer.step(batch(samples(7, 2)), { microBatch: 3 }).catch((error: unknown) => error)
      allocator.remaining = Infinity
      if (!(outcome instanceof Error)) break
      assert.instance(outcome, BudgetExceededError)
      assert.is(device.memory.heldBytes, held)
      assert.equal(await weightsOf(model), before)
      failures++
    }
    assert.ok(failures > 20, `only ${failures} allocations in a step`)
    await device.close()
  }
})

test('the order in which a record lists its members changes nothing', async () => {
  const run = async (swap: boolean) => {
    const device = await openDevice('cpu', { memory: '1MiB' })
    const { model, streamer } = TASKS['a record of inputs'].open(device)
    const { image, text, score } = samples(7, 4)
    const inputs = swap ? { text, image } : { image, text }
    const { peakBytes } = await streamer.step({ inputs, targets: score }, { microBatch: 3 })
    const values = await weightsOf(model)
    await device.close()
    return { peakBytes, values }
  }
  assert.equal(await run(true), await run(false))
})

test('a record may have members named data, shape and __proto__', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  class Odd extends Module<Record<string, Tensor>> {
    layer = matrix(this.device, 1, 3, 1)

    forward(inputs: Record<string, Tensor>): Tensor {
      assert.equal(Object.keys(inputs).sort(), ['__proto__', 'data', 'shape'])
      return this.layer.forward(inputs.data.add(inputs.shape).add(Object.entries(inputs)[0][1]))
    }
  }
  const model = new Odd(device)
  const streamer = new Streamer({ model, loss: mse, optimizer: learn(model) })
  const inputs = Object.fromEntries(['data', 'shape', '__proto__'].map((name) => [name, one(2, 3)]))
  assert.is((await streamer.step({ inputs, targets: one(2, 1) }, { microBatch: 1 })).loss, 0)
  await device.close()
})

test.run()
