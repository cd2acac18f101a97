/**
 * linearCrossEntropy beside crossEntropy(linear(...)), beside PyTorch's numbers, and as the loss of a Streamer. Up to 256 + D rows
 * it is the plain form, so the tests have more.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  BudgetExceededError,
  backward,
  crossEntropy,
  crossEntropyLoss,
  type Device,
  data,
  type Loss,
  linear,
  linearCrossEntropy,
  linearCrossEntropyLoss,
  Module,
  mul,
  nn,
  openDevice,
  openVirtualDevice,
  optim,
  planOf,
  requireGrad,
  reshape,
  ShapeError,
  Streamer,
  scope,
  type Tensor,
  tensor,
  zeroGrad,
} from '../src/index.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { StrictDevice } from './devices.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { CONVENTION_FLOAT32, LITERAL, SPLIT_GRADIENT } from './tolerances.js'

const MEMORY = 2 ** 24

/** Multiples of 1/16 in [-15/16, 15/16]. */
const values = (size: number, a: number, b: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => (((a * i + b) % 31) - 15) / 16)

interface Operands {
  x: Tensor
  w: Tensor
  bias: Tensor
  targets: Tensor
}

const leaf = (device: Device, data: ArrayLike<number>, shape: number[]): Tensor =>
  requireGrad(tensor(device, Float64Array.from(data), shape))

/** Classes 0 to V - 1, and -100 among them. */
const classOf = (i: number, count: number): number => {
  const drawn = (i * i + 2 * i) % (count + 1)
  return drawn === count ? -100 : drawn
}

function operands(device: Device, lead: number[], width: number, count: number): Operands {
  const rows = lead.reduce((a, b) => a * b, 1)
  const targets = Array.from({ length: rows }, (_, i) => classOf(i, count))
  return {
    x: leaf(device, values(rows * width, 7, 3), [...lead, width]),
    w: leaf(device, values(count * width, 11, 5), [count, width]),
    bias: leaf(device, values(count, 5, 1), [count]),
    targets: tensor(device, targets, lead),
  }
}

type Call = (given: Operands) => Tensor

/** The loss, and the gradients of `seed` times the loss. */
async function resultsOf(device: Device, given: Operands, call: Call, seed = 3): Promise<number[][]> {
  const leaves = [given.x, given.w, given.bias].filter(({ requiresGrad }) => requiresGrad)
  for (const each of leaves) if (each.grad) zeroGrad([each])
  const loss = scope(device, () => {
    // x is the output of a layer, as in a model
    const result = call({ ...given, x: mul(given.x, 1) })
    if (leaves.length > 0) backward(result, seed)
    return result
  })
  const all = await Promise.all([loss, ...leaves.map(({ grad }) => grad as Tensor)].map((each) => each.data()))
  loss.dispose()
  return all.map((each) => Array.from(each))
}

function assertNear(seen: readonly number[][], wanted: readonly number[][], limit: number, what: string): void {
  assert.is(seen.length, wanted.length, what)
  wanted.forEach((each, k) => {
    const scale = Math.max(1, ...each.map(Math.abs))
    each.forEach((value, i) => {
      assert.ok(Math.abs(seen[k][i] - value) <= limit * scale, `${what}, ${k}: ${seen[k][i]} at ${i}, not ${value}`)
    })
  })
}

/*
 * def vals(n, a, b): return torch.tensor([((a * i + b) % 31 - 15) / 16 for i in range(n)], dtype=torch.float64)
 * x, w, b = vals(900, 7, 3).reshape(300, 3), vals(15, 11, 5).reshape(5, 3), vals(5, 5, 1), all with requires_grad_()
 * t = torch.tensor([(i * i + 2 * i) % 6 for i in range(300)]); t[t == 5] = -100
 * loss = F.cross_entropy(F.linear(x, w, b), t, **options); loss.backward()
 * The numbers: the loss, w.grad, b.grad, and (x.grad * vals(900, 13, 7).reshape(300, 3)).sum(), by PyTorch 1.13.
 */
