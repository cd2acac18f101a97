/** Random tensors and dropout. The numbers (machine/random.ts) have the bits of all other dialects. */
import type { GpuKernel } from './machine/kernel.js'
import type { Four, Program, Texels, Thread } from './machine/program.js'
import { COUNTER, type Counter, drawing, KEY, type Key, RANDOM } from './machine/random.js'

declare function drawn(row: number, width: number, i: number, key: Key, counter: Counter): number

/** A value that is dropped may be NaN: it is not multiplied by 0. */
function kept(x: number, i: number, key: Key, counter: Counter, least: number, scale: number): number {
  return drawn(0, 0, i, key, counter) >= least ? scale * x : 0
}

function dropped(this: Thread, x: Texels, key: Key, counter: Counter, least: number, scale: number): Four {
  const v = x[this.thread.x]
  const i = 4 * this.thread.x
  return [
    kept(v[0], i, key, counter, least, scale),
    kept(v[1], i + 1, key, counter, least, scale),
    kept(v[2], i + 2, key, counter, least, scale),
    kept(v[3], i + 3, key, counter, least, scale),
  ]
}

const DROPOUT: Program = {
  name: 'dropout',
  source: dropped,
  kinds: ['texels', KEY, COUNTER, 'number', 'number'],
  helpers: { ...RANDOM, kept: { source: kept, kinds: ['number', 'number', KEY, COUNTER] } },
}

function numbers(this: Thread, key: Key, counter: Counter): Four {
  const i = 4 * this.thread.x
  return [
    drawn(0, 0, i, key, counter) / 16777216,
    drawn(0, 0, i + 1, key, counter) / 16777216,
    drawn(0, 0, i + 2, key, counter) / 16777216,
    drawn(0, 0, i + 3, key, counter) / 16777216,
  ]
}

const UNIFORM: Program = { name: 'uniform', source: numbers, kinds: [KEY, COUNTER], helpers: RANDOM }

export const uniform: GpuKernel<'uniform'> = {
  programs: [UNIFORM],
  run(gpu, p, _, [y]) {
    const { key, counter } = drawing({ ...p, rate: 0 })
    gpu.run(UNIFORM, [key, counter], y)
  },
}

export const dropout: GpuKernel<'dropout'> = {
  programs: [DROPOUT],
  run(gpu, p, [x], [y]) {
    const { key, counter, least, scale } = drawing(p)
    gpu.run(DROPOUT, [x, key, counter, least, scale], y)
  },
}
