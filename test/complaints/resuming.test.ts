/** Public complaints about resuming and about failures in the middle of a window. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Batch,
  type Checkpoint,
  type Dataset,
  data,
  Module,
  mse,
  nn,
  openDevice,
  optim,
  Streamer,
  type Tensor,
} from '../../src/index.js'
import { errorOf } from '../error-of.js'

const SAMPLES = 22

/** A data set that records which samples were gathered. */
function noted(): { set: Dataset; seen: number[][] } {
  const seen: number[][] = []
  const whole = data.fromArrays({
    inputs: { data: Float32Array.from({ length: SAMPLES * 2 }, (_, i) => Math.cos(i)), shape: [SAMPLES, 2] },
    targets: { data: Float32Array.from({ length: SAMPLES }, (_, i) => Math.sin(i)), shape: [SAMPLES, 1] },
  })
  const gather = (indices: ArrayLike<number>): Batch => {
    seen.push(Array.from(indices))
    return whole.gather(indices)
  }
  return { set: { ...whole, gather }, seen }
}

/** A linear model whose forward can be made to throw. */
class Line extends Module {
  readonly linear = new nn.Linear(this.device, 2, 1, { random: nn.generator(1) })
  throwsAt = Infinity
  calls = 0

  forward(x: Tensor): Tensor {
    if (++this.calls === this.throwsAt) throw new Error('out of something')
    return this.linear.forward(x)
  }
}

async function trainer() {
  const device = await openDevice('reference', { memory: '256KiB' })
  const model = new Line(device)
  const optimizer = optim.adam(model, { learningRate: 0.1 })
  return { model, streamer: new Streamer({ model, loss: mse, optimizer, seed: 2 }) }
}

const stateOf = async ({ model, streamer }: Awaited<ReturnType<typeof trainer>>): Promise<string> => {
  const { model: values, optimizer, cursor } = await streamer.checkpoint()
  return JSON.stringify([Object.values(values).map(({ data }) => [...data]), optimizer, cursor, model.training])
}

test('transformers#25956, #43718: resumed with another micro-batch, training ends early or counts steps anew', async () => {
  const straight = await trainer()
  const options = { batch: 6, epochs: 3 }
  const losses: number[] = []
  for await (const { loss } of straight.streamer.fit(noted().set, options)) losses.push(loss)
  assert.is(losses.length, 12)
  for (const stop of [1, 4, 7]) {
    const first = await trainer()
    const rest: number[] = []
    for await (const { step, loss } of first.streamer.fit(noted().set, { ...options, microBatch: 6 })) {
      rest.push(loss)
      if (step === stop) break
    }
    const saved: Checkpoint = await first.streamer.checkpoint()
    const second = await trainer()
    second.streamer.restore(saved)
    const steps: number[] = []
    for await (const { step, loss } of second.streamer.fit(noted().set, {
      ...options,
      microBatch: 1,
      from: saved.cursor,
    })) {
      steps.push(step)
      rest.push(loss)
    }
    assert.equal(
      steps,
      Array.from({ length: 12 - stop }, (_, i) => stop + 1 + i),
    )
    for (const [i, loss] of losses.entries()) assert.ok(Math.abs(rest[i] - loss) < 1e-12)
  }
})

test('transformers#22143: what is saved in the middle of a window loses the gradients so far', async () => {
  const run = await trainer()
  const { set } = noted()
  await run.streamer.step(set.gather([0, 1, 2, 3]))
  const committed = await stateOf(run)
  const during: string[] = []
  const onMicroBatch = (): void => {
    during.push(JSON.stringify(run.streamer.cursor))
  }
  const before = JSON.stringify(run.streamer.cursor)
  const step = run.streamer.step(set.gather([4, 5, 6, 7]), { microBatch: 1, onMicroBatch })
  // a checkpoint holds a commit: asked for now, it is refused or waits, and never holds half a window
  const asked = run.streamer.checkpoint().then(
    ({ cursor }) => JSON.stringify(cursor),
    () => 'refused',
  )
  await step
  assert.ok(during.every((cursor) => cursor === before))
  assert.ok(['refused', before, JSON.stringify(run.streamer.cursor)].includes(await asked))
  assert.is.not(await stateOf(run), committed)
})

test('a batch was stepped twice after a failure: a committed sample is never learned again, and none is left out', async () => {
  const run = await trainer()
  const { set, seen } = noted()
  const committed: number[] = []
  let failures = 0
  for (let rounds = 0; committed.length < 2 * SAMPLES && rounds < 40; rounds++) {
    run.model.throwsAt = run.model.calls + 5 + rounds
    const already = seen.length
    let steps = 0
    const fit = async (): Promise<void> => {
      const from = { ...run.streamer.cursor }
      for await (const _ of run.streamer.fit(set, { batch: 5, epochs: 2, microBatch: 2, from })) {
        committed.push(...seen[already + steps])
        steps++
      }
    }
    await fit().catch(() => failures++)
  }
  assert.ok(failures > 0)
  for (const epoch of [0, 1]) {
    const learned = committed.slice(epoch * SAMPLES, (epoch + 1) * SAMPLES)
    assert.equal(
      [...learned].sort((a, b) => a - b),
      Array.from({ length: SAMPLES }, (_, i) => i),
    )
  }
})

test('pytorch#18853: after a failure in the middle of a step the state is neither old nor new', async () => {
  const run = await trainer()
  const { set } = noted()
  await run.streamer.step(set.gather([0, 1, 2, 3]))
  const before = await stateOf(run)
  for (const call of [1, 2, 3]) {
    run.model.throwsAt = run.model.calls + call
    const error = await errorOf(run.streamer.step(set.gather([4, 5, 6]), { microBatch: 1 }))
    assert.ok(error)
    assert.is(await stateOf(run), before)
  }
})

test.run()
