/** One step: its micro-batches through the layers, and the memory over time, under one playhead. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Folded } from './folded'
import { formatBytes, groupDigits, layerColour } from './format'
import type { Picture, Segment } from './picture'
import { type Settings, VIEWS } from './settings'
import { Timeline } from './timeline'
import { useWidth } from './width'

interface Props {
  picture: Picture
  /** what it is the plan of */
  of: Settings
  view: Settings['view']
  /** the turn that is asked for; -1: the peak */
  given: number
  set: (patch: Partial<Settings>) => void
}

/** A run of one pass: which micro-batch, and how long it is shown. */
interface Beat {
  readonly segment: Segment
  readonly repeat: number
  readonly ms: number
}

/** The passes of a step in their order; of very many micro-batches only some are shown. */
function beatsOf({ segments, plan }: Picture): Beat[] {
  const micro = segments.filter(({ name }) => name === 'micro-batch')
  const count = micro.reduce((sum, { count }) => sum + count, 0)
  const ms = Math.max(60, Math.min(2600, 9000 / count))
  const others = (names: readonly string[]): Beat[] =>
    segments.filter(({ name }) => names.includes(name)).map((segment) => ({ segment, repeat: 0, ms: 500 }))
  const levels = Array.from({ length: plan.passes }, (_, level) => [
    ...micro
      .filter((segment) => segment.level === level)
      .flatMap((segment) => {
        const shown = Math.min(segment.count, 100)
        return Array.from({ length: shown }, (_, i): Beat => {
          const first = i === 0 && segment === micro.find((each) => each.level === level)
          return { segment, repeat: Math.floor((i * segment.count) / shown), ms: first ? Math.max(ms, 1800) : ms }
        })
      }),
    ...(level === 0 ? others(['joint']) : []),
  ])
  return [...others(['reset']), ...levels.flat(), ...others(['noise', 'norm', 'commit'])]
}

const TITLES: Readonly<Record<Settings['view'], string>> = { kinds: 'By kind', layers: 'By layer', places: 'Places' }

