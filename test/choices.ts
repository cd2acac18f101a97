/**
 * Functions whose gradient is 0 by choice in some places (Note [Zero by choice] in kernels/functions.ts), followed by
 * functions whose own gradient is infinite or NaN everywhere. Where 0 was chosen the gradient must be 0; elsewhere it
 * must be infinite or NaN.
 */
import seedrandom from 'seedrandom'
import * as assert from 'uvu/assert'
import { reference } from '../kernels/reference/index.js'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { apply } from '../src/ops/op.js'
import { ops } from '../src/ops/table.js'
import { noGrad } from '../src/ops/tape.js'
import { scope } from '../src/step/scope.js'
import { requireGrad, tensor } from '../src/tensor/create.js'
import { type Shape, sizeOf } from '../src/tensor/shape.js'
import type { Tensor } from '../src/tensor/tensor.js'

/** Values drawn from a seed. */
class Draws {
  readonly random: () => number

  constructor(seed: number) {
    this.random = seedrandom(String(seed))
  }
  whole(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1))
  }
  one<T>(values: readonly T[]): T {
    return values[this.whole(0, values.length - 1)]
  }
  /** Odd multiples of 1/32; if `odd` is given, 3 in 10 values are taken from it. */
  values(size: number, odd: readonly number[] = []): number[] {
    return Array.from({ length: size }, () =>
      odd.length > 0 && this.random() < 0.3 ? this.one(odd) : this.whole(-64, 63) / 16 + 1 / 32,
    )
  }
  bits(size: number): number[] {
    return Array.from({ length: size }, () => this.whole(0, 1))
  }
}

/** A function of x, and the elements at which its gradient is 0 by choice. */
interface Choice {
  x: number[]
  shape: Shape
  run(x: Tensor): Tensor
  zero(x: number, i: number): boolean
}

const ODD = [0, -0, Infinity, -Infinity, Number.NaN]
const ORDERED = [0, -0, Infinity, -Infinity]

/** A function of each element alone. */
const each = (draws: Draws, run: Choice['run'], zero: Choice['zero']): Choice => {
  const size = draws.whole(1, 70)
  return { x: draws.values(size, ODD), shape: [size], run, zero }
}

/** One of two operands of equal shape, the other constant. */
function ofTwo(draws: Draws, op: 'maximum' | 'minimum', side: 0 | 1): Choice {
  const other = draws.values(draws.whole(1, 40), ODD)
  const run = (x: Tensor) => {
    const y = tensor(x.device, other)
    return side === 0 ? ops[op](x, y) : ops[op](y, x)
  }
  const zero = (x: number, i: number) => (op === 'maximum' ? x < other[i] : x > other[i])
  return { x: draws.values(other.length, ODD), shape: [other.length], run, zero }
}

/** A branch of `where`, which may be broadcast along the first axis. */
function branch(draws: Draws, chosen: 0 | 1): Choice {
  const [rows, columns] = [draws.whole(1, 3), draws.whole(1, 20)]
  const condition = draws.bits(rows * columns)
  const broadcast = draws.random() < 0.5
  const shape = broadcast ? [columns] : [rows, columns]
  return {
    x: draws.values(sizeOf(shape), ODD),
    shape,
    run: (x) => {
      const on = tensor(x.device, condition, [rows, columns])
      return chosen === 1 ? ops.where(on, x, 1) : ops.where(on, 1, x)
    },
    zero: (_, i) => condition.every((bit, j) => bit !== chosen || (broadcast ? j % columns : j) !== i),
  }
}

function extremes(draws: Draws, kind: 'max' | 'min'): Choice {
  const [rows, columns] = [draws.whole(1, 5), draws.whole(1, 9)]
  const x = draws.values(rows * columns, ORDERED)
  const best = Array.from({ length: rows }, (_, r) => Math[kind](...x.slice(r * columns, (r + 1) * columns)))
  return {
    x,
    shape: [rows, columns],
    run: (t) => ops[kind](t, { axes: 1 }),
    zero: (value, i) => value !== best[Math.floor(i / columns)],
  }
}

