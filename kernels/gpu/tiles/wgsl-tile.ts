/**
 * WGSL of tiles that stay in registers: R rows and C columns a thread, whose sums are s<row>_<four of columns>.
 *
 * The four threads of a quad lie side by side, so they need the same numbers for their rows. Each loads a quarter of them and
 * gets the others from its neighbours, because a load takes as long as several multiplications. Where WGSL has no such
 * exchange (the feature subgroups), each thread loads all.
 */

export type Size = readonly [rows: number, columns: number]

/** Threads that keep a GPU busy. */
export const BUSY = 512

/** The threads of a matrix in tiles of a size: whole quads. */
export const threadsOf = (rows: number, columns: number, [r, c]: Size): number =>
  Math.ceil(rows / r) * Math.ceil(columns / (4 * c)) * 4

/** What a size costs with so many threads: of a term, the loads, each as long as six multiplications, and the multiplications. */
export const timeOf = (threads: number, [r, c]: Size): number => Math.max(BUSY, threads) * (6 * (r / 4 + c) + r * c)

export const list = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

/** `text` for each of `count` numbers. */
export const each = (count: number, text: (i: number) => string): string => list(count).map(text).join(' ')

/**
 * The numbers of the rows, p0 to p<rows - 1>, as loads and places. A program sets the place at<i> of each of `places` loads,
 * for row `row(i)` of the tile.
 */
export function sharedRows(quads: boolean, rows: number, load: (place: string) => string) {
  if (!quads) return { places: rows, row: String, loads: each(rows, (r) => `let p${r} = ${load(`at${r}`)};`) }
  const exchange = (g: number): string => each(4, (q) => `let p${4 * g + q} = quadBroadcast(own${g}, ${q}u);`)
  const loads = each(rows / 4, (g) => `let own${g} = ${load(`at${g}`)}; ${exchange(g)}`)
  return { places: rows / 4, row: (g: number) => `(${4 * g} + lane)`, loads }
}

/**
 * The sums of a tile: Note [Long sums] in ../index.ts. Those of ended blocks are an array, and what is done once for each of
 * them is a loop, because a driver takes long to compile many variables and many writes.
 */
export function sums([rows, columns]: Size) {
  const fours = (rows * columns) / 4
  const all = (text: (r: number, v: number, i: number) => string): string =>
    each(rows, (r) => each(columns / 4, (v) => text(r, v, (r * columns) / 4 + v)))
  return {
    begin: `var total = array<vec4f, ${fours}>(); ${all((r, v) => `var s${r}_${v} = vec4f();`)}`,
    endBlock: all((r, v, i) => `total[${i}] += s${r}_${v}; s${r}_${v} = vec4f();`),
    /** from numbers p<row> and q<four of columns> */
    add: all((r, v) => `s${r}_${v} += p${r} * q${v};`),
    /** four values a time, from WGSL of one */
    columns: (value: (c: number) => string) =>
      each(columns / 4, (v) => `let q${v} = vec4f(${list(4).map((l) => value(4 * v + l))});`),
    /** @param write  WGSL that writes `value`, of row `row + r` and column `column + c` */
    end: (write: string) => `
  for (var r = 0; r < ${rows}; r++) {
    for (var c = 0; c < ${columns}; c++) {
      let value = total[r * ${columns / 4} + c / 4][c % 4];
      ${write}
    }
  }`,
  }
}
