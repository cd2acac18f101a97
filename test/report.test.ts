/** Memory as shown to people: the report, and the places where living tensors were made. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from '../src/device/open.js'
import { noBytes } from '../src/memory/allocator.js'
import { describeMemory } from '../src/memory/report.js'
import { add } from '../src/ops/binary.js'
import { zeros } from '../src/tensor/create.js'
import { keep, liveTensors, scope } from '../src/tensor/scope.js'

const KIB = 1024
const MIB = 1024 * KIB

test('the report shows the held bytes by category, and the op at the peak', async () => {
  const device = await openDevice('cpu', { memory: 65536 + 512 })
  const x = zeros(device, [64])
  scope(device, () => add(x, x).dispose())
  const report = describeMemory(device.memory)
  assert.match(report, "holds 4.75 KiB of 64.5 KiB; peak 4.5 KiB, of which 0 B were holes; most was live at 'add'")
  assert.match(report, /activation +256 B +512 B/)
  assert.match(report, /runtime +4.5 KiB +4.5 KiB/)
})

test('every line of a report, written out', () => {
  const report = describeMemory({
    budgetBytes: 2 * MIB,
    heldBytes: 632 * KIB,
    pooledBytes: 0,
    remainingBytes: 2 * MIB - 632 * KIB,
    unusableBytes: 4 * KIB,
    peakBytes: 1.5 * MIB,
    peakHeldBytes: 1.5 * MIB - 92 * KIB,
    largestHoleBytes: 0,
    held: { ...noBytes(), parameter: 632 * KIB },
    peak: { ...noBytes(), parameter: 632 * KIB, activation: 808 * KIB },
    heldAtPeak: noBytes(),
    peakOp: 'conv2d',
  })
  assert.equal(report.split('\n'), [
    "holds 632 KiB of 2 MiB; peak 1.5 MiB, of which 96 KiB were holes; most was live at 'conv2d'",
    'category          held        peak',
    'parameter      632 KiB     632 KiB',
    'activation         0 B     808 KiB',
  ])
})

test('living tensors are listed with the place that made them, if the device tracks origins', async () => {
  const device = await openDevice('cpu', { memory: '64KiB', trackOrigins: true })
  scope(device, () => {
    keep(zeros(device, [3]))
    zeros(device, [4])
  })
  const live = liveTensors(device)
  assert.is(live.length, 1)
  assert.match(live[0], /^activation \[3\] 64 B at .*report\.test/)
  const silent = await openDevice('cpu', { memory: '64KiB' })
  zeros(silent, [3])
  assert.equal(liveTensors(silent), [])
})

test('an error of misuse names the place too', async () => {
  const device = await openDevice('cpu', { memory: '64KiB', trackOrigins: true })
  const x = zeros(device, [3])
  x.dispose()
  assert.throws(() => add(x, x), /add: .*\[3\] is disposed[\s\S]*It was made at .*report\.test/)
})

test.run()
