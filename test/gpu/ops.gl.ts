/**
 * Every op of the table on the GPU, forward and backward, as ops.test.ts has it for the CPU: against the plain loops in
 * float64, within what float32 on the CPU is allowed, and with a peak that is known beforehand.
 */
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeviceError } from '../../src/device/errors.js'
import { openDevice } from '../../src/device/open.js'
import type { Op } from '../../src/ops/declaration.js'
import { opTable } from '../../src/ops/table.js'
import { scope } from '../../src/tensor/scope.js'
import {
  assertAgree,
  type Drawn,
  describe,
  disposeGradients,
  forwardBackward,
  outcome,
  samplesOf,
} from '../outcomes.js'
import { float32Tolerance } from '../tolerances.js'

const MEMORY = '4MiB'
const RUNS = { seed: 20260, numRuns: 4 }

/** Ops whose kernels are not written yet, and nothing but that may be wrong with them. */
const AWAITED = ['conv2d', 'convTranspose2d', 'averagePool2d', 'maxPool2d']

const gpu = await openDevice('gpu', { memory: MEMORY })
const reference = await openDevice('reference', { memory: MEMORY })
const covered = new Set<string>()

/** Whether it is an awaited op that has no kernel, which `run` then says. */
async function awaited({ name }: Op<unknown>, run: () => Promise<void>): Promise<boolean> {
  if (!AWAITED.includes(name)) return run().then(() => false)
  try {
    await run()
  } catch (error) {
    if (error instanceof DeviceError && error.message.includes('the gpu device has no kernel')) return true
    throw error
  }
  throw new Error(`${name} is no longer awaited: take it off the list`)
}

test('values and gradients agree with reference; all that was held is given back', async () => {
  const held = gpu.memory.heldBytes
  const agrees = async (op: Op<unknown>, drawn: Drawn): Promise<void> => {
    const seen = await outcome(gpu, op, drawn)
    assertAgree(op, drawn, seen, await outcome(reference, op, drawn), float32Tolerance)
    covered.add(op.name)
  }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      for (const [op, drawn] of samplesOf(opTable, seed)) {
        await awaited(op, () => agrees(op, drawn))
        assert.is(gpu.memory.heldBytes, held, describe(op, drawn))
      }
    }),
    RUNS,
  )
})

test('a rehearsal of forward and backward predicts the peak to the byte', async () => {
  for (const [op, drawn] of samplesOf(opTable)) {
    await awaited(op, async () => {
      const step = () => scope(gpu, () => disposeGradients(forwardBackward(gpu, op, drawn).leaves))
      const { peakBytes, ops: planned } = gpu.rehearse(step)
      gpu.allocator.resetPeak()
      gpu.follow({ ops: planned, placement: null }, step)
      assert.is(gpu.memory.peakBytes, peakBytes, describe(op, drawn))
    })
  }
})

test('every op of the table was covered', () => {
  const missing = opTable.map(({ name }) => name).filter((name) => !covered.has(name))
  console.log(`${covered.size} ops on the GPU: ${[...covered].join(' ')}`)
  if (missing.length > 0) console.log(`not yet: ${missing.join(' ')}`)
  assert.equal(
    missing.filter((name) => !AWAITED.includes(name)),
    [],
  )
})

test.run()