export function StepCard({ picture, of, view: drawn, given: asked, set }: Props) {
  const { segments, ops, stages, layers, layerAt, totals, again, peakTurn } = picture
  const beats = useMemo(() => beatsOf(picture), [picture])
  const given = asked < 0 || asked >= ops.length ? peakTurn : asked
  const [playing, play] = useState(false)
  const [shown, show] = useState({ at: given, repeat: 0 })
  useEffect(() => {
    if (!playing) show((old) => (old.at === given ? old : { at: given, repeat: 0 }))
  }, [given, picture])
  useEffect(() => play(false), [of])
  const fresh = asked < 0
  usePlayer(playing, fresh, beats, shown, show, () => play(false))
  const at = Math.min(shown.at, ops.length - 1)
  const { repeat } = shown
  const segment = segments.find(({ start, end }) => start <= at && at < end) ?? segments[0]
  const seek = (turn: number) => {
    play(false)
    show({
      at: turn,
      repeat: segments.some((each) => each === segment && each.start <= turn && turn < each.end) ? repeat : 0,
    })
    set({ at: turn })
  }
  const layer = layers[layerAt[at]]
  const where = layer ? ` in ${layer.path} ${layer.kind}` : ''
  const what = `${ops[at]}${where}${again[at] ? ', made again' : ''}`
  const told = `${describe(picture, segment, repeat)}, ${stages[at]}: ${what}, ${formatBytes(totals[at])} held`
  return (
    <section class="card" aria-labelledby="step-title">
      <div class="head">
        <h2 id="step-title">One step</h2>
        <fieldset class="tabs">
          <legend class="hidden">How the memory is drawn</legend>
          {VIEWS.map((view) => (
            <label key={view}>
              <input type="radio" name="view" value={view} checked={drawn === view} onChange={() => set({ view })} />
              <span>{TITLES[view]}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <MicroBatches picture={picture} segment={segment} repeat={repeat} at={at} />
      <Layers picture={picture} at={at} />
      <Timeline picture={picture} view={drawn} at={at} budgetBytes={of.memory} onSeek={seek} />
      <div class="player">
        <button
          type="button"
          class="round"
          aria-label={playing ? 'Pause the step' : 'Play the step'}
          aria-pressed={playing}
          onClick={() => {
            play(!playing)
            if (playing) set({ at })
          }}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            {playing ? <path d="M4 3h3v10H4zM9 3h3v10H9z" /> : <path d="M5 2.500v11l8-5.500z" />}
          </svg>
        </button>
        <input
          class="slide"
          type="range"
          aria-label="Turn of the step"
          aria-valuetext={told}
          min={0}
          max={ops.length - 1}
          value={at}
          onInput={(event) => seek(Number(event.currentTarget.value))}
        />
      </div>
      <p class="readout">
        <b>{formatBytes(totals[at])}</b> <span class={`stage ${stages[at]}`}>{stages[at]}</span> {what}
        <span class="soft"> · {describe(picture, segment, repeat)}</span>
      </p>
      <Folded summary="The step as a table">{() => <LayerTable picture={picture} at={at} />}</Folded>
    </section>
  )
}

/** Moves the playhead through the beats, from where it is. */
function usePlayer(
  playing: boolean,
  fresh: boolean,
  beats: readonly Beat[],
  shown: { at: number; repeat: number },
  show: (next: { at: number; repeat: number }) => void,
  end: () => void,
): void {
  const from = useRef(shown)
  from.current = shown
  useEffect(() => {
    if (!playing) return
    const { at, repeat } = from.current
    const last = beats[beats.length - 1]
    const isLast = fresh || at >= last.segment.end - 1
    let index = Math.max(
      0,
      beats.findIndex(({ segment, repeat: r }) => segment.start <= at && at < segment.end && r >= repeat),
    )
    // from the peak, which is where a plan opens, and from the end, a step is played from its beginning
    if (isLast || index < 0) index = 0
    let started = performance.now() - (isLast ? 0 : beats[index].ms * share(beats[index], at))
    let frame = requestAnimationFrame(function draw(now) {
      while (index < beats.length && now - started >= beats[index].ms) started += beats[index++].ms
      if (index >= beats.length) {
        show({ at: last.segment.end - 1, repeat: 0 })
        end()
        return
      }
      const { segment, repeat, ms } = beats[index]
      const turns = segment.end - segment.start
      show({ at: segment.start + Math.min(turns - 1, Math.floor((turns * Math.max(0, now - started)) / ms)), repeat })
      frame = requestAnimationFrame(draw)
    })
    return () => cancelAnimationFrame(frame)
  }, [playing, beats])
}

const share = ({ segment: { start, end } }: Beat, at: number): number => (at - start) / (end - start)

/** Which run of the pass it is. */
function describe(picture: Picture, { name, samples, level }: Segment, repeat: number): string {
  const { plan, segments } = picture
  if (name === 'reset') return 'before the micro-batches'
  if (name !== 'micro-batch') return name === 'commit' ? 'all weights move at once' : 'after the micro-batches'
  const { done, of } = progress(segments, level, samples, repeat)
  const pass = plan.passes > 1 ? `pass ${level + 1} of ${plan.passes}, ` : ''
  return `${pass}micro-batch ${groupDigits(done + 1)} of ${groupDigits(of)}, ${groupDigits(samples)} samples`
}

function progress(segments: readonly Segment[], level: number, samples: number, repeat: number) {
  const parts = segments.filter((each) => each.name === 'micro-batch' && each.level === level)
  const before = parts.slice(
    0,
    parts.findIndex((each) => each.samples === samples),
  )
  const done = before.reduce((sum, { count }) => sum + count, 0) + repeat
  return { done, of: parts.reduce((sum, { count }) => sum + count, 0) }
}

/** More than so many boxes cannot be told apart. */
const MOST_BOXES = 80

/** The mini-batch as a strip of micro-batches: done, in the device, waiting. */
function MicroBatches({
  picture,
  segment,
  repeat,
  at,
}: {
  picture: Picture
  segment: Segment
  repeat: number
  at: number
}) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const { plan, segments, stages } = picture
  const of = plan.parts.reduce((sum, { count }) => sum + count, 0)
  const inMicro = segment.name === 'micro-batch'
  const done = inMicro
    ? progress(segments, segment.level, segment.samples, repeat).done
    : segment.name === 'reset'
      ? 0
      : of
  const part = inMicro ? (at - segment.start + 1) / (segment.end - segment.start) : 0
  const sizes = plan.parts.flatMap(({ size, count }) =>
    of > MOST_BOXES ? [] : Array.from({ length: count }, () => size),
  )
  const many = of > MOST_BOXES
  const boxes = many ? Array.from({ length: MOST_BOXES }, () => plan.batch / MOST_BOXES) : sizes
  const current = many ? Math.floor((done * MOST_BOXES) / of) : done
  const gap = boxes.length > 40 ? 1 : 3
  let before = 0
  const title = `${groupDigits(of)} micro-batches of the mini-batch, ${groupDigits(done)} of them done`
  return (
    <div class="strip">
      <span class="label">mini-batch</span>
      <div ref={ref}>
        {width > 0 && (
          <svg width={width} height="26" role="img" aria-label={title}>
            <title>{title}</title>
            {boxes.map((size, i) => {
              const left = (width * before) / plan.batch
              before += size
              const wide = Math.max(1, (width * size) / plan.batch - gap)
              const now = inMicro && i === current
              return (
                <g key={i}>
                  <rect
                    class={i < current ? 'box done' : 'box'}
                    x={left}
                    y="3"
                    width={wide}
                    height="20"
                    rx={Math.min(4, wide / 3)}
                  />
                  {now && (
                    <rect
                      class={`box now ${stages[at]}`}
                      x={left}
                      y="3"
                      width={Math.max(1, wide * part)}
                      height="20"
                      rx={Math.min(4, wide / 3)}
                    />
                  )}
                </g>
              )
            })}
          </svg>
        )}
      </div>
      <span class="label">{segment.name === 'commit' ? 'committed' : 'gradient'}</span>
      <div class="meter" aria-hidden="true">
        <i
          style={{ width: `${Math.min(100, (100 * (done + (stages[at] === 'backward' ? part : 0))) / of)}%` }}
          class={segment.name === 'commit' ? 'full' : ''}
        />
      </div>
    </div>
  )
}

/** What each layer holds at the playhead, with the one that runs. */
function Layers({ picture, at }: { picture: Picture; at: number }) {
  const { layers, byLayer, layerAt, stages } = picture
  const most = useMemo(
    () => Math.max(1, ...byLayer.map((bytes) => bytes.reduce((a, b) => Math.max(a, b), 0))),
    [picture],
  )
  return (
    <div class="layers" aria-hidden="true">
      {[...layers, { path: 'in', kind: 'out' }].map(({ path, kind }, i) => {
        const bytes = byLayer[i][at]
        const running =
          layerAt[at] === (i < layers.length ? i : -1) && stages[at] !== 'reset' && stages[at] !== 'update'
        return (
          <div
            key={path}
            class={running ? `layer ${stages[at]}` : 'layer'}
            title={`${path} ${kind}: ${formatBytes(bytes)}`}
          >
            <span class="tower">
              <i style={{ height: `${(100 * bytes) / most}%`, background: layerColour(i, layers.length) }} />
            </span>
            <b>{i < layers.length ? path : '·'}</b>
            <small>{i < layers.length ? kind : 'input, loss'}</small>
          </div>
        )
      })}
    </div>
  )
}

function LayerTable({ picture, at }: { picture: Picture; at: number }) {
  const { layers, byLayer, peakTurn, segments } = picture
  const rows = [...layers, { path: 'input and loss', kind: '' }]
  return (
    <section class="scroll" tabIndex={0} aria-label="What each layer holds">
      <table>
        <caption>Bytes of each layer’s values at the playhead, at the peak, and at most</caption>
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col">now</th>
            <th scope="col">at the peak</th>
            <th scope="col">at most</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ path, kind }, i) => (
            <tr key={path}>
              <th scope="row">
                <span class="key" style={{ background: layerColour(i, layers.length) }} aria-hidden="true" />
                {path} {kind}
              </th>
              <td>{groupDigits(byLayer[i][at])}</td>
              <td>{groupDigits(byLayer[i][peakTurn])}</td>
              <td>{groupDigits(byLayer[i].reduce((a, b) => Math.max(a, b), 0))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <caption>Passes of the step</caption>
        <thead>
          <tr>
            <th scope="col">pass</th>
            <th scope="col">runs</th>
            <th scope="col">samples</th>
            <th scope="col">kernels</th>
          </tr>
        </thead>
        <tbody>
          {segments.map(({ name, level, count, samples, start, end }) => (
            <tr key={start}>
              <th scope="row">
                {name}
                {picture.plan.passes > 1 && name === 'micro-batch' ? ` ${level + 1}` : ''}
              </th>
              <td>{groupDigits(count)}</td>
              <td>{samples > 0 ? groupDigits(samples) : ''}</td>
              <td>{groupDigits(end - start)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
