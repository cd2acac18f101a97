import { type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOps } from '../src/autograd/gradcheck.js'
import { EXIT, type Io } from '../src/cli/io.js'
import { parseJob } from '../src/cli/job.js'
import { nearest, UsageError } from '../src/cli/options.js'
import { run } from '../src/cli/run.js'
import { Device } from '../src/device/device.js'
import { opTable } from '../src/ops/table.js'
import { square } from '../src/ops/unary.js'
import type { Part } from '../src/stream/plan.js'
import { TEST_RUNS } from './fixtures.js'
import { writeIdx } from './idx-files.js'
import { fc } from './property.js'

interface Outcome {
  code: number
  out: string
  err: string
}

interface Event {
  event: string
  [field: string]: unknown
}

async function sluice(args: string, options: Partial<Io> & { signal?: AbortSignal } = {}): Promise<Outcome> {
  const outcome = { code: -1, out: '', err: '' }
  outcome.code = await run(args === '' ? [] : args.split(' '), {
    out: (text) => {
      outcome.out += text
      options.out?.(text)
    },
    err: (text) => {
      outcome.err += text
    },
    isTTY: options.isTTY ?? false,
    columns: options.columns ?? 80,
    interruptible: (fn) => fn(options.signal ?? new AbortController().signal),
  })
  return outcome
}

