/**
 * The SIMD kernels that go through memory once (functions of numbers, movement, reductions, optimizers, dropout) against
 * the plain loops. Kernels that move, compare, choose or round once agree to the bit, NaN and infinities included.
 */
import { test } from 'uvu'
import {
  BINARY,
  type BinaryFunction,
  type MaskedFunction,
  TWO_SLOPES,
  UNARY,
  type UnaryFunction,
} from '../kernels/functions.js'
import type { KernelName, KernelParameters } from '../kernels/kernels.js'
import { reference } from '../kernels/reference/index.js'
import { simd } from '../kernels/simd/index.js'
import { contiguous, product } from '../kernels/strides.js'
import { noise, normOperand, optimizerOptions, permutedSlice, seeds } from './operands.js'
import { fc } from './property.js'
import { agrees as compare, exactly, type Limit } from './simd-agreement.js'
import { doubleSum, roundings, unitsInLastPlace } from './tolerances.js'

const RUNS = { seed: 3, numRuns: 200 }

/** None of these kernels needs alignment. */
function agrees<Name extends KernelName>(
  name: Name,
  parameters: KernelParameters[Name],
  inputs: readonly Float32Array[],
  outputs: Float32Array | readonly Float32Array[],
  limit: Limit = exactly,
  inPlace?: readonly number[],
): void {
  compare(name, parameters, inputs, outputs, limit, { inPlace, tight: true })
}

/** Small multiples of 1/4, many of them equal, with some special numbers among them. */
const SPECIAL = [Number.NaN, Infinity, -Infinity, 0, -0, 3e38, -3e38, 1e-40, 2 ** -149, 1]
const mixed = (size: number, seed: number): Float32Array =>
  noise(size, seed).map((value, i) =>
    (i + seed) % 5 === 0 ? SPECIAL[(i * 7 + seed) % SPECIAL.length] : Math.round(value * 8) / 4,
  )

const empty = (size: number): Float32Array => new Float32Array(size).fill(Number.NaN)

/** Lengths around the sizes of one round of the loops, and random ones. */
const lengths = fc.oneof(
  fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 67),
  fc.integer({ min: 1, max: 600 }),
)

/** The functions with a SIMD kernel. */
const UNARY_NAMES = (Object.keys(UNARY) as UnaryFunction[]).filter(
  (name) => simd.unary?.covers?.({ size: 1, function: name, a: 0, b: 0 }) !== false,
)
const BINARY_NAMES = (Object.keys(BINARY) as BinaryFunction[]).filter(
  (name) => simd.binary?.covers?.({ shape: [], stridesA: [], stridesB: [], function: name }) !== false,
)
const CHEAP = UNARY_NAMES.filter((name) => UNARY[name].ulps === undefined)
/** Constants that float32 holds exactly, so that they add no error. */
const constantsOf = (name: UnaryFunction) => (name === 'clamp' ? { a: -0.5, b: 1 } : { a: 0.25, b: 0.75 })

test('unary functions that round once or not at all', () => {
  fc.assert(
    fc.property(lengths, seeds, fc.constantFrom(...CHEAP), (size, seed, name) => {
      const p = { size, function: name, ...constantsOf(name) }
      const x = mixed(size, seed)
      const twice: Limit = (i) => roundings(2, 0.25 * Math.abs(x[i]) + 0.75)
      agrees('unary', p, [x], [empty(size)], name === 'affine' ? twice : exactly)
      // the derivative of a square is twice a product, which may have been subnormal
      const tolerance: Limit = (_, dx) =>
        name === 'sqrt' ? roundings(2, Math.abs(dx)) : name === 'square' ? 2 ** -149 : 0
      const s = name === 'sqrt' ? x.map(Math.sqrt) : x
      const inputs = [mixed(size, seed + 1), s]
      agrees('unaryGradient', p, inputs, [empty(size)], tolerance)
      agrees('unaryGradient', p, inputs, [empty(size)], tolerance, [0])
    }),
    RUNS,
  )
})

test('masks and the gradients that follow them', () => {
  const names = Object.keys(TWO_SLOPES) as MaskedFunction[]
  fc.assert(
    fc.property(lengths, seeds, fc.constantFrom(...names), (size, seed, name) => {
      const p = { size, function: name, ...constantsOf(name) }
      const mask = empty(Math.ceil(size / 24))
      agrees('mask', p, [mixed(size, seed)], [mask])
      reference.mask(p, [mixed(size, seed)], [mask])
      const inputs = [mixed(size, seed + 1), mask]
      for (const slope of [0, 0.25]) {
        agrees('maskGradient', { size, slope }, inputs, [empty(size)])
        agrees('maskGradient', { size, slope }, inputs, [empty(size)], exactly, [0])
      }
    }),
    RUNS,
  )
})

