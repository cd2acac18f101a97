/** Dropout with the masks of all other dialects, bit for bit: machine/random.ts. */
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

export const dropout: GpuKernel<'dropout'> = {
  programs: [DROPOUT],
  run(gpu, p, [x], [y]) {
    const { key, counter, least, scale } = drawing(p)
    gpu.run(DROPOUT, [x, key, counter, least, scale], y)
  },
}