const events = ({ out }: Outcome): Event[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The events of a run, which must succeed. */
async function eventsOf(args: string): Promise<Event[]> {
  const outcome = await sluice(`${args} --json`)
  assert.is(outcome.code, EXIT.done, outcome.err)
  assert.is(outcome.err, '')
  return events(outcome)
}

const named = (all: readonly Event[], name: string): Event[] => all.filter(({ event }) => event === name)
const number = (event: Event, field: string): number => {
  const value = event[field]
  assert.type(value, 'number', `${event.event}.${field}`)
  return Number(value)
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
test.after(() => rmSync(folder, { recursive: true }))

const SMALL = '--model mlp --batch 512 --epochs 1'
const COMMANDS = ['train', 'plan', 'predict', 'weights', 'gradcheck', 'devices']

test('wrong arguments exit 2, with a message that names them and the nearest correct ones', async () => {
  const cases: [string, RegExp][] = [
    ['trian', /there is no command 'trian'; the nearest is train/],
    ['help paln', /there is no command 'paln'; the nearest is plan/],
    ['train --bacth 3', /train has no option --bacth; the nearest is --batch/],
    ['plan --epoch=3', /plan has no option --epoch; the nearest is --epochs/],
    ['train -b 3', /train has no option -b/],
    ['hepl', /there is no command 'hepl'; the nearest is help/],
    ['gradcheck --sede 3', /gradcheck has no option --sede; the nearest is --seed/],
    ['train --lr -1', /'--lr' argument is ambiguous\. Did you forget to specify .* use '--lr=-XYZ'\.\n/],
    ['train --batch', /--batch <value>' argument missing/],
    ['train --json=yes', /--json' does not take an argument/],
    ['train digits', /Unexpected argument 'digits'/],
    ['train --batch 0', /--batch '0' is not a whole number, from 1 to 4294967296/],
    ['train --batch 1e3', /--batch '1e3'/],
    ['train --seed 4294967296', /--seed '4294967296' is not a whole number, from 0 to 4294967295/],
    ['gradcheck --seed 4294967296', /--seed '4294967296' is not a whole number, from 0 to 4294967295/],
    ['train --micro-batch fitt', /--micro-batch 'fitt'/],
    ['plan --largest', /--largest <value>' argument missing/],
    ['plan --largest context', /--largest 'context' is not one of batch, image, width; the nearest is/],
    ['plan --largest widht', /--largest 'widht' is not one of batch, image, width; the nearest is width/],
    ['train --largest batch', /train has no option --largest/],
    ['plan --width 0', /--width '0' is not a whole number, 1 or more/],
    ['plan --micro-batch fast', /plan trains nothing: say fit or a number/],
    ['train --model lennet', /--model 'lennet' is not one of mlp, lenet, convnet; the nearest is lenet/],
    ['train --threads 0', /--threads '0' is not a whole number, from 1 to 4/],
    ['train --device tpu', /--device 'tpu' is not one of cpu, gpu, reference/],
    ['train --data mnist', /--data 'mnist' is neither 'digits' nor 'idx:'/],
    ['train --data an-idx:/tmp', /--data 'an-idx:\/tmp' is neither 'digits' nor 'idx:'/],
    ['train --memory 8MB', /--memory: '8MB' is not a byte size.*write MiB/],
    ['train --memory 8GiB', /--memory: a CPU device cannot hold 8 GiB/],
    ['train --lr=-1', /--lr '-1' is not a number of at least 0/],
    ['train --lr=', /--lr '' is not a number of at least 0/],
    ['train --lr=\t', /--lr '\t' is not a number of at least 0/],
    ['train --weight-decay x', /--weight-decay 'x' is not a number of at least 0/],
    ['train --optimizer sgd --momentum x', /--momentum 'x' is not a number of at least 0/],
    ['train --optimizer agd', /--optimizer 'agd' is not one of sgd, adam, adamw; the nearest is sgd/],
    ['train --schedule cosin', /--schedule 'cosin' is not one of cosine, constant, step; the nearest is cosine/],
    ['train --epochs 0', /--epochs '0' is not a whole number, 1 or more\n/],
    ['train --warm-up=-1', /--warm-up '-1' is not a whole number, 0 or more\n/],
    ['train --clip-norm 0', /--clip-norm '0' is not a number above 0/],
    ['train --momentum 0.5', /--momentum is for sgd, and the optimizer is adam/],
    ['gradcheck reluu', /op 'reluu' is not one of .*; the nearest is relu/],
    ['devices --jsno', /devices has no option --jsno; the nearest is --json/],
  ]
  for (const [args, message] of cases) {
    const { code, out, err } = await sluice(args)
    assert.is(code, EXIT.usage, args)
    assert.match(err, message)
    const [command] = args.split(' ')
    const usage = COMMANDS.includes(command)
      ? `Usage: sluice ${command} [options]; see sluice ${command} --help\n`
      : 'Usage: sluice COMMAND [options]; see sluice --help\n'
    assert.is(err.slice(err.indexOf('\n') + 1), usage)
    assert.is(out, '', args)
    if (args.startsWith('help')) continue
    const json = await sluice(`${args} --json`)
    const [{ event, name }] = events(json)
    assert.equal([json.code, event, name], [EXIT.usage, 'error', 'UsageError'], args)
  }
})

/** The smallest number of edits from one word to another, found by trying all of them. */
function editsBetween(from: string, to: string): number {
  if (from === '' || to === '') return from.length + to.length
  const after = (letters: number, others: number): number => editsBetween(from.slice(letters), to.slice(others))
  const swaps = from[0] === to[1] && from[1] === to[0]
  return Math.min(
    1 + after(1, 0),
    1 + after(0, 1),
    (from[0] === to[0] ? 0 : 1) + after(1, 1),
    swaps ? 1 + after(2, 2) : Infinity,
  )
}

test('the nearest name is the first of those with the fewest edits; a swap of neighbours is one edit', () => {
  assert.is(nearest('--learn', ['--lr', '--lean', '--json']), '--lean')
  assert.is(nearest('palns', ['pants', 'plans']), 'plans')
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 5 })
  const words = fc.array(word, { minLength: 1, maxLength: 4 })
  const property = fc.property(word, words, (text, candidates) => {
    const edits = candidates.map((candidate) => editsBetween(text, candidate))
    assert.is(nearest(text, candidates), candidates[edits.indexOf(Math.min(...edits))])
  })
  fc.assert(property, { seed: 10, numRuns: 300 * TEST_RUNS })
})

test('without a command the message is the list of commands; an unexpected error shows its stack', async () => {
  const { out } = await sluice('help')
  assert.equal(await sluice(''), { code: EXIT.usage, out: '', err: out })
  const broken = () => {
    throw new TypeError('broken')
  }
  const { code, err } = await sluice('plan --model mlp', { out: broken })
  assert.is(code, EXIT.failed)
  assert.match(err, /^sluice: TypeError: broken\n +at .*cli\.test\.js/)
})

test('help and version', async () => {
  const { version } = JSON.parse(readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'))
  assert.is((await sluice('--version')).out, `${version}\n`)
  const overview = await sluice('help')
  assert.equal(await sluice('--help'), overview)
  for (const command of COMMANDS) {
    const { code, out } = await sluice(`${command} --help`)
    assert.is(code, EXIT.done)
    assert.match(out, new RegExp(`^Usage: sluice ${command} `))
    assert.equal(await sluice(`help ${command}`), { code, out, err: '' })
    assert.match(overview.out, new RegExp(`\n  ${command.padEnd(12)}\\S`))
  }
})

test('README.md shows the help of train, and plan takes those of its flags that change the memory', async () => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')
  const { out } = await sluice('train --help')
  assert.ok(readme.includes(`$ npx sluice train --help\n${out}\`\`\``), out)
  const rows = (help: string) => [...help.matchAll(/^ {2}(--\S+)(.*)$/gm)].map(([, flag, rest]) => [flag, rest.trim()])
  // speed, number of steps and files do not change the bytes of a step, and plan measures nothing
  const without = ['--epochs', '--threads', '--lr', '--schedule', '--warm-up', '--checkpoint', '--every', '--resume']
  const expected = rows(out)
    .filter(([flag]) => !without.includes(flag))
    .map(([flag, rest]) => [
      flag,
      flag === '--micro-batch' ? 'fit|N largest that fits, or at most N samples (fit)' : rest,
    ])
  const squeezed = ([flag, rest]: string[]) => [flag, rest.replaceAll(/ +/g, ' ')]
  const own = rows((await sluice('plan --help')).out)
  const shared = own.filter(([flag]) => flag !== '--out' && flag !== '--largest')
  assert.equal(shared.map(squeezed), expected.map(squeezed))
  assert.is(own.length, shared.length + 2, 'plan has --out and --largest')
})

test('flags: the defaults describe the main job, and each flag is read', () => {
  const job = parseJob('train', [])
  assert.equal(
    [job.model, job.folder, job.batch, job.memoryBytes, job.epochs, job.seed, job.microBatch, job.device],
    ['lenet', null, 1024, 2 ** 21, 60, 1, 'fit', 'cpu'],
  )
  assert.equal([job.optimizer, job.learningRate, job.schedule, job.warmUpSteps], ['adam', 0.01, 'cosine', 10])
  const sgd = parseJob('train', '--optimizer sgd --data idx:/a b --micro-batch 7 --clip-norm 2'.split(/ (?!b)/))
  assert.equal([sgd.learningRate, sgd.momentum, sgd.folder, sgd.microBatch, sgd.clipNorm], [0.05, 0.9, '/a b', 7, 2])
  assert.throws(
    () => parseJob('train', ['--data', 'idx:']),
    (error: unknown) => error instanceof UsageError,
  )
})

test('train: an event for the plan, each step, each epoch and the end', async () => {
  const all = await eventsOf('train --model mlp --batch 512 --epochs 2 --memory 512KiB --seed 3')
  const order = 'plan step step step epoch step step step epoch done'
  assert.is(all.map(({ event }) => event).join(' '), order)
  const [plan] = all
  const held = plan.heldBytes
  assert.ok(typeof held === 'object' && held !== null)
  const sum = Object.values(held).reduce((a, b) => a + b, 0)
  assert.is(number(plan, 'budgetBytes') - sum, plan.remainingBytes)
  assert.is(plan.peakOp === '', false)
  for (const field of ['bytesPerSample', 'microBatch', 'plannedPeakBytes', 'wholeBatchBytes', 'minimumBudgetBytes']) {
    assert.ok(number(plan, field) > 0, field)
  }
  const steps = named(all, 'step')
  assert.equal(
    steps.map(({ epoch, step, samples }) => [epoch, step, samples]),
    [
      [1, 1, 512],
      [1, 2, 512],
      [1, 3, 414],
      [2, 4, 512],
      [2, 5, 512],
      [2, 6, 414],
    ],
  )
  for (const step of steps) {
    assert.is(step.peakBytes, step.plannedPeakBytes)
    assert.ok(number(step, 'peakBytes') <= 512 * 1024 && number(step, 'loss') > 0 && number(step, 'ms') > 0)
    assert.ok(number(step, 'gradNorm') > 0)
  }
  assert.equal(steps[0].parts, plan.parts)
  assert.is(steps[0].plannedPeakBytes, plan.plannedPeakBytes)
  const [done] = named(all, 'done')
  for (const epoch of named(all, 'epoch')) {
    for (const field of ['trainLoss', 'testLoss', 'testAccuracy', 'imagesPerSecond']) number(epoch, field)
  }
  assert.is(done.testAccuracy, named(all, 'epoch')[1].testAccuracy)
  assert.equal([done.steps, done.stepsAsPlanned, done.evaluations, done.evaluationsAsPlanned], [6, 6, 2, 2])
  assert.ok(number(done, 'peakBytes') >= Math.max(...steps.map((step) => number(step, 'peakBytes'))))
  assert.equal([done.peakBytes, done.budgetBytes], [done.plannedPeakBytes, 512 * 1024])
  number(done, 'wallMs')
})

test('from the smallest budget to the budget for the whole batch, the losses are the same and no peak is above the budget; a smaller budget exits 3', async () => {
  for (const optimizer of ['adam', 'sgd --clip-norm 1']) {
    const job = `${SMALL} --optimizer ${optimizer}`
    const [plan] = await eventsOf(`plan ${job} --memory 64MiB`)
    const [smallest, whole] = [number(plan, 'minimumBudgetBytes'), number(plan, 'wholeBatchBytes')]
    const losses: unknown[][] = []
    for (const memory of [smallest, smallest + 64, Math.round((smallest + whole) / 2), whole]) {
      const all = await eventsOf(`train ${job} --memory ${memory}`)
      const steps = named(all, 'step')
      assert.is(all[0].minimumBudgetBytes, smallest)
      assert.is(all[0].wholeBatchBytes, whole)
      assert.ok(number(all[all.length - 1], 'peakBytes') <= memory)
      if (memory === whole) assert.equal(steps[0].parts, [{ size: 512, count: 1 }])
      losses.push(steps.map(({ loss }) => Number(loss).toFixed(4)))
    }
    for (const other of losses) assert.equal(other, losses[0])
    for (const command of ['train', 'plan']) {
      const refused = await sluice(`${command} ${job} --memory ${smallest - 64} --json`)
      const [error, ...more] = events(refused)
      assert.equal([refused.code, error.event, error.name, more], [EXIT.doesNotFit, 'error', 'DoesNotFitError', []])
      assert.is(error.minimumBudgetBytes, smallest)
      assert.match(refused.err, `The smallest budget that works is ${smallest} bytes`)
    }
  }
})

test('a requested micro-batch is planned as requested, or refused with the budget it needs', async () => {
  const [plan] = await eventsOf(`plan ${SMALL} --memory 64MiB --micro-batch 100`)
  const needed = number(plan, 'neededBudgetBytes')
  assert.equal(plan.parts, [
    { size: 86, count: 2 },
    { size: 85, count: 4 },
  ])
  const steps = named(await eventsOf(`train ${SMALL} --micro-batch 100 --memory ${needed}`), 'step')
  assert.equal(steps[0].parts, plan.parts)
  const refused = await sluice(`train ${SMALL} --micro-batch 100 --memory ${needed - 1}`)
  assert.is(refused.code, EXIT.doesNotFit)
  assert.match(refused.err, `a micro-batch of 100 samples needs a budget of`)
  assert.match(refused.err, `(${needed} bytes)`)
  const table = await sluice(`plan ${SMALL} --memory 64MiB --micro-batch 100`)
  assert.match(table.out, /note: micro-batch 100 needs a budget of .*\(.* bytes\)/)
})

test('--micro-batch fast names the micro-batch that it chose by measuring, and that number replays the run', async () => {
  const job = `train ${SMALL} --memory 640KiB`
  const [choice, plan, ...rest] = await eventsOf(`${job} --micro-batch fast`)
  const trials = choice.trials as { microBatch: number; samplesPerSecond: number }[]
  const fit = (await eventsOf(`plan ${SMALL} --memory 640KiB`))[0]
  assert.ok(trials.some(({ microBatch }) => microBatch === (fit.parts as Part[])[0].size))
  assert.ok(trials.some(({ microBatch }) => microBatch === 1))
  assert.equal([choice.event, choice.microBatch, plan.microBatch], ['choice', trials[0].microBatch, choice.microBatch])
  const losses = (of: readonly Event[]) => named(of, 'step').map(({ loss, parts }) => [loss, parts])
  const again = await eventsOf(`${job} --micro-batch ${choice.microBatch}`)
  assert.equal(losses(rest), losses(again))
  const { out } = await sluice(`${job} --micro-batch fast`)
  const [, table, fastest] =
    /\n\nForward and .* of\n((?: .* images\/s\n)+)The fastest is (\d+)\. .*: --micro-batch \2\n\nM/.exec(out) ?? []
  const rows = table.trimEnd().split('\n')
  assert.match(table, /^ {2}\d/)
  assert.equal([...new Set(rows.map((row) => row.length))], [rows[0].length])
  const rates = rows.map((row) => (row.match(/[\d,]+/g) ?? []).map((digits) => Number(digits.replaceAll(',', ''))))
  assert.equal(
    rates.map(([size]) => size),
    trials.map(({ microBatch }) => microBatch).sort((a, b) => b - a),
  )
  assert.is(Math.max(...rates.map(([, rate]) => rate)), rates.find(([size]) => size === Number(fastest))?.[1])
  const aborted = await sluice(`${job} --micro-batch fast`, { signal: AbortSignal.abort() })
  assert.is(aborted.code, EXIT.interrupted)
  assert.not.match(aborted.out, 'Memory plan')
})

test('a batch larger than the data is one mini-batch an epoch, with a notice', async () => {
  const all = await eventsOf('train --model mlp --batch 5000 --epochs 1 --memory 512KiB')
  assert.equal(
    named(all, 'step').map(({ samples }) => samples),
    [1438],
  )
  assert.match(String(all[0].notes), 'the training data has 1,438 samples')
  const [plan] = await eventsOf('plan --model mlp --batch 5000 --memory 512KiB')
  assert.is(plan.batch, 5000)
  assert.match(String(plan.notes), 'the training data has 1,438 samples')
  for (const ordinary of ['--batch 1438', '--batch 1 --device gpu --memory 8GiB']) {
    assert.equal((await eventsOf(`plan --model mlp ${ordinary}`))[0].notes, [])
  }
  const [beyond] = await eventsOf('plan --model mlp --memory 8GiB')
  assert.match(String(beyond.notes), 'for planning only: a CPU device cannot hold 8 GiB')
})

test('the plan of a large batch takes less than a second, and hardly any memory', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const measure = (): number => {
    collect()
    const { arrayBuffers, heapUsed } = process.memoryUsage()
    return arrayBuffers + heapUsed
  }
  const command = 'plan --model convnet --data digits --batch 65536 --memory 3GiB --json'
  await sluice(command)
  let recordings = 0
  const { through } = Device.prototype
  Device.prototype.through = function counted(sink, fn) {
    recordings++
    return through.call(this, sink, fn) as ReturnType<typeof fn>
  }
  try {
    const before = measure()
    const started = performance.now()
    const { code } = await sluice(command)
    const ms = performance.now() - started
    const grown = measure() - before
    assert.is(code, EXIT.done)
    assert.ok(ms < 1000, `${ms} ms`)
    assert.ok(grown < 2 ** 20, `${grown} bytes`)
    assert.ok(recordings > 0 && recordings < 50, `${recordings} recordings`)
  } finally {
    Device.prototype.through = through
  }
  const refused = await sluice('plan --model convnet --batch 65536 --memory 300KiB --micro-batch 32')
  assert.is(refused.code, EXIT.doesNotFit)
  assert.match(refused.err, /a micro-batch of 32 samples needs a budget of .* bytes/)
})

test('the plan of any mini-batch up to 2^32 samples is found at once; a larger one is refused', async () => {
  for (const batch of [4_000_000_000, 2 ** 32]) {
    const started = process.cpuUsage()
    const [plan] = await eventsOf(`plan --model lenet --batch ${batch} --memory 3GiB`)
    const { user, system } = process.cpuUsage(started)
    const parts = plan.parts as Part[]
    assert.is(
      parts.reduce((sum, { size, count }) => sum + size * count, 0),
      batch,
    )
    assert.ok(parts.length <= 2)
    assert.ok((user + system) / 1e6 < 2, `${(user + system) / 1e6} s for three plans`)
  }
  const text = await sluice('plan --model mlp --batch 4294967296')
  assert.match(text.out, /micro-batch 1,585: 2,709,759 accumulation steps, 2,709,040 x 1,585 \+ 719 x 1,584\n/)
  const beyond = await sluice('plan --batch 1000000000000')
  assert.is(beyond.code, EXIT.usage)
  assert.match(beyond.err, "--batch '1000000000000' is not a whole number, from 1 to 4294967296")
})

test('a person reads a line about the job, the plan, the progress and the summary', async () => {
  const { code, out, err } = await sluice(`train ${SMALL} --memory 512KiB`)
  assert.equal([code, err], [EXIT.done, ''])
  assert.match(
    out,
    /^Training mlp \(17,226 parameters, float32 on cpu\) with adam; digits\/train: 1,438 images, 359 to/,
  )
  assert.match(out, 'Memory plan (train): mini-batch 512')
  assert.match(
    out,
    /\nepoch 1\/1 {3}loss [\d.]+ {3}test loss [\d.]+ {3}accuracy [\d.]+ % {3}[\d,]+ images\/s {3}peak .* of 512 KiB\n/,
  )
  assert.match(
    out,
    /\nTest accuracy [\d.]+ %\.\nThe whole mini-batch of 512 needs .* times the budget; it went through in/,
  )
  assert.match(out, 'The measured peak equalled the plan to the byte in all 3 steps and 1 evaluations.')
  assert.match(out, /Highest peak .* bytes\), [\d.]+ % of the budget of 512 KiB\.\n[\d.]+ s\.\n$/)
  const plan = await sluice(`plan ${SMALL} --memory 512KiB`)
  assert.ok(out.startsWith(`Training ${plan.out}\nepoch 1/1`), plan.out)
  const reference = await sluice(`plan ${SMALL} --device reference`)
  assert.match(reference.out, /^mlp \(17,226 parameters, float64 on reference\) with adam/)
  const noted = await sluice('plan --model mlp --batch 5000 --memory 8GiB --micro-batch 2000')
  const notes = noted.out.slice(noted.out.indexOf('  note:'))
  assert.match(notes, /^( {2}note: .*\n){3}$/)
  assert.match(notes, /: this budget is for .*\n.*: the training data has .*\n.*: micro-batch 2,000 needs/)
})

test('an interrupted training ends with its last commit, and exits 130', async () => {
  for (const json of ['', ' --json']) {
    const controller = new AbortController()
    const options = {
      signal: controller.signal,
      out: (text: string) => {
        if (/epoch/.test(text)) controller.abort()
      },
    }
    const outcome = await sluice(`train --model mlp --batch 500 --epochs 50 --memory 1MiB${json}`, options)
    assert.is(outcome.code, EXIT.interrupted)
    assert.match(
      json ? outcome.err : outcome.out,
      /Interrupted after \d of 150 steps, the last with loss [\d.]+\. Nothing/,
    )
    if (json) assert.is(events(outcome).at(-1)?.event, 'interrupted')
  }
})

test('an interrupted training prints the last loss and accuracy, or null if there is none yet', async () => {
  const job = 'train --model mlp --batch 500 --epochs 50 --memory 1MiB'
  const controller = new AbortController()
  const epochDone = (text: string) => text.includes('"event":"epoch"') && controller.abort()
  const all = events(await sluice(`${job} --json`, { signal: controller.signal, out: epochDone }))
  const [epoch, last] = ['epoch', 'step'].map((name) => named(all, name).at(-1))
  const { event, steps, loss, testAccuracy } = all[all.length - 1]
  assert.equal([event, steps, loss, testAccuracy], ['interrupted', last?.step, last?.loss, epoch?.testAccuracy])
  const signal = AbortSignal.abort()
  const early = await sluice(`${job} --json`, { signal })
  assert.equal(events(early).at(-1), { event: 'interrupted', steps: 0, loss: null, testAccuracy: null })
  assert.match((await sluice(job, { signal })).out, /\nInterrupted before the first step was committed\. Nothing/)
})

test('a training that fails exits 1 with the reason, and closes its device', async () => {
  let closed = 0
  const { close } = Device.prototype
  Device.prototype.close = function counted() {
    closed++
    return close.call(this)
  }
  try {
    const { code, out, err } = await sluice(`train ${SMALL} --optimizer sgd --lr 1e30`)
    assert.is(code, EXIT.failed)
    assert.match(err, /^sluice: the loss of this mini-batch is /)
    assert.not.match(out, 'Interrupted')
    assert.is(closed, 1)
  } finally {
    Device.prototype.close = close
  }
})

/** The program itself, in a process of its own that runs `before` first. */
function start(args: string, stdio: StdioOptions = 'pipe', before = '') {
  const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
  // uvu sets FORCE_COLOR; together with NO_COLOR, Node would warn on stderr
  const env = { ...process.env, FORCE_COLOR: undefined }
  const preload = `data:text/javascript,${encodeURIComponent(before)}`
  const child = spawn(process.execPath, ['--import', preload, main, ...args.split(' ')], { env, stdio })
  const shown = { out: '', err: '' }
  child.stdout?.on('data', (data) => {
    shown.out += data
  })
  child.stderr?.on('data', (data) => {
    shown.err += data
  })
  return { child, shown, ended: once(child, 'close').then(([code, signal]) => ({ code, signal, ...shown })) }
}

test('the process: exit codes and both streams', async () => {
  const small = start('plan --model mlp --memory 4096 --json')
  const { code, out, err } = await small.ended
  assert.is(code, EXIT.doesNotFit)
  assert.ok(Number(JSON.parse(out).minimumBudgetBytes) > 4096)
  assert.match(err, /^sluice: a micro-batch of 1 sample needs/)
})

const TRAINING = 'train --model mlp --batch 16 --epochs 5000 --memory 1MiB --json'

test('the process: a full disk ends it with a message and exit code 1; if the message cannot be written, the exit code remains', async () => {
  const full = openSync('/dev/full', 'w')
  try {
    for (const args of ['devices', 'plan --model mlp', TRAINING]) {
      const { code, err } = await start(args, ['ignore', full, 'pipe']).ended
      assert.equal(
        [code, err],
        [EXIT.failed, 'sluice: standard output: ENOSPC: no space left on device, write\n'],
        args,
      )
    }
    const refused = await start('plan --model mlp --memory 4096 --json', ['ignore', 'pipe', full]).ended
    assert.is(refused.code, EXIT.doesNotFit)
    assert.is(JSON.parse(refused.out).event, 'error')
    assert.is((await start('trian', ['ignore', full, full]).ended).code, EXIT.usage)
    assert.is((await start('devices', ['ignore', full, full]).ended).code, EXIT.failed)
  } finally {
    closeSync(full)
  }
})

test('plan --largest: the plan with that value follows; the next value exits 3, for each model and device', async () => {
  const flags: Record<string, (value: number) => string> = {
    batch: (value) => `--batch ${value} --micro-batch ${value}`,
    width: (value) => `--width ${value}`,
  }
  for (const [knob, at] of Object.entries(flags)) {
    for (const job of ['--memory 1MiB', '--model mlp --memory 384KiB', '--model convnet --device gpu']) {
      const [largest, planned, ...more] = await eventsOf(`plan ${job} --largest ${knob}`)
      assert.equal([largest.event, largest.knob, planned.event, more], ['largest', knob, 'plan', []])
      const value = number(largest, 'value')
      const [same] = await eventsOf(`plan ${job} ${at(value)}`)
      assert.equal(planned, same)
      const { value: next, message } = JSON.parse(JSON.stringify(largest.next))
      assert.is(next, value + 1)
      const { code, err } = await sluice(`plan ${job} ${at(next)}`)
      assert.is(code, EXIT.doesNotFit, err)
      const { out } = await sluice(`plan ${job} --largest ${knob}`)
      assert.ok(out.startsWith(`The largest ${knob} `), out)
      assert.ok(out.includes(` is ${value.toLocaleString('en')}.\nWith `) && out.includes(message), out)
    }
  }
  const { code, err } = await sluice('plan --memory 16KiB --largest width')
  assert.is(code, EXIT.doesNotFit, err)
})

test('plan --largest image: images of that side, as many at a time as were asked for', async () => {
  const sides = await Promise.all(
    ['fit', '8', '64'].map(async (size) => {
      const job = `plan --model convnet --memory 4MiB --micro-batch ${size} --largest image`
      const [{ value }, { microBatch, plannedPeakBytes }] = await eventsOf(job)
      assert.ok(Number(microBatch) >= (size === 'fit' ? 1 : Number(size)) && Number(plannedPeakBytes) <= 2 ** 22)
      assert.match((await sluice(job)).out, ` is ${value} x ${value}.\n`)
      return Number(value)
    }),
  )
  assert.ok(sides[0] > sides[1] && sides[1] > sides[2] && sides[2] > 8, `${sides}`)
})

test('plan shows what making values again would give, unless it is switched off', async () => {
  const job = 'plan --batch 64 --memory 768KiB'
  const [{ frontier, microBatch }] = await eventsOf(job)
  const points: { extraTime: number; peakBytes: number; microBatch: number }[] = JSON.parse(JSON.stringify(frontier))
  assert.is(points[0].microBatch, microBatch)
  assert.ok(points.length > 1)
  const { out } = await sluice(job)
  const [, ...rows] = out.split('making values again:')[1].trimEnd().split('\n')
  const numbers = rows.map((row) => row.trim().split(/ {2,}/))
  assert.equal(
    numbers.map(([time, , size]) => [time, size]),
    points.map((point) => [`${(100 * point.extraTime).toFixed(1)} %`, `${point.microBatch}`]),
  )
  const never = await sluice(`${job} --recompute never`)
  assert.not.match(never.out, 'making values again')
  assert.is((await eventsOf(`${job} --recompute never`))[0].frontier, undefined)
  assert.not.match((await sluice('plan --model mlp')).out, 'making values again')
})

test('--width: the model that is planned is the one that is trained', async () => {
  const [planned] = await eventsOf('plan --model mlp --width 31 --batch 512')
  const [first, step] = await eventsOf('train --model mlp --width 31 --batch 512 --epochs 1')
  assert.is(step.peakBytes, planned.plannedPeakBytes)
  assert.equal(first.heldBytes, planned.heldBytes)
  const [usual] = await eventsOf('plan --model mlp --batch 512')
  assert.equal((await eventsOf('plan --model mlp --width 128 --batch 512'))[0], usual)
})

test('plan --out writes the plan; verify accepts it, and refuses other files, with exit codes', async () => {
  const file = join(folder, 'plan.json')
  const [planned] = named(await eventsOf(`plan --model convnet --memory 1MiB --out ${file}`), 'plan')
  const written = JSON.parse(readFileSync(file, 'utf8'))
  assert.equal([written.format, written.version, written.peakBytes], ['sluice plan', 1, planned.plannedPeakBytes])
  assert.ok(Array.isArray(planned.modulesAtPeak))
  assert.equal(await eventsOf(`verify ${file}`), [{ event: 'verified', file }])
  assert.equal(await sluice(`verify ${file}`), { code: EXIT.done, out: `${file}: the plan is valid\n`, err: '' })
  written.peakBytes--
  writeFileSync(file, JSON.stringify(written))
  const wrong = await sluice(`verify ${file}`)
  assert.is(wrong.code, EXIT.failed)
  assert.match(wrong.err, /^sluice: peakBytes is not \d+, the highest of its passes\n$/)
  writeFileSync(file, '{')
  assert.match((await sluice(`verify ${file}`)).err, `sluice: ${file}: `)
  assert.is((await sluice(`verify ${join(folder, 'none')}`)).code, EXIT.failed)
  assert.is((await sluice('verify')).code, EXIT.usage)
  assert.is((await sluice('verify a b')).code, EXIT.usage)
  assert.is((await sluice(`plan --out ${join(folder, 'none', 'x')}`)).code, EXIT.failed)
  assert.match((await sluice('train --out x')).err, 'train has no option --out')
})

test('the process: it ends silently when its reader closes the pipe', async () => {
  const { child, ended } = start(TRAINING)
  child.stdout?.once('data', () => child.stdout?.destroy())
  const { code, err } = await ended
  assert.equal([code, err], [EXIT.failed, ''])
})

test('the process: the first Ctrl-C ends the training with 130, even between steps of a few milliseconds', async () => {
  const { child, ended } = start(TRAINING)
  child.stdout?.once('data', () => setTimeout(() => child.kill('SIGINT'), 300))
  const { code, out, err } = await ended
  assert.is(code, EXIT.interrupted)
  assert.match(err, /^Interrupted after [\d,]+ of 450,000 steps, the last with loss/)
  const last: Event = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '')
  assert.is(last.event, 'interrupted')
  assert.ok(number(last, 'steps') > 0)
})

