/** `sluice train --log` and `sluice plot`: the numbers of a training in a file, and as curves. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { type Event, eventsIn, eventsOf, named, scratch, sluice } from './command-line.js'
import { TEST_RUNS } from './fixtures.js'
import { checkMarkup } from './markup.js'
import { fc } from './property.js'

const { folder, at } = scratch('log')
const JOB = 'train --model mlp --batch 512 --memory 512KiB --epochs'
const linesOf = (path: string): Event[] => eventsIn(readFileSync(path, 'utf8'))
const without = ({ ms, imagesPerSecond, ...event }: Event) => event

test('a line for each step and epoch, the same as with --json, after one that says what the training is', async () => {
  const all = await eventsOf(`${JOB} 2 --log ${at('run.jsonl')}`)
  const [run, ...lines] = linesOf(at('run.jsonl'))
  assert.equal(
    lines,
    all.filter(({ event }) => event === 'step' || event === 'epoch'),
  )
  assert.equal([run.event, run.budgetBytes, run.before, run.steps], ['run', 2 ** 19, 0, 6])
  assert.ok(Math.abs(Date.parse(String(run.time)) - Date.now()) < 60_000)
  const { model, batch, epochs, seed } = JSON.parse(JSON.stringify(run.flags))
  assert.equal([model, batch, epochs, seed], ['mlp', '512', '2', '1'])
  // a second training begins the file anew, also when people read the output
  assert.is((await sluice(`${JOB} 1 --log ${at('run.jsonl')}`)).code, EXIT.done)
  assert.equal(
    linesOf(at('run.jsonl')).map(({ event }) => event),
    ['run', 'step', 'step', 'step', 'epoch'],
  )
})

test('a resumed training goes on at the end of the file, behind a line that was cut off', async () => {
  const [log, file] = [at('long.jsonl'), at('long.safetensors')]
  await eventsOf(`${JOB} 2 --schedule constant --log ${log} --checkpoint ${file}`)
  appendFileSync(log, '{"event":"ste')
  await eventsOf(['train', '--resume', file, '--epochs', '4', '--log', log])
  const texts = readFileSync(log, 'utf8').trimEnd().split('\n')
  assert.is(texts.splice(9, 1)[0], '{"event":"ste')
  const lines = eventsIn(texts.join('\n'))
  assert.equal(
    named(lines, 'run').map(({ before, steps }) => [before, steps]),
    [
      [0, 6],
      [6, 12],
    ],
  )
  const straight = at('straight.jsonl')
  await eventsOf(`${JOB} 4 --schedule constant --log ${straight}`)
  const trained = (path: readonly Event[]) => path.filter(({ event }) => event !== 'run').map(without)
  assert.equal(trained(lines), trained(linesOf(straight)))
  // the curves are the same, but for the names
  const pictures = await Promise.all([log, straight].map((path) => sluice(['plot', path])))
  assert.is(pictures[0].out.replaceAll('long', 'straight'), pictures[1].out)
  assert.equal([pictures[0].code, pictures[1].err], [EXIT.done, ''])
  assert.is(pictures[0].err, `${log}: 1 lines are left out, because they are not JSON objects with an event\n`)
})

test('a log that cannot be written ends the training before its first step, or at the next, with one line', async () => {
  mkdirSync(at('folder'))
  for (const [path, reason] of [
    [at('none/run.jsonl'), 'ENOENT'],
    [at('folder'), 'EISDIR'],
    ['/dev/full', 'ENOSPC'],
  ]) {
    const { code, out, err } = await sluice(`${JOB} 1 --json --log ${path}`)
    assert.is(code, EXIT.failed)
    assert.match(err, new RegExp(`^sluice: --log: ${path} cannot be written \\(${reason}.*\\)\n$`))
    assert.not.match(out, '"event":"step"')
  }
  const same = await sluice(`${JOB} 1 --log ${at('x')} --checkpoint ${at('x')}`)
  assert.is(same.code, EXIT.usage)
  assert.match(same.err, '--log and --checkpoint are the same file')
  assert.not(existsSync(at('x')))
})

/** A run whose numbers are known: losses and accuracies of a few steps. */
function written(
  path: string,
  losses: readonly (number | null)[],
  { accuracy = [0.5, 0.75], peakBytes = 2 ** 20 } = {},
) {
  const steps = losses.map((loss, i) => ({ event: 'step', step: i + 1, loss, peakBytes }))
  const epochs = accuracy.map((testAccuracy, i) => ({ event: 'epoch', epoch: i + 1, testLoss: 2 - i, testAccuracy }))
  const half = Math.ceil(steps.length / 2)
  const lines = [
    { event: 'run', budgetBytes: 2 ** 21, before: 0 },
    ...steps.slice(0, half),
    epochs[0],
    ...steps.slice(half),
  ]
  writeFileSync(path, [...lines, ...epochs.slice(1)].map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** The curves of the picture, in the order of panels and runs, as numbers read off its axes. */
function readCurves(svg: string): { values: number[]; style: string }[][] {
  const numberOf = (label: string): number => {
    const [, digits, unit = ''] = /^([\d.,]+) ?(%|B|KiB|MiB)?$/.exec(label) ?? []
    const units: Record<string, number> = { '%': 0.01, KiB: 1024, MiB: 2 ** 20 }
    return Number(digits.replaceAll(',', '')) * (units[unit] ?? 1)
  }
  // a panel begins with its title, and has grid lines with labels, and curves
  return svg
    .split(/(?=<text x="84" y="\d+">)/)
    .slice(1)
    .map((panel) => {
      const grid = [...panel.matchAll(/class="grid" d="M84 ([\d.]+)L.*?<text [^>]*>([^<]+)</g)].map(([, y, label]) => ({
        y: Number(y),
        value: numberOf(label),
      }))
      const [low, high] = [grid[0], grid[grid.length - 1]]
      const isLog = low.value > 0
      const scale = isLog ? Math.log10 : Number
      const valueAt = (y: number): number => {
        const value = scale(low.value) + ((y - low.y) / (high.y - low.y)) * (scale(high.value) - scale(low.value))
        return isLog ? 10 ** value : value
      }
      return [...panel.matchAll(/<path class="(curve [a-z ]*run\d)"[^>]*? d="M([^"h]+)(?:h\.1)?"/g)]
        .filter(([, , path]) => !path.startsWith('660'))
        .map(([, style, path]) => ({
          style,
          values: path.split('L').map((point) => valueAt(Number(point.split(' ')[1]))),
        }))
    })
}

const close = (values: readonly number[], expected: readonly number[], share = 0.01): void => {
  const most = Math.max(...expected)
  assert.is(values.length, expected.length)
  values.forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]) <= share * most, `${values} are not ${expected}`),
  )
}

