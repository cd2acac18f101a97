/** A curve over steps or epochs, drawn by uPlot in the colours of the page. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { useWidth } from './width'

export interface Series {
  readonly label: string
  /** a variable of the style, such as --accent */
  readonly colour: string
  readonly values: readonly (number | null)[]
  readonly dots?: boolean
}

interface Props {
  title: string
  described: string
  x: readonly number[]
  series: readonly Series[]
  height: number
  show: (value: number) => string
  range?: (least: number, most: number) => [number, number]
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

export function Curve({ title, described, x, series, height, show, range }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const dark = useDark()
  const data = [x, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData
  const named = series.map(({ label, colour, dots }) => `${label} ${colour} ${dots}`).join()
  useLayoutEffect(() => {
    if (!place.current || width === 0) return
    const axis: uPlot.Axis = {
      stroke: colour('--soft'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    }
    const made = new uPlot(
      {
        width,
        height,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: (_, least, most) => [least, Math.max(most, least + 1)] },
          y: range ? { range: (_, least, most) => range(least, most) } : {},
        },
        axes: [
          { ...axis, size: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
          { ...axis, size: 44, values: (_, ticks) => ticks.map(show) },
        ],
        series: [
          {},
          ...series.map(
            ({ colour: name, dots = false }): uPlot.Series => ({
              stroke: colour(name),
              width: dots ? 2 : 1.25,
              spanGaps: true,
              points: { show: dots, size: 5, fill: colour(name), stroke: colour(name) },
            }),
          ),
        ],
      },
      data,
      place.current,
    )
    plot.current = made
    return () => made.destroy()
  }, [width, dark, named, height])
  useEffect(() => {
    plot.current?.setData(data)
  }, [x.length, series.map(({ values }) => values.length).join(), x[x.length - 1]])
  return (
    <figure class="curve">
      <figcaption>
        <b>{title}</b>
        {series.map(({ label, colour }) => (
          <span key={label}>
            <span class="dash" style={{ background: `var(${colour})` }} aria-hidden="true" />
            {label}
          </span>
        ))}
      </figcaption>
      <div ref={ref} role="img" aria-label={`${title}: ${described}`} style={{ minHeight: `${height}px` }}>
        <div ref={place} aria-hidden="true" />
      </div>
    </figure>
  )
}

function useDark(): boolean {
  const query = '(prefers-color-scheme: dark)'
  const [dark, set] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const change = () => set(media.matches)
    media.addEventListener('change', change)
    return () => media.removeEventListener('change', change)
  }, [])
  return dark
}