test('the process: on a terminal the line fits its width, or 80 if that is unknown; in a pipe no line is redrawn', async () => {
  const job = 'train --model mlp --batch 1438 --epochs 99 --memory 4MiB --threads 1'
  const widest = async (before: string): Promise<number> => {
    const { out } = await start(job, 'pipe', before).ended
    const [, ...lines] = out.split('\r\u001b[K')
    return Math.max(...lines.slice(0, -1).map((line) => line.length))
  }
  assert.is(await widest('process.stdout.isTTY = true; process.stdout.columns = 41'), 40)
  assert.is(await widest('process.stdout.isTTY = true'), 79)
  // at the end no handler is left, so Ctrl-C would kill again
  const counted = `process.on('exit', () => process.stderr.write('handlers: ' + process.listenerCount('SIGINT')))`
  const { out, err } = await start(job, 'pipe', counted).ended
  assert.not.match(out, '\r')
  assert.is(err, 'handlers: 0')
})

test('the process: Ctrl-C at once kills a command that does not train', async () => {
  const { child, ended } = start('gradcheck')
  child.stdout?.once('data', () => child.kill('SIGINT'))
  const { code, signal, out } = await ended
  assert.equal([code, signal], [null, 'SIGINT'])
  assert.not.match(out, 'worst error')
})

