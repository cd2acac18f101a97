/** Kernels that reduce groups, or use the result of such a reduction: reductions, softmax, attention, norms. */
import { test } from 'uvu'
import { reference } from '../../kernels/reference/index.js'
import { product } from '../../kernels/strides.js'
import { noise, seeds } from '../operands.js'
import { fc } from '../property.js'
import { attentionError, float32LogShare, float32Share, float32Sum, gpuFunction, roundings } from '../tolerances.js'
import { type Agrees, cases, exactly } from './agreement.js'

export function testGroups(agrees: Agrees): void {
  const ODD = [Number.NaN, Infinity, -Infinity]

  const reducible = fc.record({ size: fc.integer({ min: 1, max: 21 }), reduced: fc.boolean() })
  /** A tensor of up to four axes, some of them reduced. */
  const groups = fc
    .array(reducible, { maxLength: 4 })
    .map((drawn) => {
      const shape = drawn.map(({ size }) => size)
      const size = product(shape)
      const outputs = product(drawn.map((d) => (d.reduced ? 1 : d.size)))
      return { shape, reduced: drawn.map((d) => d.reduced), size, outputs, terms: size / outputs }
    })
    .filter(({ size }) => size <= 60000)

  test('sums and maxima over any axes', () =>
    cases(fc.tuple(groups, seeds), async ([{ shape, reduced, size, outputs, terms }, seed]) => {
      const p = { shape, reduced, scale: 0.75, accumulate: false }
      const x = noise(size, seed)
      await agrees('reduce', { ...p, function: 'sum' }, [x], [outputs], () => float32Sum(terms, terms))
      const some = x.map((value, i) => ((i + seed) % 97 === 0 ? ODD[i % 3] : value))
      await agrees('reduce', { ...p, function: 'max' }, [some], [outputs], exactly)
    }))

  test('the gradient of a maximum, shared by all values that equal the maximum', () =>
    cases(fc.tuple(groups, seeds), ([{ shape, reduced, size, outputs }, seed]) => {
      const x = noise(size, seed).map((value, i) => ((i + seed) % 97 === 0 ? ODD[i % 3] : Math.round(4 * value)))
      const y = new Float32Array(outputs)
      reference.reduce({ shape, reduced, function: 'max', scale: 1, accumulate: false }, [x], [y])
      const inputs = [noise(outputs, seed + 1), x, y]
      return agrees('maxGradient', { shape, reduced }, inputs, [size], (dx) => roundings(4, Math.abs(dx)))
    }))

  test('squared deviations from a mean, and their gradient', () =>
    cases(fc.tuple(groups, seeds), async ([{ shape, reduced, size, outputs, terms }, seed]) => {
      const p = { shape, reduced, scale: 0.75 }
      const inputs = [noise(size, seed), noise(outputs, seed + 1)]
      await agrees('squaredDeviation', p, inputs, [outputs], () => float32Sum(terms + 2, 4 * terms))
      const dy = noise(outputs, seed + 2)
      await agrees('squaredDeviationGradient', p, [dy, ...inputs], [size], () => roundings(4, 2))
    }))

  const rows = fc.record({
    outer: fc.integer({ min: 1, max: 9 }),
    size: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 64, 397)),
    inner: fc.constantFrom(1, 1, 2, 5, 8),
  })

  test('the position of a maximum', () =>
    cases(fc.tuple(rows, seeds), ([p, seed]) => {
      const x = noise(p.outer * p.size * p.inner, seed).map((value, i) =>
        (i * i + seed) % 13 === 0 ? ODD[(i + seed) % 3] : Math.round(4 * value),
      )
      return agrees('argmax', p, [x], [p.outer * p.inner], exactly)
    }))

  test('sums so far and products along an axis, and the gradient of a product', () =>
    cases(fc.tuple(rows, seeds), async ([p, seed]) => {
      const [outputs, size] = [p.outer * p.inner, p.outer * p.size * p.inner]
      const x = noise(size, seed)
      for (const reverse of [false, true]) {
        await agrees('cumulativeSum', { ...p, reverse }, [x], [size], () => float32Sum(p.size, p.size))
      }
      // near 1, so that the products of 397 values neither vanish nor overflow; some are 0
      const factors = x.map((value, i) => ((i * i + seed) % 53 === 0 ? 0 : 1 + value / 8))
      const limit = (y: number) => roundings(2 * p.size + 4, Math.abs(y))
      await agrees('product', p, [factors], [outputs], limit)
      await agrees('productGradient', p, [noise(outputs, seed + 1), factors], [size], limit)
    }))

  test('choices by index along an axis, and their gradient', () =>
    cases(fc.tuple(rows, seeds, fc.integer({ min: 1, max: 30 })), async ([p, seed, count]) => {
      const [chosen, size] = [p.outer * count * p.inner, p.outer * p.size * p.inner]
      // some indices name no place
      const index = noise(chosen, seed).map((value) => Math.floor((value + 1) * 0.55 * p.size))
      await agrees('gather', { ...p, count }, [noise(size, seed + 1), index], [chosen], exactly)
      const limit = () => float32Sum(count, count)
      await agrees('gatherGradient', { ...p, count }, [noise(chosen, seed + 2), index], [size], limit)
    }))

  test('softmax and its logarithm, and their gradients', () =>
    cases(fc.tuple(rows, seeds, fc.constantFrom(1, 30)), async ([shape, seed, spread]) => {
      const size = shape.outer * shape.size * shape.inner
      const x = noise(size, seed).map((value, i) => {
        // some rows are all minus infinity, and others contain a NaN or an infinity
        if (shape.size === 1 ? i % 5 === 3 : (i + seed) % 61 === 0) return ODD[(i + seed) % 3]
        return spread * value
      })
      const [share, logShare] = [float32Share(shape.size, 2 * spread), float32LogShare(shape.size, 2 * spread)]
      await agrees('softmax', { ...shape, log: false }, [x], [size], (y) => share * y + gpuFunction(y))
      await agrees('softmax', { ...shape, log: true }, [x], [size], (y) => logShare + gpuFunction(y))
      // all values are in [-1, 1], y or exp(y) in [0, 1], and there are sums of them
      const [dy, y] = [noise(size, seed + 1), noise(size, seed + 2).map(Math.abs)]
      const limit = () => float32Sum(shape.size + 2, shape.size)
      await agrees('softmaxGradient', { ...shape, log: false }, [dy, y], [size], limit)
      const logY = y.map((value) => -4 * value)
      await agrees('softmaxGradient', { ...shape, log: true }, [dy, logY], [size], () => {
        return limit() + shape.size * gpuFunction(1)
      })
    }))

  const attention = fc.record({
    batch: fc.constantFrom(1, 2, 6),
    queries: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(33)),
    keys: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 64, 131)),
    scale: fc.constantFrom(1, 0.25),
    causal: fc.boolean(),
    masked: fc.constantFrom('no', 'one mask', 'one for each', 'one for every second', 'of keys'),
  })

  test('softmax of attention scores, causal and with every mask, and its gradient', () =>
    cases(fc.tuple(attention, seeds), async ([{ masked, ...drawn }, seed]) => {
      const { batch, queries, keys, scale } = drawn
      const size = batch * queries * keys
      const of = { no: 0, 'one mask': 0, 'one for each': 1, 'one for every second': 0.5, 'of keys': 1 }[masked]
      const plane = masked === 'of keys' ? keys : queries * keys
      const starts = Array.from({ length: batch }, (_, b) => plane * Math.floor(b * of))
      const strides = { strideQuery: masked === 'of keys' ? 0 : keys, strideKey: 1 }
      const p = { ...drawn, mask: masked === 'no' ? null : { starts, ...strides } }
      const mask = noise(batch * queries * keys, seed + 1).map((value, i) => ((i + seed) % 3 === 0 ? -Infinity : value))
      const scores = noise(size, seed).map((value, i) => ((i + seed) % 197 === 0 ? Number.NaN : 10 * value))
      const share = float32Share(keys, 22)
      const inputs = masked === 'no' ? [scores] : [scores, mask]
      await agrees('attentionSoftmax', p, inputs, [size], (y) => share * y + gpuFunction(y))
      const gradient = { rows: batch * queries, size: keys, scale }
      const limit = () => float32Sum(keys + 4, keys)
      await agrees('attentionSoftmaxGradient', gradient, [noise(size, 2), noise(size, 3)], [size], limit)
    }))

  const heads = fc.record({
    batch: fc.constantFrom(1, 2),
    queries: fc.constantFrom(1, 3, 6, 20),
    // more than 128 keys come in blocks
    keys: fc.constantFrom(1, 5, 128, 129, 257, 300),
    depth: fc.constantFrom(1, 4, 6),
    width: fc.constantFrom(1, 3, 8),
    scale: fc.constantFrom(1, -0.25),
    causal: fc.boolean(),
    masked: fc.constantFrom('no', 'one mask', 'one for each', 'of keys'),
    first: fc.constantFrom(null, 0, 2 ** 32 - 500),
  })

  test('attention in blocks of keys and its gradient, causal, with every mask and dropout', () =>
    cases(
      fc.tuple(heads, seeds),
      async ([{ masked, first, ...drawn }, seed]) => {
        const { batch, queries, keys, depth, width } = drawn
        const plane = masked === 'of keys' ? keys : queries * keys
        const starts = Array.from({ length: batch }, (_, b) => (masked === 'one mask' ? 0 : b * plane))
        const p = {
          ...drawn,
          mask: masked === 'no' ? null : { starts, strideQuery: masked === 'of keys' ? 0 : keys, strideKey: 1 },
          dropout: first === null ? null : { rate: 0.25, seed, step: 2 ** 30 + 1, call: 3, first },
        }
        const [q, k] = [noise(batch * queries * depth, seed), noise(batch * keys * depth, seed + 1)]
        const v = noise(batch * keys * width, seed + 2)
        const hidden = noise(batch * queries * keys, seed + 3).map((value, i) =>
          (i + seed) % 3 === 0 ? -Infinity : value,
        )
        const mask = masked === 'no' ? [] : [hidden]
        const sizes = [batch * queries * width, batch * queries]
        const limit = attentionError(p) + gpuFunction(1) * (width + 1)
        await agrees('attention', p, [q, k, v, ...mask], sizes, (y) => limit + gpuFunction(y))
        const outputs = sizes.map((size) => new Float32Array(size))
        reference.attention(p, [q, k, v, ...mask], outputs)
        const inputs = [noise(batch * queries * width, seed + 4), q, k, v, ...outputs, ...mask]
        const lengths = [q.length, k.length, v.length]
        await agrees('attentionGradient', p, inputs, lengths, () => limit * Math.max(queries, keys))
      },
      30,
    ))

  const small = fc.integer({ min: 1, max: 5 })
  /** The views of the ops: batch norm, layer norm, group norm. */
  const views = fc
    .record({
      view: fc.constantFrom('batch', 'layer', 'group'),
      samples: small,
      groups: small,
      groupChannels: small,
      pixels: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 64, 257)),
    })
    .filter(({ samples, groups, groupChannels, pixels }) => samples * groups * groupChannels * pixels <= 10000)
    .map(({ view, samples, groups, groupChannels, pixels }) => {
      const channels = groups * groupChannels
      const inner = groupChannels * pixels
      if (view === 'batch') {
        return { outer: samples, groups: channels, inner: pixels, affineSize: channels, affineInner: pixels }
      }
      return view === 'layer'
        ? { outer: 1, groups: samples * groups, inner: pixels, affineSize: pixels, affineInner: 1 }
        : { outer: 1, groups: samples * groups, inner, affineSize: channels, affineInner: pixels }
    })

  test('moments, including those of values far from 0 and of a NaN', () =>
    cases(fc.tuple(views, seeds, fc.constantFrom(0, 30), fc.boolean()), ([p, seed, shift, strange]) => {
      const { outer, groups, inner } = p
      const x = noise(outer * groups * inner, seed).map((value) => value + shift)
      if (strange) x[x.length >> 1] = Number.NaN
      const count = outer * inner
      const meanLimit = float32Sum(count, shift + 1)
      // deviations are at most 2, and the mean has an error of up to its limit
      const varianceLimit = float32Sum(count + 2, 4) + meanLimit ** 2
      return agrees('moments', { outer, groups, inner }, [x], [groups, groups], (_, __, output) =>
        output === 0 ? meanLimit : varianceLimit,
      )
    }))

  const norms = fc.record({ view: views, affine: fc.boolean(), fixed: fc.boolean(), eps: fc.constantFrom(1e-5, 0.5) })

  test('normalisation and its gradients', () =>
    cases(fc.tuple(norms, seeds), async ([{ view, affine, fixed, eps }, seed]) => {
      const p = { ...view, affine, eps }
      const size = p.outer * p.groups * p.inner
      const [x, dy, mean] = [noise(size, seed), noise(size, seed + 1), noise(p.groups, seed + 2)]
      if (seed % 3 === 0) x[size >> 1] = Number.NaN
      const variance = noise(p.groups, seed + 3).map((value) => 0.75 + value / 2)
      if (seed % 7 === 0) variance[0] = Number.NaN
      const gamma = affine ? [noise(p.affineSize, seed + 4)] : []
      const beta = affine ? [noise(p.affineSize, seed + 5)] : []
      // |x - mean| <= 2 and the deviation is at least 0.5, so |h| <= 4
      await agrees('normalize', p, [x, mean, variance, ...gamma, ...beta], [size], () => roundings(12, 5))
      const count = p.outer * p.inner
      // 2 (dh - average(dh) - h average(dh h)): the averages round like sums of terms of 1 and of 4
      const limit = () => float32Sum((fixed ? 0 : count) + 12, 2 * (1 + 1 + 4 * 4))
      await agrees('normalizeGradient', { ...p, fixed }, [dy, x, mean, variance, ...gamma], [size], limit)
      if (p.affineSize === p.groups) {
        const [sum, lean] = [6, 7].map((more) => noise(p.groups, seed + more).map((value) => value * count))
        const inputs = [dy, x, mean, variance, sum, lean, ...gamma]
        await agrees('normalizePartGradient', { ...p, count }, inputs, [size], () => roundings(12, 12))
      }
      const [added, spread] = [noise(p.groups, seed + 8), variance.map((value) => value + 0.5)]
      const share = seed % 2 === 0 ? 1 : 0.25
      const sizes = [p.groups, p.groups]
      await agrees('mergeMoments', { size: p.groups, share }, [mean, variance, added, spread], sizes, () =>
        roundings(8, 4),
      )
      const terms = size / p.affineSize
      const scaleLimit = () => float32Sum(terms + 8, 4 * terms)
      const scaleInputs = [dy, x, mean, variance]
      await agrees('normalizeScaleGradient', { ...p, accumulate: false }, scaleInputs, [p.affineSize], scaleLimit)
    }))
}
