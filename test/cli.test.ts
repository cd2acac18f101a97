/** The command line as a whole: commands, flags and help. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { parseJob } from '../src/cli/job.js'
import { UsageError } from '../src/cli/options.js'
import { coloured } from '../src/cli/paint.js'
import { nearest } from '../src/memory/nearest.js'
import { eventsIn, scratch, sluice } from './command-line.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const COMMANDS = ['train', 'plan', 'plot', 'predict', 'weights', 'gradcheck', 'devices']

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
    ['plan --largest context', /--largest context: lenet has none; say batch, image, width\n/],
    ['plan --largest widht', /--largest 'widht' is not one of batch, image, .*levels; the nearest is width/],
    ['train --largest batch', /train has no option --largest/],
    ['plan --width 0', /--width '0' is not a whole number, 1 or more/],
    ['plan --micro-batch fast', /plan trains nothing: say fit or a number/],
    ['train --model lennet', /--model 'lennet' is not one of mlp, lenet, .*lstm; the nearest is lenet/],
    ['plan --layers 2', /--layers is no size of lenet, which has --width\n/],
    ['plan --model gpt --batch-norm exact', /--batch-norm: gpt has no batch norm/],
    ['train --model gpt', /--model gpt learns from text, and --data has samples with classes: say --model mlp/],
    ['train --model unet', /--model unet learns from images with masks, and --data has samples with classes/],
    ['plan --model unet', /--model unet learns masks, and --data has none: say --image SIZE/],
    ['plan --context 4', /--context: lenet learns from images: leave it out/],
    ['plan --model gpt --image 4', /--image: gpt learns from tokens: leave it out|--model gpt learns/],
    ['plan --data idx:x --image 4', /--image is for --data shapes, .*, and the data are idx: leave it out/],
    ['plan --classes 4', /--classes is for images without data/],
    ['plan --image 4.5', /--image '4.5' is not a whole number, 1 or more/],
    ['train --image 8', /--image is for --data shapes/],
    ['train --threads 0', /--threads '0' is not a whole number, from 1 to 4/],
    ['train --device tpu', /--device 'tpu' is not one of cpu, gpu, reference/],
    ['train --data mnist', /--data 'mnist' is not one of digits, shapes, /],
    ['train --data an-idx:/tmp', /--data 'an-idx:\/tmp' is not one of digits, shapes, /],
    ['train --memory 8MB', /--memory: '8MB' is not a byte size.*write MiB/],
    ['train --memory 8GiB', /--memory: a CPU device cannot hold 8 GiB/],
    ['train --lr=-1', /--lr '-1' is not a number of at least 0/],
    ['train --lr=', /--lr '' is not a number of at least 0/],
    ['train --lr=\t', /--lr '\t' is not a number of at least 0/],
    ['train --weight-decay x', /--weight-decay 'x' is not a number of at least 0/],
    ['train --optimizer sgd --momentum x', /--momentum 'x' is not a number of at least 0/],
    ['train --optimizer agd', /--optimizer 'agd' is not one of sgd, adam, adamw, rmsprop; the nearest is sgd/],
    ['train --schedule cosin', /--schedule 'cosin' is not one of cosine, constant, step; the nearest is cosine/],
    ['train --epochs 0', /--epochs '0' is not a whole number, 1 or more\n/],
    ['train --warm-up=-1', /--warm-up '-1' is not a whole number, 0 or more\n/],
    ['train --clip-norm 0', /--clip-norm '0' is not a number above 0/],
    ['train --clip-value 0', /--clip-value '0' is not a number above 0/],
    ['train --clip-norm 1 --clip-value 1', /--clip-norm and --clip-value are both given: leave one out/],
    ['train --momentum 0.5', /--momentum is for sgd and rmsprop, and the optimizer is adam/],
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
    const [{ event, name }] = eventsIn(json.out)
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

test('the examples in the help of each command run, as they stand', async () => {
  const { folder, at } = scratch('examples')
  const before = process.cwd()
  process.chdir(folder)
  try {
    const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 8, 8), }"
    const magic = Buffer.from(`\u0093NUMPY\u0001\u0000${String.fromCharCode(header.length, 0)}${header}`, 'latin1')
    writeFileSync(at('images.npy'), Buffer.concat([magic, Buffer.alloc(128, 9)]))
    for (const command of ['train', 'plan', 'plot', 'verify', 'weights', 'predict', 'gradcheck', 'devices']) {
      if (command === 'plot') copyFileSync('run.jsonl', 'other.jsonl')
      const { out } = await sluice(`${command} --help`)
      const [, list] = /\nExamples:\n((?: {2}sluice .*\n)+)/.exec(out) ?? []
      assert.ok(list, command)
      for (const line of list.trimEnd().split('\n')) {
        const [example, what] = line.trim().split(/ {2,}/)
        assert.ok(what && line.length <= 120, line)
        const short = command === 'train' ? ' --epochs 1' : ''
        const { code, err } = await sluice(example.replace(/^sluice /, '') + short)
        assert.equal([code, err], [EXIT.done, ''], example)
      }
    }
  } finally {
    process.chdir(before)
  }
})

test('on a terminal with colours errors and results are coloured, and nothing else changes', async () => {
  const escapes = /\p{Cc}\[\d+m/gu
  for (const args of [
    'devices',
    'gradcheck relu',
    'trian',
    'train --model mlp --batch 512 --epochs 1 --memory 512KiB',
  ]) {
    const plainly = await sluice(args)
    const painted = await sluice(args, { paint: coloured, paintErr: coloured })
    for (const stream of ['out', 'err'] as const) {
      assert.not.match(plainly[stream], escapes)
      const timeless = (text: string) => text.replaceAll(escapes, '').replaceAll(/[\d.,]+ (s|images\/s|[KM]iB)\b/g, '')
      assert.is(timeless(painted[stream]), timeless(plainly[stream]))
    }
    assert.is(escapes.test(painted.out + painted.err), args !== 'gradcheck relu', args)
    escapes.lastIndex = 0
  }
  const { err } = await sluice('trian', { paintErr: coloured })
  assert.ok(err.startsWith('\u001b[31msluice:\u001b[39m there is no command'))
})

/** Flags with fewer values in plan. */
const OF_PLAN: Readonly<Record<string, string>> = {
  '--batch': 'N samples in a mini-batch (1024)',
  '--micro-batch': 'fit|N largest that fits, or at most N samples (fit)',
}

