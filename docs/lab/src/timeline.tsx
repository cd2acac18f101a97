/** The memory of a step over its turns: stacked by kind of memory or by layer, or each block at its place. */
import { useMemo } from 'preact/hooks'
import { COLOURS, formatBytes, layerColour } from './format'
import type { Picture } from './picture'
import type { Settings } from './settings'
import { useWidth } from './width'

const HEIGHT = 270
const PLOT = { top: 22, bottom: HEIGHT - 24, left: 0 }

/** More blocks than this are not drawn with edges. */
const MOST_EDGES = 1500

interface Props {
  picture: Picture
  view: Settings['view']
  at: number
  budgetBytes: number
  onSeek: (turn: number) => void
}

interface Band {
  readonly name: string
  readonly colour: string
  readonly bytes: Float64Array
}

/** What is stacked, from the bottom. */
function bandsOf({ held, byLayer, layers, ops }: Picture, view: Settings['view']): Band[] {
  const kinds = held.map(({ category, bytes }): Band => ({ name: category, colour: COLOURS[category], bytes }))
  const runtime = kinds.filter(({ name }) => name === 'runtime')
  const lasting = kinds.filter(({ name }) => ['parameter', 'gradient', 'optimizer', 'buffer', 'store'].includes(name))
  const passing = kinds.filter((band) => !runtime.includes(band) && !lasting.includes(band))
  if (view !== 'layers') return [...runtime, ...lasting, ...passing]
  const standing = new Float64Array(ops.length)
  for (const { bytes } of [...runtime, ...lasting]) for (let i = 0; i < bytes.length; i++) standing[i] += bytes[i]
  const own = byLayer.map((bytes, i): Band => {
    const layer = layers[i]
    return {
      name: layer ? `${layer.path} ${layer.kind}` : 'input and loss',
      colour: layerColour(i, layers.length),
      bytes,
    }
  })
  return [{ name: 'stays between steps', colour: '#8595a8', bytes: standing }, own[own.length - 1], ...own.slice(0, -1)]
}

