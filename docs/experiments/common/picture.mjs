/** The pictures of the experiments: lines or bars, with their values named beside them, as SVG for light and dark pages. */
import { DASHES, dashed, linear, logarithmic, STYLE, tenths } from '../../../dist/src/cli/curves.js'
import { line, page, picture, round, text } from '../../../dist/src/memory/svg.js'

const SIZE = { width: 840, height: 380 }
const PLOT = { left: 84, right: 560, top: 60, bottom: 316 }
const ROW = 20

/**
 * @param title   what is shown
 * @param kind    'lines' or 'bars'
 * @param x       { label, names }: one place for each name; { label }: numbers; { label, log: true }: powers of ten
 * @param y       { label, log, show }: `show` gives the text of a value
 * @param series  [{ name, values }], a value or null for each name; [{ name, points: [[x, y], ...] }] with numbers
 */
export function draw({ title, kind = 'lines', x, y, series }) {
  const pointsOf = ({ values, points }) => points ?? values.flatMap((value, i) => (value === null ? [] : [[i, value]]))
  const all = series.flatMap(pointsOf)
  const show = y.show ?? ((value) => String(Number(value.toPrecision(3))))
  const vertical = scaleOf(
    all.map(([, value]) => value),
    y.log,
  )
  const top = (value) => round(PLOT.bottom - (PLOT.bottom - PLOT.top) * vertical.at(value))
  const across = x.names
    ? null
    : scaleOf(
        all.map(([value]) => value),
        x.log,
      )
  const slot = x.names && (PLOT.right - PLOT.left) / x.names.length
  const left = (value) =>
    x.names ? PLOT.left + slot * (value + 0.5) : PLOT.left + (PLOT.right - PLOT.left) * across.at(value)
  // many names stand in two rows, by turns
  const labelDown = (i) => (x.names?.length > 6 && i % 2 === 1 ? 33 : 20)
  const described = series.map(
    (one) =>
      `${one.name}: ${pointsOf(one)
        .map(([, value]) => show(value))
        .join(', ')}.`,
  )
  return picture({ ...SIZE, title, described: described.join(' ') }, [
    STYLE,
    page(SIZE.width, SIZE.height),
    text(24, 30, title, 'start', 'title'),
    text(PLOT.left, PLOT.top - 8, y.label, 'start', 'quiet'),
    ...vertical.lines.map(
      (value) =>
        line('grid', PLOT.left, top(value), PLOT.right, top(value)) +
        text(PLOT.left - 8, top(value) + 4, show(value), 'end', 'quiet'),
    ),
    ...(x.names ?? across.lines).map((name, i) =>
      text(round(left(x.names ? i : name)), PLOT.bottom + labelDown(i), String(name), 'middle', 'quiet'),
    ),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 52, x.label, 'middle', 'quiet'),
    ...series.flatMap((one, i) => {
      const places = pointsOf(one).map(([at, value]) => [round(left(at)), top(value)])
      const drawn = kind === 'bars' ? bars(places, i, series.length, slot) : curve(places, i)
      return [...drawn, ...legend(one.name, i, kind)]
    }),
  ])
}

const scaleOf = (values, log) => (log ? logarithmic(values) : linear(values, tenths))

const curve = (places, i) => [
  `<path class="curve run${i}"${dashed(DASHES[i])} d="M${places.map((place) => place.join(' ')).join('L')}"/>`,
  ...places.map(([x, y]) => `<circle class="of${i}" cx="${x}" cy="${y}" r="3.5"/>`),
]

function bars(places, i, count, slot) {
  const width = round((0.8 * slot) / count)
  return places.map(([x, y]) => {
    const from = round(x + (i - count / 2) * width)
    return `<rect class="of${i}" x="${from}" y="${y}" width="${round(0.92 * width)}" height="${round(Math.max(0, PLOT.bottom - y))}"/>`
  })
}

function legend(name, i, kind) {
  const [x, y] = [PLOT.right + 18, PLOT.top + ROW * i]
  const mark =
    kind === 'bars'
      ? `<rect class="of${i}" x="${x}" y="${y - 9}" width="12" height="12"/>`
      : `<path class="curve run${i}"${dashed(DASHES[i])} d="M${x} ${y - 4}h24"/>`
  return [mark, text(x + (kind === 'bars' ? 18 : 30), y, name)]
}
