/**
 * The reference kernels: known values, the rules at ties and NaN, and gradients of convolutions as adjoints.
 * Not here: every gradient against finite differences, which is generated from the op table.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { erf, erfc } from '../kernels/erf.js'
import { UNARY } from '../kernels/functions.js'
import { gpuWorkspaces } from '../kernels/gpu/index.js'
import type { Convolution, Kernel } from '../kernels/kernels.js'
import { reference as kernels } from '../kernels/reference/index.js'
import { threefry } from '../kernels/reference/machine/threefry.js'
import { largestOf } from '../kernels/strides.js'
import { offsetsOf, sizeOf } from '../src/tensor/shape.js'
import { fc } from './property.js'

const RUNS = { seed: 20, numRuns: 150 }
const floats = (...values: number[]) => Float64Array.from(values)

/** Reproducible numbers in [-0.5, 0.5), from the first word of threefry, which has a test of its own. */
const noise = (size: number, stream: number) =>
  Float64Array.from({ length: size }, (_, i) => threefry(7, stream, i, 0)[0] / 2 ** 32 - 0.5)

/** Both arrays hold sums of at most a few thousand products below 1/4: the orders differ by less than this. */
const ROUNDING = 1e-12
function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = ROUNDING): void {
  assert.is(actual.length, expected.length)
  for (let i = 0; i < actual.length; i++) {
    const distance = Math.abs(actual[i] - expected[i])
    assert.ok(distance <= tolerance, `element ${i}: ${actual[i]} is not ${expected[i]}`)
  }
}
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)

/** Runs a kernel into one new array, which starts as NaN so that an element left out shows. */
function run<P>(kernel: Kernel<P>, parameters: NoInfer<P>, inputs: Float64Array[], size: number): Float64Array {
  const y = new Float64Array(size).fill(Number.NaN)
  kernel(parameters, inputs, [y])
  return y
}

test('threefry gives the known answers of Random123', () => {
  assert.equal(threefry(0, 0, 0, 0), [0x6b200159, 0x99ba4efe])
  assert.equal(threefry(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff), [0x1cb996fc, 0xbb002be7])
  assert.equal(threefry(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), [0xc4923a9c, 0x483df7a0])
})

test('erf is right to 1e-15, erfc to a relative 1e-12', () => {
  const known = [
    [0, 0, 1],
    [0.5, 0.5204998778130465, 0.4795001221869535],
    [1, 0.8427007929497149, 0.1572992070502851],
    [2, 0.9953222650189527, 0.004677734981047266],
    [3, 0.9999779095030014, 2.209049699858544e-5],
    [5, 0.9999999999984626, 1.5374597944280347e-12],
  ]
  for (const [x, value, complement] of known) {
    assert.ok(Math.abs(erf(x) - value) <= 1e-15, `erf(${x}) = ${erf(x)}`)
    assert.is(erf(-x), -erf(x))
    assert.ok(Math.abs(erfc(x) / complement - 1) <= 1e-12, `erfc(${x}) = ${erfc(x)}`)
  }
})

test('every derivative of a unary function agrees with its difference quotient', () => {
  const step = 1e-6
  for (const [name, { f, gradient, derivativeIn }] of Object.entries(UNARY)) {
    const [a, b] = name === 'clamp' ? [0.5, 1.5] : [0.3, 0.7]
    for (const x of [0.21, 0.9, 2.3]) {
      const slope = (f(x + step, a, b) - f(x - step, a, b)) / (2 * step)
      const claimed = gradient(1, derivativeIn === 'x' ? x : f(x, a, b), a, b)
      assert.ok(Math.abs(slope - claimed) < 1e-8, `${name}'(${x}) = ${claimed}, not ${slope}`)
    }
  }
})

test('unary functions at their corners', () => {
  const { relu, abs, clamp, pow, sigmoid, softplus } = UNARY
  assert.equal([relu.gradient(1, 0, 0, 0), abs.gradient(1, 0, 0, 0)], [0, 0])
  assert.equal(
    [0, 1, 2, 3].map((x) => clamp.gradient(1, x, 1, 2)),
    [0, 1, 1, 0],
  )
  assert.equal([pow.gradient(1, 0, 0, 0), pow.gradient(1, 0, 1, 0)], [0, 1])
  assert.equal([sigmoid.f(-1000, 0, 0), sigmoid.f(1000, 0, 0)], [0, 1])
  assert.equal([softplus.f(-1000, 0, 0), softplus.f(1000, 0, 0)], [0, 1000])
  assert.ok(Number.isNaN(relu.f(Number.NaN, 0, 0)))
  const x = floats(-2, -0, 0, 3)
  const unary = { size: 4, function: 'relu', a: 0, b: 0 } as const
  assertClose(run(kernels.unary, unary, [x], 4), [0, 0, 0, 3])
  assertClose(run(kernels.unaryGradient, unary, [floats(1, 2, 3, 4), x], 4), [0, 0, 0, 4])
})

