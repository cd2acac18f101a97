/**
 * The largest value that fits, against plans of every value of a range. And the frontier of a plan, against plans of
 * streamers that may take as much time.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  averagePool2d,
  BudgetExceededError,
  concat,
  crossEntropy,
  type Device,
  DoesNotFitError,
  flatten,
  type Largest,
  type Loss,
  largestThatFits,
  Module,
  models,
  mse,
  nn,
  openDevice,
  openVirtualDevice,
  optim,
  type Plan,
  type Recompute,
  relu,
  ShapeError,
  Streamer,
  type Tensor,
} from '../src/index.js'
import { noBytes } from '../src/memory/allocator.js'
import { countOf } from '../src/stream/plan.js'
import { errorOf } from './error-of.js'
import { randomBatch, residualModel, TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const KINDS = ['cpu', 'reference', 'gpu'] as const

function streamerOf(model: Module, loss: Loss = crossEntropy, recompute: Recompute = 'cheap'): Streamer {
  return new Streamer({ model, loss, optimizer: optim.adam(model), recompute })
}

/** The plan, or null where there is none for want of bytes or because the model refuses. */
function planOrNull(plan: () => Plan): Plan | null {
  try {
    return plan()
  } catch (error) {
    if (error instanceof DoesNotFitError || error instanceof BudgetExceededError) return null
    if (error instanceof ShapeError || error instanceof ArgumentError) return null
    throw error
  }
}

/** Tries every value up to well above the answer. */
function checkExhaustively(found: Largest, planAt: (value: number) => Plan): void {
  const { value, plan, next } = found
  const fitting: number[] = []
  for (let tried = 1; tried <= 1.5 * value + 20; tried++) {
    if (planOrNull(() => planAt(tried))) fitting.push(tried)
  }
  assert.is(value, fitting.at(-1))
  assert.is(String(plan), String(planAt(value)))
  if (!next) throw new Error(`${value} is said to be the last`)
  assert.is(
    planOrNull(() => planAt(next.value)),
    null,
  )
  assert.ok(next.error instanceof DoesNotFitError || next.error instanceof BudgetExceededError, String(next.error))
  for (let refused = value + 1; refused < next.value; refused++) {
    assert.throws(
      () => planAt(refused),
      (error: unknown) => error instanceof ShapeError || error instanceof ArgumentError,
      `${refused} is passed over`,
    )
  }
}

/** Halves an image and enlarges it again, with a skip. It takes only images with even sides, and returns images. */
class SmallUNet extends Module {
  override readonly inputShape = [2, 8, 8]
  down = new nn.Conv2d(this.device, 2, 6, 3, { stride: 2, padding: 1 })
  up = new nn.ConvTranspose2d(this.device, 6, 6, 2, { stride: 2 })
  last = new nn.Conv2d(this.device, 8, 2, 1)

  forward(x: Tensor): Tensor {
    return this.last.forward(concat([this.up.forward(relu(this.down.forward(x))), x], 1))
  }
}

/** Convolutions and the mean of every channel: takes images of any size. */
class AnySize extends Module {
  override readonly inputShape = [1, 8, 8]
  conv1 = new nn.Conv2d(this.device, 1, 8, 3, { padding: 1 })
  norm = new nn.GroupNorm(this.device, 2, 8)
  conv2 = new nn.Conv2d(this.device, 8, 8, 3, { stride: 2, padding: 1 })
  head = new nn.Linear(this.device, 8, 10)

  forward(x: Tensor): Tensor {
    const h = relu(this.norm.forward(this.conv1.forward(x)))
    const y = relu(this.conv2.forward(h))
    const [, , rows, columns] = y.shape
    return this.head.forward(flatten(averagePool2d(y, { kernel: [rows, columns] })))
  }
}

const anySize = (device: Device): Module => new AnySize(device)
const open = (kind: (typeof KINDS)[number], memory: string): Device => openVirtualDevice(kind, { memory })

// The model as it is

test('batch: the largest mini-batch in one piece, as planning every size shows', () => {
  const cases = [
    ['cpu', models.lenet, '1MiB', 0.3],
    ['cpu', models.mlp, '384KiB', 'never'],
    ['reference', models.mlp, '700KiB', 'cheap'],
    ['reference', anySize, '256KiB', 'needed'],
    ['gpu', models.mlp, '512KiB', 'cheap'],
    ['gpu', anySize, '384KiB', 0.3],
  ] as const
  for (const [kind, build, memory, recompute] of cases) {
    const streamer = streamerOf(build(open(kind, memory)), crossEntropy, recompute)
    for (const mode of ['train', 'predict'] as const) {
      const found = streamer.plan({ batch: 5, mode }).largest('batch')
      assert.equal(found.plan.parts, [{ size: found.value, count: 1 }])
      checkExhaustively(found, (batch) => streamer.plan({ batch, microBatch: batch, mode }))
    }
  }
})

