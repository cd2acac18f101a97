/** Coordinator and workers over an engine in memory, with its faults. With Redis: test/cluster, which `.ci/run` runs. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ClusterError, type ClusterFitOptions, Coordinator, MismatchError, PayloadError } from '../src/cluster/index.js'
import { jobFrom, resultBytes, resultFrom } from '../src/cluster/message.js'
import { sampleBytes, samplesFrom } from '../src/cluster/samples.js'
import { workOver } from '../src/cluster/worker.js'
import {
  crossEntropy,
  type Device,
  data,
  type HostArray,
  models,
  NonFiniteError,
  openDevice,
  optim,
  Streamer,
} from '../src/index.js'
import { type Faults, MemoryEngine } from './cluster-memory.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const digits = data.subset(
  data.digits(),
  Uint16Array.from({ length: 150 }, (_, i) => 7 * i),
)
const FIT = { batch: 100, microBatch: 24, epochs: 2 } as const

const netOn = (device: Device) => models.convnet(device, { seed: 2, batchNorm: 'deferred' })

interface Setting {
  budgets?: readonly string[]
  faults?: Faults
  options?: Partial<ClusterFitOptions>
  source?: typeof digits
  own?: typeof digits
}

/** Trains with workers, one for each budget, until the end or an error. */
async function trained({ budgets = ['8MiB'], faults, options, source = digits, own = source }: Setting = {}) {
  const engine = new MemoryEngine(faults)
  const device = await openDevice('cpu', { memory: '8MiB', threads: 1 })
  const model = netOn(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model), seed: 3 })
  const coordinator = await Coordinator.over(engine, { streamer })
  const ended = new AbortController()
  const working = budgets.map(async (memory) => {
    const device = await openDevice('cpu', { memory, threads: 1 })
    const options = { model: netOn(device), loss: crossEntropy, data: own, signal: ended.signal }
    return workOver(engine.line(), options).finally(() => device.close())
  })
  const losses: number[] = []
  const failed = Promise.race(working.map((work) => work.then(() => null))).catch((reason: unknown) => reason)
  const training = (async () => {
    const all = { ...FIT, signal: ended.signal, ...options }
    for await (const { loss, peakBytes, plannedPeakBytes } of coordinator.fit(source, all)) {
      losses.push(loss)
      assert.is(peakBytes, plannedPeakBytes)
    }
    return null
  })().catch((reason: unknown) => reason)
  const error = await Promise.race([training, failed])
  ended.abort()
  await training
  const workers = (await Promise.allSettled(working)).flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  const status = await coordinator.status()
  const { model: state, optimizer } = await streamer.checkpoint()
  await device.close()
  const numbers = [...Object.values(state), ...Object.values(optimizer.moments)].flatMap(({ data }) => Array.from(data))
  return { error, losses, workers, status, bits: numbers.join(), state, engine }
}

const one = await trained()

test('one worker: the steps of a plain streamer, but for rounding, and peaks as planned', async () => {
  assert.is(one.error, null)
  const device = await openDevice('cpu', { memory: '8MiB', threads: 1 })
  const model = netOn(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model), seed: 3 })
  const losses: number[] = []
  for await (const { loss } of streamer.fit(digits, FIT)) losses.push(loss)
  assert.is(losses.length, 4)
  // sums of five parts in float32 in another order, through four steps of adam
  losses.forEach((loss, i) => assert.ok(Math.abs(loss - one.losses[i]) < 1e-5 * loss, `${loss}, ${one.losses[i]}`))
  const state = await model.stateDict()
  for (const [name, { data }] of Object.entries(state)) {
    data.forEach((value, i) => assert.ok(Math.abs(value - one.state[name].data[i]) < 1e-4, `${name}[${i}]`))
  }
  const [worker] = one.workers
  assert.is(worker.samples, 300)
  assert.is(worker.mismatches, 0)
  assert.is(one.status.mismatches, 0)
  await device.close()
})

test('any number of workers under any budgets, and any faults of the engine: the same bits', async () => {
  const budgets = fc.array(fc.constantFrom('1MiB', '2MiB', '8MiB'), { minLength: 1, maxLength: 4 })
  const often = (every: number, from: number) =>
    every === 0 ? () => false : (act: number) => act % every === from % every
  const every = fc.constantFrom(0, 3, 5, 8)
  await fc.assert(
    fc.asyncProperty(budgets, every, every, every, fc.nat(8), async (budgets, kills, doubles, loses, from) => {
      const faults = {
        kills: often(kills, from),
        doubles: often(doubles, from + 1),
        loses: often(loses && loses + 4, from),
      }
      const { error, bits, status } = await trained({ budgets, faults })
      assert.is(error, null)
      assert.is(bits, one.bits)
      assert.is(status.mismatches, 0)
    }),
    { numRuns: 3 * TEST_RUNS, seed: 21, examples: [[['1MiB', '8MiB'], 5, 3, 8, 0]] },
  )
})

test('samples that travel with the jobs, larger ranges, and a window: what is computed stays', async () => {
  assert.is((await trained({ options: { send: true }, budgets: ['1MiB', '8MiB'] })).bits, one.bits)
  const larger = { options: { range: 50, microBatch: 13 } }
  const { bits, error } = await trained(larger)
  assert.is(error, null)
  assert.is((await trained({ ...larger, budgets: ['2MiB', '1MiB', '1MiB'] })).bits, bits)
  assert.is.not(bits, one.bits)
})