const RECORDED: [options: string, call: Call, loss: number, w: number[], bias: number[], x: number][] = [
  [
    '',
    ({ x, w, bias, targets }) => linearCrossEntropy(x, w, targets, { bias }),
    1.913222234179257,
    [
      -0.02311331157375127, 0.007378579573868289, 0.035177980905859094, -0.03015632748893652, -0.0012605709624860472,
      0.0537044881422379, 0.008285005206080175, -0.015660682156453616, -0.02326720554773811, 0.01321016908764838,
      0.006482248968226824, -0.02930139931106133, 0.031774464768959225, 0.003060424576844509, -0.03631386418929751,
    ],
    [-0.28502241422061514, 0.15905169179154985, -0.026671399932376764, -0.16591363022617728, 0.31855575258761937],
    -0.019022001330285778,
  ],
  [
    'label_smoothing=0.25',
    ({ x, w, bias, targets }) => linearCrossEntropy(x, w, targets, { bias, labelSmoothing: 0.25 }),
    1.8826362966792571,
    [
      -0.023850811573751244, 0.005266079573868301, 0.035177980905859094, -0.03058132748893652, -0.00031057096248604825,
      0.05370448814223788, 0.008672505206080174, -0.013335682156453612, -0.023267205547738125, 0.014410169087648375,
      0.004369748968226829, -0.029301399311061332, 0.03134946476895922, 0.004010424576844514, -0.0363138641892975,
    ],
    [-0.23502241422061515, 0.10905169179154985, -0.026671399932376785, -0.11591363022617729, 0.2685557525876193],
    -0.02046809508028578,
  ],
  [
    'weight=torch.tensor([1, 2, 0.5, 0, 4])',
    ({ x, w, bias, targets }) =>
      linearCrossEntropyLoss({ weight: w, bias }, { classWeights: [1, 2, 0.5, 0, 4] })(x, targets),
    2.2834110118614506,
    [
      -0.022722743906688637, 0.019386870818049743, 0.03503924382988599, -0.031151695330262297, -0.0015150028472710954,
      0.053505053017294836, 0.006670921882967763, -0.015600129432566823, -0.02316114352126785, 0.017772957749169812,
      -0.005615840245380899, -0.029186772181723587, 0.02943055960481339, 0.003344101707169054, -0.03619638114418939,
    ],
    [-0.6847870503809684, 0.15917739867118869, -0.026567378669328786, 0.23400114998626953, 0.31817588039283895],
    -0.01803808987658015,
  ],
]

for (const [name, open, limit] of [
  ['reference', () => openDevice('reference', { memory: MEMORY }), LITERAL],
  ['cpu', () => openDevice('cpu', { memory: MEMORY }), CONVENTION_FLOAT32],
  ['a device that forbids aliasing', async () => new StrictDevice('reference', new HeapAllocator(MEMORY)), LITERAL],
] as const) {
  for (const [options, call, loss, w, bias, x] of RECORDED) {
    test(`${name}: F.cross_entropy(F.linear(x, w, b), t, ${options})`, async () => {
      const device = await open()
      const given = operands(device, [300], 3, 5)
      const [ownLoss, dx, dw, dbias] = await resultsOf(device, given, call)
      const ofX = values(900, 13, 7).reduce((sum, c, i) => sum + c * dx[i], 0)
      const wanted = [[loss], w.map((each) => 3 * each), bias.map((each) => 3 * each), [3 * x]]
      assertNear([ownLoss, dw, dbias, [ofX]], wanted, limit, options)
      await device.close()
    })
  }
}

