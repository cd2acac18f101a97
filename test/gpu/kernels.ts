/**
 * Every GPU kernel against the plain loops in float64, on random shapes: sizes of 1, primes, not multiples of 4. The
 * programs run on a GPU (kernels.gl.ts), or by gpu.js without one (gpu-kernels.test.ts).
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  BINARY,
  BINARY_GRADIENT,
  type BinaryFunction,
  type BinaryWithGradient,
  type MaskedFunction,
  TWO_SLOPES,
  UNARY,
  type UnaryFunction,
} from '../../kernels/functions.js'
import { maskSize } from '../../kernels/packing.js'
import { reference } from '../../kernels/reference/index.js'
import { contiguous, product } from '../../kernels/strides.js'
import { noise, normOperand, optimizerOptions, permutedSlice, seeds } from '../operands.js'
import { fc } from '../property.js'
import { float32Loss, float32Sum, gpuFunction, roundings } from '../tolerances.js'
import { agreement, cases, exactly, type KernelRunner } from './agreement.js'
import { testGroups } from './groups.js'
import { testWindows } from './windows.js'

const words = fc.oneof(fc.nat(100), fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }))
const firsts = fc.oneof(
  fc.nat(100),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constantFrom(2 ** 24 - 3, 2 ** 31 - 2, 2 ** 32 - 1, 2 ** 33 + 5, 2 ** 45 - 7, 2 ** 53 - 2 ** 32),
)
/** The key and the position of random numbers. */
const drawings = fc.record({ seed: words, step: fc.nat(1e6), call: fc.nat(1000), first: firsts })

