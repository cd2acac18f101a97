/**
 * Values and gradients at points where the formula, taken literally, is NaN or overflows, although the function has a
 * value there.
 */
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { ops } from '../src/ops/table.js'
import { scope } from '../src/step/scope.js'
import { requireGrad, tensor } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'

interface Corner {
  name: string
  x: number[]
  run(x: Tensor): Tensor
  /** run(x), and the gradient of its sum with respect to x */
  y?: number[]
  dx?: number[]
}

const vector = ({ device }: Tensor, ...values: number[]): Tensor => tensor(device, values)
const LOGITS = [Infinity, -Infinity, 0]
const costs = (t: number) => (x: Tensor) => ops.bceWithLogits(x, vector(x, t, t, t), { weights: vector(x, 1, 0, 0) })
const costsBelow = (t: number) => (x: Tensor) =>
  ops.bceWithLogits(x, vector(x, t, t, t), { weights: vector(x, 0, 1, 0) })

const CORNERS: readonly Corner[] = [
  { name: 'x.relu().sqrt()', x: [-1], run: (x) => ops.sqrt(ops.relu(x)), y: [0], dx: [0] },
  { name: 'x.relu().log()', x: [-1], run: (x) => ops.log(ops.relu(x)), y: [-Infinity], dx: [0] },
  { name: 'x.clamp(0, 9).sqrt()', x: [-1], run: (x) => ops.sqrt(ops.clamp(x, 0, 9)), y: [0], dx: [0] },
  { name: 'x.abs().sqrt()', x: [0], run: (x) => ops.sqrt(ops.abs(x)), y: [0], dx: [0] },
  // d(a / b) / db
  { name: '0 / b', x: [1e-30], run: (b) => ops.div(0, b), y: [0], dx: [0] },
  { name: '1e20 / b', x: [1e20], run: (b) => ops.div(1e20, b), y: [1], dx: [-1e-20] },
  { name: '1e-30 / b', x: [1e-30], run: (b) => ops.div(1e-30, b), y: [1], dx: [-1e30] },
  {
    name: 'a row of zeros, divided by its sum',
    x: [0, 0],
    run: (x) => ops.div(x, ops.add(ops.sum(x), 1e-30)),
    y: [0, 0],
    dx: [1e30, 1e30],
  },
  {
    name: 'x^Infinity',
    x: [1, -1, 0.5, 2, -2, 0],
    run: (x) => ops.pow(x, Infinity),
    y: [1, 1, 0, Infinity, Infinity, 0],
  },
  {
    name: 'x^-Infinity',
    x: [1, -1, 0.5, 2, -2, 0],
    run: (x) => ops.pow(x, -Infinity),
    y: [1, 1, Infinity, 0, 0, Infinity],
  },
  { name: 'x^200', x: [1, -1, 0], run: (x) => ops.pow(x, 200), y: [1, 1, 0] },
  { name: 'x^-201', x: [1, -1, 0], run: (x) => ops.pow(x, -201), y: [1, -1, Infinity] },
  { name: 'a logit of Infinity, target 0', x: LOGITS, run: costs(0), y: [Infinity], dx: [1, 0, 0] },
  { name: 'a logit of Infinity, target 1', x: LOGITS, run: costs(1), y: [0], dx: [0, 0, 0] },
  { name: 'a logit of Infinity, target 1/2', x: LOGITS, run: costs(0.5), y: [Infinity], dx: [0.5, 0, 0] },
  { name: 'a logit of -Infinity, target 0', x: LOGITS, run: costsBelow(0), y: [0], dx: [0, 0, 0] },
  { name: 'a logit of -Infinity, target 1', x: LOGITS, run: costsBelow(1), y: [Infinity], dx: [0, -1, 0] },
]

/** @param relative  the relative error that a finite number may have */
export async function holdsAtCorners(device: Device, relative: number): Promise<void> {
  const check = (name: string, values: ArrayLike<number>, wanted: readonly number[]) =>
    wanted.forEach((value, i) => {
      const within = Number.isFinite(value) ? relative * Math.abs(value) : 0
      const close = values[i] === value || Math.abs(values[i] - value) <= within
      assert.ok(close, `${name} on ${device.kind}: element ${i} is ${values[i]}, not ${value}`)
    })
  for (const { name, x, run, y, dx } of CORNERS) {
    const leaf = requireGrad(tensor(device, x))
    const result = scope(device, () => {
      const value = run(leaf)
      backward(ops.sum(value))
      return value
    })
    if (y) check(name, await result.data(), y)
    if (dx) check(`${name}, gradient`, (await leaf.grad?.data()) ?? [], dx)
    for (const made of [result, leaf.grad, leaf]) made?.dispose()
  }
}
