/** The plan as one picture: what is held at the peak against the budget, and what would fit. */
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Folded } from './folded'
import { type Category, COLOURS, formatBytes, groupDigits, MEANING, percent } from './format'
import type { Answers } from './planning'
import type { Settings } from './settings'
import { useWidth } from './width'
import type { Shown } from './workers'

const PAGE = 65536

interface Props {
  shown: Shown | null
  settings: Settings
  answers: Answers | null
  set: (patch: Partial<Settings>) => void
}

export function Budget({ shown, settings, answers, set }: Props) {
  useRedrawn(shown, settings)
  const { picture, refused, fault } = shown?.planned ?? {}
  return (
    <section
      class="card hero"
      aria-labelledby="plan-title"
      data-budget={shown?.settings.memory}
      data-plan={shown ? (refused ? 'refused' : fault ? 'fault' : 'fits') : 'none'}
    >
      <h2 id="plan-title" class="hidden">
        The plan
      </h2>
      <Verdict shown={shown} />
      {fault && <p class="fault">{fault}</p>}
      {picture && <Bar shown={shown as Shown} settings={settings} set={set} />}
      {picture && <Suggestions shown={shown as Shown} answers={answers} set={set} />}
      {picture && <Held picture={picture} budgetBytes={shown?.settings.memory ?? 0} />}
      {picture && picture.plan.notes.length > 0 && (
        <ul class="notes">
          {picture.plan.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <Announcer text={shown ? sentence(shown) : ''} />
    </section>
  )
}

/** Tells the page how long a new plan took from the change to the picture. */
function useRedrawn(shown: Shown | null, settings: Settings): void {
  const changed = useRef(0)
  const key = settings.memory
  const last = useRef<number | null>(null)
  if (last.current !== key) {
    last.current = key
    changed.current = performance.now()
  }
  useLayoutEffect(() => {
    if (shown && shown.settings.memory === settings.memory)
      document.documentElement.dataset.redrawMs = (performance.now() - changed.current).toFixed(1)
  }, [shown])
}

/** A polite voice that speaks when things have come to rest. */
function Announcer({ text }: { text: string }) {
  const [said, say] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => say(text), 700)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p class="hidden" role="status">
      {said}
    </p>
  )
}

const countOf = (parts: readonly { count: number }[]): number => parts.reduce((sum, { count }) => sum + count, 0)

function sentence({ planned: { picture, refused, fault }, settings: { memory } }: Shown): string {
  if (fault) return 'This cannot be planned.'
  if (refused)
    return `It does not fit ${formatBytes(memory)}. The smallest budget that is enough is ${formatBytes(refused.minimumBudgetBytes)}.`
  if (!picture) return ''
  const { batch, parts } = picture.plan
  const count = countOf(parts)
  const how = count === 1 ? 'in one piece' : `in ${groupDigits(count)} micro-batches`
  return `It fits: ${groupDigits(batch)} ${batch === 1 ? 'sample goes' : 'samples go'} through ${formatBytes(memory)} ${how}.`
}

function Verdict({ shown }: { shown: Shown | null }) {
  if (!shown) return <p class="verdict wait">Planning…</p>
  const { picture, refused, fault } = shown.planned
  const { parameters } = shown.planned
  if (fault) return <p class="verdict no">This cannot be planned.</p>
  const { memory } = shown.settings
  if (refused)
    return (
      <>
        <p class="verdict no">
          It does not fit <b>{formatBytes(memory)}</b>.
        </p>
        <p class="soft">{refused.message.replace(/^./, (first) => first.toUpperCase())}</p>
      </>
    )
  if (!picture) return null
  const { batch, parts, plannedPeakBytes, wholeBatchBytes, extraTime, passes } = picture.plan
  const count = countOf(parts)
  const sizes = parts.map(({ size, count }) => `${groupDigits(count)} × ${groupDigits(size)}`).join(' + ')
  return (
    <>
      <p class="verdict">
        <b>{groupDigits(batch)}</b> samples go through <b>{formatBytes(memory)}</b>{' '}
        {count === 1 ? (
          'in one piece.'
        ) : (
          <>
            in <b>{groupDigits(count)}</b> micro-batches.
          </>
        )}
      </p>
      <dl class="facts">
        <Fact name="micro-batches" value={sizes} />
        <Fact
          name="planned peak"
          value={`${groupDigits(plannedPeakBytes)} B`}
          more={percent(plannedPeakBytes / memory)}
        />
        <Fact
          name="in one piece"
          value={Number.isFinite(wholeBatchBytes) ? formatBytes(wholeBatchBytes) : 'never'}
          more={`${(wholeBatchBytes / memory).toFixed(1)} × the budget`}
        />
        <Fact name="weights" value={groupDigits(parameters)} />
        {passes > 1 && <Fact name="passes" value={String(passes)} more="over the mini-batch" />}
        {extraTime > 0 && <Fact name="made again" value={percent(extraTime)} more="more time" />}
      </dl>
    </>
  )
}

const Fact = ({ name, value, more }: { name: string; value: string; more?: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      {value}
      {more && <small>{more}</small>}
    </dd>
  </div>
)

/** From the bottom of the memory up: first what stays. */
const ORDER: readonly Category[] = [
  'runtime',
  'parameter',
  'gradient',
  'optimizer',
  'buffer',
  'store',
  'input',
  'activation',
  'workspace',
]

const BAR = { top: 30, height: 54, margin: 10 }

function Bar({ shown, settings, set }: { shown: Shown; settings: Settings; set: Props['set'] }) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const hatch = useId()
  const { plan } = shown.planned.picture as NonNullable<Shown['planned']['picture']>
  const { plannedPeakBytes, wholeBatchBytes, minimumBudgetBytes, heldAtPeak, batch } = plan
  const drawn = shown.settings.memory
  // the scale rests while a budget is dragged
  const [dragging, drag] = useState(false)
  const wanted = scaleEnd(minimumBudgetBytes, wholeBatchBytes, settings.memory, plannedPeakBytes)
  const held = useRef(wanted)
  if (!dragging) held.current = wanted
  const end = Math.max(held.current, dragging ? 0 : wanted)
  const x = (bytes: number): number => BAR.margin + ((width - 2 * BAR.margin) * Math.min(bytes, end)) / end
  const slices = ORDER.filter((category) => heldAtPeak[category] > 0)
  const heldBytes = slices.reduce((sum, category) => sum + heldAtPeak[category], 0)
  let at = 0
  const rects = slices.map((category) => {
    const from = x(at)
    at += heldAtPeak[category]
    return (
      <rect
        key={category}
        x={from}
        y={BAR.top}
        width={Math.max(0, x(at) - from)}
        height={BAR.height}
        fill={COLOURS[category]}
      />
    )
  })
  const bottom = BAR.top + BAR.height
  const title = `The budget of ${formatBytes(drawn)} at the peak of the step`
  const told = [
    ...slices.map((category) => `${category} ${formatBytes(heldAtPeak[category])}`),
    `planned peak ${formatBytes(plannedPeakBytes)}`,
    `smallest budget ${formatBytes(minimumBudgetBytes)}`,
    Number.isFinite(wholeBatchBytes) ? `in one piece ${formatBytes(wholeBatchBytes)}` : '',
  ]
  const wholeIn = wholeBatchBytes <= end
  const budgetX = x(drawn)
  const over = plannedPeakBytes > drawn
  const label = `budget ${formatBytes(drawn)}`
  const anchor = budgetX < 60 ? 'start' : budgetX > width - 60 ? 'end' : 'middle'
  return (
    <div ref={ref} class="bar">
      {width > 0 && (
        <svg width={width} height={bottom + 42} role="img" aria-label={title}>
          <title>{title}</title>
          <desc>{told.filter(Boolean).join(', ')}</desc>
          <defs>
            <pattern id={`${hatch}h`} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="3" height="7" class="hatch" />
            </pattern>
            <clipPath id={`${hatch}c`}>
              <rect
                x={BAR.margin}
                y={BAR.top}
                width={Math.max(0, x(Math.max(plannedPeakBytes, drawn)) - BAR.margin)}
                height={BAR.height}
                rx="9"
              />
            </clipPath>
          </defs>
          {wholeBatchBytes > drawn && (
            <path
              class="ghost"
              d={`M${budgetX} ${BAR.top + 0.5}H${x(wholeBatchBytes)}${wholeIn ? `V${bottom - 0.5}` : `M${x(wholeBatchBytes)} ${bottom - 0.5}`}H${budgetX}`}
            />
          )}
          <g clip-path={`url(#${hatch}c)`}>
            <rect
              class="free"
              x={BAR.margin}
              y={BAR.top}
              width={Math.max(0, budgetX - BAR.margin)}
              height={BAR.height}
            />
            {rects}
            {plannedPeakBytes > heldBytes && (
              <rect
                x={x(heldBytes)}
                y={BAR.top}
                width={x(plannedPeakBytes) - x(heldBytes)}
                height={BAR.height}
                fill={`url(#${hatch}h)`}
              />
            )}
            {over && (
              <rect
                class="over"
                x={budgetX}
                y={BAR.top}
                width={Math.max(0, x(plannedPeakBytes) - budgetX)}
                height={BAR.height}
              />
            )}
          </g>
          <path class={over ? 'limit no' : 'limit'} d={`M${budgetX} ${BAR.top - 8}V${bottom + 8}`} />
          <text x={budgetX} y={BAR.top - 14} text-anchor={anchor} class={over ? 'strong no' : 'strong'}>
            {label}
          </text>
          <Pointer
            x={x(minimumBudgetBytes)}
            y={bottom + 4}
            width={width}
            text={`smallest ${formatBytes(minimumBudgetBytes)}`}
          />
          {Number.isFinite(wholeBatchBytes) && batch > 1 && (
            <Pointer
              x={x(wholeBatchBytes)}
              y={bottom + 4}
              width={width}
              text={`${wholeIn ? '' : '→ '}in one piece ${formatBytes(wholeBatchBytes)}`}
              low={Math.abs(x(wholeBatchBytes) - x(minimumBudgetBytes)) < 220}
            />
          )}
        </svg>
      )}
      <input
        class="slide"
        type="range"
        aria-label="Budget"
        aria-valuetext={formatBytes(settings.memory)}
        min={PAGE}
        max={Math.max(PAGE, Math.floor(end / PAGE) * PAGE)}
        step={PAGE}
        value={settings.memory}
        onPointerDown={() => drag(true)}
        onPointerUp={() => drag(false)}
        onPointerCancel={() => drag(false)}
        onInput={(event) => set({ memory: Number(event.currentTarget.value), at: -1 })}
      />
    </div>
  )
}

/** Where the picture ends: the whole mini-batch if that can be seen beside the budget, else a few budgets. */
function scaleEnd(least: number, whole: number, budget: number, peak: number): number {
  const far = Number.isFinite(whole) ? 1.12 * whole : Infinity
  return Math.max(Math.min(far, Math.max(6 * least, 4 * budget)), 1.15 * budget, 1.15 * peak)
}

function Pointer({
  x,
  y,
  width,
  text,
  low = false,
}: {
  x: number
  y: number
  width: number
  text: string
  low?: boolean
}) {
  const anchor = x < width / 2 ? 'start' : 'end'
  const below = low ? 15 : 0
  return (
    <g class="pointer">
      <path d={`M${x} ${y}l4 6h-8Z`} />
      <text
        x={anchor === 'start' ? Math.max(BAR.margin, x - 4) : Math.min(width - BAR.margin, x + 4)}
        y={y + 20 + below}
        text-anchor={anchor}
      >
        {text}
      </text>
    </g>
  )
}

/** What would fit, as buttons. */
function Suggestions({ shown, answers, set }: { shown: Shown; answers: Answers | null; set: Props['set'] }) {
  const { picture, refused } = shown.planned
  const { settings } = shown
  const { wholeBatchBytes = 0, minimumBudgetBytes = 0 } = picture?.plan ?? {}
  const least = refused?.minimumBudgetBytes ?? minimumBudgetBytes
  const buttons: { key: string; text: string; patch: Partial<Settings> }[] = []
  const add = (key: string, text: string, patch: Partial<Settings>) =>
    buttons.push({ key, text, patch: { ...patch, at: -1 } })
  if (settings.memory !== least)
    add('least', `${refused ? 'Use' : 'Squeeze into'} the smallest budget, ${formatBytes(least)}`, { memory: least })
  if (refused && answers?.needed)
    add('needed', `Make values again: ${formatBytes(answers.needed)} is enough then`, { recompute: 'needed' })
  if (refused && answers?.width) add('width', `Width ${answers.width} fits`, { width: answers.width })
  if (!refused && Number.isFinite(wholeBatchBytes) && wholeBatchBytes > settings.memory)
    add('whole', `One piece: ${formatBytes(wholeBatchBytes)}`, { memory: wholeBatchBytes })
  if (answers && answers.onePiece > 0 && answers.onePiece !== settings.batch)
    add(
      'piece',
      `Largest batch in one piece: ${answers.onePiece >= 65536 ? '65,536 or more' : groupDigits(answers.onePiece)}`,
      { batch: answers.onePiece, micro: 0 },
    )
  const tight = !refused && answers && answers.training > settings.memory
  return (
    <div class="suggest" aria-busy={answers === null}>
      {tight && (
        <p class="soft">
          A training needs {formatBytes(answers.training)}: the last mini-batch of an epoch and the test have plans of
          their own.
        </p>
      )}
      <p class="buttons">
        {tight && (
          <button type="button" onClick={() => set({ memory: answers.training, at: -1 })}>
            Use {formatBytes(answers.training)}
          </button>
        )}
        {buttons.map(({ key, text, patch }) => (
          <button type="button" key={key} onClick={() => set(patch)}>
            {text}
          </button>
        ))}
      </p>
    </div>
  )
}

/** The categories that hold something at the peak, and the bytes between their blocks. */
function rowsOf({ plan: { heldAtPeak, plannedPeakBytes } }: NonNullable<Shown['planned']['picture']>) {
  const rows = ORDER.filter((category) => heldAtPeak[category] > 0)
  return { rows, holes: plannedPeakBytes - rows.reduce((sum, category) => sum + heldAtPeak[category], 0) }
}

function Held({ picture, budgetBytes }: { picture: NonNullable<Shown['planned']['picture']>; budgetBytes: number }) {
  const { heldAtPeak } = picture.plan
  const { rows, holes } = rowsOf(picture)
  return (
    <>
      <p class="legend" aria-hidden="true">
        {rows.map((category) => (
          <span key={category}>
            <span class="key" style={{ background: COLOURS[category] }} />
            {category} <small>{formatBytes(heldAtPeak[category])}</small>
          </span>
        ))}
        {holes > 0 && (
          <span>
            <span class="key hatched" />
            holes <small>{formatBytes(holes)}</small>
          </span>
        )}
      </p>
      <Folded summary="The budget as a table">{() => <Table picture={picture} budgetBytes={budgetBytes} />}</Folded>
    </>
  )
}

function Table({ picture, budgetBytes }: { picture: NonNullable<Shown['planned']['picture']>; budgetBytes: number }) {
  const { heldAtPeak, plannedPeakBytes, peakOp } = picture.plan
  const { rows, holes } = rowsOf(picture)
  return (
    <section class="scroll" tabIndex={0} aria-label="What is held at the peak">
      <table>
        <caption>Held at the peak of the step, at “{peakOp}”</caption>
        <thead>
          <tr>
            <th scope="col">for</th>
            <th scope="col" class="wide-only">
              what it is
            </th>
            <th scope="col">bytes</th>
            <th scope="col">of the budget</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((category) => (
            <tr key={category}>
              <th scope="row">
                <span class="key" style={{ background: COLOURS[category] }} aria-hidden="true" />
                {category}
              </th>
              <td class="wide-only soft">{MEANING[category]}</td>
              <td>{groupDigits(heldAtPeak[category])}</td>
              <td>{percent(heldAtPeak[category] / budgetBytes)}</td>
            </tr>
          ))}
          {holes > 0 && (
            <tr>
              <th scope="row">
                <span class="key hatched" aria-hidden="true" />
                holes
              </th>
              <td class="wide-only soft">between blocks</td>
              <td>{groupDigits(holes)}</td>
              <td>{percent(holes / budgetBytes)}</td>
            </tr>
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">planned peak</th>
            <td class="wide-only soft">the highest byte that the step reaches</td>
            <td>{groupDigits(plannedPeakBytes)}</td>
            <td>{percent(plannedPeakBytes / budgetBytes)}</td>
          </tr>
        </tfoot>
      </table>
    </section>
  )
}
