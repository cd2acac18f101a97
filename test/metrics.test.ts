/** Metrics against counts by hand. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError, metrics } from '../src/index.js'
import { fc } from './property.js'

/** Outputs [N, C, P], with few different values so that some are equal, and targets [N, P], some outside the classes. */
const cases = fc
  .record({ n: fc.integer({ min: 1, max: 4 }), c: fc.integer({ min: 2, max: 6 }), p: fc.integer({ min: 1, max: 5 }) })
  .chain(({ n, c, p }) =>
    fc.record({
      n: fc.constant(n),
      c: fc.constant(c),
      p: fc.constant(p),
      outputs: fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Number.NaN)), {
        minLength: n * c * p,
        maxLength: n * c * p,
      }),
      targets: fc.array(fc.integer({ min: -1, max: c }), { minLength: n * p, maxLength: n * p }),
      cut: fc.nat(n),
    }),
  )

type Case = ReturnType<typeof cases.generate>['value']

/** For each target that counts: the target, and the classes with the largest output first. */
function ranked(
  { n, c, p, outputs, targets }: Case,
  ignored?: number,
): { target: number; order: number[]; nan: boolean }[] {
  const rows: { target: number; order: number[]; nan: boolean }[] = []
  for (let i = 0; i < n * p; i++) {
    const target = targets[i]
    if (target < 0 || target >= c || target === ignored) continue
    const values = Array.from({ length: c }, (_, k) => outputs[(Math.floor(i / p) * c + k) * p + (i % p)])
    const order = [...values.keys()].sort((a, b) => values[b] - values[a] || a - b)
    rows.push({ target, order, nan: values.some(Number.isNaN) })
  }
  return rows
}

/** The value of a metric that gets the samples in two pieces. */
function measured(make: () => ReturnType<ReturnType<typeof metrics.topK>>, { n, c, p, outputs, targets, cut }: Case) {
  const metric = make()
  for (const [from, to] of [
    [0, cut],
    [cut, n],
  ]) {
    if (from === to) continue
    metric.add(
      { data: Float32Array.from(outputs.slice(from * c * p, to * c * p)), shape: [to - from, c, p] },
      {
        inputs: { data: new Float32Array(to - from), shape: [to - from] },
        targets: { data: Int32Array.from(targets.slice(from * p, to * p)), shape: [to - from, p] },
      },
    )
  }
  return metric.value
}

test('topK counts the targets among the first k', () => {
  fc.assert(
    fc.property(
      cases,
      fc.integer({ min: 1, max: 7 }),
      fc.option(fc.nat(3), { nil: undefined }),
      (drawn, k, ignoreIndex) => {
        // an output that is NaN has no rank: see the next test
        const clean = { ...drawn, outputs: drawn.outputs.map((value) => (Number.isNaN(value) ? -1 : value)) }
        const rows = ranked(clean, ignoreIndex)
        const hits = rows.filter(({ target, order }) => order.slice(0, k).includes(target)).length
        const seen = measured(metrics.topK(k, { ignoreIndex }), clean)
        if (rows.length === 0) assert.is(seen, undefined)
        else assert.is(seen, hits / rows.length)
      },
    ),
    { seed: 4 },
  )
})

test('a NaN makes a target wrong', () => {
  const wrong = { n: 1, c: 2, p: 1, outputs: [1, Number.NaN], targets: [0], cut: 0 }
  assert.is(measured(metrics.topK(1), wrong), 0)
  assert.is(measured(metrics.meanIoU(), wrong), 0)
})

test('meanIoU and dice are means over the classes that occur', () => {
  fc.assert(
    fc.property(cases, fc.boolean(), (drawn, background) => {
      const rows = ranked(drawn)
      const [ious, dices]: number[][] = [[], []]
      for (let k = background ? 0 : 1; k < drawn.c; k++) {
        const is = rows.filter(({ target }) => target === k)
        const found = rows.filter(({ order, nan }) => !nan && order[0] === k)
        const both = is.filter((row) => found.includes(row)).length
        const either = is.length + found.length - both
        if (either === 0) continue
        ious.push(both / either)
        dices.push((2 * both) / (is.length + found.length))
      }
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
      for (const [make, values] of [
        [metrics.meanIoU({ background }), ious],
        [metrics.dice({ background }), dices],
      ] as const) {
        const seen = measured(make, drawn)
        if (values.length === 0) assert.is(seen, undefined)
        else assert.ok(Math.abs((seen ?? Number.NaN) - mean(values)) < 1e-12)
      }
    }),
    { seed: 4 },
  )
})

test('k is a positive whole number', () => {
  for (const k of [0, 1.5, -1])
    assert.throws(
      () => metrics.topK(k),
      (error: unknown) => error instanceof ArgumentError,
    )
})

test.run()
