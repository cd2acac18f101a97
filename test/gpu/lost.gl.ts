/**
 * A context that is lost in the middle of a mini-batch. In Node a context cannot be lost, so the test makes it look
 * lost.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeviceLostError } from '../../src/device/errors.js'
import { openContext } from '../../src/device/gpu/context.js'
import { openDevice, openVirtualDevice } from '../../src/device/open.js'
import { data, models, optim } from '../../src/index.js'
import type { Module } from '../../src/nn/index.js'
import { crossEntropy } from '../../src/ops/cross-entropy.js'
import { ops } from '../../src/ops/table.js'
import { type FitOptions, Streamer } from '../../src/stream/streamer.js'
import { tensor } from '../../src/tensor/create.js'
import { errorOf } from '../error-of.js'
import { api, openCounted } from './form.js'

const BATCH = 512
const OPTIONS: FitOptions = { batch: BATCH, epochs: 2 }
const { train, test: testSet } = data.split(data.digits(), { seed: 1 })

function streamerOn(device: Parameters<typeof models.mlp>[0], checkpointEvery?: number): Streamer {
  const model = models.mlp(device, { seed: 1 })
  const optimizer = optim.adam(model, { clipNorm: 1 })
  return new Streamer({ model, loss: crossEntropy, optimizer, seed: 1, checkpointEvery })
}

/** A budget that splits a mini-batch into several micro-batches. */
const { minimumBudgetBytes, wholeBatchBytes } = streamerOn(openVirtualDevice('gpu', { api })).plan({ batch: BATCH })
const memory = Math.round(minimumBudgetBytes + 0.25 * (wholeBatchBytes - minimumBudgetBytes))

/** Losses of the steps and of the evaluation. */
async function follow(streamer: Streamer, losses: number[], options: Partial<FitOptions> = {}): Promise<number[]> {
  const training = streamer.fit(train, { ...OPTIONS, from: streamer.cursor, ...options })
  for await (const { loss } of training) losses.push(loss)
  losses.push((await streamer.evaluate(testSet)).loss)
  return losses
}

const fresh = (every?: number) => openDevice('gpu', { api, memory }).then((device) => streamerOn(device, every))

for (const [every, lostIn, returnedTo] of [
  [1, 1, 0],
  [1, 5, 4],
  [3, 5, 3],
] as const) {
  test(`lost in step ${lostIn}, with a checkpoint every ${every} steps`, async () => {
    const expected = await follow(await fresh(), [])
    const { device, lose } = await openCounted(memory)
    const first = streamerOn(device, every)
    const losses: number[] = []
    const error = await errorOf(
      follow(first, losses, {
        onMicroBatch: ({ done, of }) => {
          if (of > 2 && done === 2 && losses.length === lostIn - 1) lose()
        },
      }),
    )
    assert.instance(error, DeviceLostError)
    assert.match(String(error), `from step ${returnedTo}, `)
    assert.is(losses.length, lostIn - 1)
    assert.is(first.optimizer.steps, lostIn - 1, 'nothing was committed')
    device.close()
    const { lastCheckpoint } = first
    if (!lastCheckpoint) throw new Error('no checkpoint')
    const second = await fresh(every)
    second.restore(lastCheckpoint)
    assert.is(second.optimizer.steps, returnedTo)
    const rest = await follow(second, [])
    assert.equal([...losses.slice(0, returnedTo), ...rest], expected)
  })
}

// without exceptions, WebGPU refuses nothing in the middle of a commit
const onWebGl2 = api === 'webgl2' ? test : test.skip

onWebGl2('a program of the commit that does not compile fails before the first update', async () => {
  // gradients are zero, so updates change parameters by decay only
  const kinds = [
    (model: Module) => optim.adam(model, { clipNorm: 1, weightDecay: 0.1 }),
    (model: Module) => optim.sgd(model, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }),
  ]
  for (const make of kinds) {
    for (let failing = 1; ; failing++) {
      const context = await openContext()
      const device = await openDevice('gpu', { memory: '4MiB', context })
      const model = models.mlp(device, { seed: 1 })
      const optimizer = make(model)
      optimizer.measureNorm()
      const other = tensor(device, [1, 2, 3])
      // as in a step with running statistics: two kernels, so that the second can fail after the first has run
      const commit = (): void => {
        const target = other.storage('test')
        const blend = { size: 3, a: 2, b: 0 }
        const last = { kernel: 'blend', parameters: blend, targets: [target], inputs: [target] } as const
        device.commit([...optimizer.updates(), last])
      }
      const lasting = async () => [await model.stateDict(), await optimizer.stateDict()]
      const before = await lasting()
      const { createProgram } = context
      let made = 0
      context.createProgram = () => {
        if (++made === failing) throw new Error('no program')
        return createProgram.call(context)
      }
      let refused = false
      try {
        commit()
      } catch (error) {
        assert.match(String(error), 'no program')
        refused = true
      }
      if (!refused) {
        assert.ok(failing > 2, 'a commit compiles more than one program')
        await device.close()
        break
      }
      assert.equal(await lasting(), before)
      context.createProgram = createProgram
      commit()
      assert.equal(await other.data(), Float32Array.of(2, 4, 6))
      await device.close()
    }
  }
})

test('every use of a lost context throws DeviceLostError', async () => {
  const { device, lose } = await openCounted('4MiB')
  const streamer = streamerOn(device)
  const x = tensor(device, [1, 2, 3])
  // leaves a texture for the next result, so that the compilation finds the loss first
  ops.relu(x).dispose()
  lose()
  // WebGPU says so a moment later
  await new Promise((resolve) => setTimeout(resolve, 50))
  const attempts = {
    'read a value': () => x.data(),
    'make a tensor': () => tensor(device, new Float32Array(1000)),
    'run a kernel for the first time': () => ops.softplus(x),
    train: () => streamer.step(train.gather([0, 1, 2])),
    evaluate: () => streamer.evaluate(testSet),
    save: () => streamer.checkpoint(),
  }
  for (const [what, attempt] of Object.entries(attempts)) {
    const error = await errorOf(attempt)
    assert.instance(error, DeviceLostError, `${what}: ${error}`)
  }
  device.close()
})

test.run()