test('image: the largest side of which the mini-batch can be streamed, targets and refused sides included', () => {
  const cases = [
    ['cpu', 'cheap', 'fit'],
    ['cpu', 0.5, 3],
    ['reference', 'never', 3],
    ['reference', 'needed', 'fit'],
    ['gpu', 'cheap', 3],
  ] as const
  for (const [kind, recompute, microBatch] of cases) {
    const images = { batch: 12, microBatch }
    const streamer = streamerOf(new AnySize(open(kind, '320KiB')), crossEntropy, recompute)
    const found = streamer.plan(images).largest('image')
    checkExhaustively(found, (side) => streamer.plan({ ...images, inputShape: [1, side, side] }))

    const net = streamerOf(new SmallUNet(open(kind, '320KiB')), mse, recompute)
    const even = net.plan({ ...images, targetShape: [2, 8, 8] }).largest('image')
    assert.is(even.value % 2, 0)
    checkExhaustively(even, (side) =>
      net.plan({ ...images, inputShape: [2, side, side], targetShape: [2, side, side] }),
    )
  }
})

test('what is found runs as planned, and a real device says what a virtual one says', async () => {
  const device = await openDevice('cpu', { memory: '512KiB' })
  const streamer = streamerOf(residualModel(device))
  const ask = (of: Streamer) => of.plan({ batch: 3, inputShape: [2, 4, 4] }).largest('batch')
  const { value, plan } = ask(streamer)
  assert.is(ask(streamerOf(residualModel(open('cpu', '512KiB')))).value, value)
  const { parts, peakBytes } = await streamer.step(randomBatch(value, 1))
  assert.equal([parts, peakBytes], [plan.parts, plan.plannedPeakBytes])
  const { parts: more } = await streamer.step(randomBatch(value + 1, 2))
  assert.is(countOf(more), 2)
})

test('a loss that couples samples: the mini-batch is split for images that do not fit in one piece', () => {
  const coupled: Loss = Object.assign((y: Tensor, t: Tensor) => crossEntropy(y, t), { coupled: 'it is a test' })
  const streamer = streamerOf(new AnySize(open('cpu', '320KiB')), coupled)
  const { value, plan, next } = streamer.plan({ batch: 6 }).largest('image')
  assert.ok(plan.passes > 1)
  const whole = streamerOf(new AnySize(open('cpu', '320KiB')))
    .plan({ batch: 6, microBatch: 6 })
    .largest('image')
  assert.ok(value > whole.value)
  assert.is(next?.error.name, 'DoesNotFitError')
})

// A model for each value

test('width, context and depth of models made anew, as planning every value shows', () => {
  for (const kind of KINDS) {
    const text = (memory: string, options: object, microBatch: 'fit' | number = 2, recompute: Recompute = 'cheap') => {
      const sizes = { vocabulary: 16, context: 16, width: 16, layers: 1, ...options }
      const model = models.transformer(open(kind, memory), sizes)
      return streamerOf(model, crossEntropy, recompute).plan({ batch: 8, microBatch, targetShape: model.inputShape })
    }
    const questions: Record<string, (value: number) => Plan> = {
      'width, a multiple of the heads': (width) => text('800KiB', { width, heads: 8 }),
      'width of a perceptron': (width) => streamerOf(models.mlp(open(kind, '256KiB'), { width })).plan({ batch: 64 }),
      'width of lenet': (width) => streamerOf(models.lenet(open(kind, '512KiB'), { width })).plan({ batch: 64 }),
      'images of a convnet': (side) =>
        streamerOf(models.convnet(open(kind, '640KiB'), { inputShape: [1, side, side] })).plan({ batch: 64 }),
    }
    if (kind === 'cpu') {
      questions.context = (context) => text('400KiB', { context })
      questions.layers = (layers) => text('512KiB', { layers })
    }
    // which values are made again changes with the context, and so live bytes do not always grow
    if (kind === 'gpu') questions.choices = (context) => text('580KiB', { context, layers: 2 }, 'fit', 0.1)
    for (const planAt of Object.values(questions)) checkExhaustively(largestThatFits(planAt), planAt)
  }
})

