/**
 * Sums so far, products, and choices by index along one axis of [outer, size, inner]. A sum or a product is cut into runs of about
 * sqrt(size) values, so that every value needs few rounds: those of its own run, and one for each other run.
 */
import type { KernelParameters, Rows } from '../kernels.js'
import { at, isNotANumber, notANumber, quotient } from './machine/builtins.js'
import { type Groups, PLAIN, partialSizes } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Named, packed, type Texels } from './machine/program.js'

const RUNS = ['size', 'inner', 'run', 'runs'] as const
type Runs = Named<typeof RUNS>

function runsOf({ size, inner }: Rows): Runs {
  const run = Math.ceil(Math.sqrt(size))
  return { size, inner, run, runs: Math.ceil(size / run) }
}

/** x -> [outer, runs, inner]: the sum, or if `multiplies` is 1 the product, of each run */
function ofRun(i: number, x: Texels, p: Runs, multiplies: number): number {
  const outer = quotient(i, p.runs * p.inner)
  const place = quotient(i, p.inner)
  const from = (place - outer * p.runs) * p.run
  const start = outer * p.size * p.inner + i - place * p.inner
  const end = Math.min(from + p.run, p.size)
  let result = multiplies
  for (let c = from; c < end; c++) {
    const value = at(x, start + c * p.inner)
    result = multiplies > 0 ? result * value : result + value
  }
  return result
}

function sumSoFar(i: number, x: Texels, partial: Texels, p: Runs, reverse: number): number {
  const outer = quotient(i, p.size * p.inner)
  const place = quotient(i, p.inner)
  const c = place - outer * p.size
  const column = i - place * p.inner
  const own = quotient(c, p.run)
  let sum = 0.0
  const firstRun = reverse > 0 ? own + 1 : 0
  const endRun = reverse > 0 ? p.runs : own
  for (let r = firstRun; r < endRun; r++) {
    sum = sum + at(partial, (outer * p.runs + r) * p.inner + column)
  }
  const first = reverse > 0 ? c : own * p.run
  const end = reverse > 0 ? Math.min((own + 1) * p.run, p.size) : c + 1
  for (let k = first; k < end; k++) {
    sum = sum + at(x, (outer * p.size + k) * p.inner + column)
  }
  return sum
}

/** partial -> y [outer, inner] */
function productOfRuns(i: number, partial: Texels, p: Runs): number {
  const outer = quotient(i, p.inner)
  let result = 1.0
  for (let r = 0; r < p.runs; r++) {
    result = result * at(partial, (outer * p.runs + r) * p.inner + i - outer * p.inner)
  }
  return result
}

/** dy times the product of all other values */
function productOfOthers(i: number, dy: Texels, x: Texels, partial: Texels, p: Runs): number {
  const outer = quotient(i, p.size * p.inner)
  const place = quotient(i, p.inner)
  const c = place - outer * p.size
  const column = i - place * p.inner
  const own = quotient(c, p.run)
  let result = 1.0
  for (let r = 0; r < p.runs; r++) {
    if (r !== own) {
      result = result * at(partial, (outer * p.runs + r) * p.inner + column)
    }
  }
  const end = Math.min((own + 1) * p.run, p.size)
  for (let k = own * p.run; k < end; k++) {
    if (k !== c) {
      result = result * at(x, (outer * p.size + k) * p.inner + column)
    }
  }
  return result * at(dy, outer * p.inner + column)
}

const OF_RUN = eachValue('along, runs', ofRun, ['texels', RUNS, 'number'])
const SO_FAR = eachValue('cumulativeSum', sumSoFar, ['texels', 'texels', RUNS, 'number'])
const OF_RUNS = eachValue('product', productOfRuns, ['texels', RUNS])
const OTHERS = eachValue('productGradient', productOfOthers, ['texels', 'texels', 'texels', RUNS])

const runSizes = (p: Rows): number[] => [p.outer * runsOf(p).runs * p.inner]