/**
 * Windows over one plane. The gradient is 0 at numbers that are in no window, or, for maxPool2d, are the maximum of no
 * window.
 */
function windows(draws: Draws, kind: 'maxPool2d' | 'averagePool2d' | 'conv2d'): Choice {
  const [kernel, stride] = draws.one([
    [2, 2],
    [2, 2],
    [3, 2],
    [3, 1],
    [1, 2],
    [2, 3],
  ] as const)
  const [height, width] = [draws.whole(kernel, 9), draws.whole(kernel, 19)]
  const x = draws.values(height * width, kind === 'maxPool2d' ? ORDERED : [])
  const touched = new Set<number>()
  for (let top = 0; top + kernel <= height; top += stride) {
    for (let left = 0; left + kernel <= width; left += stride) {
      const window = Array.from(
        { length: kernel ** 2 },
        (_, k) => (top + Math.floor(k / kernel)) * width + left + (k % kernel),
      )
      const largest = window.reduce((best, i) => (x[i] > x[best] ? i : best))
      for (const i of kind === 'maxPool2d' ? [largest] : window) touched.add(i)
    }
  }
  return {
    x,
    shape: [1, 1, height, width],
    run: (t) => {
      if (kind !== 'conv2d') return ops[kind](t, { kernel, stride })
      const weight = tensor(t.device, new Array<number>(kernel ** 2).fill(1), [1, 1, kernel, kernel])
      return ops.conv2d(t, weight, null, { stride })
    },
    zero: (_, i) => !touched.has(i),
  }
}

function dropped(draws: Draws): Choice {
  const size = draws.whole(1, 70)
  const key = { rate: 0.5, seed: draws.whole(0, 1e6), step: 3, call: 1, first: draws.whole(0, 99) }
  const ones = new Float64Array(size).fill(1)
  const kept = new Float64Array(size)
  reference.dropout({ size, ...key }, [ones], [kept])
  return {
    x: draws.values(size, ODD),
    shape: [size],
    run: (x) => apply(ops.dropout.op, [x], key),
    zero: (_, i) => kept[i] === 0,
  }
}

function sliced(draws: Draws): Choice {
  const [size, start] = [draws.whole(4, 40), draws.whole(1, 3)]
  return {
    x: draws.values(size, ODD),
    shape: [size],
    run: (x) => ops.slice(x, [start]),
    zero: (_, i) => i < start,
  }
}

function rowsOfTable(draws: Draws): Choice {
  const [entries, width] = [draws.whole(2, 9), draws.whole(1, 6)]
  const indices = Array.from({ length: draws.whole(1, 9) }, () => draws.whole(0, entries - 1))
  return {
    x: draws.values(entries * width, ODD),
    shape: [entries, width],
    run: (table) => ops.embedding(table, tensor(table.device, indices)),
    zero: (_, i) => !indices.includes(Math.floor(i / width)),
  }
}

/** A loss with rows that do not count. They hold values that would make the loss infinite or NaN. */
function loss(draws: Draws, kind: 'crossEntropy' | 'crossEntropy, ignored' | 'mse' | 'bceWithLogits'): Choice {
  const [rows, columns] = [draws.whole(1, 9), draws.whole(2, 9)]
  const counted = draws.bits(rows)
  const x = draws.values(rows * columns).map((v, i) => (counted[Math.floor(i / columns)] ? v : draws.one([v, ...ODD])))
  const weights = (device: Device) => ({ weights: tensor(device, counted) })
  const classes = Array.from({ length: rows }, (_, r) => r % columns)
  return {
    x,
    shape: [rows, columns],
    run: (t) => {
      if (kind === 'crossEntropy') return ops.crossEntropy(t, tensor(t.device, classes), weights(t.device))
      if (kind === 'crossEntropy, ignored') {
        return ops.crossEntropy(
          t,
          tensor(
            t.device,
            classes.map((c, r) => (counted[r] ? c : -100)),
          ),
        )
      }
      return ops[kind](
        t,
        tensor(
          t.device,
          x.map(() => 1),
          [rows, columns],
        ),
        weights(t.device),
      )
    },
    zero: (_, i) => counted[Math.floor(i / columns)] === 0,
  }
}