const axes = fc.array(
  fc.record({
    size: fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 16, 17), fc.integer({ min: 1, max: 24 })),
    repeated: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  }),
  { maxLength: 3 },
)

/** Strides of an operand with some repeated axes, and its size. */
function operand(shape: readonly number[], repeated: readonly boolean[]): { strides: number[]; size: number } {
  const own = shape.map((size, axis) => (repeated[axis] ? 1 : size))
  return { strides: contiguous(own).map((stride, axis) => (own[axis] === 1 ? 0 : stride)), size: product(own) }
}

test('binary functions, their gradients, and select, broadcast in every way', () => {
  fc.assert(
    fc.property(axes, seeds, fc.constantFrom(...BINARY_NAMES), (drawn, seed, name) => {
      const shape = drawn.map(({ size }) => size)
      const size = product(shape)
      const [a, b, c] = [0, 1, 2].map((k) =>
        operand(
          shape,
          drawn.map(({ repeated }) => repeated[k]),
        ),
      )
      const p = { shape, stridesA: a.strides, stridesB: b.strides }
      const [valuesA, valuesB] = [mixed(a.size, seed), mixed(b.size, seed + 1)]
      agrees('binary', { ...p, function: name }, [valuesA, valuesB], [empty(size)])
      if (a.size === size) agrees('binary', { ...p, function: name }, [valuesA, valuesB], [empty(size)], exactly, [0])
      agrees(
        'select',
        { ...p, stridesCondition: c.strides },
        [mixed(c.size, seed + 2), valuesA, valuesB],
        [empty(size)],
      )
      for (const side of [0, 1] as const) {
        const dy = mixed(size, seed + 3)
        const inputs = [dy, valuesA, valuesB]
        for (const name of ['maximum', 'minimum'] as const) {
          for (const inPlace of [undefined, [0]]) {
            agrees('binaryGradient', { ...p, function: name, side }, inputs, [empty(size)], exactly, inPlace)
          }
        }
        // small enough that no intermediate of -dy a / b^2 overflows float32
        const moderate = [
          noise(size, seed),
          noise(a.size, seed + 1),
          noise(b.size, seed + 2).map((x) => x + Math.sign(x)),
        ]
        const tolerance: Limit = (_, dx) => roundings(4, Math.abs(dx))
        agrees('binaryGradient', { ...p, function: 'div', side }, moderate, [empty(size)], tolerance)
      }
    }),
    RUNS,
  )
})

test('fill, copies of any permutation and slice, padding, concatenation', () => {
  const axis = fc.record({
    size: fc.integer({ min: 1, max: 19 }),
    cut: fc.integer({ min: 0, max: 2 }),
    order: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 3 }), lengths, seeds, (drawn, size, seed) => {
      agrees('fill', { size, value: 1.5 }, [], [empty(size)])
      const { shape, strides, offset, storedSize } = permutedSlice(drawn)
      const values = mixed(storedSize, seed)
      agrees('stridedCopy', { shape, strides, offset }, [values], [empty(product(shape))])
      // axes without a cut are repeated
      const repeat = strides.map((stride, i) => (drawn[i].cut === 0 ? 0 : stride))
      agrees('stridedCopy', { shape, strides: repeat, offset }, [values], [empty(product(shape))])

      const outShape = drawn.map((d) => d.size + 2 * d.cut)
      const before = drawn.map(({ cut }) => cut)
      const x = mixed(product(shape), seed)
      agrees('pad', { shape, before, outShape, value: -2 }, [x], [empty(product(outShape))])

      const sizes = [...shape, 1]
      const [outer, inner] = [(seed % 5) + 1, seed % 3 === 0 ? 1 : (seed % 7) + 1]
      const pieces = sizes.map((middle, i) => mixed(outer * middle * inner, seed + i))
      agrees('concat', { outer, sizes, inner }, pieces, [empty(outer * inner * sizes.reduce((a, b) => a + b, 0))])
    }),
    RUNS,
  )
})

test('sums and maxima over any axes', () => {
  const axis = fc.record({ size: fc.integer({ min: 1, max: 21 }), reduced: fc.boolean() })
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 4 }), fc.boolean(), seeds, (drawn, accumulate, seed) => {
      const shape = drawn.map(({ size }) => size)
      if (product(shape) > 60000) return
      const reduced = drawn.map((d) => d.reduced)
      const outputs = product(drawn.map((d) => (d.reduced ? 1 : d.size)))
      const p = { shape, reduced, scale: 0.75, accumulate }
      const old = accumulate ? noise(outputs, seed) : empty(outputs)
      const terms = product(shape) / outputs + 2
      const tolerance: Limit = (_, y) => doubleSum(terms, y, terms)
      agrees('reduce', { ...p, function: 'sum' }, [noise(product(shape), seed + 1)], [old], tolerance)
      agrees('reduce', { ...p, function: 'max' }, [noise(product(shape), seed + 1)], [old], tolerance)
      agrees('reduce', { ...p, scale: 1, accumulate: false, function: 'max' }, [mixed(product(shape), seed)], [old])
    }),
    RUNS,
  )
})

