/** Softmax, softmax of attention, and losses of the SIMD dialect against the plain loops. */
import { test } from 'uvu'
import type { ClassRows, Floats } from '../kernels/kernels.js'
import { reference } from '../kernels/reference/index.js'
import { noise } from './operands.js'
import { fc } from './property.js'
import { agrees, exactly } from './simd-agreement.js'
import { float32AttentionShare, float32LogShare, float32Loss, float32Share } from './tolerances.js'

const RUNS = { seed: 1, numRuns: 200 }

/** Numbers in [-8, 8]: no two differ by more than RANGE. */
const logits = (size: number) => noise(size, 1).map((value) => 8 * value)
const RANGE = 16

/** Puts NaN, infinities and 0 into about every tenth place. */
const SPECIAL = [Number.NaN, Infinity, -Infinity, 0, -Infinity]
const special = (values: Float32Array) =>
  values.map((value, i) => (Math.abs(value * 1000) % 1 < 0.1 ? SPECIAL[i % SPECIAL.length] : value))

const length = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.constantFrom(10, 15, 16, 17, 64, 127, 300),
  fc.integer({ min: 1, max: 100 }),
)

const rows = fc.record({
  outer: fc.integer({ min: 1, max: 6 }),
  size: length,
  inner: fc.constantFrom(1, 1, 2, 3, 4, 5, 8, 13),
})

interface Rows {
  outer: number
  size: number
  inner: number
}

function softmaxOperands(rows: Rows, strange: boolean, log: boolean) {
  const dy = noise(rows.outer * rows.size * rows.inner, 2)
  const x = logits(dy.length)
  return { p: { ...rows, log }, x: strange ? special(x) : x, dy }
}

const softmaxOf = (p: Rows & { log: boolean }, x: Floats): Float32Array => {
  const y = new Float32Array(x.length)
  reference.softmax(p, [x], [y])
  return y
}

test('softmax and its gradient', () => {
  fc.assert(
    fc.property(rows, fc.boolean(), (row, strange) => {
      const { p, x, dy } = softmaxOperands(row, strange, false)
      const { size } = row
      const share = float32Share(size, RANGE)
      agrees('softmax', p, [x], dy, (_, expected) => share * expected)
      // Shares add up to 1 and dy is at most 1, so the sum over a row is at most 1: `share` is its limit too.
      const y = softmaxOf(p, logits(dy.length))
      agrees('softmaxGradient', p, [dy, y], y, (i) => 2 * share * y[i])
    }),
    RUNS,
  )
})

test('the logarithm of softmax, and its gradient', () => {
  fc.assert(
    fc.property(rows, fc.boolean(), (row, strange) => {
      const { p, x, dy } = softmaxOperands(row, strange, true)
      const { size } = row
      agrees('softmax', p, [x], dy, () => float32LogShare(size, RANGE))
      // dy - e^y sum of dy, where the sum has `size` terms of at most 1
      const y = softmaxOf(p, logits(dy.length))
      agrees('softmaxGradient', p, [dy, y], y, (i) => float32Loss(size, 1 + size * Math.exp(y[i])))
    }),
    RUNS,
  )
})

const attentionRows = fc
  .record({
    batch: fc.integer({ min: 1, max: 4 }),
    queries: fc.integer({ min: 1, max: 9 }),
    keys: length,
    scale: fc.constantFrom(0.5, -0.3, 1),
    causal: fc.boolean(),
    mask: fc.constantFrom('none', 'whole', 'keys', 'queries', 'one', 'reversed'),
  })
  .map(({ mask, ...p }) => {
    const [strideQuery, strideKey] = {
      none: [],
      whole: [p.keys, 1],
      reversed: [p.keys, 1],
      keys: [0, 1],
      queries: [1, 0],
      one: [0, 0],
    }[mask]
    const whole = p.queries * p.keys
    const starts = Array.from({ length: p.batch }, (_, b) => (mask === 'whole' ? b : p.batch - 1 - b) * whole)
    return { ...p, mask: mask === 'none' ? null : { starts, strideQuery, strideKey } }
  })

