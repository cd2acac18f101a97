/** The choice of values to drop, compared with exhaustive search on small random networks. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openVirtualDevice } from '../src/device/open.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { adam } from '../src/optim/index.js'
import { timeOf } from '../src/step/cost.js'
import { frontier } from '../src/step/frontier.js'
import { graphOf, plan } from '../src/step/pass.js'
import { type Recording, rehearse } from '../src/step/record.js'
import { scope } from '../src/step/scope.js'
import { zeros } from '../src/tensor/create.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { RandomNet, type Step, steps } from './random-nets.js'

const SAMPLES = 8
/**
 * Values below this size, such as statistics and losses, are not dropped: they save nothing, and each would double the
 * number of choices.
 */
const SMALL_BYTES = 1000
const MOST_CANDIDATES = 9

function recorded(device: Device, drawn: readonly Step[]): Recording {
  const model = new RandomNet(device, drawn)
  adam(model)
  return rehearse(device, () =>
    scope(device, () => {
      const x = zeros(device, [SAMPLES, ...model.inputShape])
      backward(crossEntropy(model.forward(x), zeros(device, [SAMPLES])))
    }),
  )
}

interface Tried {
  bytes: number
  extraTime: number
}

/** Every set of values that may be dropped. */
function exhaust(device: Device, recording: Recording): Tried[] {
  const graph = graphOf(device, recording)
  const candidates = graph.droppable.filter((value) => recording.values[value].bytes > SMALL_BYTES)
  if (candidates.length < 2 || candidates.length > MOST_CANDIDATES) return []
  const times = recording.instructions.map(timeOf)
  const never = times.reduce((sum, time) => sum + time)
  const { heldBytes } = device.memory
  return Array.from({ length: 2 ** candidates.length }, (_, bits) => {
    const dropped = new Set(candidates.filter((_, i) => (bits >> i) & 1))
    const { turns, peakHeldBytes } = plan(device, graph, dropped)
    const time = turns.reduce((sum, { instruction }) => sum + times[instruction], 0)
    return { bytes: peakHeldBytes - heldBytes, extraTime: time / never - 1 }
  })
}

const fastest = (all: readonly Tried[], budget: number): number =>
  Math.min(...all.filter(({ bytes }) => bytes <= budget).map(({ extraTime }) => extraTime))

test('the time is within 5 % of the best of all choices in 95 of 100 cases, and few reachable budgets are missed', () => {
  let [total, near, missed] = [0, 0, 0]
  for (const drawn of fc.sample(steps, { seed: 5, numRuns: 40 * TEST_RUNS })) {
    const device = openVirtualDevice('cpu')
    const recording = recorded(device, drawn)
    const all = exhaust(device, recording)
    if (all.length === 0) continue
    const points = frontier(device, graphOf(device, recording), Infinity)
    const never = all[0].bytes
    const least = Math.min(...all.map(({ bytes }) => bytes))
    for (const share of [0.8, 0.55, 0.3, 0.05]) {
      const budget = least + share * (never - least)
      total++
      const found = fastest(points, budget)
      if (found === Infinity) missed++
      else if (found <= fastest(all, budget) + 0.05) near++
    }
  }
  assert.ok(total >= 80, `${total}`)
  assert.ok(near >= 0.95 * total, `${near} of ${total}`)
  assert.ok(missed <= 0.02 * total, `${missed} of ${total}`)
})

test('no point is worse than another in both bytes and time, and each has the bytes and time of its plan', () => {
  for (const drawn of fc.sample(steps, { seed: 6, numRuns: 10 })) {
    const device = openVirtualDevice('cpu')
    const recording = recorded(device, drawn)
    const { heldBytes } = device.memory
    let last = { bytes: Infinity, extraTime: -1 }
    for (const { dropped, bytes, extraTime } of frontier(device, graphOf(device, recording), Infinity)) {
      assert.is(plan(device, graphOf(device, recording), dropped).peakHeldBytes - heldBytes, bytes)
      assert.ok(bytes < last.bytes && extraTime > last.extraTime)
      last = { bytes, extraTime }
    }
  }
})

test.run()
