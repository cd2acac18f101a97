/**
 * `checkGradient`: along one direction, or the full Jacobian, with declared kinks. It names the worst element.
 *
 * Note [Sharper]
 *   Where the differences of step h disagree with the gradient, sharper ones are taken: (4 D(h / 2) - D(h)) / 3, whose error is
 *   O(h^4), for a function of large curvature, and D of h / 10, h / 100, h / 1000, for a corner beside the point, such as that of a
 *   relu inside. A right gradient agrees with one of them; a wrong one stays wrong. A corner at the point itself must be declared.
 */
import seedrandom from 'seedrandom'
import {
  dot,
  drawn,
  errorOf,
  gradientsAt,
  moved,
  type Point,
  STEP,
  slopes,
  unit,
  valuesAt,
} from '../autograd/differences.js'
import { type CheckOptions, differentiable, type InputCheck, TOLERANCE } from '../autograd/gradcheck.js'
import type { Device } from '../device/device.js'
import { checkSeed } from '../device/seed.js'
import { ANYTHING, BOOLEAN, either, FUNCTION, LIST, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { parseBytes } from '../memory/bytes.js'
import { HeapAllocator } from '../memory/heap.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { CheckError, checking, MEMORY } from './check-error.js'
import { StrictDevice } from './strict.js'
import {
  differentiableOf,
  type Fn,
  type Inputs,
  indexOf,
  type Named,
  type Subject,
  subjectOf,
  type Training,
} from './subject.js'

export interface GradientOptions extends CheckOptions {
  /**
   * where the function has corners, which no difference may cross: values of an element, [0] for relu, or a function of the same
   * inputs that is 0 there, such as `(x, w) => x.matmul(w)`. Elements at a corner are not checked
   */
  kinks?: readonly number[] | Fn
  /** compare each element of the result with each element of the inputs; default false: one direction for each input */
  jacobian?: boolean
}

/** What was checked. Inputs are those of the function, or the parameters and the inputs of the model. */
export interface GradientReport {
  readonly worstError: number
  readonly inputs: readonly InputCheck[]
  /** elements that were left out, because they are at a kink */
  readonly skipped: number
}

const OPTIONS = optionsOf<GradientOptions>({
  seed: ANYTHING,
  inputs: LIST,
  memory: ANYTHING,
  tolerance: NUMBER,
  kinks: either(FUNCTION, LIST),
  jacobian: BOOLEAN,
})

/** The inputs of more elements are searched by halves before each element is looked at. */
const SCANNED = 1024
const NAME = 'checkGradient'
/** Note [Sharper] */
const FINER = [STEP / 2, STEP / 10, STEP / 100, STEP / 1000]

/**
 * Is the gradient of a function right at these inputs, or that of a training, to its parameters and its inputs of real numbers?
 * By central differences, in double precision, on a device that also finds kernels that leave elements unwritten.
 * @param inputs  nested arrays or host arrays, away from kinks, or with `kinks` declared
 * @throws CheckError     the gradient is wrong: names the worst element, and a line that reproduces it; or the function does not
 *   depend on its inputs alone, leaves bytes, or throws
 * @throws ArgumentError  the arguments are wrong
 */
export function checkGradient(fn: Fn, inputs: Inputs, options?: GradientOptions): Promise<GradientReport>
export function checkGradient<O, T>(training: Training<O, T>, options?: GradientOptions): Promise<GradientReport>
export async function checkGradient(...given: readonly unknown[]): Promise<GradientReport> {
  const { subject, options } = subjectOf<GradientOptions>(NAME, given, OPTIONS)
  const { seed = 0, memory = MEMORY } = options
  checkSeed(NAME, seed)
  const device = new StrictDevice('reference', new HeapAllocator(parseBytes(memory)))
  return checking(NAME, device, async () => {
    const made = await prepared(options, subject, device)
    const held = device.memory.heldBytes
    const report = await compared(made, options, seedrandom(String(seed)), (check, text) => {
      const line = subject.fn ? reproducer(subject.fn.points, options) : ''
      throw new CheckError(`${text}: backward says ${check.analytic}, differences ${check.numeric}${line}`)
    })
    const left = device.memory.heldBytes - held
    if (left !== 0) throw new CheckError(`the function leaves ${left} bytes: it keeps a tensor that it made`)
    return report
  })
}

/** A function with the names of its points, and values that change their sign at a kink. */
interface Prepared extends Named {
  readonly numbers: readonly number[]
  readonly kinks: ((at: readonly Point[]) => Promise<ArrayLike<number>>) | null
}

async function prepared({ kinks }: GradientOptions, subject: Subject, device: Device): Promise<Prepared> {
  const { fn } = subject
  const f = await differentiableOf(subject, device)
  const corners =
    typeof kinks === 'function' && fn ? differentiable(device, (all) => kinks(...all), fn.points, fn.checked) : null
  const listed = (at: readonly Point[]) =>
    at.flatMap(({ values }) =>
      ((kinks ?? []) as readonly number[]).flatMap((kink) => Array.from(values, (value) => value - kink)),
    )
  return {
    ...f,
    numbers: f.points.map((_, k) => fn?.checked[k] ?? k),
    kinks: corners ? (at) => valuesAt(corners, at) : kinks ? async (at) => listed(at) : null,
  }
}

/** Do differences along this direction cross a kink? */
async function crosses({ kinks, points }: Prepared, k: number, direction: ArrayLike<number>): Promise<boolean> {
  if (!kinks) return false
  const [up, down] = [await kinks(moved(points, k, direction, STEP)), await kinks(moved(points, k, direction, -STEP))]
  return Array.from(up).some((value, i) => value !== down[i] && value > 0 !== down[i] > 0)
}

type Report = (worst: Pick<InputCheck, 'analytic' | 'numeric'>, text: string) => never

async function compared(
  f: Prepared,
  { tolerance = TOLERANCE, jacobian = false }: GradientOptions,
  random: () => number,
  fail: Report,
): Promise<GradientReport> {
  const [y, again] = [await valuesAt(f, f.points), await valuesAt(f, f.points)]
  const differs = Array.from(y).findIndex((value, i) => !Object.is(value, again[i]))
  if (differs >= 0 || y.length !== again.length)
    throw new CheckError(
      `two calls with the same inputs give ${y[differs]} and ${again[differs]} at element ${differs}: the function depends on more ` +
        'than its inputs',
    )
  let shape: Shape = []
  const gradientsOf = (weights: (size: number) => Float64Array) =>
    gradientsAt(f, f.points, (of) => {
      shape = of
      return weights(sizeOf(of))
    })
  /** Rows of weights on y: one of random numbers, or one for each element. */
  const rows = jacobian ? Array.from(y, (_, j) => unit(y.length, j)) : [drawn(y.length, random)]
  const gradients: (readonly ArrayLike<number>[])[] = []
  for (const row of rows) gradients.push(await gradientsOf(() => row))
  const of = (j: number): string => (jacobian ? `d y[${indexOf(shape, j)}] / d ` : 'the gradient of ')
  /** The worst row for a direction of input k. */
  const along = async (k: number, direction: ArrayLike<number>) => {
    const found = [await slopes(f, k, direction)]
    const numerics = (weights: Float64Array): number[] => {
      const [coarse, half, ...finer] = found.map((each) => dot(weights, each))
      return half === undefined ? [coarse] : [coarse, (4 * half - coarse) / 3, ...finer]
    }
    let worst = { row: 0, analytic: 0, numeric: 0, error: -1 }
    for (const [row, weights] of rows.entries()) {
      const analytic = dot(direction, gradients[row][k])
      if (errorOf(analytic, numerics(weights)[0]) > tolerance && found.length === 1)
        for (const step of FINER) found.push(await slopes(f, k, direction, step))
      const numeric = numerics(weights).reduce((best, each) =>
        errorOf(analytic, each) < errorOf(analytic, best) ? each : best,
      )
      const error = errorOf(analytic, numeric)
      if (error > worst.error) worst = { row, analytic, numeric, error }
    }
    return worst
  }
  const named = (k: number, i: number, row: number): string =>
    `${of(row)}${f.names[k]}${f.points[k].shape.length > 0 ? ` at [${indexOf(f.points[k].shape, i)}]` : ''} is wrong`
  const inputs: InputCheck[] = []
  let skipped = 0
  for (const [k, { values }] of f.points.entries()) {
    const input = f.numbers[k]
    const size = values.length
    let free = Array.from({ length: size }, (_, i) => i)
    const among = (places: readonly number[], direction: Float64Array): Float64Array => {
      const some = new Float64Array(size)
      for (const i of places) some[i] = direction[i]
      return some
    }
    const full = drawn(size, random)
    let isMixed = false
    if (await crosses(f, k, full)) {
      const smooth: number[] = []
      for (const i of free) if (!(await crosses(f, k, unit(size, i)))) smooth.push(i)
      skipped += size - smooth.length
      free = smooth
      isMixed = await crosses(f, k, among(free, full))
    }
    if (free.length === 0) continue
    const scan = async (): Promise<InputCheck> => {
      let places = free
      while (places.length > SCANNED) {
        const halves = [places.slice(0, places.length >> 1), places.slice(places.length >> 1)]
        const errors = [await along(k, among(halves[0], full)), await along(k, among(halves[1], full))]
        places = halves[errors[0].error >= errors[1].error ? 0 : 1]
      }
      let worst = { row: 0, analytic: 0, numeric: 0, error: -1 }
      let at = 0
      for (const i of places) {
        const found = await along(k, unit(size, i))
        if (found.error > worst.error) [worst, at] = [found, i]
      }
      if (worst.error > tolerance) fail(worst, named(k, at, worst.row))
      return { input, analytic: worst.analytic, numeric: worst.numeric, error: worst.error }
    }
    if (jacobian || isMixed) {
      inputs.push(await scan())
      continue
    }
    const { analytic, numeric, error } = await along(k, among(free, full))
    if (error > tolerance) {
      await scan()
      fail({ analytic, numeric }, `${of(0)}${f.names[k]} is wrong along a direction`)
    }
    inputs.push({ input, analytic, numeric, error })
  }
  return { worstError: Math.max(0, ...inputs.map(({ error }) => error)), inputs, skipped }
}

/** A line that does the same check. */
function reproducer(points: readonly Point[], { seed, jacobian, tolerance, inputs, kinks }: GradientOptions): string {
  const given = points.map(({ shape, values }) => `{ data: Float64Array.of(${Array.from(values)}), shape: [${shape}] }`)
  const listed = typeof kinks === 'function' ? undefined : kinks
  const options = Object.entries({ seed, jacobian, tolerance, inputs, kinks: listed }).filter(
    ([, value]) => value !== undefined,
  )
  const last = options.length > 0 ? `, ${JSON.stringify(Object.fromEntries(options))}` : ''
  return `. To see it again: await checkGradient(fn, [${given.join(', ')}]${last})`
}
