/**
 * Attention whose probabilities never exist whole: block after block of keys (machine/attention-blocks.ts). Each block has an
 * output and a log-sum-exp of its own, as if it were all, and is then merged with the blocks before:
 *
 *   z' = log(e^z + e^zb),   y' = e^(z - z') y + e^(zb - z') yb
 *
 * No program reads what it writes, so results alternate between an output and a spare, and the last is in the output.
 */
import type { Attention } from '../attention.js'
import { block, copySizes, cut, dealer, dropArguments, products, SHARES, TAKEN } from './machine/attention-blocks.js'
import { at, exponential, infinity, isNotANumber, logarithm, notANumber, quotient } from './machine/builtins.js'
import { partialSizes } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type GpuApi, type Texels } from './machine/program.js'
import { MAXIMA, scoreArguments, scoreGroups, TOTALS } from './machine/scores.js'
import { PRODUCT_PROGRAMS, productWorkspaces, runProduct } from './tiles/product.js'

function logSumOf(i: number, max: Texels, total: Texels): number {
  if (at(max, i) === -infinity()) {
    return -infinity()
  }
  return at(max, i) + logarithm(at(total, i))
}

/** log(e^a + e^b) */
function bothOf(i: number, x: Texels, y: Texels): number {
  const a = at(x, i)
  const b = at(y, i)
  if (isNotANumber(a) > 0 || isNotANumber(b) > 0) {
    return notANumber()
  }
  const max = Math.max(a, b)
  if (max === -infinity()) {
    return max
  }
  return max + logarithm(exponential(a - max) + exponential(b - max))
}

/** y of the keys so far, whose log-sum-exp is z, and of a block, weighted; a part that sees no key counts nothing */
function mergedOf(i: number, y: Texels, z: Texels, yb: Texels, zb: Texels, both: Texels, width: number): number {
  const row = quotient(i, width)
  const a = at(z, row)
  const b = at(zb, row)
  const all = at(both, row)
  if (isNotANumber(all) > 0 || all === -infinity()) {
    return notANumber()
  }
  let sum = 0.0
  if (a > -infinity()) {
    sum = exponential(a - all) * at(y, i)
  }
  if (b > -infinity()) {
    sum = sum + exponential(b - all) * at(yb, i)
  }
  return sum
}

const LOG_SUMS = eachValue('attention, log-sum-exp', logSumOf, ['texels', 'texels'])
const BOTH = eachValue('attention, both', bothOf, ['texels', 'texels'])
const MERGED = eachValue('attention, merged', mergedOf, ['texels', 'texels', 'texels', 'texels', 'texels', 'number'])
function forwardSizes(p: Attention, api: GpuApi) {
  const rows = p.batch * p.queries
  const { blocks, count } = cut(p)
  const { scores, outputs } = products(p)
  return {
    copies: copySizes(p),
    tiles: [rows * count, rows * count, rows, rows],
    partial: partialSizes(scoreGroups({ ...p, keys: count })),
    merging: blocks === 1 ? [] : [rows * p.width, rows, rows * p.width, rows],
    scores: productWorkspaces(scores, api),
    outputs: productWorkspaces(outputs, api),
  }
}

export const attention: GpuKernel<'attention'> = {
  programs: [
    ...[MAXIMA, TOTALS, SHARES].flatMap(({ programs }) => programs),
    ...PRODUCT_PROGRAMS,
    ...[LOG_SUMS, BOTH, MERGED, TAKEN],
  ],
  workspaces: (p, api) => Object.values(forwardSizes(p, api)).flat(),
  run(gpu, p, [q, k, v, mask], [y, logSumExp], workspaces) {
    const sizes = forwardSizes(p, gpu.api)
    const deal = dealer(workspaces)
    const copies = deal(sizes.copies.length)
    const [scores, shares, max, total] = deal(sizes.tiles.length)
    const [partial] = deal(sizes.partial.length)
    const [spare, spareLog, part, partLog] = deal(sizes.merging.length)
    const spaces = { scores: deal(sizes.scores.length), outputs: deal(sizes.outputs.length) }
    const { blocks, count } = cut(p)
    const own = products(p)
    const groups = scoreGroups({ ...p, keys: count })
    for (let j = 0; j < blocks; j++) {
      const first = j * count
      const [kb, vb] = block(gpu, p, [k, v], copies, first)
      const [from, to] =
        (blocks - j) % 2 === 1
          ? [
              [spare, spareLog],
              [y, logSumExp],
            ]
          : [
              [y, logSumExp],
              [spare, spareLog],
            ]
      const [yb, zb] = j === 0 ? to : [part, partLog]
      runProduct(gpu, own.scores, [q, kb], scores, spaces.scores)
      const read = scoreArguments(p, scores, mask, first, count)
      MAXIMA.run(gpu, groups, read, max, partial)
      TOTALS.run(gpu, groups, [max, ...read], total, partial)
      gpu.run(LOG_SUMS, [max, total], zb)
      SHARES.run(gpu, groups, [zb, ...read, ...dropArguments(p, true)], shares)
      runProduct(gpu, own.outputs, [shares, vb], yb, spaces.outputs)
      if (j === 0) continue
      gpu.run(BOTH, [from[1], zb], to[1])
      gpu.run(MERGED, [...from, yb, zb, to[1], p.width], to[0])
    }
  },
}
