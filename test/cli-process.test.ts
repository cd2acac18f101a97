/** The program in a process of its own: streams, signals, the terminal. */
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { type Event, eventsIn, named, number, scratch, start } from './command-line.js'
import { writeIdx } from './idx-files.js'

const { folder } = scratch('process')

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

test('the process: it ends silently when its reader closes the pipe', async () => {
  const { child, ended } = start(TRAINING)
  child.stdout?.once('data', () => child.stdout?.destroy())
  const { code, err } = await ended
  assert.equal([code, err], [EXIT.failed, ''])
})

test('the process: colours on a terminal that has them, unless NO_COLOR is set; none elsewhere', async () => {
  const terminal =
    'process.stderr.hasColors = (await import("node:tty")).WriteStream.prototype.hasColors; process.stderr.isTTY = true; '
  const bold = 'process.stderr.getColorDepth = (await import("node:tty")).WriteStream.prototype.getColorDepth; '
  const of = (settings: string) =>
    `for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CI']) delete process.env[name]; process.env.TERM = 'xterm'; ${settings}`
  const errorsOf = async (before: string) => (await start('trian', 'pipe', of(before)).ended).err
  assert.ok((await errorsOf(terminal + bold)).startsWith('\u001b[31msluice:'))
  for (const before of [
    '',
    `${terminal}${bold}process.env.NO_COLOR = '1'`,
    `${terminal}${bold}process.env.TERM = 'dumb'`,
  ]) {
    assert.match(await errorsOf(before), /^sluice: there is no command/, before)
  }
})

/** Call `fn` when the training has made a step, and so listens to signals. */
function whenItTrains({ stdout }: ChildProcess, fn: () => void): void {
  let seen = ''
  const look = (chunk: unknown): void => {
    seen += String(chunk)
    if (!seen.includes('"event":"step"')) return
    stdout?.off('data', look)
    fn()
  }
  stdout?.on('data', look)
}

test('the process: SIGTERM ends the training as Ctrl-C does, with 143; after either a second signal kills', async () => {
  const gentle = start(TRAINING)
  whenItTrains(gentle.child, () => gentle.child.kill('SIGTERM'))
  const { code, out, err } = await gentle.ended
  assert.is(code, EXIT.terminated)
  assert.match(err, /^Interrupted after [\d,]+ of 450,000 steps/)
  assert.is(named(eventsIn(out), 'interrupted').length, 1)
  // a training that does not look at its signal, as if it were in a long step
  const deaf = `AbortController.prototype.abort = () => console.error('once')`
  const stubborn = start(TRAINING, 'pipe', deaf)
  whenItTrains(stubborn.child, () => stubborn.child.kill('SIGINT'))
  stubborn.child.stderr?.once('data', () => stubborn.child.kill('SIGTERM'))
  const killed = await stubborn.ended
  assert.equal([killed.code, killed.signal], [null, 'SIGTERM'])
})

test('the process: the first Ctrl-C ends the training with 130, even between steps of a few milliseconds', async () => {
  const { child, ended } = start(TRAINING)
  whenItTrains(child, () => child.kill('SIGINT'))
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

/** At its end a process writes what Linux says of it to standard error. */
const OF_SYSTEM = `import fs from 'node:fs'
process.on('exit', () => console.error(/VmHWM:\\s*(\\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]))`

const onLinux = existsSync('/proc/self/status') ? test : test.skip

onLinux(
  'the process: the bytes in the summary are those that the system reports, and each part grows with its content',
  async () => {
    // 16 images of 1,000 x 1,000 pixels
    const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, 16, 0, 0, 3, 232, 0, 0, 3, 232])
    for (const part of ['train', 't10k']) {
      writeFileSync(join(folder, `${part}-images-idx3-ubyte`), Buffer.concat([header, Buffer.alloc(16e6, 'pixels')]))
      writeIdx(folder, `${part}-labels-idx1-ubyte`, [16], (i) => i % 4)
    }
    const measured = async (job: string) => {
      const { code, out, err } = await start(`${job} --threads 1 --epochs 1 --json`, 'pipe', OF_SYSTEM).ended
      assert.is(code, EXIT.done, err)
      const [{ process: held, budgetBytes, peakBytes }] = named(eventsIn(out), 'done')
      const parts: Record<string, number> = JSON.parse(JSON.stringify(held))
      const { peakBytes: most, webAssemblyReservedBytes: reserved, webAssemblyTouchedBytes: touched } = parts
      const { javaScriptHeapBytes, hostDataBytes, otherBytes } = parts
      const system = 1024 * Number(err)
      assert.ok(Math.abs(most - system) < 0.1 * system, `${most} of ${system}`)
      assert.is(touched + javaScriptHeapBytes + hostDataBytes + otherBytes, most)
      assert.equal([reserved, touched], [budgetBytes, peakBytes])
      return parts
    }
    const small = await measured('train --model mlp --batch 64 --memory 1MiB')
    const large = await measured(`train --model mlp --width 4 --batch 8 --memory 256MiB --data idx:${folder}`)
    // 32 images of a million bytes, and a mini-batch of 8 as float32 in the memory of the device
    assert.ok(large.hostDataBytes - small.hostDataBytes > 32e6, `${large.hostDataBytes}`)
    assert.ok(large.webAssemblyTouchedBytes > 32e6 && small.webAssemblyTouchedBytes <= 2 ** 20)
    assert.ok(large.peakBytes - small.peakBytes > 64e6, `${large.peakBytes}, ${small.peakBytes}`)
    // Node itself and its code: neither data nor the budget are in it
    assert.ok(Math.abs(large.otherBytes - small.otherBytes) < 40e6, `${large.otherBytes}, ${small.otherBytes}`)
  },
)

test.run()
