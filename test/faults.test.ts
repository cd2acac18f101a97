/**
 * What sluice/testing finds: faults in ops, losses and modules of users (faults/), each at data of several seeds, by the
 * checks that such a user would call; and no alarm for right ones. SLUICE_TEST_RUNS=100 runs 100,000 right ones.
 */

import seedrandom from 'seedrandom'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CheckError,
  checkDevices,
  checkEveryAllocation,
  checkGradient,
  checkPlan,
  checkSplitInvariant,
  type Fn,
  type Inputs,
  modules,
  type Training,
} from '../src/testing/index.js'
import { type Case, COMPOSED, DECAYING, GAINED, LOOKED, ROW_LOG_SUM, SOFTPLUS, UNIT_ROWS } from './faults/ops.js'
import { FEATURES, OUTPUTS, RIGHT_LOSS, RIGHT_MODULES, WRONG_LOSSES, WRONG_MODULES } from './faults/trainings.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const MEMORY = { memory: '256KiB' }
const CASES: Readonly<Record<string, Case>> = { SOFTPLUS, ROW_LOG_SUM, UNIT_ROWS, GAINED, DECAYING, LOOKED, COMPOSED }

const normal = (size: number, random: () => number): Float64Array =>
  Float64Array.from({ length: size }, () => 2 * random() - 1)

function inputsOf({ shapes, whole = {} }: Case, random: () => number): Inputs {
  return shapes.map((shape, i) => {
    const size = shape.reduce((a, b) => a * b, 1)
    const data = whole[i]
      ? Float64Array.from({ length: size }, () => Math.floor(random() * whole[i]))
      : normal(size, random)
    return { data, shape }
  })
}

/** Seven samples, in which more targets are missing in the first ones. */
function trainingOf(random: () => number, more: Partial<Training>, weighted = true): Training {
  const samples = 7
  const inputs = { data: normal(samples * FEATURES, random), shape: [samples, FEATURES] }
  const targets = {
    data: Float64Array.from({ length: samples * OUTPUTS }, (_, i) =>
      i < OUTPUTS + 2 || random() < 0.2 ? -1 : random(),
    ),
    shape: [samples, OUTPUTS],
  }
  const weights = { data: Float64Array.from({ length: samples }, () => 0.5 + random()), shape: [samples] }
  return { loss: RIGHT_LOSS, batch: { inputs, targets, ...(weighted && { weights }) }, ...more } as Training
}

type Check = () => Promise<unknown>

/** The checks for a function, the cheapest first. */
const ofFunction = (fn: Fn, inputs: Inputs, { inputs: only }: Case): Check[] => {
  const options = only ? { ...MEMORY, inputs: only } : MEMORY
  return [
    () => checkGradient(fn, inputs, options),
    () => checkDevices(fn, inputs, { ...options, devices: ['cpu'] }),
    () => checkPlan(fn, inputs, options),
    () => checkEveryAllocation(fn, inputs, options),
  ]
}

const ofTraining = (training: Training): Check[] => [
  () => checkGradient(training, MEMORY),
  () => checkSplitInvariant(training, { ...MEMORY, splits: [3] }),
  () => checkDevices(training, { ...MEMORY, devices: ['cpu'] }),
  () => checkPlan(training, MEMORY),
  () => checkEveryAllocation(training, MEMORY),
]

/** The message of the first check that finds something, or null. Another error than a CheckError is a fault of the checks. */
async function found(checks: readonly Check[]): Promise<string | null> {
  for (const check of checks) {
    try {
      await check()
    } catch (error) {
      if (!(error instanceof CheckError)) throw error
      return error.message
    }
  }
  return null
}

/** Every fault, by name, with its checks at the data of a seed. */
function* faults(seed: number): Generator<[name: string, checks: Check[]]> {
  const random = seedrandom(String(seed))
  for (const [name, each] of Object.entries(CASES))
    for (const [fault, fn] of Object.entries(each.wrong))
      yield [`${name}: ${fault}`, ofFunction(fn, inputsOf(each, random), each)]
  for (const [fault, [loss, weighted]] of Object.entries(WRONG_LOSSES))
    yield [
      `loss: ${fault}`,
      ofTraining(trainingOf(random, { model: RIGHT_MODULES.plain, loss } as Partial<Training>, weighted)),
    ]
  for (const [fault, model] of Object.entries(WRONG_MODULES))
    yield [`module: ${fault}`, ofTraining(trainingOf(random, { model }))]
}

test('at least 95 % of more than 100 faults are found, at data of every seed, and each message is bounded', async () => {
  for (let seed = 1; seed <= Math.min(5, TEST_RUNS); seed++) {
    const missed: string[] = []
    let count = 0
    for (const [name, checks] of faults(seed)) {
      const message = await found(checks)
      count++
      if (message === null) missed.push(name)
      else assert.ok(message.length <= 2100, name)
      if (process.env.SLUICE_FAULTS) console.log(`${name} -> ${message}`)
    }
    console.log(
      `seed ${seed}: ${count - missed.length} of ${count} faults found; missed: ${missed.join('; ') || 'none'}`,
    )
    assert.ok(count >= 100, `only ${count} faults`)
    assert.ok(missed.length <= 0.05 * count, missed.join('\n'))
  }
})

/** One check each, of a right subject at new data. */
const RUNS = TEST_RUNS > 1 ? 1000 * TEST_RUNS : 200

test('no alarm for right ops, losses and modules', async () => {
  const random = seedrandom('right')
  const names = Object.keys(CASES)
  const builds = Object.values(RIGHT_MODULES)
  const drawn = fc.sample(modules(FEATURES, OUTPUTS), { seed: 3, numRuns: 20 + 2 * TEST_RUNS })
  const counts: Record<string, number> = {}
  let alarms = 0
  for (let run = 0; run < RUNS; run++) {
    // the other checks take fifty times as long
    const isCostly = run % 100 === 0 || run % 100 === 99
    let checks: Check[]
    if (run % 10 < 8) {
      const each = CASES[names[run % names.length]]
      checks = ofFunction(each.right, inputsOf(each, random), each)
    } else {
      const model =
        random() < 0.5 ? builds[Math.floor(random() * builds.length)] : drawn[Math.floor(random() * drawn.length)].model
      checks = ofTraining(trainingOf(random, { model }, random() < 0.5))
    }
    const [cheap, costly] =
      checks.length === 5
        ? [
            [0, 2],
            [1, 3, 4],
          ]
        : [
            [0, 1],
            [2, 3],
          ]
    const among = isCostly ? costly : cheap
    const which = among[Math.floor(random() * among.length)]
    const name = String(checks[which]).match(/check\w+/)?.[0] ?? ''
    counts[name] = (counts[name] ?? 0) + 1
    const message = await found([checks[which]])
    if (message !== null) {
      alarms++
      console.log(`run ${run}: ${message}`)
    }
    if (TEST_RUNS > 1 && run % 1000 === 999) console.log(`${run + 1} runs, ${alarms} alarms`, JSON.stringify(counts))
  }
  console.log(`${RUNS} runs of right subjects, ${alarms} alarms: ${JSON.stringify(counts)}`)
  assert.is(alarms, 0)
})

test.run()