test('README.md shows the help of train, and plan takes those of its flags that change the memory', async () => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')
  const { out } = await sluice('train --help')
  assert.ok(readme.includes(`$ npx sluice train --help\n${out}\`\`\``), out)
  const rows = (help: string) => [...help.matchAll(/^ {2}(--\S+)(.*)$/gm)].map(([, flag, rest]) => [flag, rest.trim()])
  // speed, number of steps and files do not change the bytes of a step, and plan measures nothing
  const without = [
    '--epochs',
    '--threads',
    '--lr',
    '--schedule',
    '--warm-up',
    '--max-batch',
    '--batch-lr',
    '--checkpoint',
    '--every',
    '--log',
    '--resume',
  ]
  const expected = rows(out)
    .filter(([flag]) => !without.includes(flag))
    .map(([flag, rest]) => [flag, OF_PLAN[flag] ?? rest])
  const squeezed = ([flag, rest]: string[]) => [flag, rest.replaceAll(/ +/g, ' ')]
  const own = rows((await sluice('plan --help')).out)
  const ofPlan = ['--classes', '--vocabulary', '--largest', '--out', '--html']
  const shared = own.filter(([flag]) => !ofPlan.includes(flag))
  assert.equal(shared.map(squeezed), expected.map(squeezed))
  assert.is(own.length, shared.length + ofPlan.length, String(ofPlan))
})

test('flags: the defaults describe the main job, and each flag is read', () => {
  const job = parseJob('train', [])
  assert.equal(
    [job.model, job.data.form, job.batch, job.memoryBytes, job.epochs, job.seed, job.microBatch, job.device],
    ['lenet', 'digits', 1024, 2 ** 21, 60, 1, 'fit', 'cpu'],
  )
  assert.equal([job.optimizer, job.learningRate, job.schedule, job.warmUpSteps], ['adam', 0.01, 'cosine', 10])
  const sgd = parseJob('train', '--optimizer sgd --data idx:/a b --micro-batch 7 --clip-norm 2'.split(/ (?!b)/))
  assert.equal([sgd.learningRate, sgd.momentum, sgd.data.path, sgd.microBatch, sgd.clipNorm], [0.05, 0.9, '/a b', 7, 2])
  const rmsprop = parseJob('train', '--optimizer rmsprop --clip-value 0.5'.split(' '))
  assert.equal([rmsprop.learningRate, rmsprop.momentum, rmsprop.clipValue, rmsprop.clipNorm], [0.01, 0, 0.5, undefined])
  assert.throws(
    () => parseJob('train', ['--data', 'idx:']),
    (error: unknown) => error instanceof UsageError,
  )
})

test.run()
