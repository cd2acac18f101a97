/** Losses that compare samples: split like any other, they give loss, gradients and statistics of the mini-batch in one piece. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromArrays } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { BatchNorm1d, generator, Linear, Module, Parameter } from '../src/nn/index.js'
import { mul } from '../src/ops/binary.js'
import { contrastive, triplet } from '../src/ops/coupled-loss.js'
import type { AnyLoss } from '../src/ops/loss.js'
import { reshape } from '../src/ops/movement.js'
import { mean } from '../src/ops/reduce.js'
import { relu, square } from '../src/ops/unary.js'
import { sgd } from '../src/optim/index.js'
import { Streamer } from '../src/stream/streamer.js'
import { tensor } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { verifyPlan } from '../src/verify/verify.js'

const [FEATURES, SIZE, SAMPLES] = [6, 4, 64]

const open = (kind: 'cpu' | 'reference', budgetBytes = 2 ** 24): Device =>
  new HeapDevice(kind, new HeapAllocator(budgetBytes), { threads: 1 })

class Tower extends Module {
  readonly first: Linear
  readonly norm: BatchNorm1d
  readonly last: Linear

  constructor(device: Device, seed: number, width = SIZE) {
    super(device)
    const random = generator(seed)
    this.first = new Linear(device, FEATURES, 12, { random, bias: false })
    this.norm = new BatchNorm1d(device, 12, { policy: 'exact' })
    this.last = new Linear(device, 12, width, { random })
  }

  forward(x: Tensor): Tensor {
    return this.last.forward(relu(this.norm.forward(this.first.forward(x))))
  }
}

class Two extends Module<[Tensor, Tensor], [Tensor, Tensor]> {
  readonly left = new Tower(this.device, 1)
  readonly right = new Tower(this.device, 2)

  forward(a: Tensor, b: Tensor): [Tensor, Tensor] {
    return [this.left.forward(a), this.right.forward(b)]
  }
}

/** Towers of different depth, so that one has its outputs in an earlier pass. */
class Unequal extends Module<[Tensor, Tensor], [Tensor, Tensor]> {
  readonly deep = new Tower(this.device, 1)
  readonly flat = new Linear(this.device, FEATURES, SIZE, { random: generator(2) })

  constructor(
    device: Device,
    readonly deepFirst: boolean,
  ) {
    super(device)
  }

  forward(a: Tensor, b: Tensor): [Tensor, Tensor] {
    return this.deepFirst ? [this.deep.forward(a), this.flat.forward(b)] : [this.flat.forward(a), this.deep.forward(b)]
  }
}

/** Two views of each sample, as successive rows. */
class Views extends Module {
  readonly tower = new Tower(this.device, 3, 2 * SIZE)

  forward(x: Tensor): Tensor {
    return reshape(this.tower.forward(x), [2 * x.shape[0], SIZE])
  }
}

function noise(seed: number, shape: readonly number[]) {
  const random = generator(seed)
  const size = shape.reduce((product, dim) => product * dim, 1)
  return { data: Float64Array.from({ length: size }, () => 2 * random() - 1), shape }
}

const inputs = noise(1, [SAMPLES, FEATURES])
const classes = { data: Int32Array.from({ length: SAMPLES }, (_, i) => (7 * i) % 5), shape: [SAMPLES] }
const pairs = [noise(1, [SAMPLES, FEATURES]), noise(2, [SAMPLES, FEATURES])]

/** Compares the mean of a product over all samples with its square: no mean over samples. */
const own = Object.assign((y: Tensor, t: Tensor) => mean(square(mean(mul(y, reshape(t, [y.shape[0], 1])), [0]))), {
  coupled: 'it squares a mean over samples',
})

/** A model, its loss, its batch, and parameters outside of the model. */
const CASES: Record<string, (device: Device) => { model: Module; loss: AnyLoss; batch: unknown; more?: Parameter[] }> =
  {
    'two towers': (device) => ({
      model: new Two(device) as unknown as Module,
      loss: contrastive({ temperature: 0.5 }) as AnyLoss,
      batch: { inputs: pairs, targets: classes },
    }),
    'two towers, the temperature learned': (device) => {
      const temperature = new Parameter(device, [], () => [0.5])
      const loss = contrastive({ temperature, normalize: false }) as AnyLoss
      return {
        model: new Two(device) as unknown as Module,
        loss,
        batch: { inputs: pairs, targets: classes },
        more: [temperature],
      }
    },
    'two towers, the first deeper': (device) => ({
      model: new Unequal(device, true) as unknown as Module,
      loss: contrastive({ temperature: 0.5 }) as AnyLoss,
      batch: { inputs: pairs, targets: classes },
    }),
    'two towers, the second deeper': (device) => ({
      model: new Unequal(device, false) as unknown as Module,
      loss: contrastive({ temperature: 0.5 }) as AnyLoss,
      batch: { inputs: pairs, targets: classes },
    }),
    'one tower': (device) => ({
      model: new Views(device),
      loss: contrastive({ temperature: 0.2 }) as AnyLoss,
      batch: { inputs, targets: classes },
    }),
    'batch-hard triplets': (device) => ({
      model: new Tower(device, 4),
      loss: triplet({ margin: 0.5 }) as AnyLoss,
      batch: { inputs, targets: classes },
    }),
    'a loss of the user': (device) => ({
      model: new Tower(device, 5),
      loss: own as AnyLoss,
      batch: { inputs, targets: classes },
    }),
  }

