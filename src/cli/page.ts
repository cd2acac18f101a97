/** The page of `plan --html FILE`: the report of a plan for a person, with pictures, as one file. */
import { CATEGORIES } from '../memory/allocator.js'
import { formatBytes, groupDigits } from '../memory/bytes.js'
import { escaped } from '../memory/svg.js'
import { COLOURS } from '../memory/timeline.js'
import { countOf, type FrontierPoint, type Plan } from '../stream/plan.js'
import type { Answer } from './answers.js'
import { drawBar, drawFrontier, drawParts, percent, type Slice } from './charts.js'
import { document, type Markup, paragraph, section, table } from './document.js'

export interface PageContent {
  readonly title: string
  /** the line about model, device, optimizer and data */
  readonly described: string
  readonly plan: Plan
  /** why the job does not fit the budget of --memory; the plan is then for the smallest budget that is enough. null: it fits */
  readonly refused: string | null
  readonly frontier: readonly FrontierPoint[]
  /** the picture of a step, as SVG */
  readonly timeline: string
  readonly answers: readonly Answer[]
  readonly notes: readonly string[]
  readonly command: string
  /** the kind of the module of a path, such as Conv2d */
  readonly kindOf: (path: string) => string | undefined
}

/** The page as the text of a file. */
export function drawPage(content: PageContent): string {
  const { title, described, plan, timeline, notes, command } = content
  const allNotes = [...plan.notes, ...notes]
  return document(title, [
    paragraph(described, 'soft'),
    verdict(content),
    budget(plan),
    microBatches(plan),
    section(
      'A step over time',
      `<figure><div class="wide" tabindex="0" role="region" aria-label="The held bytes over time">\n${timeline}</div>`,
      `<figcaption class="soft">${escaped(
        `Most bytes are held at '${plan.peakOp}'. One micro-batch of each size is drawn, and the commit.`,
      )}</figcaption></figure>`,
    ),
    peak(content),
    frontierOf(content),
    questions(content),
    section('Notes', ...(allNotes.length === 0 ? [] : [list(allNotes)])),
    section('The command', `<pre><code>${escaped(command)}</code></pre>`),
  ])
}

const list = (texts: readonly string[]): Markup =>
  `<ul>\n${texts.map((text) => `<li>${escaped(text)}</li>`).join('\n')}\n</ul>`

function verdict({ refused, plan }: PageContent): Markup {
  const { batch, budgetBytes } = plan
  if (refused !== null) {
    return [
      paragraph('It does not fit.', 'verdict no'),
      paragraph(refused),
      paragraph(`What follows is the plan under ${formatBytes(budgetBytes)}, which is enough.`),
    ].join('\n')
  }
  const count = countOf(plan.parts)
  const how = count === 1 ? 'in one piece' : `in ${groupDigits(count)} micro-batches`
  return paragraph(`It fits: ${groupDigits(batch)} samples go through ${formatBytes(budgetBytes)} ${how}.`, 'verdict')
}

/** What the bytes of the budget are used for when most are in use. */
function budget({ budgetBytes, plannedPeakBytes, heldAtPeak, peakOp }: Plan): Markup {
  const held = CATEGORIES.filter((category) => heldAtPeak[category] > 0).map((category): Slice => {
    return { label: category, bytes: heldAtPeak[category], colour: COLOURS[category] }
  })
  const heldBytes = held.reduce((sum, { bytes }) => sum + bytes, 0)
  const holes = Math.max(0, plannedPeakBytes - heldBytes)
  const free = Math.max(0, budgetBytes - Math.max(plannedPeakBytes, heldBytes))
  const slices: Slice[] = [
    ...held,
    ...(holes > 0 ? [{ label: 'holes between them', bytes: holes, colour: '#94a3b8' }] : []),
    { label: 'free', bytes: free, colour: 'var(--card)' },
  ]
  const row = (label: string, bytes: number): string[] => [
    label,
    formatBytes(bytes),
    groupDigits(bytes),
    percent(bytes / budgetBytes),
  ]
  const rows = [
    ...slices.map(({ label, bytes }) => row(label, bytes)),
    row('planned peak', plannedPeakBytes),
    row('budget', budgetBytes),
  ]
  return section(
    'The budget',
    `<figure>${drawBar(`The budget of ${formatBytes(budgetBytes)} at the peak`, slices)}</figure>`,
    table(
      `At the peak of the step, which is at '${peakOp}'`,
      ['for', 'size', 'bytes', 'of the budget'],
      rows,
      slices.map(({ colour }) => colour),
    ),
  )
}

