/** `sluice verify`: does the plan in a file keep its promises? */
import { readFile } from 'node:fs/promises'
import { FileError } from '../io/index.js'
import { reasonOf } from '../memory/errors.js'
import { verifyPlan } from '../verify/verify.js'
import { type Command, EXIT, emit } from './io.js'
import { describeExamples, describeOptions, parseOptions, UsageError } from './options.js'

const OPTIONS = {
  json: { type: 'boolean', help: 'one JSON object a line, for programs' },
  help: { type: 'boolean', help: 'this text' },
} as const

const EXAMPLES = {
  'sluice verify plan.json': 'the file of sluice plan --out plan.json',
} as const

export const verify: Command = {
  name: 'verify',
  summary: 'checks a plan that sluice plan --out has written',
  help: () =>
    `Usage: sluice verify FILE [options]

Checks a plan from its file alone: no two blocks that live at the same time overlap, all lie within the
budget, every value lives from the first instruction that touches it to the last, and the peaks are the stated ones.

${describeOptions(OPTIONS)}

${describeExamples(EXAMPLES)}

Exits 1 if the plan is wrong, and says where.
`,
  async run(args, io) {
    const { values, positionals } = parseOptions('verify', args, OPTIONS, { positionals: true })
    if (values.help) {
      io.out(verify.help())
      return EXIT.done
    }
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0)
      throw new UsageError('verify takes one file, such as sluice plan --out writes')
    const plan = await read(file)
    verifyPlan(plan)
    if (values.json) emit(io, 'verified', { file })
    else io.out(`${file}: the plan is valid\n`)
    return EXIT.done
  },
}

/** @throws FileError  there is no such file, or it is not JSON */
async function read(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new FileError(`${file}: ${reasonOf(error)}`)
  }
}