test('gradcheck: the worst error of each op, and exit code 1 for a wrong gradient', async () => {
  const { code, out } = await sluice('gradcheck relu argmax softmax')
  assert.is(code, EXIT.done)
  assert.match(
    out,
    /^relu +\d\.\de-\d+\nargmax +no gradient\nsoftmax +\d\.\de-\d+\n2 gradients, worst error .*; 0 above/,
  )
  const aligned = await sluice('gradcheck relu scaledDotProductAttention')
  const [short, long] = aligned.out.split('\n').map((line) => line.search(/\d\.\de/))
  assert.is(short, long)
  const [first, second, done] = await eventsOf('gradcheck square argmax')
  assert.equal([first.op, first.gradient, first.ok], ['square', true, true])
  assert.ok(number(first, 'worstError') < 1e-6)
  assert.equal(second, { event: 'gradcheck', op: 'argmax', gradient: false, worstError: null, ok: true })
  assert.equal([done.checked, done.failures], [1, 0])

  const [gradient] = square.op.gradients
  assert.ok(gradient)
  const { send } = gradient
  Object.assign(gradient, { send: ((call, target) => target.pass(call.dy)) satisfies typeof send })
  try {
    const wrong = await sluice('gradcheck square neg')
    assert.is(wrong.code, EXIT.failed)
    assert.match(wrong.out, /^neg +\S+\nsquare +\S+ {3}WRONG\n2 gradients, .*; 1 above/)
  } finally {
    Object.assign(gradient, { send })
  }
})

