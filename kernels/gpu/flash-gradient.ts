/**
 * The gradient of attention, block after block of keys (machine/attention-blocks.ts). The probabilities of a block are
 * made again. dq is a sum over the blocks; dk and dv are put together from them. No program reads what it writes, so results
 * alternate between an output and a spare, and the last is in the output.
 */
import type { Attention } from '../attention.js'
import {
  BLOCKS,
  type Blocks,
  block,
  copySizes,
  cut,
  DRAWN,
  type Drop,
  dealer,
  dropArguments,
  HELPERS,
  kept,
  products,
  SHARES,
  share,
  TAKEN,
} from './machine/attention-blocks.js'
import { at, quotient } from './machine/builtins.js'
import { elements, partialSizes, reduction } from './machine/groups.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type GpuApi, packed, type Texels } from './machine/program.js'
import type { Counter, Key } from './machine/random.js'
import { type Place, SCORES, type Scaling, type Sizes, scoreArguments, scoreGroups, seen } from './machine/scores.js'
import { PRODUCT_PROGRAMS, productWorkspaces, runProduct } from './tiles/product.js'

/** scale p (dropout(dp) - sum of dy y) */
function scoreSlope(
  i: number,
  row: number,
  dp: Texels,
  means: Texels,
  logSumExp: Texels,
  scores: Texels,
  mask: Texels,
  sizes: Sizes,
  scaling: Scaling,
  place: Place,
  batch: Four,
  strides: Four,
  key: Key,
  counter: Counter,
  drop: Drop,
): number {
  if (seen(i, sizes, place) > 0) {
    const p = share(i, row, logSumExp, scores, mask, sizes, scaling, batch, strides)
    return scaling.scale * p * (kept(at(dp, i), i, sizes, place, key, counter, drop) - at(means, row))
  }
  return 0
}

function meanTerm(j: number, _row: number, dy: Texels, y: Texels): number {
  return at(dy, j) * at(y, j)
}

function sumOf(i: number, x: Texels, y: Texels): number {
  return at(x, i) + at(y, i)
}

/** x, with a block in its place */
function placedOf(i: number, x: Texels, block: Texels, blocks: Blocks): number {
  const row = quotient(i, blocks.width)
  const b = quotient(row, blocks.all)
  const key = row - b * blocks.all - blocks.first
  if (key >= 0 && key < blocks.count) {
    return at(block, (b * blocks.count + key) * blocks.width + i - row * blocks.width)
  }
  return at(x, i)
}

const SLOPES = elements('attentionGradient', scoreSlope, ['texels', 'texels', 'texels', ...SCORES, ...DRAWN], HELPERS)
const MEANS = reduction('attentionGradient, means', 'sum', meanTerm, ['texels', 'texels'])
const SUM = eachValue('attentionGradient, sum', sumOf, ['texels', 'texels'])
const PLACED = eachValue('attentionGradient, placed', placedOf, ['texels', 'texels', BLOCKS])

const meanGroups = ({ batch, queries, width }: Attention) => ({
  shape: [batch * queries, width],
  reduced: [false, true],
})

function gradientSizes(p: Attention, api: GpuApi) {
  const rows = p.batch * p.queries
  const { blocks, count } = cut(p)
  const own = products(p)
  const [dq, dk, dv] = [rows * p.depth, p.batch * p.keys * p.depth, p.batch * p.keys * p.width]
  return {
    copies: copySizes(p),
    tiles: [rows * count, rows * count, rows * count, rows],
    partial: partialSizes(meanGroups(p)),
    spares: blocks === 1 ? [] : [dq, dk, dv],
    parts: blocks === 1 ? [] : [dq, p.batch * count * p.depth, p.batch * count * p.width],
    scores: productWorkspaces(own.scores, api),
    slopes: productWorkspaces(own.slopes, api),
    dq: productWorkspaces(own.dq, api),
    dk: productWorkspaces(own.dk, api),
    dv: productWorkspaces(own.dv, api),
  }
}

export const attentionGradient: GpuKernel<'attentionGradient'> = {
  programs: [
    ...[SHARES, SLOPES, MEANS].flatMap(({ programs }) => programs),
    ...PRODUCT_PROGRAMS,
    ...[SUM, PLACED, TAKEN],
  ],
  workspaces: (p, api) => Object.values(gradientSizes(p, api)).flat(),
  run(gpu, p, [dy, q, k, v, y, logSumExp, mask], outputs, workspaces) {
    const sizes = gradientSizes(p, gpu.api)
    const deal = dealer(workspaces)
    const copies = deal(sizes.copies.length)
    const [scores, shares, slopes, means] = deal(sizes.tiles.length)
    const [partial] = deal(sizes.partial.length)
    const spares = deal(sizes.spares.length)
    const parts = deal(sizes.parts.length)
    const own = products(p)
    const spaces = {
      scores: deal(sizes.scores.length),
      slopes: deal(sizes.slopes.length),
      dq: deal(sizes.dq.length),
      dk: deal(sizes.dk.length),
      dv: deal(sizes.dv.length),
    }
    const { blocks, count } = cut(p)
    MEANS.run(gpu, meanGroups(p), [dy, y], means, partial)
    for (let j = 0; j < blocks; j++) {
      const first = j * count
      const [kb, vb] = block(gpu, p, [k, v], copies, first)
      const [from, to] = (blocks - j) % 2 === 1 ? [spares, outputs] : [outputs, spares]
      const [dq, dk, dv] = blocks === 1 ? outputs : j === 0 ? [to[0], parts[1], parts[2]] : parts
      const groups = scoreGroups({ ...p, keys: count })
      runProduct(gpu, own.scores, [q, kb], scores, spaces.scores)
      const read = [logSumExp, ...scoreArguments(p, scores, mask, first, count), ...dropArguments(p, false)]
      SHARES.run(gpu, groups, read, shares)
      runProduct(gpu, own.dv, [shares, dy], dv, spaces.dv)
      // the shares are not needed any more
      runProduct(gpu, own.slopes, [dy, vb], shares, spaces.slopes)
      SLOPES.run(gpu, groups, [shares, means, ...read], slopes)
      runProduct(gpu, own.dk, [slopes, q], dk, spaces.dk)
      runProduct(gpu, own.dq, [slopes, kb], dq, spaces.dq)
      if (blocks === 1) return
      if (j > 0) gpu.run(SUM, [from[0], dq], to[0])
      // At first all places of other blocks are garbage, and later blocks take them.
      const place = (width: number): Four => packed(BLOCKS, { all: p.keys, count, first, width })
      gpu.run(PLACED, [j > 0 ? from[1] : dk, dk, place(p.depth)], to[1])
      gpu.run(PLACED, [j > 0 ? from[2] : dv, dv, place(p.width)], to[2])
    }
  },
}
