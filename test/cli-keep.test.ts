/**
 * `sluice train --checkpoint` and `--resume`: a training that is killed, interrupted or fails at any moment leaves a
 * file from which it goes on, and ends like a training without a disturbance.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { loadCheckpoint, nn, parseSafetensors, toSafetensors } from '../src/index.js'
import { type Event, eventsOf, named, scratch, sluice, start } from './command-line.js'
import { TEST_RUNS } from './fixtures.js'

const { folder, at } = scratch('keep')

const JOB = ['train', '--model', 'mlp', '--batch', '128', '--epochs', '3', '--memory', '512KiB', '--threads', '1']

/** A process of its own; `onEvent` may kill it. */
async function follow(args: readonly string[], onEvent: (event: Event, child: ChildProcess) => void = () => {}) {
  const { child, ended } = start([...args, '--json'])
  assert.ok(child.stdout)
  const events: Event[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    // the last line of a killed process can be incomplete
    if (!line.endsWith('}')) return
    const event: Event = JSON.parse(line)
    events.push(event)
    onEvent(event, child)
  })
  return { ...(await ended), events }
}

const lossesOf = (all: readonly Event[]): number[] => named(all, 'step').map(({ loss }) => Number(loss))
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path))

let undisturbed: Promise<{ file: Uint8Array; events: Event[] }> | null = null
/** The training without a disturbance: its events, and the file at its end. */
function straight() {
  undisturbed ??= eventsOf([...JOB, '--checkpoint', at('straight'), '--every', '1']).then((events) => {
    return { file: bytesOf(at('straight')), events }
  })
  return undisturbed
}

test('killed with SIGKILL at any moment, and resumed: the same file at the end, to the byte', async () => {
  const { file } = await straight()
  const random = nn.generator(9)
  let began = 0
  await follow([...JOB, '--checkpoint', at('timed'), '--every', '1'], ({ event }) => {
    if (event === 'plan') began = performance.now()
  })
  const longest = performance.now() - began
  assert.equal(bytesOf(at('timed')), file)
  const [wanted, path] = [Math.min(100, 4 * TEST_RUNS), at('killed')]
  let kills = 0
  for (let trial = 0; kills < wanted; trial++) {
    assert.ok(trial < 3 * wanted + 10, `only ${kills} of ${trial} trainings were killed in time`)
    // killed, resumed and killed again, and resumed to the end
    for (const last of [false, false, true]) {
      const go = existsSync(path) ? ['train', '--resume', path] : JOB
      let timer: NodeJS.Timeout | undefined
      const { code, signal, err } = await follow([...go, '--checkpoint', path, '--every', '1'], ({ event }, child) => {
        if (event === 'plan' && !last) timer = setTimeout(() => child.kill('SIGKILL'), 0.7 * random() * longest)
      })
      clearTimeout(timer)
      if (signal === 'SIGKILL') kills++
      else assert.is(code, EXIT.done, err)
      // a file that exists can be read
      if (existsSync(path)) await loadCheckpoint(path)
    }
    assert.equal(bytesOf(path), file, `trial ${trial}`)
    rmSync(path)
  }
  if (TEST_RUNS > 1) console.log(`${kills} kills`)
})

for (const [signal, exit] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', EXIT.terminated],
] as const) {
  test(`${signal} keeps the last commit and exits ${exit}; --resume goes on to the same file`, () =>
    interrupted(signal, exit))
}

async function interrupted(signal: NodeJS.Signals, exit: number): Promise<void> {
  const { file } = await straight()
  const path = at('interrupted')
  const train = () =>
    follow([...JOB, '--checkpoint', path], ({ event, step }, child) => {
      if (event === 'step' && step === 5) child.kill(signal)
    })
  let training = await train()
  // on a busy machine, a training can end before this process reads of its fifth step
  for (let trial = 1; training.code === EXIT.done && trial < 10; trial++) training = await train()
  const { code, events, err } = training
  assert.is(code, exit, err)
  const steps = named(events, 'step')
  const last = steps[steps.length - 1].step
  assert.ok(Number(last) >= 5 && Number(last) < 36)
  assert.is((await loadCheckpoint(path)).optimizer.steps, last)
  const kept = named(events, 'checkpoint')
  assert.is(kept[kept.length - 1].step, last)
  assert.match(err, `To go on: sluice train --resume ${path} --checkpoint ${path}\n`)
  const rest = await eventsOf(['train', '--resume', path, '--checkpoint', path])
  assert.equal([rest[0].event, rest[0].step], ['resumed', last])
  assert.equal([...lossesOf(events), ...lossesOf(rest)], lossesOf((await straight()).events))
  assert.equal(bytesOf(path), file)
}