test('gradcheck of all ops prints the errors that the library finds with the same seed, and the worst of them', async () => {
  const found = await checkOps(opTable, { seed: 7 })
  const all = await eventsOf('gradcheck --seed 7')
  const expected = found.map(({ op, worstError }) => ['gradcheck', op, worstError])
  assert.equal(
    all.slice(0, -1).map(({ event, op, worstError }) => [event, op, worstError]),
    expected,
  )
  const errors = found.flatMap(({ worstError }) => worstError ?? [])
  const [last] = all.slice(-1)
  assert.equal([last.event, last.checked, last.worstError], ['done', errors.length, Math.max(...errors)])
})

test('gradcheck --help lists the ops in lines of at most 100 characters, each as full as possible', async () => {
  const [, list] = /\nOps: (.+?)\n\n/s.exec((await sluice('gradcheck --help')).out) ?? []
  const lines = list.split('\n  ')
  assert.equal(
    lines.flatMap((line) => line.split(' ')),
    opTable.map(({ name }) => name),
  )
  for (const [i, line] of lines.entries()) {
    const [next = ''] = lines[i + 1]?.split(' ') ?? []
    assert.ok(line.length <= 100 && (next === '' || `${line} ${next}`.length > 100), line)
  }
})

test('devices: the available ones, and the reasons why others are missing', async () => {
  const { out } = await sluice('devices')
  assert.match(
    out,
    /^cpu +available +float32 +up to 4 GiB .*\nreference +available +float64 +up to 4 GiB +\S.*\ngpu +missing +the gpu device needs WebGL2: .* npm install gl@/,
  )
  const [cpu, , gpu] = await eventsOf('devices')
  assert.match(String(cpu.note), /^SIMD.*, (one thread|[234] threads)$/)
  assert.equal([cpu.device, cpu.available, cpu.limitBytes, gpu.available], ['cpu', true, 2 ** 32, false])
  assert.is(cpu.event, 'device')
  // its largest budget is not known
  const refused = await sluice('train --device gpu --epochs 1 --memory 8GiB')
  assert.is(refused.code, EXIT.failed)
  assert.match(refused.err, /needs WebGL2: a browser, or in Node the package gl/)
})