export function Timeline({ picture, view, at, budgetBytes, onSeek }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const { ops, segments, plan, totals } = picture
  const highest = Math.max(plan.plannedPeakBytes, totals[picture.peakTurn])
  const top = 1.06 * (budgetBytes <= 1.8 * highest ? Math.max(budgetBytes, highest) : highest)
  const x = (turn: number): number => Math.round(((width - 1) * turn * 10) / ops.length) / 10
  const y = (bytes: number): number => Math.round(10 * (PLOT.bottom - ((PLOT.bottom - PLOT.top) * bytes) / top)) / 10
  const bands = useMemo(() => bandsOf(picture, view), [picture, view])
  const missing = view === 'places' && picture.places === null
  const areas = useMemo(
    () => (width === 0 ? null : view === 'places' ? blocks(picture, x, y) : stacked(bands, width, x, y)),
    [picture, bands, view, width, top],
  )
  const step = 2 ** Math.ceil(Math.log2(Math.max(2, top / 6)))
  const levels = Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step)
  const title =
    view === 'places'
      ? 'Where each block of memory lies, over the turns of a step'
      : `Bytes held over the turns of a step, by ${view === 'kinds' ? 'kind of memory' : 'layer'}`
  const described = `Most is held at '${plan.peakOp}': ${formatBytes(highest)} of a budget of ${formatBytes(budgetBytes)}. ${ops.length} turns.`
  const turnAt = (event: PointerEvent): number => {
    const { left } = (event.currentTarget as Element).getBoundingClientRect()
    return Math.max(0, Math.min(ops.length - 1, Math.floor(((event.clientX - left) * ops.length) / Math.max(1, width))))
  }
  return (
    <figure class="timeline">
      <div ref={ref}>
        {width > 0 && (
          <svg
            width={width}
            height={HEIGHT}
            role="img"
            aria-label={title}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId)
              onSeek(turnAt(event))
            }}
            onPointerMove={(event) => event.buttons > 0 && onSeek(turnAt(event))}
          >
            <title>{title}</title>
            <desc>{described}</desc>
            {areas}
            {levels.map((bytes) => (
              <g key={bytes} class="level">
                <path d={`M0 ${y(bytes)}H${width}`} />
                {bytes > 0 && y(bytes) > PLOT.top + 8 && (
                  <text x={width - 4} y={y(bytes) - 4} text-anchor="end">
                    {formatBytes(bytes)}
                  </text>
                )}
              </g>
            ))}
            {segments.map(({ start, end, label }) => (
              <g key={start} class="section">
                {start > 0 && <path d={`M${x(start)} ${PLOT.top}V${PLOT.bottom + 6}`} />}
                {label.length * 6.6 < x(end) - x(start) && (
                  <text x={(x(start) + x(end)) / 2} y={PLOT.bottom + 18} text-anchor="middle">
                    {label}
                  </text>
                )}
              </g>
            ))}
            {budgetBytes <= top && (
              <g class={budgetBytes < highest ? 'line no' : 'line'}>
                <path d={`M0 ${y(budgetBytes)}H${width}`} />
                <text x="2" y={y(budgetBytes) - 5}>
                  budget {formatBytes(budgetBytes)}
                </text>
              </g>
            )}
            <g class="head-line">
              <path d={`M${x(at + 0.5)} ${PLOT.top - 6}V${PLOT.bottom + 4}`} />
              <circle cx={x(at + 0.5)} cy={y(totals[at])} r="4.500" />
            </g>
          </svg>
        )}
      </div>
      {missing && <p class="soft">Textures of a gpu have no addresses to draw.</p>}
      <figcaption class="legend">
        {(view === 'places' ? bandsOf(picture, 'kinds') : bands).map(({ name, colour, bytes }) => (
          <span key={name}>
            <span class="key" style={{ background: colour }} aria-hidden="true" />
            {name} <small>{formatBytes(bytes[at])}</small>
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

type Scale = (value: number) => number

/** One area for each band, drawn over those above it. */
function stacked(bands: readonly Band[], width: number, x: Scale, y: Scale) {
  const turns = bands[0]?.bytes.length ?? 0
  // where there are more turns than pixels, each pixel shows the turn that holds most
  const columns = Math.min(turns, 2 * width)
  const sums = new Float64Array(turns)
  const total = new Float64Array(turns)
  for (const { bytes } of bands) for (let i = 0; i < turns; i++) total[i] += bytes[i]
  const shown = Array.from({ length: columns }, (_, column) => {
    const [from, to] = [column, column + 1].map((c) => Math.floor((c * turns) / columns))
    let best = from
    for (let i = from; i < to; i++) if (total[i] > total[best]) best = i
    return { from, best }
  })
  return bands
    .map(({ name, colour, bytes }) => {
      for (let i = 0; i < turns; i++) sums[i] += bytes[i]
      let path = `M0 ${PLOT.bottom}`
      let height = Number.NaN
      for (const { from, best } of shown) {
        const next = y(sums[best])
        if (next !== height) path += `H${x(from)}V${next}`
        height = next
      }
      return <path key={name} class="area" fill={colour} d={`${path}H${x(turns)}V${PLOT.bottom}Z`} />
    })
    .reverse()
}

/** Each block as a rectangle: as long as it lives, as high as it is large. */
function blocks({ places, ops }: Picture, x: Scale, y: Scale) {
  if (!places) return null
  const edges = places.length <= MOST_EDGES
  return (
    <g class={edges ? 'blocks' : ''}>
      {places.map(({ from, to, address, bytes, category }, i) => {
        const [left, right, low, high] = [x(from), x(Math.min(to + 1, ops.length)), y(address), y(address + bytes)]
        return (
          <rect
            key={i}
            x={left}
            y={high}
            width={Math.max(0.5, right - left)}
            height={Math.max(0.3, low - high)}
            fill={COLOURS[category]}
          />
        )
      })}
    </g>
  )
}