/** Losses, norms, parameters and statistics of three steps, which peak as planned. */
async function trained(name: string, device: Device, microBatch: number | 'fit', store?: string) {
  const { model, loss, batch, more = [] } = CASES[name](device)
  const optimizer = sgd([...model.parameters(), ...more], { learningRate: 0.1, momentum: 0.9 })
  const streamer = new Streamer({ model, loss, optimizer, ...(store ? { store } : {}) } as never)
  const seen: number[] = []
  let passes = 0
  for (let i = 0; i < 3; i++) {
    const result = await streamer.step(batch as never, { microBatch })
    assert.is(result.peakBytes, result.plannedPeakBytes)
    seen.push(result.loss, result.gradNorm)
    const { targets } = batch as { targets: { shape: number[] } }
    const inputShape = name.startsWith('two') ? [[FEATURES], [FEATURES]] : [FEATURES]
    const plan = streamer.plan({ batch: SAMPLES, microBatch, inputShape, targetShape: targets.shape.slice(1) } as never)
    verifyPlan(JSON.parse(JSON.stringify(plan)))
    passes = plan.passes
  }
  for (const { data } of Object.values(await model.stateDict())) seen.push(...data)
  for (const parameter of more) seen.push(...(await parameter.data()))
  return { seen, passes }
}

function expectClose(seen: readonly number[], wanted: readonly number[], tolerance: number): void {
  assert.is(seen.length, wanted.length)
  wanted.forEach((value, i) => {
    const error = Math.abs(seen[i] - value) / Math.max(1, Math.abs(value))
    assert.ok(error <= tolerance, `${seen[i]} at ${i}, in one piece ${value}`)
  })
}

for (const name of Object.keys(CASES)) {
  test(`${name}: 64 samples in micro-batches of 8 learn as in one piece, with exact batch norm inside`, async () => {
    const whole = await trained(name, open('reference'), SAMPLES)
    assert.is(whole.passes, 1)
    const { seen, passes } = await trained(name, open('reference'), 8)
    assert.ok(passes > 2, `${passes}`)
    expectClose(seen, whole.seen, 1e-10)
    expectClose((await trained(name, open('reference'), 7, '1MiB')).seen, whole.seen, 1e-10)
    expectClose((await trained(name, open('cpu'), 8)).seen, whole.seen, 1e-3)
  })
}

test('a loss that compares samples is evaluated over parts as over one piece, and peaks as planned', async () => {
  for (const name of Object.keys(CASES)) {
    const { model, loss, batch } = CASES[name](open('reference'))
    const { inputs: given, targets } = batch as { inputs: never; targets: never }
    const streamer = new Streamer({ model, loss, optimizer: sgd(model) } as never)
    const losses: number[] = []
    for (const microBatch of [SAMPLES, 7]) {
      const result = await streamer.evaluate(fromArrays({ inputs: given, targets }) as never, { microBatch })
      assert.is(result.peakBytes, result.plannedPeakBytes)
      losses.push(result.loss)
    }
    expectClose([losses[1]], [losses[0]], 1e-12)
    const inputShape = name.startsWith('two') ? [[FEATURES], [FEATURES]] : [FEATURES]
    const { shape } = targets as { shape: number[] }
    const shapes = { inputShape, targetShape: shape.slice(1) }
    const points = streamer.timeline({ batch: SAMPLES, microBatch: 7, mode: 'evaluate', ...shapes } as never)
    assert.not(
      points.some(({ op }) => op === 'backward'),
      'an evaluation makes no gradients',
    )
  }
})

// The losses themselves, by hand

const rowsOf = (data: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, i) => Array.from({ length: width }, (_, j) => data[i * width + j]))
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i], 0)
// as the docstrings say, 1e-12 keeps what is under a root above 0
const unit = (a: readonly number[]): number[] => a.map((value) => value / Math.sqrt(dot(a, a) + 1e-12))
const crossed = (logits: readonly number[], target: number): number =>
  Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0)) - logits[target]
const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

test('the losses equal loops by hand', async () => {
  const device = open('reference')
  const [a, b] = [noise(3, [5, 3]), noise(4, [5, 3])]
  const [x, y] = [a, b].map(({ data }) => rowsOf(data, 3).map(unit))
  const both = x.map((row, i) => {
    const forward = crossed(
      y.map((other) => dot(row, other) / 0.3),
      i,
    )
    return (
      (forward +
        crossed(
          x.map((other) => dot(other, y[i]) / 0.3),
          i,
        )) /
      2
    )
  })
  const on = ({ data, shape }: { data: Float64Array; shape: readonly number[] }) => tensor(device, data, [...shape])
  const close = async (seen: Tensor, wanted: number) => {
    const value = await seen.item()
    assert.ok(Math.abs(value - wanted) < 1e-12, `${value}, by hand ${wanted}`)
  }
  await close(contrastive({ temperature: 0.3 })([on(a), on(b)], on(a)), average(both))
  const views = noise(5, [8, 3])
  const z = rowsOf(views.data, 3).map(unit)
  const single = z.map((row, i) => {
    const others = z.flatMap((other, j) => (j === i ? [] : [{ j, s: dot(row, other) / 0.07 }]))
    return crossed(
      others.map(({ s }) => s),
      others.findIndex(({ j }) => j === (i ^ 1)),
    )
  })
  await close(contrastive()(on(views), on(views)), average(single))
  const labels = [0, 1, 0, 2, 1, 0, 1, 3]
  const rows = rowsOf(views.data, 3)
  const distance = (i: number, j: number) =>
    Math.sqrt(dot(rows[i], rows[i]) - 2 * dot(rows[i], rows[j]) + dot(rows[j], rows[j]) + 1e-12)
  const hard = labels.map((label, i) => {
    const away = (same: boolean) =>
      labels.flatMap((other, j) => (j !== i && (other === label) === same ? [distance(i, j)] : []))
    return Math.max(0, 0.4 + Math.max(...away(true)) - Math.min(...away(false)))
  })
  await close(triplet({ margin: 0.4 })(on(views), tensor(device, labels)), average(hard))
})

test.run()
