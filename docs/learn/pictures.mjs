/**
 * Draws the pictures of the chapters as SVG: a graph of operations, curves, and blocks. What a picture shows comes from
 * the code of its chapter; nothing is computed here. Build first.
 */

import { line, page, picture, round, styles, text } from '../../dist/src/memory/svg.js'
import { COLOURS } from '../../dist/src/memory/timeline.js'

const WIDTH = 900
const HUES = ['#4477aa', '#ee8866', '#3fb08f', '#aa7fc4', '#ddb93c']
const STYLE = styles(
  `.node{fill:#eef2f7;stroke:#64748b}
.edge{stroke:#94a3b8;fill:none}
.axis{stroke:#94a3b8}
.curve{fill:none;stroke-width:2.2}
.block{stroke:#ffffff;stroke-width:1}
.free{fill:#eef2f7;stroke:#cbd5e1}
.on{fill:#0f172a;font-weight:600}
.limit{stroke:#b91c1c;stroke-width:1.5;stroke-dasharray:6 4}`,
  `.node{fill:#1e293b;stroke:#94a3b8}
.axis{stroke:#64748b}
.block{stroke:#0f172a}
.free{fill:#1e293b;stroke:#475569}
.limit{stroke:#f87171}`,
)

const whole = (height, title, described, lines) =>
  picture({ width: WIDTH, height, title, described }, [
    STYLE,
    page(WIDTH, height),
    text(28, 32, title, 'start', 'title'),
    ...lines,
  ])

/**
 * Operations from left to right. Each node has a name, a second line, and the numbers of the nodes that it reads, all
 * of which come before it.
 */
export function graphPicture(title, described, nodes) {
  const column = []
  for (const { from } of nodes) column.push(from.length ? 1 + Math.max(...from.map((i) => column[i])) : 0)
  const columns = Math.max(...column) + 1
  const inColumn = Array.from({ length: columns }, (_, c) => nodes.flatMap((_, i) => (column[i] === c ? [i] : [])))
  const height = 80 + 62 * Math.max(...inColumn.map((members) => members.length))
  const [stride, wide] = [(WIDTH - 56) / columns, Math.min(118, (WIDTH - 56) / columns - 14)]
  const at = nodes.map((_, i) => {
    const members = inColumn[column[i]]
    const y = 62 + ((height - 80) * (members.indexOf(i) + 0.5)) / members.length
    return { x: round(28 + stride * column[i]), y: round(y) }
  })
  const edges = nodes.flatMap(({ from }, i) =>
    from.map((j) => {
      const [x0, y0, x1, y1] = [at[j].x + wide, at[j].y, at[i].x, at[i].y]
      const middle = round((x0 + x1) / 2)
      return `<path class="edge" d="M${round(x0)} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}"/>`
    }),
  )
  const boxes = nodes.flatMap(({ name, detail }, i) => [
    `<rect class="node" x="${at[i].x}" y="${round(at[i].y - 22)}" width="${round(wide)}" height="44" rx="7"/>`,
    text(round(at[i].x + wide / 2), round(at[i].y - 4), name, 'middle', 'title'),
    text(round(at[i].x + wide / 2), round(at[i].y + 14), detail, 'middle'),
  ])
  return whole(height, title, described, [...edges, ...boxes])
}

/**
 * Curves: `x` and `y` have a label, `log` where the axis is logarithmic, and `ticks`, by default the powers of ten of such an axis.
 * `series` have a name and points [x, y].
 */