test('a result that is changed on its way is refused and computed again', async () => {
  const changes = (bytes: Uint8Array, act: number): Uint8Array => {
    if (act % 4 !== 0) return bytes
    const other = bytes.slice()
    other[(act * 7919) % other.length] ^= 1 << (act % 8)
    return other
  }
  const { error, bits, status } = await trained({ faults: { changes }, budgets: ['8MiB', '1MiB'] })
  assert.is(error, null)
  assert.is(bits, one.bits)
  assert.ok(status.counts.refused > 0 && status.lastRefusal)
  const { error: refusal, losses } = await trained({ faults: { changes: (bytes) => bytes.subarray(1) } })
  assert.instance(refusal, PayloadError)
  assert.equal(losses, [])
})

test('NaN from one worker is computed by another; NaN from both ends the step, and commits nothing', async () => {
  const faulty = (times: number): Faults => {
    let left = times
    return {
      changes(bytes, _, turn, range) {
        if (range !== 2 || left-- <= 0) return bytes
        const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(32, true)
        const { head, sums } = resultFrom(bytes, turn, range, (bytes.length - 36 - length) / 4, 4)
        return resultBytes(turn, range, head, sums?.fill(Number.NaN, 9, 10))
      },
    }
  }
  const once = await trained({ faults: faulty(1), budgets: ['8MiB', '8MiB'] })
  assert.is(once.error, null)
  assert.is(once.bits, one.bits)
  assert.is(once.status.counts.nonFinite, 1)
  const { error, losses } = await trained({ faults: faulty(Infinity) })
  assert.instance(error, NonFiniteError)
  assert.equal(losses, [])
})

test('other data or another model on a worker: it ends with the reason, and nothing is learned', async () => {
  const other = data.subset(
    digits,
    Uint16Array.from({ length: 150 }, (_, i) => 149 - i),
  )
  const { error, losses } = await trained({ own: other })
  assert.instance(error, MismatchError)
  assert.match(String(error), 'are not those that the coordinator has')
  assert.equal(losses, [])
})

test('a second coordinator ends the first', async () => {
  const engine = new MemoryEngine()
  const device = await openDevice('cpu', { memory: '8MiB', threads: 1 })
  const model = netOn(device)
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model) })
  const first = await Coordinator.over(engine, { streamer })
  await Coordinator.over(engine, { streamer })
  assert.instance(await errorOf(async () => await first.fit(digits, FIT)), ClusterError)
  assert.is(streamer.optimizer.steps, 0)
  await device.close()
})

const refused = (fn: () => unknown): void => assert.throws(fn, (error: unknown) => error instanceof PayloadError)

const JOB = {
  ...{
    turn: '1.1',
    range: 0,
    seed: 3,
    step: 0,
    firstSample: 0,
    samples: 4,
    microBatch: 2,
    weight: 4,
    bytes: 0,
    not: null,
  },
  ...{ layout: 'a'.repeat(64), values: 'b'.repeat(64), digest: 'c'.repeat(64) },
  from: { name: 'digits', length: 10, epoch: 0, at: 6, shuffle: true },
}

test('hostile jobs and results: a typed error, or a message that says the same', () => {
  assert.equal(jobFrom(JSON.parse(JSON.stringify(JOB))), JOB)
  const odd = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom(-1, 2 ** 53, 1e308, Number.NaN, '', '__proto__'))
  const places = [...Object.keys(JOB), ...Object.keys(JOB.from).map((name) => `from.${name}`), 'other', '__proto__']
  fc.assert(
    fc.property(fc.constantFrom(...places), odd, (place, value) => {
      const job: Record<string, unknown> = { ...JOB, from: { ...JOB.from } }
      const [field, inner] = place.split('.')
      const target = inner ? (job.from as Record<string, unknown>) : job
      Object.defineProperty(target, inner ?? field, { value, enumerable: true })
      try {
        assert.equal(jobFrom(job), job)
      } catch (error) {
        assert.instance(error, PayloadError, String(error))
      }
    }),
    { numRuns: 2000 * TEST_RUNS, seed: 1 },
  )
  const head = { worker: 'w', weight: 1, peakBytes: 1, plannedPeakBytes: 1, ms: 1 }
  const result = resultBytes('1.1', 0, head, Float32Array.of(1, 2, 3))
  assert.equal(Array.from(resultFrom(result, '1.1', 0, 3, 4).sums ?? []), [1, 2, 3])
  for (const [turn, range, count] of [
    ['1.2', 0, 3],
    ['1.1', 1, 3],
    ['1.1', 0, 4],
  ] as const) {
    refused(() => resultFrom(result, turn, range, count, 4))
  }
  fc.assert(
    fc.property(fc.nat(result.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(3), (at, flip, cut) => {
      const bytes = result.slice(0, result.length - cut)
      bytes[Math.min(at, bytes.length - 1)] ^= flip
      refused(() => resultFrom(bytes, '1.1', 0, 3, 4))
    }),
    { numRuns: 2000 * TEST_RUNS, seed: 1 },
  )
})

test('samples as bytes: lists, records, scales and weights come back; mutated ones are typed errors', () => {
  const array = (shape: number[], scale?: number): HostArray => ({
    data: Uint8Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
    shape,
    ...(scale !== undefined && { scale }),
  })
  const weights = { data: Float32Array.of(1, 2), shape: [2] }
  for (const batch of [
    { inputs: array([2, 3], 0.5), targets: array([2]) },
    { inputs: [array([2, 3]), array([2, 1], 2)], targets: { a: array([2]), b: array([2, 2]) }, weights },
  ]) {
    const bytes = sampleBytes(batch)
    assert.equal(sampleBytes(samplesFrom(bytes, 2)), bytes)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const other = bytes.slice()
        other[at] ^= flip
        try {
          samplesFrom(other, 2)
        } catch (error) {
          assert.instance(error, PayloadError, String(error))
        }
      }),
      { numRuns: 500 * TEST_RUNS, seed: 1 },
    )
  }
})

test.run()
