/** Gradients against finite differences, in double precision on the reference device. */
import seedrandom from 'seedrandom'
import type { Device } from '../device/device.js'
import { openDevice } from '../device/open.js'
import { checkSeed } from '../device/seed.js'
import { ANYTHING, door, FUNCTION, LIST, NUMBER, options as optionsOf } from '../memory/arguments.js'
import type { ByteSize } from '../memory/bytes.js'
import type { Op } from '../ops/declaration.js'
import { apply, gradientFor } from '../ops/op.js'
import { opTable } from '../ops/table.js'
import { requireGrad, tensor } from '../tensor/create.js'
import type { HostArray } from '../tensor/host.js'
import { sizeOf } from '../tensor/shape.js'
import type { NestedNumbers, Tensor } from '../tensor/tensor.js'
import { type Differentiable, dot, drawn, errorOf, gradientsAt, type Point, slopes } from './differences.js'

/** The largest error of a correct gradient, for functions of moderate size and curvature. */
export const TOLERANCE = 1e-6

export interface CheckOptions {
  /** seed of the direction and of the output's weights, from 0 to 2^32 - 1; default 0 */
  seed?: number
  /** numbers of the inputs to check; default all */
  inputs?: readonly number[]
  /** the budget of the reference device; default 64 MiB */
  memory?: ByteSize
  /** default 1e-6 */
  tolerance?: number
}

/** The gradient of one input, by backward and by finite differences. */
export interface InputCheck {
  /** which input */
  input: number
  /** <gradient, direction> by backward */
  analytic: number
  /** the same by central differences */
  numeric: number
  /** |analytic - numeric| / max(1, |numeric|); NaN counts as infinite */
  error: number
}

export interface GradientCheck {
  /** is every error within the tolerance? */
  ok: boolean
  worstError: number
  inputs: readonly InputCheck[]
}

export interface OpCheck {
  op: string
  /** null: the op has no gradient */
  worstError: number | null
  /** every sample's checks, in order */
  samples: readonly (readonly InputCheck[])[]
}

const check = door('checkGradient', {
  fn: FUNCTION,
  inputs: LIST,
  options: optionsOf<CheckOptions>({ seed: ANYTHING, inputs: LIST, memory: ANYTHING, tolerance: NUMBER }),
})

/**
 * Is the gradient of `fn` right at `inputs`?
 * @param fn      made of Sluice's ops or of your own; runs several times on a new reference device, so it must depend
 *                only on its inputs
 * @param inputs  nested arrays or host arrays, away from kinks
 * @throws ArgumentError        the result depends on no checked input through recorded ops; a bad seed
 * @throws BudgetExceededError  options.memory is too small
 */
export async function checkGradient(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly (NestedNumbers | HostArray)[],
  options: CheckOptions = {},
): Promise<GradientCheck> {
  check([fn, inputs, options])
  const { seed = 0, tolerance = TOLERANCE } = options
  checkSeed('checkGradient', seed)
  const checked = options.inputs ?? inputs.map((_, i) => i)
  return withReference(options.memory, async (device) => {
    const points = inputs.map((input) => pointOf(device, input))
    const checks = await compare(device, (tensors) => fn(...tensors), points, checked, seedrandom(String(seed)))
    const worstError = worst(checks)
    return { ok: worstError <= tolerance, worstError, inputs: checks }
  })
}

/** Check the gradients of ops at their own samples; default all ops. */
export async function checkOps(
  ops: readonly Op<unknown>[] = opTable,
  { seed = 0, memory }: Pick<CheckOptions, 'seed' | 'memory'> = {},
): Promise<OpCheck[]> {
  checkSeed('checkOps', seed)
  return withReference(memory, async (device) => {
    const results: OpCheck[] = []
    for (const op of ops) results.push(await checkOp(device, op, seedrandom(`${seed}/${op.name}`)))
    return results
  })
}

async function checkOp(device: Device, op: Op<unknown>, random: () => number): Promise<OpCheck> {
  const samples: InputCheck[][] = []
  for (const { inputs, options } of op.samples) {
    const points = inputs.map(([shape, domain]) => ({ shape, values: domain(sizeOf(shape), random) }))
    const checked = inputs.map((_, i) => i).filter((i) => gradientFor(op, i) !== null)
    if (checked.length === 0) continue
    samples.push(await compare(device, (tensors) => apply(op, tensors, options), points, checked, random))
  }
  return { op: op.name, worstError: samples.length > 0 ? worst(samples.flat()) : null, samples }
}

/** Note [One direction], for each checked input. */
async function compare(
  device: Device,
  fn: (inputs: Tensor[]) => Tensor,
  points: readonly Point[],
  checked: readonly number[],
  random: () => number,
): Promise<InputCheck[]> {
  const f = differentiable(device, fn, points, checked)
  let weights: Float64Array = new Float64Array()
  const gradients = await gradientsAt(f, f.points, (shape) => {
    weights = drawn(sizeOf(shape), random)
    return weights
  })
  const checks: InputCheck[] = []
  for (const [k, input] of checked.entries()) {
    const direction = drawn(gradients[k].length, random)
    const numeric = dot(weights, await slopes(f, k, direction))
    const analytic = dot(direction, gradients[k])
    checks.push({ input, analytic, numeric, error: errorOf(analytic, numeric) })
  }
  return checks
}

/** A function of tensors, of which some inputs are checked. */
export const differentiable = (
  device: Device,
  fn: (inputs: Tensor[]) => Tensor,
  points: readonly Point[],
  checked: readonly number[],
): Differentiable => ({
  device,
  points: checked.map((i) => points[i]),
  run: (at) => {
    const inputs = points.map((point, i) => {
      const { values, shape } = at[checked.indexOf(i)] ?? point
      return tensor(device, Float64Array.from(values), shape)
    })
    const leaves = checked.map((i) => requireGrad(inputs[i]))
    return { y: fn(inputs), leaves }
  },
})

const worst = (checks: readonly InputCheck[]): number => Math.max(0, ...checks.map(({ error }) => error))

async function withReference<T>(memory: ByteSize = '64MiB', use: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice('reference', { memory })
  try {
    return await use(device)
  } finally {
    await device.close()
  }
}

/** The values and shape of an input; `tensor` checks nested arrays and finds their shape. */
export function pointOf(device: Device, input: NestedNumbers | HostArray): Point {
  if (typeof input === 'object' && 'data' in input) {
    const { data, shape, scale = 1 } = input
    return { shape, values: Float64Array.from(data, (value) => value * scale) }
  }
  const made = tensor(device, input)
  made.dispose()
  const values: number[] = []
  const collect = (each: NestedNumbers): void => {
    if (typeof each === 'number') values.push(each)
    else for (const one of each) collect(one)
  }
  collect(input)
  return { shape: made.shape, values }
}
