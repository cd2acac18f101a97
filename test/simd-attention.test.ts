/** Attention of the SIMD dialect and its gradient, against the plain loops. */
import { test } from 'uvu'
import type { Attention } from '../kernels/attention.js'
import { reference } from '../kernels/reference/index.js'
import { noise } from './operands.js'
import { fc } from './property.js'
import { agrees } from './simd-agreement.js'
import { attentionError } from './tolerances.js'

/** Sizes on both sides of a tile: 64 or 128 queries, 128 keys. */
const along = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(63, 64, 65, 127, 128, 129, 150))

const attentions = fc
  .record({
    // fewer than four elements are split in halves of their keys
    batch: fc.integer({ min: 1, max: 5 }),
    queries: along,
    keys: fc.oneof(along, fc.constantFrom(256, 257, 400)),
    depth: fc.constantFrom(1, 2, 5, 8, 17),
    width: fc.constantFrom(1, 3, 8, 20),
    scale: fc.constantFrom(0.5, -0.3, 1),
    causal: fc.boolean(),
    mask: fc.constantFrom('none', 'whole', 'keys', 'queries', 'reversed'),
    dropout: fc.constantFrom(null, 0, 2 ** 32 - 500),
  })
  .map(({ mask, dropout, ...p }): Attention => {
    const [strideQuery, strideKey] = {
      none: [],
      whole: [p.keys, 1],
      reversed: [p.keys, 1],
      keys: [0, 1],
      queries: [1, 0],
    }[mask]
    const starts = Array.from(
      { length: p.batch },
      (_, b) => (mask === 'whole' ? b : p.batch - 1 - b) * p.queries * p.keys,
    )
    return {
      ...p,
      mask: mask === 'none' ? null : { starts, strideQuery, strideKey },
      dropout: dropout === null ? null : { rate: 0.25, seed: 1, step: 2, call: 3, first: dropout },
    }
  })

test('attention and its gradient: tiles of every size, masks, causal, dropout', () => {
  fc.assert(
    fc.property(attentions, (p) => {
      const { batch, queries, keys, depth, width } = p
      const [q, k] = [noise(batch * queries * depth, 1), noise(batch * keys * depth, 2)]
      const v = noise(batch * keys * width, 3)
      // a third of the keys is hidden, for some queries all of them
      const mask = p.mask
        ? [noise(batch * queries * keys, 4).map((value, i) => (i % 3 === 0 || i % keys === 5 ? -Infinity : value))]
        : []
      const outputs = [new Float32Array(batch * queries * width), new Float32Array(batch * queries)]
      const limit = attentionError(p)
      agrees('attention', p, [q, k, v, ...mask], outputs, () => limit)
      reference.attention(p, [q, k, v, ...mask], outputs)
      const gradients = [q, k, v].map(({ length }) => new Float32Array(length))
      const inputs = [noise(batch * queries * width, 5), q, k, v, ...outputs, ...mask]
      agrees('attentionGradient', p, inputs, gradients, () => limit * Math.max(queries, keys))
    }),
    { seed: 1, numRuns: 60 },
  )
})

test.run()
