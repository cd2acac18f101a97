/**
 * Attention, whose parts are blocks of queries, and its gradient, whose parts are elements of the batch or halves of them:
 * assembly/flash.ts. Softmax of scores, whose parts are rows: assembly/attention.ts.
 */
import type { Attention } from '../attention.js'
import { listed } from '../strides.js'
import {
  ATTENTION_HEADER_BYTES,
  ATTENTION_KEYS,
  ATTENTION_ROW_BYTES,
  BYTES,
  DEAR_GRAIN,
  LINE_BYTES,
  MAX_THREADS,
  MULTIPLY_GRAIN,
} from './layout.js'
import { blocking, roundUp } from './machine/blocking.js'
import { AttentionSizes } from './machine/compiled.js'
import type { SimdKernel } from './machine/kernel.js'
import type { Assembly } from './machine/module.js'
import { byElement } from './machine/parts.js'

/**
 * Queries in a tile: a number that is packed for a product is used once for each of them. If `causal`, smaller tiles leave
 * more of them that no query sees.
 */
const tileRowsOf = ({ causal, queries }: Attention): number => Math.min(causal ? 64 : 128, queries)

/** The products of a tile, and the workspace of a thread. */
function cut(p: Attention, tiles: number) {
  const { keys, depth, width } = p
  const [rows, columns] = [tileRowsOf(p), Math.min(ATTENTION_KEYS, keys)]
  const features = Math.max(depth, width)
  const [m, n, k] = [Math.max(rows, columns), Math.max(columns, features), Math.max(rows, columns, features)]
  const product = blocking(m, n, k, { slots: 1, maxDepth: 128 })
  const tileBytes = roundUp(rows * columns * BYTES, LINE_BYTES)
  return {
    tileRows: rows,
    productDepth: product.depth,
    productHeight: product.blockHeight,
    productBytes: product.bytes,
    tileBytes,
    slotBytes: product.bytes + roundUp(rows * ATTENTION_ROW_BYTES, LINE_BYTES) + tiles * tileBytes,
  }
}

const headBytes = (batch: number): number => roundUp(ATTENTION_HEADER_BYTES + batch * BYTES, LINE_BYTES)

/** The units of work of a forward: blocks of queries. */
const blocksOf = (p: Attention): number => p.batch * Math.ceil(p.queries / tileRowsOf(p))

/**
 * From this number of elements of the batch on, threads share whole elements. With fewer, each is split in two halves of
 * its keys.
 */
const ENOUGH = 4

/**
 * The first key of the second half, or all keys where there is one half. Both halves have about the same work; a tile that
 * no query sees is no work.
 */
function splitOf({ batch, queries, keys, causal }: Attention): number {
  if (batch >= ENOUGH) return keys
  const first = Array.from({ length: Math.ceil(keys / ATTENTION_KEYS) }, (_, i) => i * ATTENTION_KEYS)
  const work = first.map((key) => (causal ? Math.max(0, queries - key) : queries))
  const all = work.reduce((sum, each) => sum + each, 0)
  let before = 0
  for (const [i, key] of first.entries()) {
    if (key > 0 && 2 * before + work[i] > all) return key
    before += work[i]
  }
  return keys
}

/** The units of work of a gradient: elements of the batch, or halves. */
const halvesOf = (p: Attention): number => (splitOf(p) < p.keys ? 2 * p.batch : p.batch)

/** Workspace for the second halves' part of dq. */
const halfBytes = (p: Attention): number =>
  splitOf(p) < p.keys ? roundUp(p.batch * p.queries * p.depth * BYTES, LINE_BYTES) : 0

const bits = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0]

const NOWHERE = { q: 0, k: 0, v: 0, mask: 0, y: 0, logSumExp: 0, dy: 0, dq: 0, dk: 0, dv: 0, halfDq: 0 }
type Addresses = Partial<typeof NOWHERE>
const NO_DROPOUT = { rate: 1, seed: 0, step: 0, call: 0, first: 0 }

