/** `sluice plot`: the curves of one or several trainings, as a picture. */
import { writeTo } from './announce.js'
import { drawCurves } from './curves.js'
import { type Command, EXIT } from './io.js'
import { describeExamples, describeOptions, parseOptions, UsageError } from './options.js'
import { type RunLog, readLog } from './run-log.js'

const OPTIONS = {
  out: { type: 'string', value: 'FILE', help: 'write the picture to FILE instead of standard output' },
  help: { type: 'boolean', help: 'this text' },
} as const

const EXAMPLES = {
  'sluice plot run.jsonl --out run.svg': 'the file of sluice train --log run.jsonl',
  'sluice plot run.jsonl other.jsonl --out both.svg': 'two trainings, to compare them',
} as const

export const plot: Command = {
  name: 'plot',
  summary: 'draws the curves of trainings that train --log has written',
  help: () =>
    `Usage: sluice plot FILE... [options]

Draws loss, accuracy and bytes over the steps, several trainings in one picture, as an SVG file for light and
dark pages.

${describeOptions(OPTIONS)}

${describeExamples(EXAMPLES)}
`,
  async run(args, io) {
    const { values, positionals: files } = parseOptions('plot', args, OPTIONS, { positionals: true })
    if (values.help) {
      io.out(plot.help())
      return EXIT.done
    }
    if (files.length === 0) throw new UsageError('plot takes one or more files of sluice train --log FILE')
    const runs = await Promise.all(files.map(readLog))
    const picture = drawCurves(distinct(runs, files))
    if (values.out === undefined) io.out(picture)
    else await writeTo('--out', values.out, picture)
    for (const [i, { skipped }] of runs.entries()) {
      if (skipped > 0)
        io.err(`${files[i]}: ${skipped} lines are left out, because they are not JSON objects with an event\n`)
    }
    return EXIT.done
  },
}

/** Runs of one name, from several folders, are told apart by their paths. */
const distinct = (runs: readonly RunLog[], files: readonly string[]): RunLog[] =>
  runs.map((run, i) => (runs.some(({ name }, j) => j !== i && name === run.name) ? { ...run, name: files[i] } : run))