test('when a file is kept: at the start, each epoch, every K steps, and at the end', async () => {
  const kept = (events: readonly Event[]) => named(events, 'checkpoint').map(({ step }) => step)
  const plain = await eventsOf([...JOB, '--checkpoint', at('often')])
  assert.equal(kept(plain), [0, 12, 24, 36])
  const often = await eventsOf([...JOB, '--checkpoint', at('often'), '--every', '5'])
  assert.equal(kept(often), [0, 5, 10, 12, 15, 20, 24, 25, 30, 35, 36])
  assert.equal(bytesOf(at('often')), (await straight()).file)
  assert.equal(kept(await eventsOf(JOB)), [])
})

/**
 * The losses are 1 to 2.4, in float32. Sums in another order round differently, and adam divides such differences by small
 * numbers.
 */
const SAME_LOSS = 1e-5

test('another budget, micro-batch, number of threads or device goes on to the same losses', async () => {
  const { events: expected, file } = await straight()
  const path = at('moved')
  let left = 7
  const controller = new AbortController()
  const first = await sluice([...JOB, '--checkpoint', path, '--json'], {
    signal: controller.signal,
    out: (text) => {
      if (text.includes('"event":"step"') && --left === 0) controller.abort()
    },
  })
  assert.is(first.code, EXIT.interrupted)
  for (const flags of [
    '--memory 2MiB',
    '--micro-batch 7',
    '--threads 2',
    '--device reference --memory 2MiB',
    '--recompute never',
  ]) {
    const end = at('moved end')
    const rest = await eventsOf(['train', '--resume', path, '--checkpoint', end, ...flags.split(' ')])
    const losses = lossesOf(rest)
    const wanted = lossesOf(expected).slice(-losses.length)
    assert.is(losses.length, 29, flags)
    const worst = Math.max(...losses.map((loss, i) => Math.abs(loss - wanted[i])))
    assert.ok(worst < SAME_LOSS, `${flags}: off by ${worst}`)
    assert.equal(named(rest, 'plan')[0].notes, [], flags)
    if (flags !== '--threads 2') continue
    assert.equal(parseSafetensors(bytesOf(end)).tensors, parseSafetensors(file).tensors)
  }
})

