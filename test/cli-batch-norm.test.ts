/** Batch norm in the models of the command line, by each policy, and the store of the exact one. */
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { models, openVirtualDevice } from '../src/index.js'
import { type Event, eventsOf, scratch, sluice } from './command-line.js'
import { EXACT_NORM } from './tolerances.js'

const { folder } = scratch('cli-batch-norm')

test('--batch-norm puts a batch norm into each hidden layer of a model, and takes its bias', () => {
  const device = openVirtualDevice('cpu')
  const hidden = { mlp: 2, lenet: 4, convnet: 2 }
  for (const [name, count] of Object.entries(hidden)) {
    const build = models[name as keyof typeof hidden]
    const plain = build(device)
    const normed = build(device, { batchNorm: 'exact' })
    const norms = normed.modules().filter((module) => 'policy' in module)
    assert.equal(
      norms.map(({ policy }) => policy),
      Array.from({ length: count }, () => 'exact'),
    )
    // two parameters for each norm, less the bias
    assert.is(normed.parameters().length, plain.parameters().length + count)
    assert.throws(() => build(device, { batchNorm: 'always' as 'exact' }), "there is no policy 'always'")
  }
})

const JOB = '--model convnet --width 4 --batch 60 --seed 3'

test('plan says passes, store, traffic and extra time of exact batch norm, as an event and as text', async () => {
  const [exact] = await eventsOf(`plan ${JOB} --memory 256KiB --micro-batch 20 --batch-norm exact --json`)
  assert.is(exact.batchNorm, 'exact')
  assert.is(exact.passes, 5)
  for (const field of ['storeBytes', 'storeTrafficBytes']) assert.ok(Number(exact[field]) > 0, field)
  assert.type(exact.extraTime, 'number')
  assert.match(
    String(exact.notes),
    'batch norm (exact): every sample is normalised by the statistics of the mini-batch',
  )
  const { out } = await sluice(`plan ${JOB} --memory 256KiB --micro-batch 20 --batch-norm exact`)
  assert.match(out, '5 passes over the micro-batches')
  assert.match(
    out,
    new RegExp(`store between them .* ${Number(exact.storeBytes).toLocaleString('en')} B .* of traffic`),
  )
  const [deferred] = await eventsOf(`plan ${JOB} --memory 256KiB --micro-batch 20 --batch-norm deferred --json`)
  assert.equal([deferred.batchNorm, deferred.passes, deferred.storeBytes], ['deferred', 1, 0])
  const [none] = await eventsOf(`plan ${JOB} --memory 256KiB --micro-batch 20 --json`)
  assert.equal([none.batchNorm, none.passes], [undefined, 1])
})

const lossesOf = (events: readonly Event[]): number[] =>
  events.flatMap(({ event, loss, testLoss }) =>
    event === 'step' ? [Number(loss)] : event === 'epoch' ? [Number(testLoss)] : [],
  )

test('a training with exact batch norm is that of the whole mini-batch, for any number of micro-batches', async () => {
  const job = `train ${JOB} --device reference --epochs 1 --memory 1MiB --optimizer sgd --json --batch-norm`
  const whole = lossesOf(await eventsOf(`${job} micro`))
  assert.ok(whole.length > 20)
  const far = (losses: readonly number[]) => Math.max(...losses.map((loss, i) => Math.abs(loss - whole[i])))
  for (const flags of ['--micro-batch 20', '--micro-batch 7 --store 1MiB']) {
    const events = await eventsOf(`${job} exact ${flags}`)
    const done = events.find(({ event }) => event === 'done')
    assert.is(done?.stepsAsPlanned, done?.steps)
    const error = far(lossesOf(events))
    assert.ok(error <= 100 * EXACT_NORM, `${error}`)
  }
  for (const policy of ['micro', 'deferred', 'frozen']) {
    const error = far(lossesOf(await eventsOf(`${job} ${policy} --micro-batch 20`)))
    assert.ok(error > 1e-3, `${policy}: ${error}`)
  }
})

const ascending = (a: number, b: number): number => a - b

test('a plan keeps to a store of any size: the smaller it is, the more is made again', async () => {
  const job = `plan ${JOB} --memory 1MiB --micro-batch 20 --batch-norm exact --json --store`
  const times: number[] = []
  for (const bytes of [2 ** 20, 2 ** 17, 2 ** 16, 0]) {
    const events = await eventsOf(`${job} ${bytes}`)
    const { storeBytes, extraTime } = events[0]
    assert.ok(Number(storeBytes) <= bytes)
    times.push(Number(extraTime))
  }
  assert.equal(times.toSorted(ascending), times)
  assert.ok(new Set(times).size > 2, `${times}`)
})

test('a checkpoint keeps the policy and the store; predict and --resume take them from it', async () => {
  const file = join(folder, 'normed.safetensors')
  const job = `train ${JOB} --memory 256KiB --threads 1 --json`
  const flags = '--batch-norm exact --store 1MiB --micro-batch 20'
  await eventsOf(`${job} ${flags} --epochs 1 --checkpoint ${file}`)
  const planOf = async (flags: string): Promise<Event | undefined> =>
    (await eventsOf(`train --resume ${file} --epochs 2 --json${flags}`)).find(({ event }) => event === 'plan')
  const plan = await planOf('')
  assert.equal([plan?.batchNorm, plan?.passes], ['exact', 5])
  const changed = await planOf(' --batch-norm deferred')
  assert.equal([changed?.batchNorm, changed?.passes], ['deferred', 1])
  assert.match(String(changed?.notes), '--batch-norm is deferred, and was exact')
  assert.is((await sluice(`predict --weights ${file}`)).code, EXIT.done)
})

test('flags of batch norm that mean nothing are refused', async () => {
  const wrong = [
    ['--batch-norm always', "--batch-norm 'always' is not one of micro, deferred, exact, frozen"],
    ['--store 1MiB', '--store is for what batch norm keeps between passes'],
    ['--store much --batch-norm exact', '--store'],
  ]
  for (const [flags, says] of wrong) {
    const { code, err } = await sluice(`plan ${flags}`)
    assert.is(code, EXIT.usage)
    assert.match(err, says)
  }
  const { code, err } = await sluice('train --batch auto --batch-norm exact')
  assert.is(code, EXIT.usage)
  assert.match(err, 'say a number, or deferred')
})

test.run()
