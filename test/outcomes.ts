/** Ops of the table on their samples: forward, backward, and a comparison of the results of two devices. */
import seedrandom from 'seedrandom'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import type { Op } from '../src/ops/declaration.js'
import { apply, gradientFor } from '../src/ops/op.js'
import type { Sample } from '../src/ops/sample.js'
import { ops } from '../src/ops/table.js'
import { planOf } from '../src/step/pass.js'
import { scope } from '../src/step/scope.js'
import { requireGrad, tensor } from '../src/tensor/create.js'
import { type Shape, sizeOf } from '../src/tensor/shape.js'
import type { Tensor } from '../src/tensor/tensor.js'

/** A sample with its values drawn. */
export interface Drawn {
  options: unknown
  points: { shape: Shape; values: number[] }[]
}

const draw = ({ inputs, options }: Sample<unknown>, seed: number): Drawn => {
  const random = seedrandom(String(seed))
  return { options, points: inputs.map(([shape, domain]) => ({ shape, values: domain(sizeOf(shape), random) })) }
}

export const hasGradient = (op: Op<unknown>, i: number): boolean => gradientFor(op, i) !== null

export function* samplesOf(table: readonly Op<unknown>[], seed = 1): Generator<[Op<unknown>, Drawn]> {
  for (const op of table) for (const sample of op.samples) yield [op, draw(sample, seed)]
}

export const describe = (op: Op<unknown>, { points, options }: Drawn): string =>
  `${op.name} ${points.map(({ shape }) => `[${shape}]`).join(' ')} ${JSON.stringify(options)}`

/** Multiples of 1/16, the same for every device. */
export const weightsFor = (size: number): number[] => Array.from({ length: size }, (_, i) => (((i * 7) % 11) - 5) / 16)

export const upload = (device: Device, { points }: Drawn): Tensor[] =>
  points.map(({ values, shape }) => tensor(device, Float64Array.from(values), shape))

/**
 * Forward, and backward of sum(c y). Returns y, which the caller's scope owns, and the leaves, whose gradients no scope
 * owns.
 */
export function forwardBackward(device: Device, op: Op<unknown>, drawn: Drawn): { y: Tensor; leaves: Tensor[] } {
  const inputs = upload(device, drawn)
  const leaves = inputs.filter((_, i) => hasGradient(op, i))
  for (const leaf of leaves) requireGrad(leaf)
  try {
    const y = apply(op, inputs, drawn.options)
    if (leaves.length > 0) {
      const weights = tensor(device, Float64Array.from(weightsFor(y.size)), y.shape)
      backward(ops.sum(ops.mul(y, weights)))
    }
    return { y, leaves }
  } catch (error) {
    disposeGradients(leaves)
    throw error
  }
}

export const disposeGradients = (leaves: readonly Tensor[]): void => {
  for (const leaf of leaves) leaf.grad?.dispose()
}

/** Does the rehearsal of forward and backward predict the peak to the byte? */
export function assertPeakIsPlanned(device: Device, op: Op<unknown>, drawn: Drawn): void {
  const step = () => scope(device, () => disposeGradients(forwardBackward(device, op, drawn).leaves))
  const { peakBytes } = planOf(device, step)
  device.allocator.resetPeak()
  step()
  assert.is(device.memory.peakBytes, peakBytes, describe(op, drawn))
}

export interface Outcome {
  y: ArrayLike<number>
  gradients: { shape: Shape; values: ArrayLike<number> }[]
}

/** The values of y and all gradients on `device`, whose held bytes end as they began. */
export async function outcome(device: Device, op: Op<unknown>, drawn: Drawn): Promise<Outcome> {
  const result = scope(device, () => forwardBackward(device, op, drawn))
  const gradients: Outcome['gradients'] = []
  for (const { grad } of result.leaves) {
    assert.ok(grad, `${op.name} sent a gradient`)
    gradients.push({ shape: grad.shape, values: await grad.data() })
  }
  const y = await result.y.data()
  result.y.dispose()
  for (const leaf of result.leaves) leaf.dispose()
  disposeGradients(result.leaves)
  return { y, gradients }
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((max, v) => Math.max(max, Math.abs(v)), 0)

export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.is(actual.length, expected.length, what)
  for (let i = 0; i < actual.length; i++) {
    const close = Math.abs(actual[i] - expected[i]) <= tolerance
    assert.ok(close, `${what}: element ${i} is ${actual[i]}, not ${expected[i]} within ${tolerance}`)
  }
}

/** Do two devices agree on values and gradients? Gradients have the shape of their inputs. */
export function assertAgree(
  op: Op<unknown>,
  drawn: Drawn,
  seen: Outcome,
  wanted: Outcome,
  tolerance: (op: string, largest: number) => number,
): void {
  const what = describe(op, drawn)
  assertClose(seen.y, wanted.y, tolerance(op.name, largest(wanted.y)), what)
  const shapes = drawn.points.map(({ shape }) => shape).filter((_, i) => hasGradient(op, i))
  wanted.gradients.forEach(({ shape, values }, i) => {
    const gradient = `${what}: gradient ${i}`
    assert.equal(seen.gradients[i].shape, shapes[i], `${gradient}: shape`)
    assert.equal(shape, shapes[i], `${gradient}: shape`)
    assertClose(seen.gradients[i].values, values, tolerance(op.name, largest(values)), gradient)
  })
}
