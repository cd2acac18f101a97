/**
 * Every op of the table on the GPU, forward and backward, like ops.test.ts for the CPU: against the plain loops in
 * float64, within the tolerance of float32 on the CPU, and with a planned peak.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from '../../src/device/open.js'
import { opTable } from '../../src/ops/table.js'
import { assertAgree, assertPeakIsPlanned, describe, outcome, samplesOf } from '../outcomes.js'
import { fc } from '../property.js'
import { float32Tolerance } from '../tolerances.js'
import { api } from './form.js'

const MEMORY = '4MiB'
const RUNS = { seed: 20260, numRuns: 4 }

const gpu = await openDevice('gpu', { api, memory: MEMORY })
const reference = await openDevice('reference', { memory: MEMORY })
const covered = new Set<string>()

test('values and gradients agree with reference; all memory is given back', async () => {
  const held = gpu.memory.heldBytes
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      for (const [op, drawn] of samplesOf(opTable, seed)) {
        const seen = await outcome(gpu, op, drawn)
        assertAgree(op, drawn, seen, await outcome(reference, op, drawn), float32Tolerance)
        assert.is(gpu.memory.heldBytes, held, describe(op, drawn))
        covered.add(op.name)
      }
    }),
    RUNS,
  )
})

test('a rehearsal of forward and backward predicts the peak to the byte', () => {
  for (const [op, drawn] of samplesOf(opTable)) assertPeakIsPlanned(gpu, op, drawn)
})

test('every op of the table was covered', () => {
  console.log(`${covered.size} ops on the GPU: ${[...covered].join(' ')}`)
  assert.equal(
    [...covered],
    opTable.map(({ name }) => name),
  )
})

test.run()