test('flags of the file hold, given flags win and are noted; a flag that makes it another training is refused', async () => {
  await straight()
  const path = at('straight')
  const longer = await eventsOf(['train', '--resume', path, '--epochs', '4', '--lr', '0.001'])
  assert.equal(
    named(longer, 'step').map(({ step }) => step),
    Array.from({ length: 12 }, (_, i) => 37 + i),
  )
  assert.equal(named(longer, 'plan')[0].notes, ['--epochs is 4, and was 3', '--lr is 0.001, and was not given'])
  const over = await sluice(['train', '--resume', path])
  assert.is(over.code, EXIT.done)
  assert.match(over.out, /Going on from .*straight, after 36 steps, in epoch 4\./)
  assert.match(over.out, /Test accuracy \d+\.\d %\./)
  const cases: [string, number, RegExp][] = [
    [`--resume ${path} --seed 2`, EXIT.usage, /--seed 2: .*straight is a training with --seed 1; leave the flag out/],
    [`--resume ${path} --model lenet`, EXIT.usage, /--model lenet: .* is a training with --model mlp/],
    [`--resume ${path} --width 9`, EXIT.usage, /--width 9: .* is a training without the flag; leave the flag out/],
    [`--resume ${path} --optimizer sgd`, EXIT.usage, /--optimizer sgd: .* is a training with --optimizer adam/],
    ['--every 3', EXIT.usage, /--every sets how often .*: give --checkpoint FILE too/],
    ['--checkpoint x --every 0', EXIT.usage, /--every '0' is not a whole number, 1 or more/],
    [`--resume ${at('none')}`, EXIT.failed, /none cannot be read \(ENOENT/],
    [`--resume ${folder}`, EXIT.failed, /cannot be read \(it is not a regular file\)/],
    [`--resume ${path} --memory 100KiB`, EXIT.doesNotFit, /The smallest budget that works is/],
  ]
  for (const [flags, code, message] of cases) {
    const outcome = await sluice(['train', ...flags.split(' ')])
    assert.is(outcome.code, code, outcome.err)
    assert.match(outcome.err, message)
  }
})

test('a file that is damaged, of weights only, or with strange flags is refused by its name, before anything is learned', async () => {
  const { file } = await straight()
  const path = at('strange')
  const { tensors, metadata } = parseSafetensors(file)
  const flags = JSON.parse(metadata['sluice.flags'])
  const withFlags = (changed: unknown) =>
    toSafetensors(tensors, {
      ...metadata,
      'sluice.flags': typeof changed === 'string' ? changed : JSON.stringify(changed),
    })
  const cases: [Uint8Array, RegExp][] = [
    [file.subarray(0, -1), /strange: the tensors take \d+ bytes, and after the header the file has \d+/],
    [toSafetensors(tensors), /strange: it has weights and no training/],
    [withFlags('{'), /strange: sluice\.flags is not JSON/],
    [withFlags({ ...flags, batch: 'many' }), /strange: sluice\.flags: --batch 'many' is not a whole number/],
    [withFlags({ ...flags, model: 'convnet' }), /strange: .*is missing.*Nothing was changed/],
    [
      toSafetensors({ ...tensors, more: { shape: [2 ** 20], data: new Float32Array(2 ** 20) } }, metadata),
      /strange cannot be read \(it has \d+ bytes, and the limit is \d+\)/,
    ],
  ]
  for (const [bytes, message] of cases) {
    writeFileSync(path, bytes)
    const { code, out, err } = await sluice(['train', '--resume', path])
    assert.is(code, EXIT.failed, err)
    assert.match(err, message)
    assert.is(err.trimEnd().split('\n').length, 1, err)
    assert.not.match(out, 'epoch')
  }
  const { 'sluice.flags': _, ...others } = metadata
  writeFileSync(path, toSafetensors(tensors, others))
  const ofCode = await sluice([...JOB, '--resume', path, '--seed', '2'])
  assert.is(ofCode.code, EXIT.usage)
  assert.match(ofCode.err, /--seed 2: .*strange is a training with seed 1; give that/)
  assert.is((await sluice([...JOB, '--resume', path])).code, EXIT.done)
  // flags that a checkpoint does not keep are not read from it
  writeFileSync(
    path,
    withFlags({ ...flags, 'memory-svg': at('picture'), checkpoint: at('other'), __proto__: '1', json: 'true' }),
  )
  assert.is((await sluice(['train', '--resume', path])).code, EXIT.done)
  assert.not(existsSync(at('picture')) || existsSync(at('other')))
})

test('if the file can no longer be written, the training ends with a message, and the old file stays', async () => {
  mkdirSync(at('disk'))
  const path = join(at('disk'), 'run')
  const lost = await sluice([...JOB, '--checkpoint', path, '--json'], {
    out: (text) => {
      if (text.includes('"event":"epoch"') && text.includes('"epoch":2')) renameSync(at('disk'), at('elsewhere'))
    },
  })
  assert.is(lost.code, EXIT.failed)
  assert.match(lost.err, /^sluice: .*disk\/run could not be written; its old content stays \(ENOENT.*\)\n$/)
  assert.is((await loadCheckpoint(join(at('elsewhere'), 'run'))).optimizer.steps, 12)
  const never = await sluice([...JOB, '--checkpoint', join(at('disk'), 'run'), '--json'])
  assert.is(never.code, EXIT.failed)
  assert.not.match(never.out, '"event":"step"')
})

test('progress on a terminal counts on from the file', async () => {
  const path = at('progress')
  await eventsOf([...JOB, '--epochs', '2', '--schedule', 'constant', '--checkpoint', path])
  let shown = ''
  const { code } = await sluice(['train', '--resume', path, '--epochs', '4'], {
    isTTY: true,
    out: (text) => {
      shown += text
    },
  })
  assert.is(code, EXIT.done)
  const [, epoch, step, of] = /epoch (\d)\/4 {2}step (\d+)\/(\d+)/.exec(shown) ?? []
  assert.equal([epoch, of], ['3', '48'])
  assert.ok(Number(step) >= 24)
  assert.not.match(shown, 'NaN')
})

test.run()
