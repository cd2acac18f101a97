/**
 * Exact batch norm in mini-batches whose samples do not count alike: a sample without weight is still a part of the
 * statistics, so the gradient of the others flows to it.
 */
import { test } from 'uvu'
import { HeapDevice } from '../src/device/heap-device.js'
import type { Batch, Device, Loss, LossOptions, Module, Tensor } from '../src/index.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { type BatchNormPolicy, setBatchNormPolicy } from '../src/nn/index.js'
import { div, mul, sub } from '../src/ops/binary.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import { reshape } from '../src/ops/movement.js'
import { mean, sum } from '../src/ops/reduce.js'
import { square } from '../src/ops/unary.js'
import { sgd } from '../src/optim/index.js'
import { StrictDevice } from './devices.js'
import { batchNormModel, TEST_RUNS } from './fixtures.js'
import { expectSame, lesson, samplesOf } from './lessons.js'
import { fc } from './property.js'
import { EXACT_NORM } from './tolerances.js'

const DEVICES: Record<string, (allocator: HeapAllocator) => Device> = {
  reference: (allocator) => new HeapDevice('reference', allocator),
  'no alias': (allocator) => new StrictDevice('reference', allocator),
}

/** The mean over samples with weight: 0 / 0 where there is none. */
const careless: Loss = Object.assign((y: Tensor, target: Tensor, { weights }: LossOptions = {}): Tensor => {
  const each = mean(square(sub(y, reshape(target, [y.shape[0], 1]))), { axes: 1 })
  return weights ? div(sum(mul(each, weights)), sum(weights)) : mean(each)
})

const LOSSES: Record<string, Loss> = {
  crossEntropy,
  'label smoothing': crossEntropyLoss({ labelSmoothing: 0.2 }),
  'a mean that is NaN without weight': careless,
}

/** `ignored` and weights of 0 come first, so that whole micro-batches consist of them. */
function batchOf(samples: number, ignored: number, weightless: number): Batch {
  const batch = samplesOf(samples, [2, 4, 4], 3)
  for (let i = 0; i < ignored; i++) batch.targets.data[i] = -100
  const weights = Float64Array.from({ length: samples }, (_, i) => (i < weightless ? 0 : 1 + (i % 3)))
  return { ...batch, ...(weightless > 0 && { weights: { data: weights, shape: [samples] } }) }
}

for (const [name, loss] of Object.entries(LOSSES)) {
  test(`micro-batches without weight are a part of the statistics, and of the gradient through them: ${name}`, async () => {
    const options = { loss, optimizer: (model: Module) => sgd(model, { learningRate: 0.1, momentum: 0.9 }) }
    const draw = fc.record({
      where: fc.constantFrom(...Object.keys(DEVICES)),
      samples: fc.integer({ min: 2, max: 10 }),
      microBatch: fc.integer({ min: 1, max: 4 }),
      ignored: loss === careless ? fc.constant(0) : fc.nat(9),
      weightless: fc.nat(9),
      onHost: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(draw, async ({ where, samples, microBatch, onHost, ...less }) => {
        const most = samples - 1
        const batch = batchOf(samples, Math.min(most, less.ignored), Math.min(most, less.weightless))
        const learned = (policy: BatchNormPolicy, microBatch: number) => {
          const model = batchNormModel(DEVICES[where](new HeapAllocator(2 ** 18)))
          setBatchNormPolicy(model, policy)
          return lesson(model, batch, microBatch, { ...options, ...(onHost && { store: '1MiB' }) })
        }
        expectSame(await learned('exact', Math.min(microBatch, most)), await learned('micro', samples), EXACT_NORM)
      }),
      { seed: 3, numRuns: 40 * TEST_RUNS },
    )
  })
}

test.run()