test('it is the plain form, for any rows, options, and inputs that learn', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        lead: fc.oneof(
          fc.integer({ min: 250, max: 800 }).map((rows) => [rows]),
          fc.integer({ min: 20, max: 200 }).map((samples) => [samples, 4]),
        ),
        width: fc.integer({ min: 1, max: 3 }),
        count: fc.integer({ min: 1, max: 9 }),
        learns: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
        biased: fc.boolean(),
        weighted: fc.boolean(),
        labelSmoothing: fc.constantFrom(0, 0.125),
        ignoreIndex: fc.constantFrom(-100, 0),
      }),
      async ({ lead, width, count, learns, biased, weighted, labelSmoothing, ignoreIndex }) => {
        for (const device of [
          await openDevice('reference', { memory: MEMORY }),
          new StrictDevice('reference', new HeapAllocator(MEMORY)),
        ]) {
          const given = operands(device, lead, width, count)
          ;[given.x, given.w, given.bias].forEach((each, i) => {
            each.requiresGrad = learns[i] && (i < 2 || biased)
          })
          const rows = given.targets.size
          if (ignoreIndex === 0)
            given.targets = tensor(
              device,
              Array.from({ length: rows }, (_, i) => i % count),
              lead,
            )
          const shares = Float64Array.from({ length: lead[0] }, (_, i) => i % 3)
          const weights = weighted ? tensor(device, shares, [lead[0]]) : undefined
          const each = Float64Array.from({ length: rows }, (_, i) => shares[Math.floor((i * lead[0]) / rows)])
          const options = { labelSmoothing, ignoreIndex }
          const plain: Call = ({ x, w, bias, targets }) =>
            crossEntropy(linear(reshape(x, [rows, width]), w, biased ? bias : null), reshape(targets, [rows]), {
              ...options,
              weights: weighted ? tensor(device, each, [rows]) : undefined,
            })
          const own: Call = ({ x, w, bias, targets }) =>
            linearCrossEntropy(x, w, targets, { ...options, weights, bias: biased ? bias : null })
          const wanted = await resultsOf(device, given, plain)
          assertNear(await resultsOf(device, given, own), wanted, SPLIT_GRADIENT, `[${lead}]`)
          await device.close()
        }
      },
    ),
    { seed: 41, numRuns: 40 * TEST_RUNS },
  ))

test('on cpu, rows in whole chunks give the gradients of x and w of the plain form, bit for bit', async () => {
  const device = await openDevice('cpu', { memory: MEMORY })
  const given = operands(device, [768], 20, 67)
  const one = (call: Call) => resultsOf(device, given, call, 1)
  const [loss, dx, dw] = await one(({ x, w, bias, targets }) => linearCrossEntropy(x, w, targets, { bias }))
  const wanted = await one(({ x, w, bias, targets }) => crossEntropy(linear(x, w, bias), targets))
  assert.equal([loss, dx, dw], wanted.slice(0, 3))
  await device.close()
})

const [ROWS, WIDTH, CLASSES] = [1024, 16, 50_000]

test('over 50,000 classes, a step fits in less than half of the logits of its rows', async () => {
  const device = await openDevice('cpu', { memory: '88MiB' })
  const given = operands(device, [ROWS], WIDTH, CLASSES)
  const step = (call: Call) => () =>
    scope(device, () => {
      backward(call({ ...given, x: mul(given.x, 1) }))
    })
  const own = step(({ x, w, bias, targets }) => linearCrossEntropy(x, w, targets, { bias }))
  assert.throws(
    step(({ x, w, bias, targets }) => crossEntropy(linear(x, w, bias), targets)),
    (error: unknown) => error instanceof BudgetExceededError,
  )
  own()
  const standing = device.memory.heldBytes
  const { peakBytes } = planOf(device, own)
  device.allocator.resetPeak()
  own()
  assert.is(device.memory.peakBytes, peakBytes)
  assert.is(device.memory.heldBytes, standing)
  assert.ok(peakBytes < (4 * ROWS * CLASSES) / 2, `${peakBytes}`)
  // the parts of the peak: the logits of a chunk, dw
  const beside = peakBytes - standing
  assert.ok(beside < 4 * (256 * CLASSES + WIDTH * CLASSES) + 2 ** 20, `${beside}`)
  await device.close()
})