test('a model that has a largest value: that value, and the error of the model for the next', () => {
  const model = models.transformer(open('cpu', '64MiB'), { vocabulary: 12, context: 37, width: 16 })
  const streamer = streamerOf(model)
  const { value, next } = largestThatFits((length) =>
    streamer.plan({ batch: 4, inputShape: [length], targetShape: [length] }),
  )
  assert.equal([value, next?.value, next?.error.name], [37, 38, 'ShapeError'])
  const up = (to: number) => largestThatFits((batch) => streamer.plan({ batch, targetShape: [37] }), { from: 3, to })
  assert.equal([up(9).value, up(9).next, up(3).value], [9, null, 3])
})

/** The fate of each value from 1 on, drawn at random: live bytes never fall. */
interface Landscape {
  readonly peaks: readonly { readonly held: number; readonly holes: number; readonly refused: boolean }[]
  readonly budget: number
}

const landscapes: fc.Arbitrary<Landscape> = fc
  .record({
    rises: fc.array(fc.record({ rise: fc.nat(20), holes: fc.oneof(fc.nat(10), fc.nat(200)), refused: fc.nat(9) }), {
      minLength: 30,
      maxLength: 90,
      size: 'max',
    }),
    every: fc.constantFrom(1, 1, 2, 3, 7, 16),
    least: fc.nat(20),
    budget: fc.integer({ min: 60, max: 700 }),
  })
  .map(({ rises, every, least, budget }) => {
    let held = 50
    const peaks = rises.map(({ rise, holes, refused }, i) => {
      held += rise
      return { held, holes, refused: (i + 1) % every !== 0 || i + 1 < least || refused === 0 }
    })
    return { peaks, budget }
  })

test('search: finds the largest of all values, wherever holes and refusals are; the next value does not fit', () => {
  const any = streamerOf(models.mlp(open('cpu', '1MiB'))).plan({ batch: 1 })
  const outcomes = { found: 0, none: 0, refused: 0 }
  fc.assert(
    fc.property(landscapes, ({ peaks, budget }) => {
      const last = peaks.length
      const tried: number[] = []
      const planAt = (value: number): Plan => {
        tried.push(value)
        const { held, holes, refused } = peaks[value - 1]
        if (refused) throw new ShapeError(`no ${value}`)
        const needed = held + holes
        if (needed <= budget) return any
        throw new DoesNotFitError(1, 1, needed, needed, budget, 'test', noBytes(), held <= budget)
      }
      const taken = peaks.flatMap(({ refused }, i) => (refused ? [] : [i + 1]))
      const fitting = taken.filter((value) => peaks[value - 1].held + peaks[value - 1].holes <= budget)
      const expected = fitting.at(-1)
      if (expected === undefined) {
        outcomes[taken.length > 0 ? 'none' : 'refused']++
        assert.throws(
          () => largestThatFits(planAt, { to: last }),
          (error: unknown) => error instanceof (taken.length > 0 ? DoesNotFitError : ShapeError),
        )
        return
      }
      outcomes.found++
      const { value, next } = largestThatFits(planAt, { to: last })
      assert.is(value, expected)
      if (value === last) assert.is(next, null)
      else assert.is(next?.value, taken.find((other) => other > value) ?? value + 1)
      assert.is(tried.length, new Set(tried).size, 'no value is planned twice')
    }),
    { seed: 64, numRuns: 1000 * TEST_RUNS },
  )
  assert.ok(outcomes.found > 300 && outcomes.none > 20, JSON.stringify(outcomes))
})

// Errors say what to write

