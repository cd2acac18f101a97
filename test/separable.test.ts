/**
 * checkSeparable: it accepts losses that are means over targets, and refuses those that compare samples or weigh them
 * wrongly.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError } from '../src/memory/errors.js'
import { add, mul, sub } from '../src/ops/binary.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import { max } from '../src/ops/extremes.js'
import type { Loss } from '../src/ops/loss.js'
import { bceWithLogits, mse } from '../src/ops/point-loss.js'
import { mean, sum } from '../src/ops/reduce.js'
import { logSoftmax } from '../src/ops/softmax.js'
import { noGrad } from '../src/ops/tape.js'
import { abs, log, sigmoid, square } from '../src/ops/unary.js'
import { checkSeparable } from '../src/stream/separable.js'
import type { HostArray } from '../src/tensor/host.js'
import { hostArrays } from '../src/testing/index.js'
import { fc } from './property.js'

const CLASSES = 3
const IGNORED = 1

/** Outputs [N, 3] with targets of three kinds: numbers of the same shape, bits, and classes, some of them IGNORED. */
const samples = fc.integer({ min: 2, max: 7 }).chain((count) =>
  fc.record({
    outputs: hostArrays([count, CLASSES]),
    values: hostArrays([count, CLASSES]),
    bits: hostArrays([count, CLASSES], fc.constantFrom(0, 1)),
    classes: hostArrays([count], fc.nat(CLASSES - 1)),
  }),
)
type Samples = typeof samples extends fc.Arbitrary<infer T> ? T : never

/** Asserts that the check accepts every example. */
async function alwaysSeparable(loss: Loss, targets: (drawn: Samples) => HostArray): Promise<void> {
  await fc.assert(
    fc.asyncProperty(samples, async (drawn) => {
      const { separable, worstError } = await checkSeparable(loss, drawn.outputs, targets(drawn))
      assert.ok(separable, `error ${worstError}`)
      assert.ok(worstError <= 1e-10)
    }),
    { seed: 5, numRuns: 15 },
  )
}

test('separable: crossEntropy', () => alwaysSeparable(crossEntropy, ({ classes }) => classes))

test('separable: crossEntropyLoss with ignored targets and smoothing', async () => {
  const loss = crossEntropyLoss({ ignoreIndex: IGNORED, labelSmoothing: 0.25 })
  await fc.assert(
    fc.asyncProperty(samples, async ({ outputs, classes }) => {
      fc.pre(classes.data.some((target) => target !== IGNORED))
      assert.ok((await checkSeparable(loss, outputs, classes)).separable)
    }),
    { seed: 6, numRuns: 15 },
  )
})

test('separable: mse', () => alwaysSeparable(mse, ({ values }) => values))

test('separable: bceWithLogits', () => alwaysSeparable(bceWithLogits, ({ bits }) => bits))

test("separable: a user's own mean", () =>
  alwaysSeparable(
    (output, target) => mean(abs(sub(sigmoid(output), mul(target, 3)))),
    ({ values }) => values,
  ))

const OUTPUTS: HostArray = { data: Float64Array.of(0.5, -1, 2, 0.25, 1, -0.75, 1.5, -2), shape: [4, 2] }
const TARGETS: HostArray = { data: Int32Array.of(0, 1, 1, 0), shape: [4] }

const COUPLED: Readonly<Record<string, Loss>> = {
  'the square of the mean of all outputs': (output) => square(mean(output)),
  'deviations from the mean of the mini-batch': (output) => mean(square(sub(output, mean(output, { axes: 0 })))),
  'the hardest sample': (output) => max(square(output)),
  'a softmax over the samples, as in contrastive losses': (output) => mean(square(logSoftmax(output, 0))),
  'a sum and not a mean': (output) => sum(square(output)),
  // such a loss goes wrong if it is divided by the number of micro-batches
  'a mean over kept targets, weighed as if all were kept': (output, target) =>
    crossEntropyLoss({ ignoreIndex: IGNORED })(output, target),
}

for (const [name, loss] of Object.entries(COUPLED)) {
  test(`not separable: ${name}`, async () => {
    const { separable, worstError } = await checkSeparable(loss, OUTPUTS, TARGETS)
    assert.not(separable)
    assert.ok(worstError > 1e-3, `error ${worstError}`)
  })
}

test('not separable: right values, but another gradient for a single sample', async () => {
  const loss: Loss = (output) => {
    if (output.shape[0] > 1) return mean(square(output))
    const constant = noGrad(output.device, () => square(output))
    return mean(sub(mul(square(output), 2), constant))
  }
  const { separable, worstError } = await checkSeparable(loss, OUTPUTS, TARGETS)
  assert.not(separable)
  assert.ok(worstError > 1e-3, `error ${worstError}`)
})

test('not separable: right gradients, but a value that is not the sum of its parts', async () => {
  const loss: Loss = (output) => add(mean(square(output)), square(noGrad(output.device, () => mean(output))))
  assert.not((await checkSeparable(loss, OUTPUTS, TARGETS)).separable)
})

test('not separable: a loss that is not a number', async () => {
  const { separable } = await checkSeparable((output) => mean(log(output)), OUTPUTS, TARGETS)
  assert.not(separable)
})

test('examples that prove nothing are refused', async () => {
  const one = { data: OUTPUTS.data.slice(0, 2), shape: [1, 2] }
  const ignored = { data: Int32Array.of(-100, -100, -100, -100), shape: [4] }
  for (const check of [
    () => checkSeparable(crossEntropy, one, { data: Int32Array.of(1), shape: [1] }),
    () => checkSeparable(crossEntropy, OUTPUTS, ignored),
  ]) {
    const outcome = await check().catch((error: unknown) => error)
    assert.instance(outcome, ArgumentError)
  }
})

test.run()