test('binary functions broadcast, pass NaN on, and split ties', () => {
  const outer = { shape: [2, 3], stridesA: [1, 0], stridesB: [0, 1] }
  assertClose(
    run(kernels.binary, { ...outer, function: 'sub' }, [floats(10, 20), floats(1, 2, 3)], 6),
    [9, 8, 7, 19, 18, 17],
  )
  const flat = { shape: [3], stridesA: [1], stridesB: [1] }
  const a = floats(1, Number.NaN, 2)
  const b = floats(1, 1, 5)
  const greatest = run(kernels.binary, { ...flat, function: 'maximum' }, [a, b], 3)
  assert.ok(greatest[0] === 1 && Number.isNaN(greatest[1]) && greatest[2] === 5)
  const dy = floats(1, 1, 1)
  const towards = (side: 0 | 1) => run(kernels.binaryGradient, { ...flat, function: 'maximum', side }, [dy, a, b], 3)
  assertClose([towards(0)[0], towards(0)[2], towards(1)[0], towards(1)[2]], [0.5, 0, 0.5, 1])
  assertClose(run(kernels.binary, { ...flat, function: 'keepWhere' }, [a, floats(1, 0, 1)], 3), [1, 0, 2])
  assertClose(run(kernels.binary, { ...flat, function: 'keepUnless' }, [a, floats(1, 1, 0)], 3), [0, 0, 2])
  const picked = run(kernels.select, { ...flat, stridesCondition: [1] }, [floats(1, 0, 1), a, b], 3)
  assertClose(picked, [1, 1, 2])
})

test('strided copies, padding and concatenation', () => {
  const x = floats(0, 1, 2, 3, 4, 5)
  assertClose(run(kernels.stridedCopy, { shape: [3, 2], strides: [1, 3], offset: 0 }, [x], 6), [0, 3, 1, 4, 2, 5])
  assertClose(run(kernels.stridedCopy, { shape: [2, 2], strides: [3, 0], offset: 2 }, [x], 4), [2, 2, 5, 5])
  const padded = run(
    kernels.pad,
    { shape: [2, 2], before: [0, 1], outShape: [2, 4], value: 9 },
    [floats(1, 2, 3, 4)],
    8,
  )
  assertClose(padded, [9, 1, 2, 9, 9, 3, 4, 9])
  const joined = run(kernels.concat, { outer: 2, sizes: [1, 2], inner: 1 }, [floats(1, 2), floats(3, 4, 5, 6)], 6)
  assertClose(joined, [1, 3, 4, 2, 5, 6])
})

test('reduce agrees with a sum over flat indices, for any shape and axes', () => {
  const axis = fc.record({ size: fc.integer({ min: 1, max: 4 }), reduced: fc.boolean() })
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 5 }), (axes) => {
      const shape = axes.map((a) => a.size)
      const reduced = axes.map((a) => a.reduced)
      const x = noise(
        shape.reduce((a, b) => a * b, 1),
        1,
      )
      const expected = new Float64Array(axes.reduce((n, a) => (a.reduced ? n : n * a.size), 1)).fill(1)
      x.forEach((value, i) => {
        let rest = i
        let at = 0
        let stride = 1
        for (const { size, reduced } of axes.toReversed()) {
          if (!reduced) {
            at += (rest % size) * stride
            stride *= size
          }
          rest = Math.floor(rest / size)
        }
        expected[at] += 2 * value
      })
      const y = new Float64Array(expected.length).fill(1)
      kernels.reduce({ shape, reduced, function: 'sum', scale: 2, accumulate: true }, [x], [y])
      assertClose(y, expected)
    }),
    RUNS,
  )
})

test('max: NaN wins, ties share, argmax takes the first', () => {
  const rows = { shape: [2, 3], reduced: [false, true] }
  const x = floats(1, 4, 4, 2, Number.NaN, 7)
  const y = run(kernels.reduce, { ...rows, function: 'max', scale: 1, accumulate: false }, [x], 2)
  assert.ok(y[0] === 4 && Number.isNaN(y[1]))
  assertClose(run(kernels.maxGradient, rows, [floats(6, 1), x, y], 6).subarray(0, 3), [0, 3, 3])
  assertClose(run(kernels.argmax, { outer: 2, size: 3, inner: 1 }, [x], 2), [1, 1])
})

