/** Sums with more terms than the loops of one program can add: Mesa's software GL runs at most 65,535 rounds. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blockSum, EXACT_SUM } from '../tolerances.js'
import { onGpu } from './on-gpu.js'

const run = await onGpu()

const ONE_PRODUCT = { batch: 1, offsetsA: [0], offsetsB: [0], accumulate: false }
const TRANSPOSES = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
]
const WINDOW = { kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 }

test('a product over many terms is complete', async () => {
  for (const [m, n, k] of [
    [1, 1, 4000],
    [1, 1, 70001],
    [2, 3, 262143],
    [3, 2, 300001],
  ]) {
    for (const [transposeA, transposeB] of TRANSPOSES) {
      const p = { ...ONE_PRODUCT, m, k, n, transposeA, transposeB, bias: true }
      const ones = (size: number) => new Float32Array(size).fill(1)
      const [y] = await run('matmul', p, [ones(m * k), ones(k * n), ones(n)], [m * n])
      for (const value of Array.from(y)) assert.is(value, k + 1, JSON.stringify(p))
    }
  }
})

test('argmax over many values looks at all of them', async () => {
  for (const [outer, size, inner] of [
    [1, 70001, 1],
    [2, 30000, 3],
  ]) {
    const x = new Float32Array(outer * size * inner).map((_, i) => i % 7)
    const wanted = Array.from({ length: outer * inner }, (_, group) => size - 1 - group * 1000)
    wanted.forEach((place, group) => {
      const start = Math.floor(group / inner) * size * inner + (group % inner)
      // the maximum occurs twice; the first counts
      x[start + place * inner] = 9
      x[start + (size - 1) * inner] = 9
    })
    const [y] = await run('argmax', { outer, size, inner }, [x], [outer * inner])
    assert.equal(Array.from(y), wanted)
  }
})

test('cross-entropy over many classes is complete', async () => {
  const [outer, classes] = [3, 20000]
  const p = { outer, classes, inner: 1, ignoreIndex: -100, labelSmoothing: 0.25, weighted: false }
  const [logits, targets] = [new Float32Array(outer * classes), new Float32Array(outer).fill(classes - 1)]
  const [losses] = await run('crossEntropyRows', p, [logits, targets], [outer, outer])
  for (const loss of Array.from(losses)) assert.ok(Math.abs(loss - Math.log(classes)) < 1e-4, `${loss}`)
  const scalars = [Float32Array.of(1), Float32Array.of(1)]
  const [slopes] = await run('crossEntropyGradient', p, [...scalars, logits, targets], [logits.length])
  Array.from(slopes).forEach((slope, i) => {
    const wanted = 1 / classes - 0.25 / classes - (i % classes === classes - 1 ? 0.75 : 0)
    assert.ok(Math.abs(slope - wanted) < 1e-8, `${i}: ${slope}`)
  })
})

test('the weight gradient of many weights over many positions is complete', async () => {
  const [batch, channels, side] = [68, 32, 16]
  const image = { batch, channels, height: side, width: side, groups: 1 }
  const output = { outChannels: channels, outHeight: side, outWidth: side }
  const p = { ...image, ...output, ...WINDOW, padY: 1, padX: 1, accumulate: false }
  const ones = new Float32Array(batch * channels * side * side).fill(1)
  const [dw] = await run('convolutionWeightGradient', p, [ones, ones], [channels * channels * 9])
  // along an axis the middle tap meets every position, and each other tap all except one
  const along = (tap: number) => (tap === 1 ? side : side - 1)
  for (let i = 0; i < dw.length; i++) {
    assert.is(dw[i], batch * along(Math.floor(i / 3) % 3) * along(i % 3), `weight ${i}`)
  }
})

/**
 * The roundings of equal terms do not cancel.
 * @param terms  the number of terms; blocks of 64 terms, or rows of them, are added first
 */
const near = (what: string, values: ArrayLike<number>, wanted: number, terms: number): void => {
  for (const value of Array.from(values)) {
    const error = Math.abs(value / wanted - 1)
    assert.ok(error <= blockSum(terms, 64), `${what}: ${value}, not ${wanted}: ${error}`)
  }
}

test('sums of many equal terms keep their digits', async () => {
  const v = Math.fround(0.1)
  const all = (size: number) => new Float32Array(size).fill(v)
  for (const [m, n, k] of [
    [1, 1, 70001],
    [4, 4, 262143],
  ]) {
    for (const [transposeA, transposeB] of TRANSPOSES) {
      const p = { ...ONE_PRODUCT, m, k, n, transposeA, transposeB, bias: false }
      const [y] = await run('matmul', p, [all(m * k), all(k * n)], [m * n])
      near('matmul', y, k * v * v, k / 4)
    }
  }
  for (const [rows, size] of [
    [1, 2 ** 21],
    [2, 2 ** 20],
  ] as const) {
    const p = { shape: [rows, size], reduced: [false, true], function: 'sum', scale: 1, accumulate: false } as const
    const [y] = await run('reduce', p, [all(rows * size)], [rows])
    near('reduce', y, size * v, size / 64)
  }
  const channels = 4096
  const image = { batch: 1, channels, height: 3, width: 3, groups: 1, outChannels: 4, outHeight: 1, outWidth: 1 }
  const convolution = { ...image, ...WINDOW, padY: 0, padX: 0, bias: false }
  const [y] = await run('convolution', convolution, [all(9 * channels), all(36 * channels)], [4])
  near('convolution', y, 9 * channels * v * v, 9 * channels)
  const rows = 20000
  const table = { rows, width: 1, entries: 1, accumulate: false }
  const [dtable] = await run('embeddingGradient', table, [all(rows), new Float32Array(rows)], [1])
  near('embeddingGradient', dtable, rows * v, 8192)
})

test('a sum in two numbers keeps the parts that its roundings lose', async () => {
  const [term, factor, times] = [Math.fround(0.1), 0.5, 200]
  let sum = Float32Array.of(1000, 0)
  for (let i = 0; i < times; i++) {
    const [next] = await run('addExactly', { factor }, [sum, Float32Array.of(term)], [2])
    sum = Float32Array.from(next)
  }
  const wanted = 1000 + times * factor * term
  assert.ok(Math.abs((sum[0] + sum[1]) / wanted - 1) <= EXACT_SUM, `${sum}, not ${wanted}`)
})

test.run()
