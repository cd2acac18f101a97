/**
 * The pictures of the page of `--html`, as SVG for a narrow column: bars in parts, and the frontier. Their numbers stand in
 * tables beside them. The picture of a step is drawn by memory/timeline.ts.
 */
import { formatBytes } from '../memory/bytes.js'
import { escaped, line, round, text } from '../memory/svg.js'
import type { FrontierPoint, Part } from '../stream/plan.js'

/** A stretch of a bar. */
export interface Slice {
  readonly label: string
  readonly bytes: number
  /** a colour of CSS */
  readonly colour: string
}

const opening = (width: number, height: number, name: string, title: string, more = ''): string =>
  `<svg class="${name}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}"${more}>`

/** A bar of slices one after the other, as wide as the page. Its title names each slice that holds something. */
export function drawBar(what: string, slices: readonly Slice[]): string {
  const total = slices.reduce((sum, { bytes }) => sum + bytes, 0)
  const title = `${what}: ${slices.map(({ label, bytes }) => `${label} ${formatBytes(bytes)}`).join(', ')}`
  let left = 0
  const rects = slices.map(({ bytes, colour }) => {
    const width = (1000 * bytes) / Math.max(1, total)
    const rect = `<rect x="${round(left)}" y="0" width="${round(width)}" height="40" fill="${colour}"/>`
    left += width
    return rect
  })
  return [opening(1000, 40, 'bar', title, ' preserveAspectRatio="none"'), ...rects, '</svg>'].join('\n')
}

/** The most micro-batches that are drawn one by one. */
const MOST_DRAWN = 128

/** The mini-batch as a strip that is cut into its micro-batches; null where there are too many to see. */
export function drawParts(parts: readonly Part[], title: string): string | null {
  const sizes = parts.map(({ count }) => count).reduce((a, b) => a + b, 0)
  if (sizes > MOST_DRAWN) return null
  const samples = parts.reduce((sum, { size, count }) => sum + size * count, 0)
  let before = 0
  const rects = parts.flatMap(({ size, count }, part) =>
    Array.from({ length: count }, () => {
      const [left, right] = [(1000 * before) / samples, (1000 * (before + size)) / samples]
      before += size
      const gap = Math.min(3, (right - left) / 4)
      return `<rect class="part${part}" x="${round(left)}" y="0" width="${round(right - left - gap)}" height="30"/>`
    }),
  )
  return [opening(1000, 30, 'bar', title, ' preserveAspectRatio="none"'), ...rects, '</svg>'].join('\n')
}

const SIZE = { width: 360, height: 240 }
const PLOT = { left: 66, right: 346, top: 26, bottom: 200 }

/** Peak bytes against extra time, one dot for each choice; the dashed line is the budget, if it is in the range. */
export function drawFrontier(points: readonly FrontierPoint[], budgetBytes: number): string {
  const most = Math.max(...points.map(({ peakBytes }) => peakBytes))
  const slowest = Math.max(...points.map(({ extraTime }) => extraTime))
  const top = 1.06 * (budgetBytes <= 1.5 * most ? Math.max(most, budgetBytes) : most)
  const x = (time: number): number => round(PLOT.left + ((PLOT.right - PLOT.left) * time) / (slowest || 1))
  const y = (bytes: number): number => round(PLOT.bottom - ((PLOT.bottom - PLOT.top) * bytes) / top)
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(top / 6)))
  const levels = Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step)
  const title =
    `Planned peak against more time, from ${formatBytes(points[0].peakBytes)} without any to ` +
    `${formatBytes(points[points.length - 1].peakBytes)} with ${percent(slowest)} more`
  const path = points.map(({ extraTime, peakBytes }) => `${x(extraTime)} ${y(peakBytes)}`).join('L')
  return [
    opening(SIZE.width, SIZE.height, 'frontier', title),
    text(8, 14, 'planned peak', 'start', 'quiet'),
    ...levels.map(
      (bytes) =>
        line('grid', PLOT.left, y(bytes), PLOT.right, y(bytes)) +
        text(PLOT.left - 6, y(bytes) + 4, formatBytes(bytes), 'end', 'quiet'),
    ),
    ...(budgetBytes <= top
      ? [
          line('budget', PLOT.left, y(budgetBytes), PLOT.right, y(budgetBytes)),
          text(PLOT.right, y(budgetBytes) - 5, 'budget', 'end', 'over'),
        ]
      : []),
    `<path class="line" d="M${path}"/>`,
    ...points.map(
      ({ extraTime, peakBytes }) => `<circle class="choice" cx="${x(extraTime)}" cy="${y(peakBytes)}" r="4"/>`,
    ),
    text(PLOT.left, PLOT.bottom + 18, '0 %', 'middle', 'quiet'),
    text(PLOT.right, PLOT.bottom + 18, percent(slowest), 'end', 'quiet'),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 34, 'more time', 'middle', 'quiet'),
    '</svg>',
  ].join('\n')
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