const size = (max: number) => fc.integer({ min: 1, max })

test('offsets made from shape and strides know the largest of the listed ones, and a GPU kernel asks for the same workspace, even for a large batch', () => {
  const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(7)), { maxLength: 4 })
  const product = { m: 5, k: 6, n: 7, transposeA: true, transposeB: false, bias: false, accumulate: false }
  const agree = (shape: number[], strides: number[]): void => {
    const made = offsetsOf(shape, strides)
    const list = made.list()
    assert.is(list.length, sizeOf(shape))
    assert.is(made.largest, largestOf(list))
    const workspaces = [made, list].map((offsetsA) =>
      gpuWorkspaces('matmul', { ...product, batch: list.length, offsetsA, offsetsB: offsetsA }, 'webgl2'),
    )
    assert.equal(workspaces[0], workspaces[1])
  }
  fc.assert(
    fc.property(axes, (drawn) =>
      agree(
        drawn.map(([dim]) => dim),
        drawn.map(([, stride]) => stride),
      ),
    ),
    RUNS,
  )
  agree([200_000], [1])
})

const convolutions = fc
  .record({
    batch: size(3),
    height: size(7),
    width: size(7),
    groups: size(3),
    groupChannels: size(5),
    groupOut: size(5),
    kernelHeight: size(4),
    kernelWidth: size(4),
    strideY: size(3),
    strideX: size(3),
    dilationY: size(3),
    dilationX: size(3),
    padY: fc.integer({ min: 0, max: 3 }),
    padX: fc.integer({ min: 0, max: 3 }),
  })
  .map(
    (p): Convolution => ({
      ...p,
      channels: p.groups * p.groupChannels,
      outChannels: p.groups * p.groupOut,
      outHeight: Math.floor((p.height + 2 * p.padY - p.dilationY * (p.kernelHeight - 1) - 1) / p.strideY) + 1,
      outWidth: Math.floor((p.width + 2 * p.padX - p.dilationX * (p.kernelWidth - 1) - 1) / p.strideX) + 1,
    }),
  )
  .filter((p) => p.outHeight > 0 && p.outWidth > 0)

const inputSize = (p: Convolution) => p.batch * p.channels * p.height * p.width
const weightSize = (p: Convolution) => (p.outChannels * p.channels * p.kernelHeight * p.kernelWidth) / p.groups
const outputSize = (p: Convolution) => p.batch * p.outChannels * p.outHeight * p.outWidth

test('the gradients of convolution are its adjoints', () => {
  fc.assert(
    fc.property(convolutions, (p) => {
      const [x, w, dy] = [noise(inputSize(p), 1), noise(weightSize(p), 2), noise(outputSize(p), 3)]
      const along = dot(run(kernels.convolution, { ...p, bias: false }, [x, w], dy.length), dy)
      const dx = run(kernels.convolutionInputGradient, { ...p, bias: false }, [dy, w], x.length)
      assertClose([dot(x, dx)], [along])
      const dw = run(kernels.convolutionWeightGradient, { ...p, accumulate: false }, [dy, x], w.length)
      assertClose([dot(w, dw)], [along])
    }),
    RUNS,
  )
})

const window = {
  ...{ planes: 1, kernelHeight: 2, kernelWidth: 2, strideY: 2, strideX: 2, padY: 0, padX: 0 },
  ...{ dilationY: 1, dilationX: 1 },
}

test('pooling: the first of equals takes the gradient, NaN wins, padding never does', () => {
  const p = { ...window, height: 2, width: 4, outHeight: 1, outWidth: 2 }
  const x = floats(1, 3, 0, Number.NaN, 3, 2, 5, 6)
  const y = run(kernels.maxPool, p, [x], 2)
  assert.ok(y[0] === 3 && Number.isNaN(y[1]))
  // 1 and 1 in two bits each: the second number of the window, counted row by row
  const choices = run(kernels.maxPoolChoices, p, [x], 1)
  assertClose(choices, [1 + 4 * 1])
  assertClose(run(kernels.maxPoolGradient, p, [floats(1, 2), choices], 8), [0, 1, 0, 2, 0, 0, 0, 0])
  const padded = { ...window, height: 2, width: 2, outHeight: 2, outWidth: 2, padY: 1, padX: 1 }
  assertClose(run(kernels.maxPool, padded, [floats(-1, -2, -3, -4)], 4), [-1, -2, -3, -4])
  const mean = (countPadding: boolean) =>
    run(kernels.averagePool, { ...padded, countPadding }, [floats(4, 8, 12, 16)], 4)
  assertClose(mean(true), [1, 2, 3, 4])
  assertClose(mean(false), [4, 8, 12, 16])
})