test('blend', () => {
  fc.assert(
    fc.property(lengths, seeds, fc.constantFrom(0, 1, 0.3), (size, seed, a) => {
      const [y, x] = [a === 0 ? empty(size) : noise(size, seed), noise(size, seed + 1)]
      const tolerance: Limit = (i) => roundings(4, Math.abs(0.7 * x[i]) + (a === 0 ? 0 : Math.abs(a * y[i])))
      agrees('blend', { size, a, b: 0.7 }, [y, x], [empty(size)], tolerance)
      agrees('blend', { size, a, b: 0.7 }, [y, x], [empty(size)], tolerance, [0])
    }),
    RUNS,
  )
})

/** Compares the norm of all `gradients` together, as the product of its two numbers. */
function normAgrees(gradients: readonly Float32Array[]): void {
  const sizes = gradients.map(({ length }) => length)
  const terms = sizes.reduce((sum, size) => sum + size, 0)
  compare('gradientNorm', { sizes }, gradients, empty(2), (_, norm) => 2 * doubleSum(terms, norm, norm), {
    tight: true,
    reading: ([scale, ratio]) => Float64Array.of(scale * ratio),
  })
}

/** Exponents over the whole range of float32, subnormal numbers included. */
const magnitudes = fc.integer({ min: -149, max: 127 })

test('the norm of several gradients, of any magnitude', () => {
  const gradients = fc.array(fc.tuple(lengths, seeds, magnitudes), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(gradients, (drawn) =>
      normAgrees(drawn.map(([size, seed, exponent]) => noise(size, seed).map((x) => x * 2 ** exponent))),
    ),
    { ...RUNS, numRuns: 50 },
  )
  const largest = 2 ** 127 * (2 - 2 ** -23)
  normAgrees([new Float32Array(67).fill(largest), Float32Array.of(-largest, 2 ** -149)])
  normAgrees([new Float32Array(5)])
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    normAgrees([noise(5, 1), Float32Array.from({ length: 67 }, (_, i) => (i === 65 ? bad : 1))])
  }
})

test('the norm of a long gradient, cut into parts at any place', () => {
  for (const size of [16_384, 16_385, 16 * 16_384 + 1, 300_001]) normAgrees([Float32Array.of(3), noise(size, size)])
})

/** Steps are at most 1.1 / sqrt(1/8), with some 12 roundings. */
const RMSPROP_LIMIT: Limit = () => roundings(12, 4)

test('SGD, Adam and RMSprop with every option', () => {
  const options = fc.record({
    ...optimizerOptions(lengths),
    first: fc.boolean(),
    nesterov: fc.boolean(),
    decoupled: fc.boolean(),
    centered: fc.boolean(),
    momentum: fc.constantFrom(0, 0.9),
  })
  fc.assert(
    fc.property(options, seeds, (p, seed) => {
      const { size } = p
      const [parameter, state, gradient] = [1, 2, 3].map((k) => noise(size, seed + k))
      const norm = normOperand(p)
      // All inputs are at most 1 in size, so no term of the update is more than 3.
      const tolerance: Limit = () => roundings(8, 3)
      const sgd = { ...p, momentum: 0, dampening: 0 }
      agrees('sgd', sgd, [parameter, gradient, ...norm], [empty(size)], tolerance, [0])
      const velocity = p.first ? empty(size) : state
      const momentum = { ...p, momentum: 0.9, dampening: p.nesterov ? 0 : 0.3 }
      const outputs = [empty(size), empty(size)]
      agrees('sgd', momentum, [parameter, velocity, gradient, ...norm], outputs, tolerance, [0, 1])
      agrees('sgd', momentum, [parameter, velocity, gradient, ...norm], outputs, tolerance)
      const adam = { ...p, beta1: 0.9, beta2: 0.999, eps: 1e-8, correction1: 0.4, correction2: 0.3 }
      // at least 1/4, so that the step is at most 1
      const squares = noise(size, seed + 4).map((x) => 0.625 + 0.375 * x)
      const inputs = [parameter, state, squares, gradient, ...norm]
      agrees('adam', adam, inputs, [...outputs, empty(size)], tolerance, [0, 1, 2])
      agrees('adam', adam, inputs, [...outputs, empty(size)], tolerance)
      // a mean of at most 1/4, so that the variance is at least 1/8 too
      const mean = state.map((x) => x / 4)
      const moments = [squares, ...(p.centered ? [mean] : []), ...(p.momentum > 0 ? [state] : [])]
      const held = [parameter, ...moments]
      const rmsprop = { ...p, alpha: 0.9, eps: 1e-3 }
      const places = held.map((_, i) => i)
      for (const inPlace of [undefined, places]) {
        agrees(
          'rmsprop',
          rmsprop,
          [...held, gradient, ...norm],
          held.map(() => empty(size)),
          RMSPROP_LIMIT,
          inPlace,
        )
      }
    }),
    RUNS,
  )
})