test('the curves are the numbers of the files: loss, accuracy, bytes and budgets of each run', async () => {
  written(at('one.jsonl'), [2, 1.5, 1.25, 0.5])
  written(at('two.jsonl'), [1, 0.75], { accuracy: [0.25, 1], peakBytes: 2 ** 19 })
  const { code, out, err } = await sluice(['plot', at('one.jsonl'), at('two.jsonl')])
  assert.equal([code, err], [EXIT.done, ''])
  checkMarkup(out)
  const [loss, accuracy, bytes] = readCurves(out)
  const expected = [
    [
      loss,
      ['faint run0', 'run0', 'faint run1', 'run1'],
      [
        [2, 1.5, 1.25, 0.5],
        [2, 1],
        [1, 0.75],
        [2, 1],
      ],
    ],
    [
      accuracy,
      ['run0', 'run1'],
      [
        [0.5, 0.75],
        [0.25, 1],
      ],
    ],
    [
      bytes,
      ['budget run0', 'run0', 'budget run1', 'run1'],
      [[2 ** 21, 2 ** 21], Array(4).fill(2 ** 20), [2 ** 21, 2 ** 21], Array(2).fill(2 ** 19)],
    ],
  ] as const
  for (const [curves, styles, values] of expected) {
    assert.equal(
      curves.map(({ style }) => style),
      styles.map((style) => `curve ${style}`),
    )
    curves.forEach((curve, i) => {
      close(curve.values, values[i])
    })
  }
  // for those who hear the picture, and on dark pages
  assert.match(out, '<title>one, two: 4 steps</title>')
  assert.match(
    out,
    '<desc>one: loss 1.000, accuracy 75.0 %, peak 1 MiB of 2 MiB. two: loss 1.000, accuracy 100.0 %, peak 512 KiB of 2 MiB.</desc>',
  )
  assert.match(out, '@media(prefers-color-scheme:dark)')
  assert.is([...out.matchAll(/stroke-dasharray="7 3"/g)].length, 6, 'the second run has dashes, in the legend too')
})

