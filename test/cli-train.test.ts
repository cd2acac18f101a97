/** `sluice train`: its events, its text, and how it ends. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { Device } from '../src/device/device.js'
import type { Part } from '../src/stream/plan.js'
import { type Event, eventsIn, eventsOf, named, number, scratch, sluice } from './command-line.js'
import { writeIdx } from './idx-files.js'

const { folder } = scratch('cli')

const SMALL = '--model mlp --batch 512 --epochs 1'

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
      const [error, ...more] = eventsIn(refused.out)
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
  assert.match(
    out,
    /Highest peak .* bytes\), [\d.]+ % of the budget of 512 KiB\.\nThe gradient noise scale .*\.\nThe whole process held .*\.\n[\d.]+ s\.\n$/,
  )
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
    if (json) assert.is(eventsIn(outcome.out).at(-1)?.event, 'interrupted')
  }
})

test('an interrupted training prints the last loss and accuracy, or null if there is none yet', async () => {
  const job = 'train --model mlp --batch 500 --epochs 50 --memory 1MiB'
  const controller = new AbortController()
  const epochDone = (text: string) => text.includes('"event":"epoch"') && controller.abort()
  const all = eventsIn((await sluice(`${job} --json`, { signal: controller.signal, out: epochDone })).out)
  const [epoch, last] = ['epoch', 'step'].map((name) => named(all, name).at(-1))
  const { event, steps, loss, testAccuracy } = all[all.length - 1]
  assert.equal([event, steps, loss, testAccuracy], ['interrupted', last?.step, last?.loss, epoch?.testAccuracy])
  const signal = AbortSignal.abort()
  const early = await sluice(`${job} --json`, { signal })
  assert.equal(eventsIn(early.out).at(-1), { event: 'interrupted', steps: 0, loss: null, testAccuracy: null })
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

test('--width: the model that is planned is the one that is trained', async () => {
  const [planned] = await eventsOf('plan --model mlp --width 31 --batch 512')
  const [first, step] = await eventsOf('train --model mlp --width 31 --batch 512 --epochs 1')
  assert.is(step.peakBytes, planned.plannedPeakBytes)
  assert.equal(first.heldBytes, planned.heldBytes)
  const [usual] = await eventsOf('plan --model mlp --batch 512')
  assert.equal((await eventsOf('plan --model mlp --width 128 --batch 512'))[0], usual)
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
