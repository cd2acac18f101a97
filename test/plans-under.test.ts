/** `plansUnder`: from one recording, the plan of a device with that budget, to the byte and to the message. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type DeviceKind, openVirtualDevice } from '../src/device/open.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { MODELS } from '../src/models/index.js'
import type { BatchNormPolicy } from '../src/nn/batch-norm.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { adam } from '../src/optim/index.js'
import { DoesNotFitError } from '../src/stream/errors.js'
import { type Recompute, Streamer } from '../src/stream/streamer.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

interface Setting {
  kind: DeviceKind
  model: string
  batchNorm: BatchNormPolicy | undefined
  recompute: Recompute
  batch: number
}

function streamerOf({ kind, model, batchNorm, recompute }: Setting, memory?: number): Streamer {
  const device = openVirtualDevice(kind, memory === undefined ? {} : { memory })
  const options = { inputShape: [1, 8, 8], classes: 10, width: 8, ...(batchNorm && { batchNorm }) }
  const built = MODELS[model].build(device, options)
  return new Streamer({ model: built as never, loss: crossEntropy, optimizer: adam(built), recompute })
}

/** The text of a plan, or its error. */
function said(plan: () => { toString(): string; toJSON(): unknown; frontier(): unknown }): unknown {
  try {
    const made = plan()
    return [String(made), made.toJSON(), made.frontier()]
  } catch (error) {
    assert.instance(error, DoesNotFitError)
    return String(error)
  }
}

const settings: fc.Arbitrary<Setting> = fc.record({
  kind: fc.constantFrom<DeviceKind>('cpu', 'gpu', 'reference'),
  model: fc.constantFrom('mlp', 'convnet', 'lenet'),
  batchNorm: fc.constantFrom<BatchNormPolicy | undefined>(undefined, 'exact', 'deferred'),
  recompute: fc.constantFrom<Recompute>('never', 'cheap', 'needed'),
  batch: fc.integer({ min: 2, max: 16 }),
})

test('the plan under a budget is the plan of a device with that budget', () => {
  let [fitted, refused] = [0, 0]
  const property = fc.property(
    settings,
    fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 64 })), { minLength: 2, maxLength: 3 }),
    (setting, steps) => {
      const under = streamerOf(setting).plansUnder({ batch: setting.batch })
      const { minimumBudgetBytes: least, wholeBatchBytes: most } = under(2 ** 31)
      for (const step of steps) {
        // budgets of whole pages and others; the first holds the model, but not the step
        const memory = step === 0 ? least - 1 : Math.floor(least + ((1.1 * most - least) * step) / 64)
        let real: Streamer
        try {
          real = streamerOf(setting, memory)
        } catch (error) {
          // the tensors that stay between steps do not fit
          assert.instance(error, BudgetExceededError)
          assert.throws(
            () => under(memory),
            (error: Error) => error instanceof DoesNotFitError && error.minimumBudgetBytes === least,
          )
          continue
        }
        const expected = said(() => real.plan({ batch: setting.batch }))
        assert.equal(
          said(() => under(memory)),
          expected,
        )
        if (typeof expected === 'string') refused++
        else fitted++
      }
    },
  )
  fc.assert(property, { numRuns: 5 * TEST_RUNS })
  assert.ok(fitted > 0, `${fitted} fitted, ${refused} were refused`)
})

test('if not even the weights fit, the error names the smallest budget too; a budget is a number of bytes', () => {
  const setting: Setting = { kind: 'cpu', model: 'lenet', batchNorm: undefined, recompute: 'never', batch: 64 }
  const under = streamerOf(setting).plansUnder({ batch: 64 })
  try {
    under('64KiB')
    assert.unreachable()
  } catch (error) {
    assert.instance(error, DoesNotFitError)
    const { minimumBudgetBytes } = error as DoesNotFitError
    assert.is(streamerOf(setting, minimumBudgetBytes).plan({ batch: 64 }).microBatch > 0, true)
    assert.throws(() => streamerOf(setting, minimumBudgetBytes - 65536).plan({ batch: 64 }))
  }
  assert.throws(
    () => under('60%'),
    (error: Error) => error instanceof ArgumentError,
  )
  const of = under('8MiB')
  assert.is(
    of.largest('batch').value,
    streamerOf(setting, 2 ** 23)
      .plan({ batch: 64 })
      .largest('batch').value,
  )
})

test.run()
