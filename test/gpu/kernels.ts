/**
 * Every GPU kernel against the plain loops in float64, on random shapes: sizes of 1, primes, not multiples of 4. On
 * whatever runs its programs: a GPU (kernels.gl.ts), or gpu.js without one (gpu-kernels.test.ts).
 */
import * as fc from 'fast-check'
import { test } from 'uvu'
import type { BinaryFunction, UnaryFunction } from '../../kernels/kernels.js'
import { UNARY } from '../../kernels/reference/index.js'
import { contiguous, product } from '../../kernels/reference/strides.js'
import { float32Loss, float32Sum, gpuFunction, roundings } from '../tolerances.js'
import { agreement, cases, exactly, type KernelRunner, noise } from './agreement.js'

export function testKernels(runner: KernelRunner): void {
  const agrees = agreement(runner)

  const lengths = fc.oneof(
    fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 16, 17),
    fc.integer({ min: 1, max: 600 }),
    fc.constant(9001),
  )
  const seeds = fc.integer({ min: 1, max: 1e6 })

  test('fill', () => cases(lengths, (size) => agrees('fill', { size, value: 1.5 }, [], [size], exactly)))

  const axis = fc.record({
    size: fc.oneof(fc.constantFrom(1, 2, 3, 4, 5), fc.integer({ min: 1, max: 19 })),
    cut: fc.integer({ min: 0, max: 2 }),
    order: fc.nat(),
  })

  test('copies of any permutation and slice', () =>
    cases(fc.tuple(fc.array(axis, { maxLength: 4 }), seeds), ([drawn, seed]) => {
      const shape = drawn.map((d) => d.size)
      const order = drawn.map((_, i) => i).sort((i, j) => drawn[i].order - drawn[j].order)
      const stored = contiguous(order.map((i) => shape[i] + 2 * drawn[i].cut))
      const strides = drawn.map((_, i) => stored[order.indexOf(i)])
      const offset = drawn.reduce((sum, { cut }, i) => sum + cut * strides[i], 0)
      const x = noise(product(drawn.map((d) => d.size + 2 * d.cut)), seed)
      return agrees('stridedCopy', { shape, strides, offset }, [x], [product(shape)], exactly)
    }))

  const UNARY_NAMES = Object.keys(UNARY) as UnaryFunction[]
  /** Of constants that float32 holds, so that they are no error of their own. */
  const constantsOf = (name: UnaryFunction) =>
    name === 'clamp' ? { a: -0.5, b: 1 } : name === 'pow' ? { a: 3, b: 0 } : { a: 0.25, b: 0.75 }
  const ODD = [Number.NaN, Infinity, -Infinity, 0, 60, -60, 100, -100]

  test('functions of one tensor and their derivatives, also of NaN, infinities and what lies far out', () =>
    cases(
      fc.tuple(lengths, seeds),
      async ([size, seed]) => {
        for (const name of UNARY_NAMES) {
          const p = { size, function: name, ...constantsOf(name) }
          const spread = noise(size, seed).map((x, i) => (i % 7 === 3 ? ODD[(i + seed) % ODD.length] : 4 * x))
          await agrees('unary', p, [spread], [size], gpuFunction)
          // derivatives in y only make sense of a y that the function gives
          const inY = UNARY[name].derivativeIn === 'y'
          const s = Float32Array.from(spread, (x) => (inY ? UNARY[name].f(x, p.a, p.b) : x))
          await agrees('unaryGradient', p, [noise(size, seed + 1), s], [size], gpuFunction)
        }
      },
      8,
    ))

  test('a power of any exponent', () =>
    cases(fc.tuple(lengths, seeds, fc.constantFrom(0, 1, 2, 3, 7, -1, -2, 0.5, 1.5, -0.5, 2.25)), ([size, seed, a]) => {
      const x = noise(size, seed).map((v, i) => (i % 5 === 2 ? 0 : 2 * v + Math.sign(v)))
      return agrees('unary', { size, function: 'pow', a, b: 0 }, [x], [size], gpuFunction)
    }))

  const BINARY: readonly BinaryFunction[] = [
    ...(['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'less', 'lessEqual'] as const),
    ...(['greater', 'greaterEqual', 'equal', 'notEqual', 'keepWhere', 'keepUnless'] as const),
  ]

  test('binary functions, broadcast in every way', () => {
    const axes = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 12 }), repeated: fc.tuple(fc.boolean(), fc.boolean()) }),
      {
        maxLength: 4,
      },
    )
    return cases(fc.tuple(axes, seeds, fc.constantFrom(...BINARY)), ([drawn, seed, name]) => {
      const shape = drawn.map(({ size }) => size)
      const operand = (k: 0 | 1) => {
        const own = drawn.map(({ size, repeated }) => (repeated[k] ? 1 : size))
        return { size: product(own), strides: contiguous(own).map((stride, i) => (own[i] === 1 ? 0 : stride)) }
      }
      const [a, b] = [operand(0), operand(1)]
      const p = { shape, stridesA: a.strides, stridesB: b.strides, function: name }
      const quarters = (size: number, offset: number) =>
        noise(size, seed + offset).map((x, i) => ((i + seed) % 11 === 0 ? Number.NaN : Math.round(x * 8) / 4))
      return agrees('binary', p, [quarters(a.size, 0), quarters(b.size, 1)], [product(shape)], (y) =>
        roundings(4, Math.abs(y)),
      )
    })
  })

  test('sums and maxima over any axes', () => {
    const reducible = fc.record({ size: fc.integer({ min: 1, max: 21 }), reduced: fc.boolean() })
    return cases(fc.tuple(fc.array(reducible, { maxLength: 4 }), seeds), async ([drawn, seed]) => {
      const shape = drawn.map(({ size }) => size)
      if (product(shape) > 60000) return
      const outputs = product(drawn.map((d) => (d.reduced ? 1 : d.size)))
      const terms = product(shape) / outputs
      const p = { shape, reduced: drawn.map((d) => d.reduced), scale: 0.75, accumulate: false }
      const x = noise(product(shape), seed)
      await agrees('reduce', { ...p, function: 'sum' }, [x], [outputs], () => float32Sum(terms, terms))
      const some = x.map((value, i) => ((i + seed) % 97 === 0 ? Number.NaN : value))
      await agrees('reduce', { ...p, function: 'max' }, [some], [outputs], exactly)
    })
  })

  const sizes = fc.oneof(
    fc.constantFrom(1, 2, 3, 5, 17),
    fc.constantFrom(4, 8, 12, 32, 64),
    fc.integer({ min: 1, max: 70 }),
  )
  const products = fc.record({
    batch: fc.constantFrom(1, 1, 3),
    m: sizes,
    k: sizes,
    n: sizes,
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    bias: fc.boolean(),
  })

  test('matmul', () =>
    cases(products, (drawn) => {
      const { batch, m, k, n, bias } = drawn
      // a is used in reverse order, and b is one matrix for the whole batch
      const offsetsA = Array.from({ length: batch }, (_, i) => batch - 1 - i)
      const p = { ...drawn, offsetsA, offsetsB: new Array<number>(batch).fill(0), accumulate: false }
      const inputs = [noise(batch * m * k, 1), noise(k * n, 2), ...(bias ? [noise(n, 3)] : [])]
      return agrees('matmul', p, inputs, [batch * m * n], () => float32Sum(k + 1, k + 1))
    }))

  test('blend and sums of squares', () =>
    cases(fc.tuple(lengths, seeds, fc.constantFrom(0, 1, 0.3)), async ([size, seed, a]) => {
      const y = a === 0 ? new Float32Array(size).fill(Number.NaN) : noise(size, seed)
      const inputs = [y, noise(size, seed + 1)]
      await agrees('blend', { size, a, b: 0.7 }, inputs, [size], () => roundings(4, 1))
      await agrees('addSumOfSquares', { size }, [Float32Array.of(2), inputs[1]], [1], (sum) => float32Sum(size, sum))
    }))

  test('SGD with every option', () => {
    const options = fc.record({
      size: lengths,
      learningRate: fc.constantFrom(0.1, 0.003),
      weightDecay: fc.constantFrom(0, 0.02),
      clip: fc.boolean(),
      maxNorm: fc.constantFrom(0.5, 100),
      first: fc.boolean(),
      nesterov: fc.boolean(),
    })
    return cases(fc.tuple(options, seeds), async ([p, seed]) => {
      const [parameter, velocity, gradient] = [1, 2, 3].map((k) => noise(p.size, seed + k))
      const norm = p.clip ? [Float32Array.of(4)] : []
      // All inputs are at most 1 in size, so no term of the update is more than 3.
      const limit = () => roundings(8, 3)
      await agrees('sgd', { ...p, momentum: 0, dampening: 0 }, [parameter, gradient, ...norm], [p.size], limit)
      const momentum = { ...p, momentum: 0.9, dampening: p.nesterov ? 0 : 0.3 }
      const state = p.first ? velocity.map(() => Number.NaN) : velocity
      await agrees('sgd', momentum, [parameter, state, gradient, ...norm], [p.size, p.size], limit)
    })
  })

  const losses = fc.record({
    outer: fc.integer({ min: 1, max: 9 }),
    classes: fc.integer({ min: 1, max: 11 }),
    inner: fc.constantFrom(1, 1, 3),
    ignoreIndex: fc.constantFrom(-100, 1),
    labelSmoothing: fc.constantFrom(0, 0.25),
    weighted: fc.boolean(),
  })

  test('cross-entropy by row, and its gradient', () =>
    cases(fc.tuple(losses, seeds), async ([p, seed]) => {
      const rows = p.outer * p.inner
      const logits = noise(rows * p.classes, seed).map((x) => 8 * x)
      // every class, and every now and then none
      const targets = Float32Array.from(
        { length: rows },
        (_, i) => ((i * 7 + seed) % (p.classes + 1)) - ((i + seed) % 13 === 0 ? 0.5 : 0),
      )
      const weights = noise(p.outer, seed + 1).map((x, i) => (i % 4 === 3 ? 0 : x + 2))
      const own = p.weighted ? [weights] : []
      await agrees('crossEntropyRows', p, [logits, targets, ...own], [rows, rows], () => float32Loss(2 * p.classes, 20))
      const scalars = [Float32Array.of(0.5), Float32Array.of(seed % 5 === 0 ? 0 : 3)]
      const limit = () => float32Loss(2 * p.classes, 2)
      await agrees('crossEntropyGradient', p, [...scalars, logits, targets, ...own], [logits.length], limit)
    }))

  test('the weighted mean of row losses', () =>
    cases(fc.tuple(lengths, seeds, fc.boolean()), ([rows, seed, none]) => {
      const weights = noise(rows, seed).map((x, i) => (none || i % 3 === 1 ? 0 : x + 2))
      const losses = noise(rows, seed + 1).map((x, i) => (weights[i] === 0 ? Number.NaN : x))
      return agrees('weightedMean', { rows }, [losses, weights], [1, 1], (_, __, output) =>
        float32Sum(rows, output === 0 ? 4 : 3 * rows),
      )
    }))
}
