/**
 * `sluice train --checkpoint` and `--resume`: from the gpu device to another, from another to it, and after its context was
 * lost.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../../src/cli/io.js'
import { openContext } from '../../src/device/gpu/context.js'
import { loadCheckpoint } from '../../src/index.js'
import { type Event, eventsIn, eventsOf, named, scratch, sluice } from '../command-line.js'
import { lose } from './lose.js'

const { at } = scratch('gpu-keep')
const JOB = 'train --model mlp --batch 512 --epochs 2 --memory 1MiB'
const lossesOf = (events: readonly Event[]): number[] => named(events, 'step').map(({ loss }) => Number(loss))

/** Sums in another order, and other functions. */
const TOLERANCE = 1e-3

const contexts: WebGL2RenderingContext[] = []
test.before(async () => {
  await openContext()
  // in Node the library has now made a canvas; the contexts that a command opens are noted
  const { getContext } = OffscreenCanvas.prototype
  OffscreenCanvas.prototype.getContext = function noted(this: OffscreenCanvas, ...args: Parameters<typeof getContext>) {
    const context = getContext.apply(this, args)
    if (context && 'texStorage2D' in context) contexts.push(context)
    return context
  } as typeof getContext
})

for (const [from, to] of [
  ['gpu', 'gpu'],
  ['cpu', 'gpu'],
  ['gpu', 'cpu'],
]) {
  test(`a training goes on from ${from} to ${to}, to the losses of a training without a break`, async () => {
    const path = at(`${from} ${to}`)
    const expected = lossesOf(await eventsOf(`${JOB} --device ${to}`))
    const controller = new AbortController()
    const first = await sluice([...JOB.split(' '), '--device', from, '--checkpoint', path, '--json'], {
      signal: controller.signal,
      out: (text) => text.includes('"step":2') && controller.abort(),
    })
    assert.is(first.code, EXIT.interrupted)
    const before = lossesOf(eventsIn(first.out))
    const rest = lossesOf(await eventsOf(['train', '--resume', path, '--device', to]))
    assert.is(before.length + rest.length, 6)
    if (from === to) assert.equal([...before, ...rest], expected)
    for (const [i, loss] of [...before, ...rest].entries())
      assert.ok(Math.abs(loss - expected[i]) < TOLERANCE, `step ${i}`)
  })
}

test('a context that is lost: the file has the last commit, one line says how to go on, and that gives the same losses', async () => {
  const expected = lossesOf(await eventsOf(`${JOB} --device gpu`))
  const path = at('lost')
  const opened = contexts.length
  const first = await sluice([...JOB.split(' '), '--device', 'gpu', '--checkpoint', path, '--json'], {
    out: (text) => text.includes('"event":"step"') && text.includes('"step":4') && lose(contexts[opened]),
  })
  assert.is(first.code, EXIT.failed)
  assert.match(
    first.err,
    new RegExp(`^sluice: .*: the context of the gpu device is lost, .* ${path} has the training up to step 4\\. .*\n$`),
  )
  const [, goOn] = /To go on: sluice (.*)\n$/.exec(first.err) ?? []
  assert.is((await loadCheckpoint(path)).optimizer.steps, 4)
  assert.equal(
    named(eventsIn(first.out), 'checkpoint').map(({ step }) => step),
    [0, 3, 4],
  )
  const rest = lossesOf(await eventsOf(goOn))
  assert.equal([...lossesOf(eventsIn(first.out)), ...rest], expected)
  const without = await sluice([...JOB.split(' '), '--device', 'gpu'], {
    out: (text) => text.includes('epoch 1/2') && lose(contexts[contexts.length - 1]),
  })
  assert.is(without.code, EXIT.failed)
  assert.match(
    without.err,
    /is lost, with all values on it\. With --checkpoint FILE the training would be in a file\.\n$/,
  )
})

test.run()
