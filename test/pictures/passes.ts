/**
 * The picture of docs/whole-mini-batch.md, drawn from a plan: the passes of a step with exact batch norm over its
 * micro-batches, what each pass does, and what waits in the store.
 *
 *   node dist/test/pictures/passes.js > docs/images/passes.svg
 */
import { crossEntropy, models, openVirtualDevice, optim, Streamer } from '../../src/index.js'
import { formatBytes } from '../../src/memory/bytes.js'
import { page, picture, styles, text } from '../../src/memory/svg.js'
import type { PlannedPass } from '../../src/stream/plan-format.js'

const [BATCH, MICRO_BATCH] = [64, 16]
const model = models.convnet(openVirtualDevice('cpu'), { batchNorm: 'exact' })
const optimizer = optim.sgd(model)
const streamer = new Streamer({ model, loss: crossEntropy, optimizer, store: '64MiB' })
const plan = streamer.plan({ batch: BATCH, microBatch: MICRO_BATCH })
const passes = plan.toJSON().passes.filter(({ name }) => name === 'micro-batch')

const NAMES: Readonly<Record<string, string>> = {
  conv2d: 'convolution',
  batchNorm2d: 'norm',
  maxPool2d: 'pool',
  crossEntropy: 'loss',
}

/** What a turn does, in a word; '' for what is of no interest here. */
function wordOf({ op, kernel, module }: PlannedPass['turns'][number]): string {
  if (op === 'batchNorm2d' && kernel === 'moments') return `moments of ${module}`
  if (op === 'batchNorm2d gradient' && kernel === 'reduce') return `sums of ${module}`
  const isBackward = op.endsWith(' gradient')
  const name = op.replace(' gradient', '')
  const plain = NAMES[name] ?? name
  const skipped = [
    'load',
    'save',
    'commit',
    'mask',
    'maxPoolChoices',
    'upload',
    'weightedMean',
    'normalizeScaleGradient',
  ]
  if (skipped.includes(kernel) || name === 'backward') return ''
  return `${isBackward ? 'back through ' : ''}${plain}${module && ` ${module}`}`
}

/** The words of a pass, each once. */
const wordsOf = ({ turns }: PlannedPass): string[] => [...new Set(turns.map(wordOf))].filter((word) => word !== '')

/** The bytes that a micro-batch brings from the store, or into it. */
const moved = ({ turns, blocks }: PlannedPass, kernel: 'load' | 'save'): number =>
  turns.reduce((sum, turn) => {
    const block = turn.operands[0]
    return sum + (turn.kernel === kernel && typeof block === 'number' ? blocks[block].bytes : 0)
  }, 0)

/** Words in lines of at most `width` characters. */
function lines(words: readonly string[], width: number): string[] {
  const made = ['']
  words.forEach((word, i) => {
    const next = i < words.length - 1 ? `${word}, ` : word
    if (made[made.length - 1].length + next.length > width) made.push('')
    made[made.length - 1] += next
  })
  return made
}

const COUNT = BATCH / MICRO_BATCH
const WIDTH = 900
const LEFT = 96
const [CELL, GAP, ROW, TOP] = [52, 8, 74, 78]
const WORDS = LEFT + COUNT * (CELL + GAP) + 20
const HEIGHT = TOP + passes.length * ROW + 34

const rows = passes.flatMap((pass, level) => {
  const y = TOP + level * ROW
  const cells = Array.from({ length: COUNT }, (_, j) => {
    const x = LEFT + j * (CELL + GAP)
    const number = String(level * COUNT + j + 1)
    const box = `<rect class="${level < 2 ? 'ahead' : 'back'}" x="${x}" y="${y}" width="${CELL}" height="40" rx="6"/>`
    return box + text(x + CELL / 2, y + 25, number, 'middle', 'number')
  })
  const [from, into] = [moved(pass, 'load'), moved(pass, 'save')]
  const store = [
    ...(from ? [`${formatBytes(from)} from the store`] : []),
    ...(into ? [`${formatBytes(into)} into it`] : []),
  ]
  const said = lines(wordsOf(pass), 76)
  return [
    text(LEFT - 12, y + 25, `pass ${level}`, 'end'),
    ...cells,
    ...said.map((each, i) => text(WORDS, y + 10 + 15 * i, each, 'start')),
    text(WORDS, y + 12 + 15 * said.length, `each: ${store.join(', ')}`, 'start', 'quiet'),
  ]
})

const title = `A step of ${BATCH} samples with exact batch norm, in micro-batches of ${MICRO_BATCH}`
const described = `${passes.length} passes over ${COUNT} micro-batches, one after the other`
const style = styles(
  `.ahead{fill:#3fb08f}
.back{fill:#ee8866}
.number{fill:#ffffff;font-weight:600}`,
  `.ahead{fill:#2f8a70}
.back{fill:#c4694a}
.number{fill:#ffffff}`,
)
console.log(
  picture({ width: WIDTH, height: HEIGHT, title, described }, [
    style,
    page(WIDTH, HEIGHT),
    text(LEFT - 64, 30, title, 'start', 'title'),
    text(
      LEFT - 64,
      52,
      'convolution 0 - norm 1 - relu - pool - convolution 4 - norm 5 - relu - pool - linear 9. Boxes are run in the order of their numbers.',
      'start',
      'quiet',
    ),
    ...rows,
    text(
      LEFT - 64,
      HEIGHT - 18,
      'green: forward. orange: the last part of the forward, and the backward',
      'start',
      'quiet',
    ),
  ]).trimEnd(),
)
