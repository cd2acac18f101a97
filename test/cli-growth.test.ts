/** `sluice train --batch auto`: a mini-batch that grows with the noise of its gradient. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { eventsOf, named, number, scratch, sluice } from './command-line.js'

const { at } = scratch('growth')

/** What the main job reaches with seeds 1 to 5 is 96.4 to 98.1 %: see the README. */
const MAIN_JOB = 0.97

test('--batch auto on the digits reaches the accuracy of the main job in a third of its epochs', async () => {
  const all = await eventsOf('train --batch auto --epochs 20')
  const [done] = named(all, 'done')
  assert.ok(number(done, 'testAccuracy') >= MAIN_JOB, `accuracy ${done.testAccuracy}`)
  const steps = named(all, 'step')
  assert.is(done.stepsAsPlanned, steps.length)
  assert.equal([done.firstBatch, steps[0].samples], [16, 16])
  let [largest, left] = [16, 1438]
  for (const step of steps) {
    const samples = number(step, 'samples')
    // it doubles, or it is what is left of the epoch
    assert.ok(samples === largest || samples === 2 * largest || samples === left, `${samples} after ${largest}`)
    left = left === samples ? 1438 : left - samples
    if (samples === 2 * largest && left !== 1438) largest = samples
    assert.is(step.peakBytes, step.plannedPeakBytes)
    assert.ok(Array.isArray(step.parts) && (step.parts.length > 1 || step.parts[0].count > 1), 'in two at least')
  }
  assert.is(done.largestBatch, Math.max(...steps.map((step) => number(step, 'samples'))))
  assert.ok(largest >= 64 && largest <= 512, `${largest}`)
  assert.ok(named(all, 'epoch').every(({ noiseScale }) => noiseScale === null || Number(noiseScale) >= 0))
  number(done, 'noiseScale')
})

test('--max-batch and --batch-lr: the mini-batch stops there, and the learning rate follows', async () => {
  const job = 'train --model mlp --optimizer sgd --batch auto --max-batch 32 --epochs 2 --memory 1MiB'
  const [none, linear] = [await eventsOf(job), await eventsOf(`${job} --batch-lr linear`)]
  for (const all of [none, linear]) assert.is(named(all, 'done')[0].largestBatch, 32)
  const losses = [none, linear].map((all) => named(all, 'step').map(({ loss }) => loss))
  const grew = named(none, 'step').findIndex(({ samples }) => samples === 32)
  assert.ok(grew >= 20)
  assert.equal(losses[0].slice(0, grew + 1), losses[1].slice(0, grew + 1))
  assert.is.not(losses[0][grew + 1], losses[1][grew + 1])
})

test('a training that grows is kept and resumed to the same file', async () => {
  const job = 'train --model mlp --batch auto --max-batch 64 --batch-lr sqrt --memory 1MiB --threads 1'
  await eventsOf(`${job} --epochs 3 --checkpoint ${at('whole')}`)
  const stop = new AbortController()
  const half = await sluice(`${job} --epochs 3 --checkpoint ${at('part')} --every 7 --json`, {
    signal: stop.signal,
    out: (text) => {
      if (text.includes('"step":40,')) stop.abort()
    },
  })
  assert.is(half.code, EXIT.interrupted)
  await eventsOf(`train --resume ${at('part')} --checkpoint ${at('part')}`)
  assert.equal(readFileSync(at('part')), readFileSync(at('whole')))
})

test('a person reads what the mini-batch did; wrong flags exit 2', async () => {
  const { out } = await sluice('train --model mlp --batch auto --max-batch 64 --epochs 2 --memory 512KiB')
  assert.ok(out.includes('note: the mini-batch begins with 16 and grows with the gradient noise scale, to 64 at most'))
  assert.match(
    out,
    /The mini-batch grew from 16 to (32|64)\.\nThe gradient noise scale (was about [\d,]+ samples|could)/,
  )
  for (const [line, message] of [
    ['train --max-batch 64', '--max-batch is for a mini-batch that grows: leave it out, or say --batch auto'],
    ['train --batch-lr sqrt', '--batch-lr is for a mini-batch that grows'],
    ['train --batch auto --max-batch 0', '--max-batch'],
    ['train --batch auto --batch-lr cubic', "--batch-lr 'cubic' is not one of none, linear, sqrt"],
    ['plan --batch auto', '--batch auto grows while it trains, and plan trains nothing: say a number'],
    ['plan --max-batch 64', '--max-batch'],
  ]) {
    const { code, err } = await sluice(line)
    assert.is(code, EXIT.usage, line)
    assert.ok(err.includes(message), err)
  }
})

test.run()