/** (module (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd ...))) */
const FUSED = Buffer.from('0061736d0100000001080160037b7b7b017b030201000a0d010b00200020012002fd85020b', 'hex')

test('devices: the kernels of the cpu, on platforms with more and fewer features', async () => {
  const simd = WebAssembly.validate(FUSED) ? 'SIMD with fused multiply-add' : 'SIMD'
  const cores = (count: number): string => `import os from 'node:os'; os.availableParallelism = () => ${count};`
  const cases: [before: string, note: string][] = [
    [
      `${cores(1)} import v8 from 'node:v8'; v8.setFlagsFromString('--experimental-wasm-relaxed-simd')`,
      'SIMD with fused multiply-add, one thread',
    ],
    [cores(64), `${simd}, 4 threads`],
    ['delete globalThis.SharedArrayBuffer', `${simd}, one thread: this platform cannot start threads on shared memory`],
    ['WebAssembly.validate = () => false', 'one thread; plain loops: this platform has no WebAssembly SIMD'],
  ]
  const notes = cases.map(async ([before]) => {
    const { out } = await start('devices --json', 'pipe', before).ended
    return String(JSON.parse(out.slice(0, out.indexOf('\n'))).note).split(' (')[0]
  })
  assert.equal(
    await Promise.all(notes),
    cases.map(([, note]) => note),
  )
})