test('knobs that need another model, samples that are no images, models of one size, no budget', async () => {
  const lenet = streamerOf(models.lenet(open('cpu', '2MiB'))).plan({ batch: 8 })
  const text = models.transformer(open('cpu', '8MiB'), { vocabulary: 12, context: 8 })
  const unlimited = streamerOf(models.lenet(openVirtualDevice('cpu')))
  const cases: [() => unknown, RegExp][] = [
    ...['width', 'context', 'Batch', '', undefined, null, 3, {}].map((knob): [() => unknown, RegExp] => [
      () => Reflect.apply(lenet.largest, lenet, [knob]),
      /must be 'batch' or 'image'\..*largestThatFits\(\(value\) =>/,
    ]),
    [() => lenet.largest('image'), /refuses larger square images \(linear: .*largestThatFits/],
    [
      () =>
        streamerOf(text)
          .plan({ batch: 2, targetShape: [8] })
          .largest('image'),
      /a sample of shape \[8\] is no image/,
    ],
    [() => unlimited.plan({ batch: 8 }).largest('batch'), /without a budget everything fits/],
    [() => largestThatFits(() => unlimited.plan({ batch: 8 })), /without a budget everything fits/],
  ]
  for (const [attempt, message] of cases) {
    const error = await errorOf(attempt)
    assert.instance(error, ArgumentError)
    assert.match(String(error), message)
  }
})

test('a function that returns no plan, empty ranges, and errors about neither bytes nor shapes', async () => {
  const plan = streamerOf(models.mlp(open('cpu', '1MiB'))).plan({ batch: 1 })
  for (const wrong of [undefined, null, 3, 'plan', {}, [], Promise.resolve(plan), Promise.reject(new Error('late'))]) {
    const error = await errorOf(() => Reflect.apply(largestThatFits, null, [() => wrong]))
    assert.instance(error, ArgumentError)
    assert.match(String(error), /must return streamer\.plan/)
  }
  for (const range of [
    { from: 0 },
    { from: 1.5 },
    { from: 9, to: 8 },
    { to: Infinity },
    { from: Number.NaN },
    { to: '9' },
  ]) {
    const error = await errorOf(() => Reflect.apply(largestThatFits, null, [() => plan, range]))
    assert.instance(error, ArgumentError)
    assert.match(String(error), /must be a range of whole numbers/)
  }
  const mine = new TypeError('mine')
  const thrower = () => {
    throw mine
  }
  assert.is(await errorOf(() => largestThatFits(thrower)), mine)
  const tooLarge = await errorOf(() =>
    largestThatFits((width) => streamerOf(models.mlp(open('cpu', '64KiB'), { width })).plan({ batch: 1 }), {
      from: 99,
    }),
  )
  assert.instance(tooLarge, BudgetExceededError)
})

// The frontier of a plan

/** No limit of time: such a streamer takes the fastest choice that fits. */
const ANY_TIME = 1e6

test('frontier: under each budget, and for each micro-batch, a streamer takes the fastest choice of the table', () => {
  let choices = 0
  const images = { build: models.lenet, options: { batch: 512 } }
  const text = {
    build: (device: Device) => models.transformer(device, { vocabulary: 16, context: 16, width: 16, layers: 1 }),
    options: { batch: 512, targetShape: [16] },
  }
  for (const kind of KINDS) {
    for (const { build, options } of kind === 'cpu' ? [images, text] : [images]) {
      const under = (memory: number | string, recompute: Recompute = ANY_TIME) =>
        streamerOf(build(openVirtualDevice(kind, { memory })), crossEntropy, recompute)
      const streamer = under('1500KiB', 'never')
      const { allocator } = streamer.model.device
      const plan = streamer.plan({ ...options, microBatch: 4 })
      const frontier = plan.frontier()
      assert.equal([frontier[0].extraTime, frontier[0].peakBytes], [0, plan.plannedPeakBytes])
      for (const { peakBytes, microBatch } of frontier) {
        choices++
        const budget = allocator.budgetFor(peakBytes)
        const first = frontier.find((choice) => allocator.budgetFor(choice.peakBytes) <= budget)
        assert.is(under(budget).plan({ ...options, microBatch: 4 }).extraTime, first?.extraTime, `${kind} ${budget}`)
        const larger = frontier.find((choice) => choice.microBatch >= microBatch)
        const found = under('1500KiB').plan({ ...options, microBatch })
        assert.is(found.extraTime, larger?.extraTime, `${kind} ${microBatch}`)
      }
      const most = Math.max(...frontier.map(({ microBatch }) => microBatch))
      assert.is(
        planOrNull(() => under('1500KiB').plan({ ...options, microBatch: most + 1 })),
        null,
      )
    }
  }
  assert.ok(choices > 15, `${choices}`)
})

test('frontier: empty for a plan that learns nothing; a choice that does not fit has micro-batch 0', () => {
  const streamer = streamerOf(models.lenet(open('cpu', '1MiB')))
  for (const mode of ['evaluate', 'predict'] as const) assert.equal(streamer.plan({ batch: 8, mode }).frontier(), [])
  const build = (memory?: number) =>
    streamerOf(
      models.transformer(openVirtualDevice('cpu', { memory }), { vocabulary: 16, context: 64, width: 16, layers: 4 }),
      crossEntropy,
      'needed',
    )
  const options = { batch: 8, targetShape: [64] }
  const { minimumBudgetBytes } = build().plan(options)
  const plan = build(minimumBudgetBytes).plan(options)
  const frontier = plan.frontier()
  assert.is(frontier[0].microBatch, 0)
  assert.is(frontier.at(-1)?.microBatch, plan.microBatch)
})

test.run()