const TOKENS = 11

/** Tokens [N, T] -> features [N, T, D], or logits [N, V, T]. */
class Language extends Module {
  readonly table: nn.Embedding
  readonly head: nn.Linear

  constructor(
    device: Device,
    readonly givesLogits: boolean,
  ) {
    super(device)
    const random = nn.generator(4)
    this.table = new nn.Embedding(device, TOKENS, 4, { random })
    this.head = new nn.Linear(device, 4, TOKENS, { random })
  }

  forward(tokens: Tensor): Tensor {
    const features = this.table.forward(tokens).tanh()
    return this.givesLogits ? this.head.forward(features).permute([0, 2, 1]) : features
  }
}

const LENGTH = 160

/** Samples with more and more ignored targets: the first sample has none, the last only such. */
function sentences(samples: number) {
  const tokens = Float32Array.from({ length: samples * LENGTH }, (_, i) => (i * 7 + (i >> 3)) % TOKENS)
  const targets = tokens.map((token, i) => {
    const sample = Math.floor(i / LENGTH)
    return (i % LENGTH) * (samples - 1) < sample * LENGTH ? -1 : (3 * token + 1) % TOKENS
  })
  return {
    inputs: { data: tokens, shape: [samples, LENGTH] },
    targets: { data: targets, shape: [samples, LENGTH] },
    weights: { data: Float32Array.from({ length: samples }, (_, i) => 1 + (i % 3)), shape: [samples] },
  }
}

const OPTIONS = { ignoreIndex: -1 }
const CLASS_WEIGHTS = Array.from({ length: TOKENS }, (_, i) => 0.5 + (i % 4))

for (const [name, options] of [
  ['ignored targets and weights', OPTIONS],
  ['the weights of classes too', { ...OPTIONS, classWeights: CLASS_WEIGHTS }],
] as const) {
  test(`a Streamer trains with it as with crossEntropy on logits, however it is split: ${name}`, async () => {
    const samples = sentences(7)
    const run = async (givesLogits: boolean, microBatch: number) => {
      const device = await openDevice('reference', { memory: MEMORY })
      const model = new Language(device, givesLogits)
      const loss: Loss = givesLogits ? crossEntropyLoss(options) : linearCrossEntropyLoss(model.head, options)
      const streamer = new Streamer({ model, loss, optimizer: optim.sgd(model, { learningRate: 0.5 }) })
      const losses: number[] = []
      for (let i = 0; i < 3; i++) {
        const { loss, peakBytes, plannedPeakBytes } = await streamer.step(samples, { microBatch })
        assert.is(peakBytes, plannedPeakBytes)
        losses.push(loss)
      }
      const evaluation = await streamer.evaluate(data.fromArrays(samples))
      const parameters = await Promise.all(model.parameters().map((each) => each.data()))
      await device.close()
      const accuracy = evaluation.accuracy
      return { numbers: [[...losses, evaluation.loss], ...parameters.map((each) => Array.from(each))], accuracy }
    }
    const wanted = await run(true, 7)
    assert.type(wanted.accuracy, 'number')
    for (const microBatch of [7, 3, 2, 1]) {
      const own = await run(false, microBatch)
      assertNear(own.numbers, wanted.numbers, SPLIT_GRADIENT, `micro-batches of ${microBatch}`)
      assert.is(own.accuracy, undefined)
    }
  })
}

test('the table of an embedding serves as the head', async () => {
  const device = await openDevice('reference', { memory: MEMORY })
  const table = new nn.Embedding(device, 9, 2, { random: nn.generator(2) })
  const tokens = tensor(
    device,
    Array.from({ length: 400 }, (_, i) => i % 9),
  )
  const targets = tensor(
    device,
    Array.from({ length: 400 }, (_, i) => (i * 5) % 9),
  )
  const gradient = async (loss: (features: Tensor) => Tensor) => {
    zeroGrad(table.parameters())
    scope(device, () => backward(loss(table.forward(tokens))))
    return [Array.from(await (table.weight.grad as Tensor).data())]
  }
  const own = await gradient((features) => linearCrossEntropyLoss(table)(features, targets))
  const wanted = await gradient((features) => crossEntropy(linear(features, table.weight), targets))
  assertNear(own, wanted, SPLIT_GRADIENT, 'tied')
  await device.close()
})