export function curvesPicture(title, described, { x, y, series }) {
  const [left, right, top, bottom] = [86, 700, 56, 350]
  const scale = (axis, index, from, to) => {
    const f = axis.log ? Math.log10 : Number
    const values = series.flatMap(({ points }) => points.map((point) => f(point[index])))
    const [least, most] = [Math.min(...values), Math.max(...values)]
    const bounds = axis.log ? [Math.floor(least), Math.ceil(most)] : [Math.min(0, least), most]
    const [low, high] = axis.log && axis.ticks ? [least, most] : bounds
    const place = (value) => round(from + ((to - from) * (f(value) - low)) / (high - low))
    const every = Math.max(1, Math.ceil((high - low) / 9))
    const powers = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => 10 ** (low + every * i))
    const ticks = axis.ticks ?? powers
    return { place, ticks }
  }
  const [xs, ys] = [scale(x, 0, left, right), scale(y, 1, bottom, top)]
  const name = (axis, value) =>
    axis.log ? (value >= 0.01 && value <= 999 ? value : `1e${Math.round(Math.log10(value))}`) : value
  return whole(404, title, described, [
    ...ys.ticks.flatMap((tick) => [
      line('grid', left, ys.place(tick), right, ys.place(tick)),
      text(left - 8, ys.place(tick) + 4, String(name(y, tick)), 'end', 'quiet'),
    ]),
    ...xs.ticks.map((tick) => text(xs.place(tick), bottom + 20, String(name(x, tick)), 'middle', 'quiet')),
    line('axis', left, bottom, right, bottom),
    text((left + right) / 2, bottom + 42, x.label, 'middle'),
    text(left - 58, top - 8, y.label, 'start'),
    ...series.flatMap(({ name, points }, i) => {
      const path = points.map(([a, b]) => `${xs.place(a)} ${ys.place(b)}`).join('L')
      return [
        `<path class="curve" stroke="${HUES[i]}" d="M${path}"/>`,
        `<rect x="${right + 22}" y="${top + 22 * i}" width="12" height="12" rx="2" fill="${HUES[i]}"/>`,
        text(right + 40, top + 11 + 22 * i, name, 'start'),
      ]
    }),
  ])
}

/**
 * Blocks in a field: each has a category, and takes [from, to) on both axes, `x` and `y`. `limit` is a line across.
 * @param field  { x, y } with `most` and a label; y has `ticks` too
 */
export function blocksPicture(title, described, { x, y, blocks, limit }) {
  const [left, right, top, bottom] = [86, 720, 56, 390]
  const px = (value) => round(left + ((right - left) * value) / x.most)
  const py = (value) => round(bottom - ((bottom - top) * value) / y.most)
  const categories = [...new Set(blocks.map(({ category }) => category))]
  return whole(440, title, described, [
    ...y.ticks.flatMap(([tick, name]) => [
      line('grid', left, py(tick), right, py(tick)),
      text(left - 8, py(tick) + 4, name, 'end', 'quiet'),
    ]),
    ...blocks.map((block) => {
      const [x0, y1] = [px(block.x[0]), py(block.y[1])]
      const size = `width="${round(px(block.x[1]) - x0)}" height="${round(py(block.y[0]) - y1)}"`
      return `<rect class="block" x="${x0}" y="${y1}" ${size} fill="${COLOURS[block.category]}"><title>${block.name}</title></rect>`
    }),
    ...(limit
      ? [line('limit', left, py(limit[0]), right, py(limit[0])), text(right + 12, py(limit[0]) + 4, limit[1], 'start')]
      : []),
    line('axis', left, bottom, right, bottom),
    text((left + right) / 2, bottom + 28, x.label, 'middle'),
    text(left - 58, top - 8, y.label, 'start'),
    ...categories.flatMap((category, i) => [
      `<rect x="${right + 22}" y="${bottom - 14 - 20 * i}" width="12" height="12" rx="2" fill="${COLOURS[category]}"/>`,
      text(right + 40, bottom - 3 - 20 * i, category, 'start'),
    ]),
  ])
}

/** Rows of one memory, one below the other: each has a label and the blocks [from, to) with a name and a hue. */
export function rowsPicture(title, described, { most, rows }) {
  const [left, right, top, row] = [250, 872, 58, 34]
  const px = (value) => round(left + ((right - left) * value) / most)
  const lines = rows.flatMap(({ label, blocks }, i) => [
    text(28, top + row * i + 17, label, 'start'),
    `<rect class="free" x="${left}" y="${top + row * i}" width="${right - left}" height="26"/>`,
    ...blocks.flatMap(({ from, to, name, hue }) => [
      `<rect class="block" x="${px(from)}" y="${top + row * i}" width="${round(px(to) - px(from))}" height="26" fill="${HUES[hue % HUES.length]}"/>`,
      text(round((px(from) + px(to)) / 2), top + row * i + 17, name, 'middle', 'on'),
    ]),
  ])
  return whole(top + row * rows.length + 16, title, described, lines)
}