export function testKernels(runner: KernelRunner): void {
  const agrees = agreement(runner)

  const lengths = fc.oneof(
    fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 16, 17),
    fc.integer({ min: 1, max: 600 }),
    fc.constant(9001),
  )

  test('fill', () => cases(lengths, (size) => agrees('fill', { size, value: 1.5 }, [], [size], exactly)))

  const axis = fc.record({
    size: fc.oneof(fc.constantFrom(1, 2, 3, 4, 5), fc.integer({ min: 1, max: 19 })),
    cut: fc.integer({ min: 0, max: 2 }),
    order: fc.nat(),
  })

  test('copies of any permutation and slice', () =>
    cases(fc.tuple(fc.array(axis, { maxLength: 4 }), seeds), ([drawn, seed]) => {
      const { storedSize, ...p } = permutedSlice(drawn)
      return agrees('stridedCopy', p, [noise(storedSize, seed)], [product(p.shape)], exactly)
    }))

  test('padding of any axes', () => {
    const padded = fc.record({
      size: fc.integer({ min: 1, max: 6 }),
      before: fc.nat(2),
      after: fc.nat(2),
      is: fc.nat(1),
    })
    const values = fc.constantFrom(0, 1.5, -Infinity)
    return cases(fc.tuple(fc.array(padded, { maxLength: 6 }), seeds, values), async ([drawn, seed, value]) => {
      const shape = drawn.map((d) => d.size)
      const before = drawn.map((d) => d.is * d.before)
      const outShape = drawn.map((d) => d.is * (d.before + d.after) + d.size)
      if (product(outShape) > 30000) return
      await agrees(
        'pad',
        { shape, before, outShape, value },
        [noise(product(shape), seed)],
        [product(outShape)],
        exactly,
      )
    })
  })

  test('pieces side by side, even more than one program can read', () => {
    const list = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 })
    const pieces = fc.record({ outer: fc.integer({ min: 1, max: 5 }), inner: fc.constantFrom(1, 2, 3, 7), sizes: list })
    const many = fc.constant({ outer: 2, inner: 1, sizes: Array.from({ length: 70 }, (_, i) => 1 + (i % 3)) })
    return cases(fc.tuple(fc.oneof(pieces, pieces, pieces, many), seeds), ([p, seed]) => {
      const inputs = p.sizes.map((size, j) => noise(p.outer * size * p.inner, seed + j))
      const size = inputs.reduce((sum, { length }) => sum + length, 0)
      return agrees('concat', p, inputs, [size], exactly)
    })
  })

  test('dropout draws the masks of the reference for every seed, step, call and position', () => {
    const rates = fc.constantFrom(0.5, 0.1, 0.9, 1 / 3, 0, 1 - 2 ** -24)
    return cases(fc.tuple(lengths, drawings, rates), ([size, key, rate]) => {
      // no value is 0, so that a difference of the masks in one place shows; a NaN that is dropped must become 0
      const x = noise(size, size).map((value, i) => (i % 13 === 5 ? Number.NaN : value < 0 ? value - 1 : value + 1))
      return agrees('dropout', { size, rate, ...key }, [x], [size], (y) => roundings(2, Math.abs(y)))
    })
  })

  test('uniform draws the numbers of the reference, bit for bit', () =>
    cases(fc.tuple(lengths, drawings), ([size, key]) => agrees('uniform', { size, ...key }, [], [size], exactly)))

  test('rows of a table, and the gradient of the table', () => {
    const tables = fc.record({
      rows: fc.integer({ min: 1, max: 50 }),
      width: fc.constantFrom(1, 2, 3, 4, 5, 8, 12, 17),
      entries: fc.integer({ min: 1, max: 20 }),
    })
    return cases(fc.tuple(tables, seeds), async ([p, seed]) => {
      const { rows, width, entries } = p
      const none = [-1, entries, 0.5, Number.NaN, Infinity]
      const indices = Float32Array.from({ length: rows }, (_, i) =>
        (i + seed) % 7 === 0 ? none[(i + seed) % none.length] : (i * i + seed) % entries,
      )
      await agrees('embedding', p, [noise(entries * width, seed), indices], [rows * width], exactly)
      const limit = () => float32Sum(rows, rows)
      const dy = noise(rows * width, seed + 1)
      await agrees('embeddingGradient', { ...p, accumulate: false }, [dy, indices], [entries * width], limit)
    })
  })

  // Mesa's software GL ends a program after 65,535 rounds of its loops.
  test('sums of more terms than one program can add', async () => {
    const rows = 20000
    const indices = Float32Array.from({ length: rows }, (_, i) => (i < rows - 4 ? 5 : rows - 1 - i))
    const p = { rows, width: 2, entries: 7, accumulate: false }
    await agrees('embeddingGradient', p, [noise(2 * rows, 1), indices], [14], () => float32Sum(rows, rows))
    const many = noise(300001, 2)
    await agrees('gradientNorm', { sizes: [many.length] }, [many], [2], (value) => float32Sum(many.length, value))
    const ones = new Float32Array(70001).fill(1)
    await agrees('weightedMean', { rows: ones.length }, [ones, ones], [1, 1], exactly)
    const long = noise(70001, 3)
    const squares = { rows: 1, size: long.length, function: 'squaredError' } as const
    await agrees('lossRows', squares, [long, noise(70001, 4)], [1], () => float32Sum(long.length, 4))
  })

  const UNARY_NAMES = Object.keys(UNARY) as UnaryFunction[]
  /** Rounds constants to float32, so that they add no error of their own. */
  const constantsOf = (name: UnaryFunction) =>
    name === 'clamp' ? { a: -0.5, b: 1 } : name === 'pow' ? { a: 3, b: 0 } : { a: 0.25, b: 0.75 }
  const ODD = [Number.NaN, Infinity, -Infinity, 0, 60, -60, 100, -100]

  test('functions of one tensor and their derivatives, including NaN, infinities and very large numbers', () =>
    cases(
      fc.tuple(lengths, seeds),
      async ([size, seed]) => {
        for (const name of UNARY_NAMES) {
          const p = { size, function: name, ...constantsOf(name) }
          const spread = noise(size, seed).map((x, i) => (i % 7 === 3 ? ODD[(i + seed) % ODD.length] : 4 * x))
          await agrees('unary', p, [spread], [size], gpuFunction)
          // a derivative in terms of y needs a y that the function can return
          const inY = UNARY[name].derivativeIn === 'y'
          const s = Float32Array.from(spread, (x) => (inY ? UNARY[name].f(x, p.a, p.b) : x))
          const dy = noise(size, seed + 1).map((value, i) => (i % 5 === 2 ? ODD[(i + seed) % 4] : value))
          await agrees('unaryGradient', p, [dy, s], [size], gpuFunction)
        }
        for (const name of Object.keys(TWO_SLOPES) as MaskedFunction[]) {
          const p = { size, function: name, ...constantsOf(name) }
          const s = noise(size, seed).map((x) => 4 * x)
          const mask = new Float32Array(maskSize(size))
          await agrees('mask', p, [s], [mask.length], exactly)
          reference.mask(p, [s], [mask])
          const dy = noise(size, seed + 1).map((value, i) => (i % 5 === 2 ? ODD[(i + seed) % 4] : value))
          await agrees('maskGradient', { size, slope: 0.25 * (seed % 2) }, [dy, mask], [size], exactly)
        }
      },
      8,
    ))

  test('a power of any exponent', () =>
    cases(fc.tuple(lengths, seeds, fc.constantFrom(0, 1, 2, 3, 7, -1, -2, 0.5, 1.5, -0.5, 2.25)), ([size, seed, a]) => {
      const x = noise(size, seed).map((v, i) => (i % 5 === 2 ? 0 : 2 * v + Math.sign(v)))
      return agrees('unary', { size, function: 'pow', a, b: 0 }, [x], [size], gpuFunction)
    }))

  const BINARY_NAMES = Object.keys(BINARY) as BinaryFunction[]

  test('binary functions, broadcast in every way', () => {
    const axes = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 12 }), repeated: fc.tuple(fc.boolean(), fc.boolean()) }),
      {
        maxLength: 4,
      },
    )
    return cases(fc.tuple(axes, seeds, fc.constantFrom(...BINARY_NAMES)), ([drawn, seed, name]) => {
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
        name === 'power' ? gpuFunction(y) : roundings(4, Math.abs(y)),
      )
    })
  })

  test('choices, and gradients of binary functions, broadcast in every way', () => {
    const repeated = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean())
    const axes = fc.array(fc.record({ size: fc.integer({ min: 1, max: 6 }), repeated }), { maxLength: 6 })
    return cases(fc.tuple(axes, seeds, fc.boolean()), async ([drawn, seed, whole]) => {
      const shape = drawn.map(({ size }) => size)
      if (product(shape) > 10000) return
      const operands = [0, 1, 2].map((k) => {
        const own = drawn.map(({ size, repeated }) => (repeated[k] && !whole ? 1 : size))
        const strides = contiguous(own).map((stride, i) => (own[i] === 1 ? 0 : stride))
        // few different values, so that some are equal
        const values = noise(product(own), seed + k).map((x, i) =>
          (i + seed) % 11 === 0 ? Number.NaN : Math.round(x * 4) / 2,
        )
        return { strides, values }
      })
      const [c, a, b] = operands
      const strides = { stridesA: a.strides, stridesB: b.strides }
      const select = { shape, stridesCondition: c.strides, ...strides }
      await agrees('select', select, [c.values, a.values, b.values], [product(shape)], exactly)
      const dy = noise(product(shape), seed + 3)
      for (const name of Object.keys(BINARY_GRADIENT) as BinaryWithGradient[]) {
        for (const side of [0, 1] as const) {
          const p = { shape, ...strides, function: name, side }
          const limit = (dx: number) =>
            name === 'power' ? 4 * gpuFunction(dx) : name === 'div' ? roundings(10, Math.abs(dx)) : 0
          await agrees('binaryGradient', p, [dy, a.values, b.values], [product(shape)], limit)
        }
      }
    })
  })

  test('functions that round, and their gradients, at numbers so far from 1 that float32 cannot hold their squares', () =>
    cases(fc.tuple(lengths, seeds), async ([size, seed]) => {
      // up to 2^30, so that no quotient of quotients overflows
      const [dy, a, b] = [0, 1, 2].map((k) =>
        noise(size, seed + k).map((x, i) => (x + Math.sign(x)) * 2 ** (((7 * i + seed + k * i) % 61) - 30)),
      )
      const few = (dx: number) => roundings(8, Math.abs(dx))
      const shape = { shape: [size], stridesA: [1], stridesB: [1] }
      await agrees('binary', { ...shape, function: 'div' }, [a, b], [size], few)
      for (const side of [0, 1] as const) {
        await agrees('binaryGradient', { ...shape, function: 'div', side }, [dy, a, b], [size], few)
      }
      // y and dx have squares and roots up to 2^60, but the quotient is computed in one piece
      const far = a.map((x) => Math.abs(x) * 2 ** (30 * Math.sign(Math.abs(x) - 1)))
      for (const name of ['square', 'sqrt', 'log'] as const) {
        const p = { size, function: name, a: 0, b: 0 }
        await agrees('unaryGradient', p, [dy, name === 'sqrt' ? far.map(Math.sqrt) : far], [size], few)
      }
      await agrees('unary', { size, function: 'sqrt', a: 0, b: 0 }, [far], [size], few)
      await agrees('unary', { size, function: 'square', a: 0, b: 0 }, [far], [size], few)
    }))

  testGroups(agrees)
  testWindows(agrees)

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
      // the batch takes the matrices of a in reverse order, and one matrix b
      const offsetsA = Array.from({ length: batch }, (_, i) => batch - 1 - i)
      const p = { ...drawn, offsetsA, offsetsB: new Array<number>(batch).fill(0), accumulate: false }
      const inputs = [noise(batch * m * k, 1), noise(k * n, 2), ...(bias ? [noise(n, 3)] : [])]
      return agrees('matmul', p, inputs, [batch * m * n], () => float32Sum(k + 1, k + 1))
    }))

  test('blend', () =>
    cases(fc.tuple(lengths, seeds, fc.constantFrom(0, 1, 0.3)), async ([size, seed, a]) => {
      const y = a === 0 ? new Float32Array(size).fill(Number.NaN) : noise(size, seed)
      const inputs = [y, noise(size, seed + 1)]
      await agrees('blend', { size, a, b: 0.7 }, inputs, [size], () => roundings(4, 1))
    }))

  test('the norm of several gradients, of any magnitude', () => {
    // a GPU may treat subnormal numbers as zero
    const gradients = fc.array(fc.tuple(lengths, seeds, fc.integer({ min: -100, max: 127 })), {
      minLength: 1,
      maxLength: 5,
    })
    return cases(gradients, (drawn) => {
      const inputs = drawn.map(([size, seed, exponent]) => noise(size, seed).map((x) => x * 2 ** exponent))
      const sizes = inputs.map(({ length }) => length)
      const terms = 3 * sizes.reduce((sum, size) => sum + size, 0)
      return agrees('gradientNorm', { sizes }, inputs, [2], (value) => float32Sum(terms, value))
    })
  })

  test('the norm of values with a NaN or an infinity is not finite', async () => {
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      for (let at = 0; at < 9; at++) {
        const gradient = noise(9, 1).map((x, i) => (i === at ? bad : x))
        for (const inputs of [
          [gradient, noise(5, 2)],
          [noise(5, 2), gradient],
        ]) {
          const [norm] = await runner('gradientNorm', { sizes: inputs.map(({ length }) => length) }, inputs, [2])
          assert.not.ok(Number.isFinite(norm[0] * norm[1]), `${bad} at ${at}`)
        }
      }
    }
  })

  // rounds.gl.ts tests on a GPU, in float32, that the sum keeps the parts that its roundings lose.
  test('a sum in two numbers', () =>
    cases(fc.tuple(seeds, fc.constantFrom(1, 0.3, 2 ** -16)), async ([seed, factor]) => {
      const [x, y] = noise(2, seed)
      const sum = Float32Array.of(x, 2 ** -25 * y)
      await agrees('addExactly', { factor }, [sum, Float32Array.of(y)], [2], () => roundings(4, 2))
      await agrees('addExactly', { factor }, [sum, Float32Array.of(-Infinity)], [2], exactly)
    }))

  test('SGD with every option', () => {
    const options = fc.record({
      ...optimizerOptions(lengths),
      first: fc.boolean(),
      nesterov: fc.boolean(),
    })
    return cases(fc.tuple(options, seeds), async ([p, seed]) => {
      const [parameter, velocity, gradient] = [1, 2, 3].map((k) => noise(p.size, seed + k))
      const norm = normOperand(p)
      // All inputs are at most 1 in size, so no term of the update is more than 3.
      const limit = () => roundings(8, 3)
      await agrees('sgd', { ...p, momentum: 0, dampening: 0 }, [parameter, gradient, ...norm], [p.size], limit)
      const momentum = { ...p, momentum: 0.9, dampening: p.nesterov ? 0 : 0.3 }
      const state = p.first ? velocity.map(() => Number.NaN) : velocity
      await agrees('sgd', momentum, [parameter, state, gradient, ...norm], [p.size, p.size], limit)
    })
  })

  test('Adam with every option', () => {
    const options = fc.record({
      ...optimizerOptions(lengths),
      beta1: fc.constantFrom(0.9, 0),
      beta2: fc.constantFrom(0.999, 0.9),
      eps: fc.constantFrom(1e-8, 1e-3),
      decoupled: fc.boolean(),
      steps: fc.constantFrom(1, 2, 1000),
    })
    return cases(fc.tuple(options, seeds), ([{ steps, ...drawn }, seed]) => {
      const { size, learningRate, beta1, beta2 } = drawn
      const p = { ...drawn, correction1: 1 - beta1 ** steps, correction2: 1 - beta2 ** steps }
      const [parameter, m, gradient] = [1, 2, 3].map((k) => noise(size, seed + k))
      const v = noise(size, seed + 4).map((x) => Math.abs(x) + 0.01)
      const norm = normOperand(p)
      // All other terms are at most 1 in size, and the step is divided by at least this root.
      const root = Math.sqrt((0.01 * beta2) / p.correction2)
      const largest = 2 + learningRate / p.correction1 / root
      const limit = () => roundings(24, largest)
      return agrees('adam', p, [parameter, m, v, gradient, ...norm], [size, size, size], limit)
    })
  })

  test('RMSprop with every option', () => {
    const options = fc.record({
      ...optimizerOptions(lengths),
      alpha: fc.constantFrom(0.9, 0.5),
      eps: fc.constantFrom(1e-8, 1e-3),
      momentum: fc.constantFrom(0, 0.9),
      centered: fc.boolean(),
    })
    return cases(fc.tuple(options, seeds), ([p, seed]) => {
      const [parameter, mean, velocity, gradient] = [1, 2, 3, 4].map((k) => noise(p.size, seed + k))
      // the variance is at least 1/8
      const square = noise(p.size, seed + 5).map((x) => 0.625 + 0.375 * x)
      const moments = [square, ...(p.centered ? [mean.map((x) => x / 4)] : []), ...(p.momentum > 0 ? [velocity] : [])]
      const held = [parameter, ...moments]
      const limit = () => roundings(48, 4)
      return agrees(
        'rmsprop',
        p,
        [...held, gradient, ...normOperand(p)],
        held.map(() => p.size),
        limit,
      )
    })
  })

  const losses = fc.record({
    outer: fc.integer({ min: 1, max: 9 }),
    classes: fc.oneof(fc.integer({ min: 1, max: 11 }), fc.constantFrom(64, 129)),
    inner: fc.constantFrom(1, 1, 3),
    ignoreIndex: fc.constantFrom(-100, 1),
    labelSmoothing: fc.constantFrom(0, 0.25),
    weighted: fc.boolean(),
  })

  test('cross-entropy by row, and its gradient', () =>
    cases(fc.tuple(losses, seeds), async ([p, seed]) => {
      const rows = p.outer * p.inner
      const logits = noise(rows * p.classes, seed).map((x) => 8 * x)
      // all classes, and sometimes a target that is not a class
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

  const means = fc.record({
    rows: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 129)),
    size: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 4001)),
  })
  /** The point losses, with upper bounds of the loss and of its terms for predictions up to `range`. */
  const POINTS = [
    { function: 'squaredError', range: 2, largest: 9 },
    { function: 'binaryCrossEntropyWithLogits', range: 100, largest: 201 },
  ] as const

  test('losses that are means over a row, and their gradients', () =>
    cases(fc.tuple(means, seeds), async ([{ rows, size }, seed]) => {
      if (rows * size > 20000) return
      for (const { function: name, range, largest } of POINTS) {
        const p = { rows, size, function: name }
        const prediction = noise(rows * size, seed).map((x, i) => (i % 5 === 0 ? range * x : 2 * x))
        const target = noise(rows * size, seed + 1).map(Math.abs)
        const limit = (loss: number) => float32Sum(size + 4, largest) + gpuFunction(loss)
        await agrees('lossRows', p, [prediction, target], [rows], limit)
        const weights = noise(rows, seed + 2).map((x, i) => (i % 3 === 1 ? 0 : x + 2))
        const bad = prediction.map((x, i) => (weights[Math.floor(i / size)] === 0 ? Number.NaN : x))
        const scalars = [Float32Array.of(0.5), Float32Array.of(seed % 5 === 0 ? 0 : 3)]
        await agrees('lossRowsGradient', p, [...scalars, bad, target, weights], [rows * size], gpuFunction)
      }
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