function microBatches(plan: Plan): Markup {
  const { batch, microBatch, parts, passes, storeBytes, storeTrafficBytes, extraTime } = plan
  const samples = groupDigits(batch)
  const count = countOf(parts)
  const picture = drawParts(parts, `The mini-batch of ${samples} samples, cut into micro-batches`)
  return section(
    'The micro-batches',
    paragraph(
      `A mini-batch of ${samples} samples goes in micro-batches of at most ${groupDigits(microBatch)}, in ` +
        `${count === 1 ? '1 accumulation step' : `${groupDigits(count)} accumulation steps`}.`,
    ),
    ...(picture === null ? [] : [`<figure>${picture}</figure>`]),
    table(
      'In this order',
      ['micro-batches', 'samples in each'],
      parts.map(({ size, count }) => [groupDigits(count), groupDigits(size)]),
    ),
    ...(passes > 1
      ? [
          paragraph(
            `The step uses values of the whole mini-batch, so each micro-batch takes ${groupDigits(passes)} passes. The store ` +
              `between them has ${formatBytes(storeBytes)} (${groupDigits(storeBytes)} bytes); all passes together read and ` +
              `write ${formatBytes(storeTrafficBytes)}.`,
          ),
        ]
      : []),
    ...(extraTime > 0
      ? [paragraph(`Values are made again to save bytes: ${percent(extraTime)} more time, as predicted.`)]
      : []),
  )
}

/** The most modules that have a row. */
const MOST_MODULES = 12

function peak({ plan: { peakOp, modulesAtPeak, heldAtPeak }, kindOf }: PageContent): Markup {
  const heldBytes = CATEGORIES.reduce((sum, category) => sum + heldAtPeak[category], 0)
  const nameOf = (path: string): string => {
    const kind = kindOf(path)
    return path === '' ? 'the model itself' : kind === undefined ? path : `${path} (${kind})`
  }
  const shown = modulesAtPeak.slice(0, MOST_MODULES)
  const rows = shown.map(({ module, bytes }) => [
    nameOf(module),
    formatBytes(bytes),
    groupDigits(bytes),
    percent(bytes / heldBytes),
  ])
  const more = modulesAtPeak.length - shown.length
  return section(
    'What holds the peak',
    paragraph(`The peak is at '${peakOp}', with ${formatBytes(heldBytes)} held.`),
    ...(rows.length === 0
      ? []
      : [
          table(
            `Values by module${more > 0 ? `; ${groupDigits(more)} smaller ones are left out` : ''}`,
            ['module', 'size', 'bytes', 'of what is held'],
            rows,
          ),
        ]),
  )
}

function frontierOf({ frontier, plan: { budgetBytes } }: PageContent): Markup {
  if (frontier.length < 2) return ''
  return section(
    'Time for bytes',
    paragraph(
      'If values are dropped after the forward and made again for the backward, a step takes more time and fewer bytes.',
    ),
    `<figure>${drawFrontier(frontier, budgetBytes)}</figure>`,
    table(
      'Each choice of values to make again',
      ['more time', 'planned peak', 'bytes', 'largest micro-batch'],
      frontier.map(({ extraTime, peakBytes, microBatch }) => [
        percent(extraTime),
        formatBytes(peakBytes),
        groupDigits(peakBytes),
        groupDigits(microBatch),
      ]),
    ),
  )
}

function questions({ answers }: PageContent): Markup {
  const pairs = answers.flatMap(({ question, answer, why, command }) => [
    `<dt>${escaped(question)}</dt>`,
    `<dd><strong>${escaped(answer)}</strong></dd>`,
    ...(why === undefined ? [] : [`<dd class="soft">${escaped(why)}</dd>`]),
    ...(command === undefined ? [] : [`<dd><code>${escaped(command)}</code></dd>`]),
  ])
  return section('Questions', ...(pairs.length === 0 ? [] : [`<dl>\n${pairs.join('\n')}\n</dl>`]))
}