/** Stores what the functions in assembly/flash.ts read at the head of the workspace. */
function storeHead(assembly: Assembly, p: Attention, tiles: number, addresses: Addresses, workspace: number): void {
  const { rate, seed, step, call, first } = p.dropout ?? NO_DROPOUT
  const sizes = AttentionSizes({
    ...NOWHERE,
    ...addresses,
    ...cut(p, tiles),
    maskRow: (p.mask?.strideQuery ?? 0) * BYTES,
    maskKey: (p.mask?.strideKey ?? 0) * BYTES,
    batch: p.batch,
    queries: p.queries,
    keys: p.keys,
    depth: p.depth,
    width: p.width,
    causal: Number(p.causal),
    split: splitOf(p),
    scale: bits(p.scale),
    keepScale: p.dropout ? bits(1 / (1 - rate)) : 0,
    // a value with the random number k of 24 bits is kept if k / 2^24 >= rate
    threshold: Math.ceil(rate * 2 ** 24),
    seed,
    step,
    call,
    firstLow: first,
    firstHigh: Math.floor(first / 2 ** 32),
  })
  assembly.store(workspace, sizes)
  if (p.mask) {
    const starts = listed(p.mask.starts).map((start) => start * BYTES)
    assembly.store(workspace + ATTENTION_HEADER_BYTES, starts)
  }
}

const grainFor = (multiplications: number): number => Math.ceil(MULTIPLY_GRAIN / multiplications)

export const attention: SimdKernel<'attention'> = {
  workspaceBytes: (p) => headBytes(p.batch) + Math.min(MAX_THREADS, blocksOf(p)) * cut(p, 1).slotBytes,
  run(assembly, p, [q, k, v, mask = 0], [y, logSumExp], workspace) {
    storeHead(assembly, p, 1, { q, k, v, mask, y, logSumExp }, workspace)
    const grain = grainFor(tileRowsOf(p) * p.keys * (p.depth + p.width))
    assembly.inParts('attention', [blocksOf(p), 0, workspace], { count: 0, steps: [0, 1, 0], grain })
  },
}

export const attentionGradient: SimdKernel<'attentionGradient'> = {
  workspaceBytes: (p) => headBytes(p.batch) + Math.min(MAX_THREADS, halvesOf(p)) * cut(p, 2).slotBytes + halfBytes(p),
  run(assembly, p, [dy, q, k, v, y, logSumExp, mask = 0], [dq, dk, dv], workspace) {
    const units = halvesOf(p)
    const halfDq = workspace + headBytes(p.batch) + Math.min(MAX_THREADS, units) * cut(p, 2).slotBytes
    storeHead(assembly, p, 2, { q, k, v, mask, y, logSumExp, dy, dq, dk, dv, halfDq }, workspace)
    const grain = grainFor((p.batch * p.queries * p.keys * (3 * p.depth + 2 * p.width)) / units)
    assembly.inParts('attentionGradient', [units, 0, workspace], { count: 0, steps: [0, 1, 0], grain })
    if (units === p.batch) return
    assembly.inParts('blend', [p.batch * p.queries * p.depth, dq, halfDq, dq, 1, 1], byElement(3))
  },
}

export const attentionSoftmax: SimdKernel<'attentionSoftmax'> = {
  run(assembly, { batch, queries, keys, causal, scale, mask }, [scores, values = 0], [p]) {
    const row = keys * BYTES
    const sizes = [queries, keys, Number(causal), scale]
    const grain = Math.ceil(DEAR_GRAIN / keys)
    if (!mask) {
      const args = [scores, p, batch * queries, 0, ...sizes, 0, 0, 0]
      assembly.inParts('attentionSoftmax', args, { count: 2, steps: [row, row, 0, 1], grain })
      return
    }
    const maskRow = mask.strideQuery * BYTES
    const parts = { count: 2, steps: [row, row, 0, 1, 0, 0, 0, 0, maskRow], grain }
    listed(mask.starts).forEach((start, b) => {
      const before = b * queries * row
      const args = [scores + before, p + before, queries, 0, ...sizes]
      const maskArgs = [values + start * BYTES, maskRow, mask.strideKey * BYTES]
      assembly.inParts('attentionSoftmax', [...args, ...maskArgs], parts)
    })
  },
}

export const attentionSoftmaxGradient: SimdKernel<'attentionSoftmaxGradient'> = {
  run(assembly, { rows, size, scale }, [dp, p], [ds]) {
    const row = size * BYTES
    const parts = { count: 3, steps: [row, row, row], grain: Math.ceil(DEAR_GRAIN / size) }
    assembly.inParts('attentionSoftmaxGradient', [dp, p, ds, rows, size, scale], parts)
  },
}