test('softmax survives large logits, and its logarithm agrees', () => {
  const p = { outer: 1, size: 3, inner: 1 }
  const x = floats(1000, 1001, -1000)
  const y = run(kernels.softmax, { ...p, log: false }, [x], 3)
  assertClose(y, [1 / (1 + Math.E), Math.E / (1 + Math.E), 0])
  assertClose(run(kernels.softmax, { ...p, log: true }, [x], 3), [
    -Math.log(1 + Math.E),
    1 - Math.log(1 + Math.E),
    -2001 - Math.log1p(1 / Math.E),
  ])
})

test('a row of weight 0 leaks no NaN into loss or gradient', () => {
  const p = { outer: 2, classes: 2, inner: 1, ignoreIndex: -1, labelSmoothing: 0.1, weighted: false }
  const logits = floats(Number.NaN, 0, 0, 0)
  const targets = floats(-1, 1)
  const [losses, weights, mean, total] = [2, 2, 1, 1].map((n) => new Float64Array(n))
  kernels.crossEntropyRows(p, [logits, targets], [losses, weights])
  assertClose(losses, [0, Math.LN2])
  assertClose(weights, [0, 1])
  kernels.weightedMean({ rows: 2 }, [floats(Number.NaN, 3), floats(0, 2)], [mean, total])
  assert.equal([mean[0], total[0]], [3, 2])
  kernels.weightedMean({ rows: 1 }, [floats(1), floats(0)], [mean, total])
  assert.equal([mean[0], total[0]], [0, 0])
  const gradient = (sum: number) => run(kernels.crossEntropyGradient, p, [floats(1), floats(sum), logits, targets], 4)
  assertClose(gradient(1), [0, 0, 0.45, -0.45])
  assertClose(gradient(0), [0, 0, 0, 0])
})

test('dropout depends on the position in the mini-batch, not on its split', () => {
  const p = { rate: 0.25, seed: 3, step: 5, call: 1 }
  const x = new Float64Array(1000).fill(1)
  const whole = run(kernels.dropout, { ...p, size: 1000, first: 0 }, [x], 1000)
  const tail = run(kernels.dropout, { ...p, size: 501, first: 499 }, [x], 501)
  assert.equal(tail, whole.slice(499))
  const kept = whole.filter((value) => value !== 0)
  assert.ok(kept.every((value) => value === 1 / 0.75))
  assert.ok(Math.abs(kept.length - 750) < 60, `${kept.length} of 1000 kept: more than 4 standard deviations off`)
})

test('no two elements of a mini-batch of any size share a counter, and the masks of the first 2^32 elements do not change with its size', () => {
  const key = { size: 256, rate: 0.5, seed: 3, step: 5 }
  const ones = new Float64Array(256).fill(1)
  const mask = (call: number, first: number) => run(kernels.dropout, { ...key, call, first }, [ones], 256).join('')
  const seen = new Set<string>()
  const firsts = Array.from({ length: 53 - 8 }, (_, i) => 2 ** (8 + i)).flatMap((first) => [first, first + 256])
  for (const call of [0, 1, 2, 1024, 2047]) for (const first of [0, ...firsts]) seen.add(mask(call, first))
  // 256 and 512 are in the list twice
  assert.is(seen.size, 5 * new Set([0, ...firsts]).size)
  for (const first of [0, 2 ** 31, 2 ** 32 - 2]) {
    const words = threefry(3, 5, first / 2, 1)
    const y = run(kernels.dropout, { ...key, size: 2, call: 1, first }, [ones.slice(0, 2)], 2)
    assert.equal(
      Array.from(y),
      words.map((word) => (word >= 2 ** 31 ? 2 : 0)),
    )
  }
})

