/**
 * Draws the held bytes over time: one area per category, stacked, under the line of the budget.
 * A standalone SVG without scripts or fonts of its own, for light and dark pages. Its data comes from a plan;
 * nothing is run or measured here.
 */

import { type BytesByCategory, CATEGORIES, type Category } from './allocator.js'
import { door, LIST, NUMBER, options as optionsOf, TEXT } from './arguments.js'
import { formatBytes, groupDigits } from './bytes.js'
import { ArgumentError } from './errors.js'
import { line, page, picture, round, styles, text } from './svg.js'

/** The bytes held after an allocation or a free, and the op that made it. */
export interface TimelinePoint {
  readonly op: string
  readonly held: BytesByCategory
  /** the bytes of the allocated value, if the value is made again */
  readonly againBytes?: number
}

/** A stretch of the timeline that has a name: from `start` to the next section's start. */
export interface Section {
  /** index of its first point */
  readonly start: number
  readonly label: string
}

export interface TimelineOptions {
  title: string
  /** drawn as a line if it is at most twice the peak */
  budgetBytes: number
  /** the highest address reached, if it is known: held bytes and the holes between them */
  peakBytes?: number
  sections?: readonly Section[]
}

const WIDTH = 900
const HEIGHT = 420
const PLOT = { left: 78, right: 684, top: 76, bottom: 356 }

/** The order of the stack, from the bottom: first the categories that last, then those that come and go. */
const STACK: readonly Category[] = ['runtime', ...CATEGORIES.filter((category) => category !== 'runtime')]

/** The colours of the pictures, on light pages and dark ones. */
export const COLOURS: Readonly<Record<Category, string>> = {
  runtime: '#9aa5b1',
  parameter: '#4477aa',
  gradient: '#ee8866',
  optimizer: '#aa7fc4',
  buffer: '#7a6a58',
  store: '#b3c46b',
  input: '#ddb93c',
  activation: '#3fb08f',
  workspace: '#e0567a',
}

/** Areas carry their colour themselves. */
const STYLE = styles(
  `.area{stroke:#ffffff;stroke-width:.6}
.section{stroke:#94a3b8;stroke-dasharray:2 3}
.budget{stroke:#b91c1c;stroke-width:1.5;stroke-dasharray:6 4}
.over{fill:#b91c1c}
.reach{stroke:#475569;stroke-dasharray:2 3}
.mark{stroke:#0f172a}
.again{stroke:#64748b}
.dot{fill:#0f172a;stroke:#ffffff;stroke-width:1.5}`,
  `.area{stroke:#0f172a}
.section{stroke:#64748b}
.budget{stroke:#f87171}
.over{fill:#f87171}
.reach{stroke:#cbd5e1}
.mark{stroke:#f1f5f9}
.again{stroke:#94a3b8}
.dot{fill:#f1f5f9;stroke:#0f172a}`,
)

const check = door('drawTimeline', {
  points: LIST,
  options: optionsOf<TimelineOptions>({ title: TEXT, budgetBytes: NUMBER, peakBytes: NUMBER, sections: LIST }, [
    'title',
    'budgetBytes',
  ]),
})

/**
 * The picture as the text of an SVG file.
 * @param points  in order; where there are more points than pixels some are left out, never the peak
 * @throws ArgumentError  no point
 */
export function drawTimeline(points: readonly TimelinePoint[], options: TimelineOptions): string {
  check([points, options])
  if (points.length === 0) throw new ArgumentError('a timeline needs at least one point')
  const { title, budgetBytes, peakBytes = 0, sections = [] } = options
  const totals = points.map(({ held }) => totalOf(held))
  const peak = totals.reduce((best, total, i) => (total > totals[best] ? i : best), 0)
  const highest = Math.max(totals[peak], peakBytes)
  const topBytes = Math.max(1, 1.04 * (budgetBytes <= 2 * highest ? Math.max(budgetBytes, highest) : highest))
  const x = (i: number): number => round(PLOT.left + ((PLOT.right - PLOT.left) * i) / points.length)
  const y = (bytes: number): number => round(PLOT.bottom - ((PLOT.bottom - PLOT.top) * bytes) / topBytes)
  const events = `${groupDigits(points.length)} allocations and frees, in order`
  return picture({ width: WIDTH, height: HEIGHT, title }, [
    STYLE,
    page(WIDTH, HEIGHT),
    text(PLOT.left, 30, title, 'start', 'title'),
    ...grid(topBytes, y),
    ...areas(points, x, y),
    ...sectionMarks(sections, points.length, x),
    ...legend(points),
    ...againMarks(points, x),
    ...limits(budgetBytes, peakBytes, topBytes, y),
    ...peakMark(points[peak].op, totals[peak], x(peak + 0.5), y(totals[peak])),
    text(PLOT.left, HEIGHT - 14, events, 'start', 'quiet'),
  ])
}

type Scale = (value: number) => number

const totalOf = (held: BytesByCategory): number => CATEGORIES.reduce((sum, category) => sum + held[category], 0)

/** Lines at round numbers of bytes: the power of two that gives four to eight. */
function grid(topBytes: number, y: Scale): string[] {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(topBytes / 8)))
  return Array.from({ length: Math.floor(topBytes / step) + 1 }, (_, i) => {
    const at = y(i * step)
    return (
      line('grid', PLOT.left, at, PLOT.right, at) + text(PLOT.left - 8, at + 4, formatBytes(i * step), 'end', 'quiet')
    )
  })
}