test('losses over more than a factor of 20 have an axis of powers; a loss that is not a number leaves a gap', async () => {
  written(at('steep.jsonl'), [100, 10, 1, null, 0.01])
  const [[faint]] = readCurves((await sluice(['plot', at('steep.jsonl')])).out)
  for (const [i, value] of [100, 10, 1, 0.01].entries()) {
    assert.ok(Math.abs(Math.log10(faint.values[i] / value)) < 0.02, `${faint.values}`)
  }
  written(
    at('many.jsonl'),
    Array.from({ length: 50_000 }, (_, i) => 3 + Math.sin(i / 900) + (i === 31_007 ? 5 : 0)),
  )
  const { out } = await sluice(['plot', at('many.jsonl')])
  assert.ok(out.length < 60_000, `${out.length}`)
  const [[thinned]] = readCurves(out)
  close([Math.max(...thinned.values), Math.min(...thinned.values)], [3 + Math.sin(31_007 / 900) + 5, 2])
})

test('plot: files, names and arguments', async () => {
  written(at('one.jsonl'), [2, 1])
  mkdirSync(at('deep'))
  written(at('deep/one.jsonl'), [2, 1])
  const file = at('picture.svg')
  const quiet = await sluice(['plot', at('one.jsonl'), at('deep/one.jsonl'), '--out', file])
  assert.equal(quiet, { code: EXIT.done, out: '', err: '' })
  // runs of one name are told apart by their paths
  assert.match(readFileSync(file, 'utf8'), `<title>${at('one.jsonl')}, ${at('deep/one.jsonl')}: 2 steps`)
  written(at('<&"\u0007.jsonl'), [1])
  checkMarkup((await sluice(['plot', at('<&"\u0007.jsonl')])).out)
  writeFileSync(at('empty.jsonl'), '')
  const cases: [string[], number, RegExp][] = [
    [['plot'], EXIT.usage, /plot takes one or more files of sluice train --log FILE/],
    [['plot', '--ot', 'x'], EXIT.usage, /plot has no option --ot; the nearest is --out/],
    [['plot', at('none')], EXIT.failed, /none cannot be read \(ENOENT/],
    [['plot', folder], EXIT.failed, /cannot be read \(it is not a regular file\)/],
    [
      ['plot', at('empty.jsonl')],
      EXIT.failed,
      /empty\.jsonl has no line of a step or an epoch: sluice train --log FILE/,
    ],
    [['plot', at('one.jsonl'), '--out', at('no/x.svg')], EXIT.failed, /^sluice: --out: ENOENT/],
  ]
  for (const [args, code, message] of cases) {
    const outcome = await sluice(args)
    assert.is(outcome.code, code, outcome.err)
    assert.match(outcome.err, message)
    assert.is(outcome.out, '')
  }
})

test('any file gives a picture or one line that says what it lacks', async () => {
  written(at('whole.jsonl'), [2, 1.5, 1.25, 0.5])
  const whole = readFileSync(at('whole.jsonl'), 'utf8')
  const mutation = fc.array(
    fc.record({
      at: fc.nat(whole.length),
      cut: fc.nat(12),
      put: fc.constantFrom('', '\n', '9e99', '-1', '{', 'null', '"\\ud800"'),
    }),
    { maxLength: 5 },
  )
  await fc.assert(
    fc.asyncProperty(mutation, async (changes) => {
      const text = changes.reduce(
        (so, change) => so.slice(0, change.at) + change.put + so.slice(change.at + change.cut),
        whole,
      )
      writeFileSync(at('mutant.jsonl'), text)
      const { code, out, err } = await sluice(['plot', at('mutant.jsonl')])
      if (code === EXIT.done) checkMarkup(out)
      else assert.match(err, /^sluice: .*mutant\.jsonl has no line of a step or an epoch.*\n$/)
    }),
    { seed: 5, numRuns: 300 * TEST_RUNS },
  )
})

test.run()