test('normalising by own moments gives mean 0, variance 1, and a gradient orthogonal to both', () => {
  const p = { outer: 2, groups: 3, inner: 4, affineSize: 3, affineInner: 4, eps: 0, affine: false }
  const [x, dy] = [noise(24, 1), noise(24, 2)]
  const [mean, variance] = [new Float64Array(3), new Float64Array(3)]
  kernels.moments(p, [x], [mean, variance])
  const y = run(kernels.normalize, p, [x, mean, variance], 24)
  const [zeros, ones] = [new Float64Array(3), new Float64Array(3)]
  kernels.moments(p, [y], [zeros, ones])
  assertClose(zeros, [0, 0, 0])
  assertClose(ones, [1, 1, 1])
  const dx = run(kernels.normalizeGradient, { ...p, fixed: false }, [dy, x, mean, variance], 24)
  assertClose([dot(dx, new Float64Array(24).fill(1)), dot(dx, y)], [0, 0])
  const dgamma = run(kernels.normalizeScaleGradient, { ...p, accumulate: false }, [dy, x, mean, variance], 3)
  assertClose([dgamma[0] + dgamma[1] + dgamma[2]], [dot(dy, y)])
})

test('moments and gradients of parts, brought together, are those of the whole', () => {
  const view = { outer: 7, groups: 3, inner: 4, affineSize: 3, affineInner: 4, eps: 1e-3, affine: true }
  const size = (samples: number) => samples * 12
  const [x, dy, gamma] = [noise(size(7), 1), noise(size(7), 2), noise(3, 3)]
  const three = () => new Float64Array(3)
  const moments = [three(), three()]
  kernels.moments(view, [x], moments)
  const expected = run(kernels.normalizeGradient, { ...view, fixed: false }, [dy, x, ...moments, gamma], size(7))
  for (const cut of [[7], [4, 3], [1, 5, 1]]) {
    let before = 0
    const merged = [three().fill(Number.NaN), three().fill(Number.NaN)]
    const parts = cut.map((outer) => {
      const from = size(before)
      before += outer
      return { p: { ...view, outer }, x: x.subarray(from, size(before)), dy: dy.subarray(from, size(before)), before }
    })
    for (const { p, x, before } of parts) {
      const own = [three(), three()]
      kernels.moments(p, [x], own)
      kernels.mergeMoments({ size: 3, share: p.outer / before }, [...merged, ...own], merged)
    }
    assertClose(merged[0], moments[0])
    assertClose(merged[1], moments[1])
    const [sum, lean] = [three(), three()]
    for (const { p, x, dy } of parts) {
      kernels.normalizeScaleGradient({ ...p, accumulate: true }, [dy, x, ...merged], [lean])
      const shape = { shape: [p.outer, 3, 4], reduced: [true, false, true] }
      kernels.reduce({ ...shape, function: 'sum', scale: 1, accumulate: true }, [dy], [sum])
    }
    const count = 7 * 4
    const dx = parts.flatMap(({ p, x, dy }) => [
      ...run(kernels.normalizePartGradient, { ...p, count }, [dy, x, ...merged, sum, lean, gamma], x.length),
    ])
    assertClose(dx, expected)
  }
})

test('two steps of SGD and Adam by hand', () => {
  const common = { size: 1, learningRate: 0.1, clip: false, maxNorm: 0 }
  const momentum = { ...common, weightDecay: 0.5, momentum: 0.9, dampening: 0.5, nesterov: false }
  const [p, v] = [floats(2), floats(Number.NaN)]
  kernels.sgd({ ...momentum, first: true }, [p, v, floats(1)], [p, v]) // v = 1 + 0.5 * 2
  assertClose([p[0], v[0]], [1.8, 2])
  kernels.sgd({ ...momentum, first: false }, [p, v, floats(1)], [p, v]) // v = 0.9 * 2 + 0.5 * (1 + 0.5 * 1.8)
  assertClose([p[0], v[0]], [1.8 - 0.275, 2.75])
  const clipped = {
    ...common,
    clip: true,
    maxNorm: 1,
    weightDecay: 0,
    momentum: 0,
    dampening: 0,
    nesterov: false,
    first: true,
  }
  kernels.sgd(clipped, [p, floats(4), floats(4, 1)], [p])
  assertClose([p[0]], [1.525 - 0.1 * (4 / (4 + 1e-6))])

  const [q, m, s] = [floats(1), floats(0), floats(0)]
  const adam = {
    ...common,
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.99,
    eps: 0,
    correction1: 0.1,
    correction2: 0.01,
    decoupled: true,
  }
  // the first step has the size of the learning rate, against the sign of the gradient
  kernels.adam(adam, [q, m, s, floats(-3)], [q, m, s])
  assertClose([q[0], m[0], s[0]], [0.99 + 0.1, -0.3, 0.09])
})

test.run()