const CHOICES: { readonly [name: string]: (draws: Draws) => Choice } = {
  relu: (draws) => each(draws, ops.relu, (x) => x <= 0),
  'leakyRelu(0)': (draws) =>
    each(
      draws,
      (x) => ops.leakyRelu(x, 0),
      (x) => !(x > 0),
    ),
  clamp: (draws) =>
    each(
      draws,
      (x) => ops.clamp(x, 0, 2),
      (x) => !(x >= 0 && x <= 2),
    ),
  'pow(0)': (draws) =>
    each(
      draws,
      (x) => ops.pow(x, 0),
      () => true,
    ),
  abs: (draws) => each(draws, ops.abs, (x) => x === 0),
  'where, first': (draws) => branch(draws, 1),
  'where, second': (draws) => branch(draws, 0),
  'maximum, first': (draws) => ofTwo(draws, 'maximum', 0),
  'maximum, second': (draws) => ofTwo(draws, 'maximum', 1),
  'minimum, first': (draws) => ofTwo(draws, 'minimum', 0),
  'minimum, second': (draws) => ofTwo(draws, 'minimum', 1),
  max: (draws) => extremes(draws, 'max'),
  min: (draws) => extremes(draws, 'min'),
  maxPool2d: (draws) => windows(draws, 'maxPool2d'),
  averagePool2d: (draws) => windows(draws, 'averagePool2d'),
  conv2d: (draws) => windows(draws, 'conv2d'),
  dropout: dropped,
  slice: sliced,
  embedding: rowsOfTable,
  'crossEntropy, weights': (draws) => loss(draws, 'crossEntropy'),
  'crossEntropy, ignored': (draws) => loss(draws, 'crossEntropy, ignored'),
  'mse, weights': (draws) => loss(draws, 'mse'),
  'bceWithLogits, weights': (draws) => loss(draws, 'bceWithLogits'),
}

/** Functions of y and of a constant c. Their gradient is infinite or NaN where y = c. */
const STEEP: { readonly [name: string]: (y: Tensor, c: Tensor) => Tensor } = {
  sqrt: (y, c) => ops.sqrt(ops.sub(y, c)),
  log: (y, c) => ops.log(ops.sub(y, c)),
  'pow(0.5)': (y, c) => ops.pow(ops.sub(y, c), 0.5),
  'pow(-2)': (y, c) => ops.pow(ops.sub(y, c), -2),
  '1 / y': (y, c) => ops.div(1, ops.sub(y, c)),
  'y / 0': (y, c) => ops.div(y, ops.sub(c, c)),
  'y times infinity': (y) => ops.mul(y, Infinity),
  'y times NaN': (y) => ops.mul(y, Number.NaN),
}

/** The gradient of sum(steep(run(x))) with respect to x. */
async function gradientOf(device: Device, { x, shape, run }: Choice, steep: (y: Tensor, c: Tensor) => Tensor) {
  const leaf = requireGrad(tensor(device, x, shape))
  scope(device, () => {
    const c = noGrad(device, () => run(leaf))
    backward(ops.sum(steep(run(leaf), c)))
  })
  const { grad } = leaf
  assert.ok(grad)
  const values = await grad.data()
  grad.dispose()
  leaf.dispose()
  return values
}

/** Checks every choice under every steep function, with numbers drawn from this seed. */
export async function holdsWhatIsChosen(device: Device, seed: number): Promise<void> {
  for (const [name, make] of Object.entries(CHOICES)) {
    const choice = make(new Draws(seed))
    for (const [over, steep] of Object.entries(STEEP)) {
      const dx = await gradientOf(device, choice, steep)
      for (const [i, x] of choice.x.entries()) {
        const what = `${over} of ${name} on ${device.kind}: the gradient at ${x}, element ${i} of ${choice.x}, is ${dx[i]}`
        if (choice.zero(x, i)) assert.ok(dx[i] === 0, `${what}, but 0 was chosen`)
        else assert.ok(!Number.isFinite(dx[i]), `${what}, but the gradient sent back is not finite`)
      }
    }
  }
}
