/**
 * What the experiments share: the two forms of a run, its claims, and where its result goes.
 *
 * A program begins with its claims, and prints them before anything runs. In the full form its result replaces the section of
 * README.md between its markers, and its picture is written to pictures/NAME.svg; with --quick both go to dist/experiments.
 * A claim that fails is printed, written as such, and makes the exit code 1.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const README = fileURLToPath(new URL('../README.md', import.meta.url))
const PICTURES = fileURLToPath(new URL('../pictures/', import.meta.url))
const SCRATCH = fileURLToPath(new URL('../../../dist/experiments/', import.meta.url))

/**
 * @param url     import.meta.url of the program
 * @param claims  sentences that the run will show to hold or not; a function makes them from the sizes of the form
 * @param full    the sizes of the full form
 * @param quick   those that take seconds
 * @returns the sizes of the form that was asked for, and `finish`
 */
export function begin(url, { claims: claimed, full, quick }) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
  const sizes = values.quick ? quick : full
  const claims = typeof claimed === 'function' ? claimed(sizes) : claimed
  const name = basename(fileURLToPath(url), '.mjs')
  const started = performance.now()
  console.log(`${name}, ${values.quick ? 'quick' : 'full'} form\n`)
  for (const claim of claims) console.log(`Claim: ${claim}`)

  /**
   * @param seeds    as text
   * @param holds    for each claim, whether it holds
   * @param tables   [{ columns, rows }]
   * @param picture  the text of an SVG file
   * @param notes    sentences below the tables
   */
  function finish({ seeds, holds, tables, picture, notes = [] }) {
    if (holds.length !== claims.length) throw new Error(`${name}: ${claims.length} claims, ${holds.length} verdicts`)
    const verdicts = claims.map((claim, i) => `- ${claim} **${holds[i] ? 'It holds.' : 'It does not hold.'}**`)
    const result = [
      `\`node docs/experiments/${name}.mjs\`, ${seeds}. ${conditions(values.quick, started)}`,
      verdicts.join('\n'),
      ...tables.map(markdown),
      ...notes,
    ].join('\n\n')
    console.log(`\n${result}`)
    write(name, values.quick, result, picture)
    process.exit(holds.every((is) => is) ? 0 : 1)
  }
  return { ...sizes, finish }
}

/** Form, date, Node, machine and time of a run. */
function conditions(quick, started) {
  const seconds = Math.round(processorMs() / 1e3)
  const waited = Math.round((performance.now() - started) / 1e3)
  const machine = `${cpus().length} cores of ${cpus()[0].model.trim()}`
  const day = new Date().toISOString().slice(0, 10)
  const node = `Node ${process.versions.node}`
  return `${quick ? 'Quick' : 'Full'} form, ${day}, ${node}, ${machine}: ${seconds} s of processor time, ${waited} s on the clock.`
}

/** The processor time of all threads since the program began. */
export function processorMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e3
}

const row = (cells) => `| ${cells.join(' | ')} |`
const markdown = ({ columns, rows }) => [row(columns), row(columns.map(() => '---')), ...rows.map(row)].join('\n')

function write(name, quick, result, picture) {
  if (quick) {
    mkdirSync(SCRATCH, { recursive: true })
    writeFileSync(`${SCRATCH}${name}.md`, `${result}\n`)
    writeFileSync(`${SCRATCH}${name}.svg`, picture)
    return
  }
  const [, title = name] = /<title>(.*?)<\/title>/.exec(picture) ?? []
  const text = readFileSync(README, 'utf8')
  const [first, last] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`]
  const [from, to] = [text.indexOf(first), text.indexOf(last)]
  if (from < 0 || to < from) throw new Error(`README.md has no markers of ${name}`)
  const section = `${result}\n\n![${title}](pictures/${name}.svg)\n`
  writeFileSync(README, text.slice(0, from + first.length) + section + text.slice(to))
  mkdirSync(PICTURES, { recursive: true })
  writeFileSync(`${PICTURES}${name}.svg`, picture)
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`
export const grouped = (count) => Math.round(count).toLocaleString('en-US')
export const MiB = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MiB`
/** Mean and the two ends, '97.5 (96.4 to 98.1)'. */
export const spread = (values, show) =>
  values.length === 1
    ? show(values[0])
    : `${show(mean(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`
