/** `sluice gradcheck`: every op's gradient against finite differences. */
import { checkOps, TOLERANCE } from '../autograd/gradcheck.js'
import { LARGEST_SEED } from '../device/seed.js'
import { opTable } from '../ops/table.js'
import { type Command, EXIT, emit, type Io } from './io.js'
import { choice, describeExamples, describeOptions, parseOptions, whole } from './options.js'

const OPTIONS = {
  seed: { type: 'string', default: '0', value: 'N', help: 'of the points and directions' },
  json: { type: 'boolean', help: 'one JSON object a line, for programs' },
  help: { type: 'boolean', help: 'this text' },
} as const

const NAMES = opTable.map(({ name }) => name)

const EXAMPLES = {
  'sluice gradcheck': 'all ops',
  'sluice gradcheck conv2d softmax --seed 3': 'two of them, along other directions',
} as const

export const gradcheck: Command = {
  name: 'gradcheck',
  summary: "every op's gradient against finite differences",
  help: () =>
    `Usage: sluice gradcheck [op...] [options]

Compares the gradient of every op, or of those named, with central differences in float64 on the reference
device, along random directions. Prints the worst error |a - n| / max(1, |n|) of each.

${describeOptions(OPTIONS)}

${describeExamples(EXAMPLES)}

Ops: ${wrapped(NAMES)}

Exits 1 if an error exceeds ${TOLERANCE}.
`,
  async run(args, io) {
    const { values, positionals } = parseOptions('gradcheck', args, OPTIONS, { positionals: true })
    if (values.help) {
      io.out(gradcheck.help())
      return EXIT.done
    }
    const names = positionals.map((name) => choice('op', name, NAMES))
    const seed = whole('--seed', values.seed, 0, LARGEST_SEED)
    return check(names.length > 0 ? names : NAMES, seed, values.json, io)
  },
}

async function check(names: readonly string[], seed: number, json: boolean | undefined, io: Io): Promise<number> {
  let worst = 0
  let failures = 0
  let without = 0
  const ops = opTable.filter(({ name }) => names.includes(name))
  for (const op of ops) {
    const [{ worstError }] = await checkOps([op], { seed })
    const error = worstError ?? 0
    const ok = error <= TOLERANCE
    if (!ok) failures++
    if (worstError === null) without++
    worst = Math.max(worst, error)
    // JSON has no infinity: an error that is not finite is null, and ok says so.
    if (json) emit(io, 'gradcheck', { op: op.name, gradient: worstError !== null, worstError, ok })
    else io.out(`${op.name.padEnd(WIDTH)} ${showError(worstError)}${ok ? '' : `   ${io.paint('red', 'WRONG')}`}\n`)
  }
  const checked = ops.length - without
  if (json) emit(io, 'done', { checked, failures, worstError: worst, tolerance: TOLERANCE })
  else io.out(`${checked} gradients, worst error ${showError(worst)}; ${failures} above ${TOLERANCE}\n`)
  return failures > 0 ? EXIT.failed : EXIT.done
}

const WIDTH = Math.max(...NAMES.map((name) => name.length))

const showError = (error: number | null): string => (error === null ? 'no gradient' : error.toExponential(1))

/** A list over several lines of at most 100 characters. */
const wrapped = (words: readonly string[]): string => words.join(' ').replaceAll(/(?=.{101})(.{1,100}) /g, '$1\n  ')