/** One area for each category, down to the axis. Areas lower in the stack are drawn over it. */
function areas(points: readonly TimelinePoint[], x: Scale, y: Scale): string[] {
  const shown = thinned(points)
  const sums = shown.map(() => 0)
  const paths = STACK.filter((category) => peakOf(points, category) > 0).map((category) => {
    let path = `M${PLOT.left} ${PLOT.bottom}`
    let height = PLOT.bottom
    shown.forEach(({ at, held }, i) => {
      sums[i] += held[category]
      const next = y(sums[i])
      if (next === height) return
      path += `H${x(at)}V${next}`
      height = next
    })
    return `<path class="area" fill="${COLOURS[category]}" d="${path}H${PLOT.right}V${PLOT.bottom}Z"/>`
  })
  return paths.reverse()
}

/** At most one point for each half pixel: where several fall together, the one that holds most. */
function thinned(points: readonly TimelinePoint[]): { at: number; held: BytesByCategory }[] {
  const slots = 2 * (PLOT.right - PLOT.left)
  if (points.length <= slots) return points.map(({ held }, at) => ({ at, held }))
  return Array.from({ length: slots }, (_, slot) => {
    const at = Math.floor((slot * points.length) / slots)
    const together = points.slice(at, Math.floor(((slot + 1) * points.length) / slots))
    return { at, held: together.map(({ held }) => held).reduce((a, b) => (totalOf(b) > totalOf(a) ? b : a)) }
  })
}

const peakOf = (points: readonly TimelinePoint[], category: Category): number =>
  points.reduce((peak, { held }) => Math.max(peak, held[category]), 0)

/** The categories in the order of the stack, each with the most that it ever held. */
function legend(points: readonly TimelinePoint[]): string[] {
  const left = PLOT.right + 20
  const shown = STACK.filter((category) => peakOf(points, category) > 0)
  return shown.map((category, i) => {
    const at = PLOT.bottom - 20 * i
    return (
      `<rect x="${left}" y="${at - 11}" width="12" height="12" rx="2" fill="${COLOURS[category]}"/>` +
      text(left + 18, at, category, 'start') +
      text(WIDTH - 24, at, formatBytes(peakOf(points, category)), 'end', 'quiet')
    )
  })
}

/** A tick on the axis for each value that is made again, and their number. */
function againMarks(points: readonly TimelinePoint[], x: Scale): string[] {
  const made = [...points.keys()].filter((i) => points[i].againBytes !== undefined)
  if (made.length === 0) return []
  const bytes = made.reduce((sum, i) => sum + (points[i].againBytes ?? 0), 0)
  const ticks = made.map((i) => `M${x(i)} ${PLOT.bottom}v6`).join('')
  const label = `| made again: ${groupDigits(made.length)} values, ${formatBytes(bytes)}`
  return [`<path class="again" d="${ticks}"/>`, text(WIDTH - 24, HEIGHT - 14, label, 'end', 'quiet')]
}

/** The lines of the budget and of the highest address reached. Labels that would touch move apart. */
function limits(budgetBytes: number, peakBytes: number, topBytes: number, y: Scale): string[] {
  const left = PLOT.right + 20
  const off = budgetBytes > topBytes
  const budgetAt = off ? PLOT.top : y(budgetBytes)
  const budget = `budget ${formatBytes(budgetBytes)}${off ? ', off scale' : ''}`
  const lines = [text(left, budgetAt + 4, budget, 'start', 'over')]
  if (!off) lines.push(line('budget', PLOT.left, budgetAt, PLOT.right + 14, budgetAt))
  if (peakBytes > 0) {
    const at = y(peakBytes)
    lines.push(line('reach', PLOT.left, at, PLOT.right + 14, at))
    lines.push(text(left, Math.max(at, budgetAt + 17) + 4, `reaches ${formatBytes(peakBytes)}`, 'start'))
  }
  return lines
}

/** A dot at the peak, and a leader up to its label above the plot. */
function peakMark(op: string, bytes: number, x: number, y: number): string[] {
  const above = PLOT.top - 10
  const share = (x - PLOT.left) / (PLOT.right - PLOT.left)
  const anchor = share < 0.3 ? 'start' : share > 0.7 ? 'end' : 'middle'
  return [
    line('mark', x, above + 4, x, y),
    `<circle class="dot" cx="${x}" cy="${y}" r="4.5"/>`,
    text(x, above - 2, `most held: ${formatBytes(bytes)}, at ${op}`, anchor),
  ]
}

/** A dashed line where a section begins, and its name below the axis where there is room for it. */
function sectionMarks(sections: readonly Section[], points: number, x: Scale): string[] {
  return sections.flatMap(({ start, label }, i) => {
    const [from, to] = [x(start), x(sections[i + 1]?.start ?? points)]
    const fits = label.length * 6.5 < to - from
    return [
      ...(start > 0 ? [line('section', from, PLOT.top, from, PLOT.bottom + 8)] : []),
      ...(fits ? [text(round((from + to) / 2), PLOT.bottom + 20, label, 'middle', 'quiet')] : []),
    ]
  })
}