test('--memory-svg draws a step; a file that cannot be written exits 1', async () => {
  const file = join(folder, 'step.svg')
  await eventsOf(`plan --model convnet --memory 1MiB --memory-svg ${file}`)
  const svg = readFileSync(file, 'utf8')
  for (const words of [
    'convnet, adam: a step of 1,024 samples',
    'budget 1 MiB',
    'forward of ',
    'backward',
    'most held: ',
  ]) {
    assert.match(svg, words)
  }
  const split = join(folder, 'split.svg')
  const [{ parts }] = await eventsOf(`plan --model convnet --batch 101 --memory 1MiB --memory-svg ${split}`)
  const drawn = readFileSync(split, 'utf8')
  const labels = [...drawn.matchAll(/<text x="([\d.]+)" y="376"[^>]*>([^<]+)/g)].sort(
    ([, a], [, b]) => Number(a) - Number(b),
  )
  assert.equal(
    labels.map(([, , words]) => words),
    (parts as Part[]).flatMap(({ size }) => [`forward of ${size}`, 'backward']),
  )
  // the first section begins at the left edge, where no line is drawn
  assert.is([...drawn.matchAll(/<path class="section"/g)].length, labels.length - 1)
  const refused = await sluice(`plan --model mlp --memory-svg ${join(folder, 'none', 'x.svg')}`)
  assert.is(refused.code, EXIT.failed)
  assert.match(refused.err, /^sluice: --memory-svg: ENOENT/)
})