test('wrong arguments are refused before anything changes', async () => {
  const device = await openDevice('cpu', { memory: MEMORY })
  const { x, w, bias, targets } = operands(device, [300], 3, 5)
  const held = device.memory.heldBytes
  const cases: [() => unknown, typeof ArgumentError | typeof ShapeError, RegExp][] = [
    [() => linearCrossEntropy(x, bias, targets), ShapeError, /^linearCrossEntropy: .*the weight must be \[V, 3\]/],
    [() => linearCrossEntropy(x, w, bias.detach()), ShapeError, /^linearCrossEntropy: .*the targets must be \[300\]/],
    [() => linearCrossEntropy(x, w, targets, { bias: w }), ShapeError, /the bias \[5, 3\] must be \[5\]/],
    [() => linearCrossEntropy(x, w, targets, { weights: bias.detach() }), ShapeError, /must be \[300\]/],
    [() => linearCrossEntropy(x, w, mul(targets, x.sum(1))), ArgumentError, /targets requires a gradient/],
    [() => linearCrossEntropy(x, w, tensor(device, new Array(300).fill(5))), ArgumentError, /5 is among the targets/],
    [
      () => linearCrossEntropy(x, w, targets, { labelSmoothing: 2 }),
      ArgumentError,
      /^linearCrossEntropy: labelSmoothing 2/,
    ],
    [() => linearCrossEntropyLoss({} as nn.Linear), ArgumentError, /^linearCrossEntropyLoss: head .*model\.head/],
    [
      () => linearCrossEntropyLoss({ weight: w }, { classWeights: [1, 2] })(x, targets),
      ShapeError,
      /2 classWeights for a weight \[5, 3\]/,
    ],
    [
      () => linearCrossEntropyLoss({ weight: w }, { classWeights: [1], labelSmoothing: 0.5 }),
      ArgumentError,
      /cannot be given together/,
    ],
    [
      () => linearCrossEntropyLoss({ weight: w }).check?.({ data: Float32Array.of(1, 5), shape: [2] }, [2, 3]),
      ArgumentError,
      /target 5 at \[1\] is not a class/,
    ],
    [
      () => linearCrossEntropyLoss({ weight: w }).check?.({ data: Float32Array.of(1, 4), shape: [2] }, [2, 7, 3]),
      ShapeError,
      /the targets \[2\] must be \[2, 7\]/,
    ],
  ]
  for (const [call, kind, says] of cases) {
    try {
      scope(device, () => {
        call()
      })
    } catch (error) {
      assert.instance(error, kind, String(says))
      assert.match((error as Error).message, says)
      assert.is(device.memory.heldBytes, held)
      continue
    }
    assert.unreachable(String(says))
  }
  await device.close()
})

test('a plan on a virtual device is that of the cpu device', async () => {
  const planned = ['virtual', 'cpu'].map(async (kind) => {
    const device =
      kind === 'cpu' ? await openDevice('cpu', { memory: MEMORY }) : openVirtualDevice('cpu', { memory: MEMORY })
    const model = new Language(device, false)
    const loss = linearCrossEntropyLoss(model.head, OPTIONS)
    const streamer = new Streamer({ model, loss, optimizer: optim.adam(model) })
    const plan = streamer.plan({ batch: 64, inputShape: [LENGTH], targetShape: [LENGTH] })
    await device.close()
    return [plan.microBatch, plan.plannedPeakBytes]
  })
  const [a, b] = await Promise.all(planned)
  assert.equal(a, b)
})

test.run()