test('softmax of attention and its gradient, in place too', () => {
  fc.assert(
    fc.property(attentionRows, fc.boolean(), fc.boolean(), (p, strange, inPlace) => {
      const size = p.batch * p.queries * p.keys
      const x = strange ? special(logits(size)) : logits(size)
      const mask = p.mask ? [special(noise(size, 3)).map((value) => (value > 1 ? -Infinity : value))] : []
      const share = float32AttentionShare(p.keys, 8 + 1)
      const placing = inPlace ? { inPlace: [0] } : {}
      agrees('attentionSoftmax', p, [x, ...mask], x, (_, expected) => share * expected, placing)
      const rows = { rows: p.batch * p.queries, size: p.keys, scale: p.scale }
      const probabilities = softmaxOf({ outer: rows.rows, size: p.keys, inner: 1, log: false }, logits(size))
      const gradientShare = 2 * float32Share(p.keys, RANGE)
      agrees(
        'attentionSoftmaxGradient',
        rows,
        [noise(size, 2), probabilities],
        x,
        (i) => gradientShare * probabilities[i],
        placing,
      )
    }),
    RUNS,
  )
})

const classRows = fc
  .record({
    outer: fc.integer({ min: 1, max: 9 }),
    classes: length,
    inner: fc.constantFrom(1, 1, 1, 2, 3, 4, 5, 8, 13),
    ignoreIndex: fc.constantFrom(-100, 0, 2, 2 ** 24 + 1),
    labelSmoothing: fc.constantFrom(0, 0, 0.1, 0.5),
    weighted: fc.boolean(),
  })
  .map((p): ClassRows => p)

/** Targets: most are classes, some are ignored, some are not valid. */
const targetsOf = (p: ClassRows) =>
  noise(p.outer * p.inner, 3).map((value, i) => {
    if (i % 7 === 5) return [p.classes, -1, 0.5, Number.NaN, 1e9, Infinity][(i - 5) % 6]
    return i % 7 === 3 ? p.ignoreIndex : Math.floor(((value + 1) / 2) * 0.999 * p.classes)
  })

/** Weights; every third is 0. */
const weightsOf = (count: number) => noise(count, 4).map((value, i) => (i % 3 === 2 ? 0 : Math.abs(value)))

test('cross-entropy and its gradient', () => {
  fc.assert(
    fc.property(classRows, fc.boolean(), fc.constantFrom(0, 3.5), (p, strange, total) => {
      const { outer, classes, inner, weighted } = p
      const x = strange ? special(logits(outer * classes * inner)) : logits(outer * classes * inner)
      const targets = targetsOf(p)
      const weights = weighted ? [weightsOf(outer)] : []
      const losses = noise(outer * inner, 5)
      const limit = 2 * float32LogShare(classes, RANGE)
      agrees('crossEntropyRows', p, [x, targets, ...weights], [losses, losses], (_, __, output) =>
        output === 0 ? limit : 0,
      )
      const scalars = [Float32Array.of(0.75), Float32Array.of(total)]
      const scale = 0.75 / (total || 1)
      agrees(
        'crossEntropyGradient',
        p,
        [...scalars, x, targets, ...weights],
        x,
        () => scale * (float32Share(classes, RANGE) + float32Loss(0, 1)),
      )
    }),
    RUNS,
  )
})

const FUNCTIONS = ['squaredError', 'binaryCrossEntropyWithLogits'] as const

test('losses by element and their gradients', () => {
  fc.assert(
    fc.property(length, length, fc.constantFrom(...FUNCTIONS), fc.boolean(), (count, size, name, strange) => {
      const p = { rows: Math.min(count, 40), size, function: name }
      const x = strange ? special(logits(p.rows * size)) : logits(p.rows * size)
      const target = noise(p.rows * size, 2).map((value) => (value + 1) / 2)
      const losses = noise(p.rows, 3)
      // the largest square is (8 + 1)^2; the largest terms of the other loss add up to 8 + 8 + log 2
      agrees('lossRows', p, [x, target], losses, () => float32Loss(size, name === 'squaredError' ? 81 : 17))
      const inputs = [Float32Array.of(0.75), Float32Array.of(2), x, target, weightsOf(p.rows)]
      agrees('lossRowsGradient', p, inputs, x, () => float32Loss(0, (0.75 / 2 / size) * 18))
      agrees('lossRowsGradient', p, [inputs[0], Float32Array.of(0), ...inputs.slice(2)], x, exactly)
    }),
    RUNS,
  )
})

test('weightedMean', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.boolean(), (count, none) => {
      const weights = none ? new Float32Array(count) : weightsOf(count)
      const losses = noise(count, 1).map((value, i) => (weights[i] === 0 ? Number.NaN : value))
      agrees('weightedMean', { rows: count }, [losses, weights], [noise(1, 2), noise(1, 3)], exactly)
    }),
    RUNS,
  )
})

test.run()