test('--data idx:DIR: a folder with test files, and one without, which is split', async () => {
  const train = `train --model mlp --batch 32 --epochs 1 --memory 512KiB --data idx:${folder}`
  const missing = await sluice(train)
  assert.is(missing.code, EXIT.failed)
  assert.match(missing.err, /^sluice: .*no file named train-images-idx3-ubyte/)
  writeIdx(folder, 'train-images-idx3-ubyte', [50, 6, 6], (i) => (i * 7) % 256)
  writeIdx(folder, 'train-labels-idx1-ubyte', [50], (i) => i % 3)
  const samples = async () => named(await eventsOf(train), 'step').map((step) => step.samples)
  assert.equal(await samples(), [32, 8])
  writeIdx(folder, 't10k-images-idx3-ubyte', [20, 6, 6], (i) => (i * 5) % 256)
  writeIdx(folder, 't10k-labels-idx1-ubyte', [20], (i) => i % 4)
  assert.equal(await samples(), [32, 18])
  writeIdx(folder, 't10k-images-idx3-ubyte', [20, 5, 6], () => 0)
  for (const command of [train, `plan --model mlp --data idx:${folder}`]) {
    const refused = await sluice(command)
    assert.equal([refused.code, refused.out], [EXIT.usage, ''])
    assert.match(refused.err, /--data: in .* the training images are \[1, 6, 6\], and the test images \[1, 5, 6\]\n/)
  }
  rmSync(join(folder, 't10k-images-idx3-ubyte'))
  const small = await sluice(`plan --model lenet --data idx:${folder}`)
  assert.is(small.code, EXIT.failed)
  assert.match(small.err, /^sluice: lenet: inputShape \[1, 6, 6\] must be/)
})

test.run()