export const cumulativeSum: GpuKernel<'cumulativeSum'> = {
  programs: [OF_RUN, SO_FAR],
  workspaces: runSizes,
  run(gpu, p, [x], [y], [partial]) {
    gpu.run(OF_RUN, [x, packed(RUNS, runsOf(p)), 0], partial)
    gpu.run(SO_FAR, [x, partial, packed(RUNS, runsOf(p)), Number(p.reverse)], y)
  },
}

export const product: GpuKernel<'product'> = {
  programs: [OF_RUN, OF_RUNS],
  workspaces: runSizes,
  run(gpu, p, [x], [y], [partial]) {
    gpu.run(OF_RUN, [x, packed(RUNS, runsOf(p)), 1], partial)
    gpu.run(OF_RUNS, [partial, packed(RUNS, runsOf(p))], y)
  },
}

export const productGradient: GpuKernel<'productGradient'> = {
  programs: [OF_RUN, OTHERS],
  workspaces: runSizes,
  run(gpu, p, [dy, x], [dx], [partial]) {
    gpu.run(OF_RUN, [x, packed(RUNS, runsOf(p)), 1], partial)
    gpu.run(OTHERS, [dy, x, partial, packed(RUNS, runsOf(p))], dx)
  },
}

const PLACES = ['size', 'inner', 'count', 'part'] as const
type Places = Named<typeof PLACES>

function chosen(i: number, x: Texels, index: Texels, p: Places): number {
  const outer = quotient(i, p.count * p.inner)
  const c = at(index, i)
  if (isNotANumber(c) > 0 || c < 0 || c >= p.size || Math.floor(c) !== c) {
    return notANumber()
  }
  return at(x, (outer * p.size + c) * p.inner + i - quotient(i, p.inner) * p.inner)
}

/** Value i of [parts, outer, size, inner]: the sum of dy over the indices of a part that name its place. */
function sentBack(i: number, dy: Texels, index: Texels, p: Places, whole: number): number {
  const part = quotient(i, whole)
  const k = i - part * whole
  const outer = quotient(k, p.size * p.inner)
  const place = quotient(k, p.inner)
  const c = place - outer * p.size
  const end = Math.min((part + 1) * p.part, p.count)
  let sum = 0.0
  for (let n = part * p.part; n < end; n++) {
    const from = (outer * p.count + n) * p.inner + k - place * p.inner
    if (at(index, from) === c) {
      sum = sum + at(dy, from)
    }
  }
  return sum
}

const CHOSEN = eachValue('gather', chosen, ['texels', 'texels', PLACES])
const SENT_BACK = eachValue('gatherGradient', sentBack, ['texels', 'texels', PLACES, 'number'])

/** The indices of a part: more would take too many rounds of a loop, see Note [Dialect] in index.ts. */
const PART = 8192

export const gather: GpuKernel<'gather'> = {
  programs: [CHOSEN],
  run(gpu, { size, inner, count }, [x, index], [y]) {
    gpu.run(CHOSEN, [x, index, packed(PLACES, { size, inner, count, part: PART })], y)
  },
}

type Gathered = KernelParameters['gatherGradient']
const partsOf = ({ count }: Gathered): number => Math.ceil(count / PART)
const wholeOf = ({ outer, size, inner }: Gathered): number => outer * size * inner
const inParts = (p: Gathered): Groups => ({ shape: [partsOf(p), wholeOf(p)], reduced: [true, false] })

export const gatherGradient: GpuKernel<'gatherGradient'> = {
  programs: [SENT_BACK],
  workspaces: (p) => (partsOf(p) > 1 ? [partsOf(p) * wholeOf(p), ...partialSizes(inParts(p))] : []),
  run(gpu, p, [dy, index], [dx], [sums = dx, partial]) {
    const { size, inner, count } = p
    gpu.run(SENT_BACK, [dy, index, packed(PLACES, { size, inner, count, part: PART }), wholeOf(p)], sums)
    if (partsOf(p) > 1) PLAIN.sum.run(gpu, inParts(p), [sums], dx, partial)
  },
}
