/**
 * Draws runs as curves over their steps, all in one picture: loss, accuracy on the test data, and bytes. A run has a
 * colour, and a dash pattern for readers who do not see the colour; its last values stand beside the curves.
 */
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { line, page, picture, round, styles, text } from '../memory/svg.js'
import { showLoss } from './progress.js'
import type { RunLog, Series } from './run-log.js'
import { showShare } from './task.js'

const WIDTH = 900
const PLOT = { left: 84, right: 640 }
const PANEL = { top: 64, height: 168, gap: 52 }
const ROW = 18

/** Colours for light and for dark pages (after Okabe and Ito), and the dashes of the lines. More runs begin again. */
const LIGHT = ['#0061a4', '#c0500c', '#00785a', '#a5407f', '#8a6d00', '#475569']
const DARK = ['#6db7ee', '#f09a5a', '#3fc79f', '#e48fc4', '#e5c94b', '#cbd5e1']
export const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 4']

const rules = (colours: readonly string[]): string =>
  colours.map((colour, i) => `.run${i}{stroke:${colour}}.of${i}{fill:${colour}}`).join('\n')
export const STYLE = styles(
  `.curve{fill:none;stroke-width:1.8;stroke-linejoin:round}
.faint{stroke-width:1;opacity:.45}
.budget{stroke-width:1;stroke-dasharray:1 3}
${rules(LIGHT)}`,
  rules(DARK),
)

/** What a panel shows of a run: a curve that is drawn faintly, one that is drawn in full, and the last value as text. */
interface Shown {
  readonly faint: Series
  readonly full: Series
  readonly last: string
  /** a level line */
  readonly limit: number | null
}

interface Panel {
  readonly title: string
  readonly of: (run: RunLog) => Shown
  /** the text of a value on the axis */
  readonly label: (value: number) => string
  readonly scale: (values: readonly number[]) => Scale
}

/** An axis from its lowest to its highest value, with lines at round values. */
interface Scale {
  readonly at: (value: number) => number
  readonly lines: readonly number[]
}

const lastOf = (series: Series): number | undefined => series.at(-1)?.value
const told = (value: number | undefined, show: (value: number) => string): string =>
  value === undefined ? '' : show(value)

const PANELS: readonly Panel[] = [
  {
    title: 'Loss: of mini-batches (faint), and on the test data',
    of: ({ loss, testLoss }) => ({
      faint: loss,
      full: testLoss,
      last: told(lastOf(testLoss) ?? lastOf(loss), showLoss),
      limit: null,
    }),
    label: (value) => String(Number(value.toPrecision(3))),
    scale: (values) => (spread(values) > 20 ? logarithmic(values) : linear(values, tenths)),
  },
  {
    title: 'Accuracy on the test data',
    of: ({ testAccuracy }) => ({
      faint: [],
      full: testAccuracy,
      last: told(lastOf(testAccuracy), showShare),
      limit: null,
    }),
    label: (value) => `${Number((100 * value).toFixed(1))} %`,
    scale: (values) => linear(values, tenths),
  },
  {
    title: 'Peak bytes of the steps, and the budget (dotted)',
    of: ({ peakBytes, budgetBytes }) => ({
      faint: [],
      full: peakBytes,
      last: told(
        peakBytes.length > 0 ? Math.max(...peakBytes.map(({ value }) => value)) : undefined,
        (value) => `${formatBytes(value)}${budgetBytes === null ? '' : ` of ${formatBytes(budgetBytes)}`}`,
      ),
      limit: budgetBytes,
    }),
    label: formatBytes,
    scale: (values) => linear(values, powersOfTwo),
  },
]

/** The picture as the text of an SVG file. */
export function drawCurves(runs: readonly RunLog[]): string {
  const panels = PANELS.filter(({ of }) => runs.some((run) => of(run).full.length + of(run).faint.length > 0))
  const lastStep = Math.max(1, ...runs.flatMap((run) => [...run.loss, ...run.testLoss].map(({ step }) => step)))
  const x = (step: number): number => round(PLOT.left + ((PLOT.right - PLOT.left) * step) / lastStep)
  const rows = Math.max(PANEL.height, ROW * (runs.length + 1))
  const height = PANEL.top + panels.length * (rows + PANEL.gap) + 8
  const title = `${runs.map(({ name }) => name).join(', ')}: ${groupDigits(lastStep)} steps`
  return picture({ width: WIDTH, height, title, described: describe(runs, panels) }, [
    STYLE,
    page(WIDTH, height),
    text(PLOT.left, 30, title.length > 110 ? `${title.slice(0, 109)}…` : title, 'start', 'title'),
    ...panels.flatMap((panel, i) => draw(panel, runs, x, lastStep, PANEL.top + i * (rows + PANEL.gap))),
  ])
}

/** The last values of each run as text, for readers who do not see the picture. */
function describe(runs: readonly RunLog[], panels: readonly Panel[]): string {
  const sentences = runs.map((run) => {
    const values = panels.flatMap(({ title, of }) => {
      const { last } = of(run)
      return last === '' ? [] : [`${title.split(/[ :]/)[0].toLowerCase()} ${last}`]
    })
    return `${run.name}: ${values.join(', ')}.`
  })
  return sentences.join(' ')
}

