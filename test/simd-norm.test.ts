/** Normalisation and embedding of the SIMD dialect against the plain loops. */
import { test } from 'uvu'
import type { Normalization } from '../kernels/kernels.js'
import { noise } from './operands.js'
import { fc } from './property.js'
import { absolute, agrees, exactly, sums } from './simd-agreement.js'
import { doubleSum, roundings } from './tolerances.js'

const RUNS = { seed: 1, numRuns: 200 }

const few = fc.integer({ min: 1, max: 5 })
const pixels = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 49, 64, 65))

/** The views of the ops: batch norm, layer norm, group norm. */
const views = fc
  .record({
    view: fc.constantFrom('batch', 'layer', 'group'),
    samples: few,
    groups: few,
    groupChannels: few,
    pixels,
  })
  .map(({ view, samples, groups, groupChannels, pixels }) => {
    const channels = groups * groupChannels
    if (view === 'batch') {
      return { outer: samples, groups: channels, inner: pixels, affineSize: channels, affineInner: pixels }
    }
    if (view === 'layer') {
      return { outer: 1, groups: samples * groups, inner: pixels, affineSize: pixels, affineInner: 1 }
    }
    const inner = groupChannels * pixels
    return { outer: 1, groups: samples * groups, inner, affineSize: channels, affineInner: pixels }
  })

const norms = fc
  .record({ view: views, affine: fc.boolean(), eps: fc.constantFrom(1e-5, 0.5) })
  .map(({ view, ...rest }): Normalization => ({ ...view, ...rest }))

const negative = (values: Float32Array) => values.map((value) => -Math.abs(value))

/** x, dy, means, gamma and beta in [-1, 1], variances in [0.25, 1.25]; one NaN if `strange`. */
function operands(p: Normalization, strange: boolean) {
  const size = p.outer * p.groups * p.inner
  const x = noise(size, 1)
  if (strange) x[size >> 1] = Number.NaN
  return {
    x,
    dy: noise(size, 2),
    mean: noise(p.groups, 3),
    variance: noise(p.groups, 4).map((value) => 0.75 + value / 2),
    gamma: p.affine ? [noise(p.affineSize, 5)] : [],
    beta: p.affine ? [noise(p.affineSize, 6)] : [],
  }
}

test('moments', () => {
  fc.assert(
    fc.property(views, fc.constantFrom(0, 1000), fc.boolean(), ({ outer, groups, inner }, shift, strange) => {
      const p = { outer, groups, inner }
      const x = noise(outer * groups * inner, 1).map((value) => value + shift)
      if (strange) x[x.length >> 1] = Number.NaN
      const out = noise(groups, 2)
      const count = outer * inner
      agrees('moments', p, [x], [out, out], (_, expected, output) =>
        doubleSum(count, expected, output === 0 ? shift + 1 : 4),
      )
    }),
    RUNS,
  )
})

test('normalize', () => {
  fc.assert(
    fc.property(norms, fc.boolean(), (p, strange) => {
      const { x, mean, variance, gamma, beta, dy } = operands(p, strange)
      const magnitudes = [absolute(x), negative(mean), variance, ...gamma.map(absolute), ...beta.map(absolute)]
      // x - mean, the factors, the products and the sum round at most six times.
      const limit = sums('normalize', p, magnitudes, [dy], 3)
      agrees('normalize', p, [x, mean, variance, ...gamma, ...beta], dy, limit)
    }),
    RUNS,
  )
})

test('the gradient of normalize', () => {
  fc.assert(
    fc.property(norms, fc.boolean(), fc.boolean(), (drawn, fixed, strange) => {
      const p = { ...drawn, fixed }
      const { x, dy, mean, variance, gamma } = operands(p, strange)
      // scale <= 2 and |h| <= 4: the terms are not larger than 2 (1 + 1 + 4 * 4), each rounded a few times
      agrees('normalizeGradient', p, [dy, x, mean, variance, ...gamma], x, () => roundings(8, 36))
    }),
    RUNS,
  )
})

test('the gradient of a part of a batch norm', () => {
  const batches = norms.filter(({ affineSize, groups }) => affineSize === groups)
  fc.assert(
    fc.property(batches, fc.boolean(), (drawn, strange) => {
      const p = { ...drawn, count: drawn.outer * drawn.inner + 3 }
      const { x, dy, mean, variance, gamma } = operands(p, strange)
      const [sum, lean] = [8, 9].map((seed) => noise(p.groups, seed).map((value) => value * p.count))
      // scale <= 2 and |h| <= 4: the terms are not larger than 2 (1 + 1 + 4), each rounded a few times
      agrees('normalizePartGradient', p, [dy, x, mean, variance, sum, lean, ...gamma], x, () => roundings(8, 12))
    }),
    RUNS,
  )
})

test('the gradient of gamma', () => {
  fc.assert(
    fc.property(norms, fc.boolean(), fc.boolean(), (drawn, accumulate, strange) => {
      const p = { ...drawn, accumulate }
      const { x, dy, mean, variance } = operands(p, strange)
      const out = noise(p.affineSize, 7)
      const terms = x.length / p.affineSize + 3
      const limit = sums(
        'normalizeScaleGradient',
        p,
        [absolute(dy), absolute(x), negative(mean), variance],
        [out],
        terms,
      )
      agrees('normalizeScaleGradient', p, [dy, x, mean, variance], out, limit)
    }),
    RUNS,
  )
})

/** Indices; a third of them are not entries: outside, far outside, between two, NaN. */
const indicesOf = (rows: number, entries: number) =>
  noise(rows, 1).map((value, i) => {
    if (i % 3 === 2)
      return [-1, entries, 0.5, Number.NaN, 2 ** 31, -(2 ** 33), Infinity, 1e30, -0.25][Math.floor(i / 3) % 9]
    return Math.floor(((value + 1) / 2) * 0.999 * entries)
  })

test('embedding and its gradient', () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 60 }),
    width: fc.integer({ min: 1, max: 37 }),
    entries: fc.integer({ min: 1, max: 20 }),
  })
  fc.assert(
    fc.property(sizes, fc.boolean(), (p, accumulate) => {
      const indices = indicesOf(p.rows, p.entries)
      const table = noise(p.entries * p.width, 2)
      const dy = noise(p.rows * p.width, 3)
      agrees('embedding', p, [table, indices], dy, exactly)
      const limit = sums('embeddingGradient', { ...p, accumulate }, [absolute(dy), indices], [table], p.rows)
      agrees('embeddingGradient', { ...p, accumulate }, [dy, indices], table, limit)
    }),
    RUNS,
  )
})

test.run()
