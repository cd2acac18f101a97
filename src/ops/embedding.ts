/** Looking up rows of a table. */

import { ShapeError } from '../tensor/errors.js'
import { TENSOR } from '../tensor/kinds.js'
import { checkIndices } from '../tensor/range.js'
import { type Shape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { apply, define, type Op } from './op.js'
import { grid, index, sample } from './sample.js'

const sizes = ([[entries, width], indices]: readonly Shape[]) => ({ entries, width, rows: sizeOf(indices) })

const embeddingOp: Op<Record<never, never>> = {
  name: 'embedding',
  shape: ([table, indices]) => {
    if (table.length === 2) return [...indices, table[1]]
    throw new ShapeError(
      `embedding: table ${showShape(table)} and indices ${showShape(indices)}: the table must be [V, D]`,
    )
  },
  forward: ({ device, shapes, inputs, output }) => device.run('embedding', sizes(shapes), inputs, [output]),
  gradients: [
    {
      // every row of dy is added to the entry that it came from
      saves: [1],
      send: ({ shapes, dy, input }, target) =>
        target.run('embeddingGradient', { accumulate: false, ...sizes(shapes) }, [dy, input(1)]),
    },
    null,
  ],
  linear: [0],
  samples: [sample({}, [[5, 3], grid], [[2, 4], index(5)]), sample({}, [[4, 2], grid], [[], index(4)])],
}
/**
 * y[..., d] = table[indices[...], d].
 * @param table    [V, D]
 * @param indices  any shape; whole numbers in [0, V). Those that `tensor` made are checked here; any other number gives a
 *                 row of NaN, which a streamer refuses to commit
 * @returns        [...indices, D]
 * @throws ShapeError     the table is not a matrix
 * @throws ArgumentError  an index out of range, where it is known
 * Saves the indices, which have no gradient.
 */
export const embedding = define(embeddingOp, { table: TENSOR, indices: TENSOR }, (table: Tensor, indices: Tensor) => {
  checkIndices('embedding', 'indices', indices, table.shape[0])
  return apply(embeddingOp, [table, indices], {})
})