function draw(
  panel: Panel,
  runs: readonly RunLog[],
  x: (step: number) => number,
  lastStep: number,
  top: number,
): string[] {
  const bottom = top + PANEL.height
  const shown = runs.map((run) => panel.of(run))
  const values = shown.flatMap(({ faint, full, limit }) => [
    ...[...faint, ...full].map(({ value }) => value),
    ...(limit === null ? [] : [limit]),
  ])
  const { at, lines } = panel.scale(values)
  const y = (value: number): number => round(bottom - PANEL.height * at(value))
  const legend = PLOT.right + 20
  return [
    text(PLOT.left, top - 10, panel.title, 'start'),
    ...lines.map(
      (value) =>
        line('grid', PLOT.left, y(value), PLOT.right, y(value)) +
        text(PLOT.left - 8, y(value) + 4, panel.label(value), 'end', 'quiet'),
    ),
    ...[0, lastStep].map((step, i) =>
      text(x(step), bottom + 18, i === 0 ? 'step 0' : groupDigits(step), i === 0 ? 'start' : 'end', 'quiet'),
    ),
    ...shown.flatMap(({ faint, full, last, limit }, i) => {
      const style = i % LIGHT.length
      const row = top + ROW * (i + 1)
      return [
        ...(limit === null ? [] : [line(`curve budget run${style}`, PLOT.left, y(limit), PLOT.right, y(limit))]),
        ...curve(faint, `curve faint run${style}`, '', x, y),
        ...curve(full, `curve run${style}`, DASHES[style], x, y),
        `<path class="curve run${style}"${dashed(DASHES[style])} d="M${legend} ${row - 4}h26"/>`,
        text(legend + 34, row, shortened(runs[i].name), 'start', `of${style}`),
        text(WIDTH - 16, row, last, 'end', 'quiet'),
      ]
    }),
  ]
}

const shortened = (name: string): string => (name.length > 14 ? `${name.slice(0, 13)}…` : name)
export const dashed = (dashes: string): string => (dashes === '' ? '' : ` stroke-dasharray="${dashes}"`)

/** A line through the values; a single value is a dot. */
function curve(
  series: Series,
  style: string,
  dashes: string,
  x: (step: number) => number,
  y: (value: number) => number,
): string[] {
  if (series.length === 0) return []
  const points = thinned(series).map(({ step, value }) => `${x(step)} ${y(value)}`)
  const path = points.length === 1 ? `M${points[0]}h.1` : `M${points.join('L')}`
  return [
    `<path class="${style}"${dashed(dashes)} d="${path}"${points.length === 1 ? ' stroke-linecap="round"' : ''}/>`,
  ]
}

/** At most two points for each column of pixels: the lowest and the highest. */
function thinned(series: Series): Series {
  const slots = PLOT.right - PLOT.left
  if (series.length <= 2 * slots) return series
  return Array.from({ length: slots }, (_, slot) => {
    const [from, to] = [slot, slot + 1].map((edge) => Math.floor((edge * series.length) / slots))
    const together = series.slice(from, to)
    const lowest = together.reduce((a, b) => (b.value < a.value ? b : a))
    const highest = together.reduce((a, b) => (b.value > a.value ? b : a))
    return lowest.step < highest.step ? [lowest, highest] : [highest, lowest]
  }).flat()
}

/** The largest value by the smallest; 1 where one is not above 0. */
function spread(values: readonly number[]): number {
  const lowest = leastOf(values)
  return lowest > 0 ? mostOf(values) / lowest : 1
}

const leastOf = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity)
const mostOf = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity)

/** From 0, or the lowest value if that is below, up to the highest. */
export function linear(values: readonly number[], unitFor: (range: number) => number): Scale {
  const low = Math.min(0, leastOf(values))
  const range = 1.05 * (mostOf(values) - low) || 1
  const unit = unitFor(range)
  const first = Math.ceil(low / unit)
  const count = Math.floor((low + range) / unit) - first + 1
  return {
    at: (value) => (value - low) / range,
    lines: Array.from({ length: count }, (_, i) => (first + i) * unit),
  }
}

/** 1, 2 or 5 times a power of ten, so that there are four to nine lines. */
export function tenths(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 4))
  return [1, 2, 5].map((factor) => factor * power).findLast((unit) => unit <= range / 4) ?? power
}

const powersOfTwo = (range: number): number => 2 ** Math.max(0, Math.ceil(Math.log2(range / 8)))

/** Equal distances for equal ratios; lines at powers of ten. */
export function logarithmic(values: readonly number[]): Scale {
  const [low, high] = [Math.floor(Math.log10(leastOf(values))), Math.ceil(Math.log10(mostOf(values)))]
  const every = Math.ceil((high - low) / 8)
  return {
    at: (value) => (Math.log10(value) - low) / (high - low),
    lines: Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => 10 ** (low + i * every)),
  }
}