/** The functions that take more than one instruction, and exponents of powers. */
const EXPENSIVE = UNARY_NAMES.filter((name) => !CHEAP.includes(name)).flatMap((name) =>
  (name === 'pow' ? [2.7, -0.5, 3, -2, 0] : [0]).map((exponent) => [name, exponent] as const),
)

/** Every `step`-th of all float32 numbers, NaN and infinities among them. */
const STEP = 10007
const ALL = new Float32Array(Uint32Array.from({ length: Math.floor(2 ** 32 / STEP) }, (_, i) => i * STEP).buffer)
const CORNERS = Float32Array.of(0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 2 ** -149, -(2 ** -149), 3.4e38, -3.4e38)
const PIECE = 2 ** 16

test('the errors of transcendental functions, in units in the last place, are at most the promised ones, over all numbers', () => {
  for (const [name, exponent] of EXPENSIVE) {
    for (let at = -1; at * PIECE < ALL.length; at++) {
      const x = at < 0 ? CORNERS : ALL.slice(at * PIECE, (at + 1) * PIECE)
      const p = { size: x.length, function: name, a: exponent, b: 0 }
      // If e^x is subnormal it has lost digits, and so has its product with x.
      const lost = (i: number) => (name === 'silu' ? 2 ** -150 * Math.abs(x[i]) : 0)
      agrees('unary', p, [x], empty(x.length), (i, y) => unitsInLastPlace(UNARY[name].ulps ?? 0, y) + lost(i))
    }
  }
})

test('derivatives of transcendental functions', () => {
  for (const [name, exponent] of EXPENSIVE) {
    const { f, derivativeIn } = UNARY[name]
    for (let at = -1; at * PIECE < ALL.length; at++) {
      const x = at < 0 ? CORNERS : ALL.slice(at * PIECE, (at + 1) * PIECE)
      const s = derivativeIn === 'x' ? x : x.map((value) => f(value, exponent, 0))
      const p = { size: x.length, function: name, a: exponent, b: 0 }
      const limit: Limit = (i, dx) => {
        if (name === 'exp' || name === 'log' || name === 'pow') return unitsInLastPlace(2, dx)
        // Terms up to 1, or x times a density, cancel.
        return roundings(6, Math.min(Math.max(1, Math.abs(x[i])), 20))
      }
      agrees('unaryGradient', p, [new Float32Array(x.length).fill(1), s], empty(x.length), limit)
    }
  }
})

test('dropout and uniform draw the random numbers of the plain loops', () => {
  const keys = fc.record({
    size: lengths,
    rate: fc.constantFrom(0, 0.1, 0.5, 0.9),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    step: fc.nat(),
    call: fc.nat(9),
    first: fc
      .tuple(fc.constantFrom(0, 2 ** 32, 2 ** 33, 2 ** 45, 2 ** 53 - 2 ** 32), fc.integer({ min: -300, max: 300 }))
      .map(([block, i]) => Math.max(0, block + i)),
  })
  fc.assert(
    fc.property(keys, seeds, (p, seed) => {
      const x = mixed(p.size, seed)
      const limit: Limit = (_, y) => roundings(2, Math.abs(y))
      agrees('dropout', p, [x], empty(p.size), limit)
      agrees('dropout', p, [x], empty(p.size), limit, [0])
      agrees('uniform', p, [], empty(p.size), exactly)
    }),
    RUNS,
  )
})

test('short lines of transcendental functions, in place', () => {
  const names = fc.constantFrom(...EXPENSIVE.map(([name]) => name))
  fc.assert(
    fc.property(lengths, seeds, names, (size, seed, name) => {
      const [x, dy] = [noise(size, seed), noise(size, seed + 1)]
      const p = { size, function: name, a: 3, b: 0 }
      const s = name === 'log' ? x.map((value) => 1 + value / 2) : x
      agrees('unary', p, [s], empty(size), (_, y) => unitsInLastPlace(5, y))
      agrees('unaryGradient', p, [dy, s], empty(size), () => roundings(6, 3), [0])
    }),
    RUNS,
  )
})

test.run()
