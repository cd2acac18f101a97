/**
 * Coordinators and workers as processes, with a real Redis.
 *
 *   apt-get install redis-server && npm ci --prefix test/cluster && npm run build && npx uvu test/cluster "^run\.mjs$"
 *
 * SLUICE_CLUSTER=long takes 20 steps, 200 with faults, 2,000 for memory and 20,000 hostile payloads.
 */
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import seedrandom from 'seedrandom'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PayloadError } from '../../dist/src/cluster/index.js'
import { jobFrom } from '../../dist/src/cluster/message.js'
import { Redis, serve, work } from './processes.mjs'

const require = createRequire(import.meta.url)
const LONG = process.env.SLUICE_CLUSTER === 'long'
const random = seedrandom('cluster')
const pick = (list) => list[Math.floor(random() * list.length)]

let redis
const children = new Set()
const started = (child) => {
  children.add(child)
  child.ended.then(() => children.delete(child))
  return child
}
const tell = (text) => console.log(`  ${text}`)

test.before.each(async () => {
  redis = await Redis.start()
})
test.after.each(async () => {
  await Promise.all(Array.from(children, (child) => child.kill('SIGKILL')))
  await redis.end()
})

/** Trains with these workers. @returns the end of the coordinator, and those of the workers */
async function trained(options, budgets) {
  const workers = budgets.map((memory) => started(work(redis, { ...options, memory })))
  const coordinator = started(serve(redis, options))
  assert.is(await coordinator.ended, 0, coordinator.errors)
  const done = []
  for (const worker of workers) {
    assert.is(await worker.kill('SIGTERM'), 0, worker.errors)
    done.push(worker.of('done')[0])
  }
  return { ...coordinator.of('end')[0], steps: coordinator.of('step'), workers: done }
}

const NETS = {
  lenet: { model: 'lenet', memory: '4MiB', microBatch: 64, range: 128, budgets: ['2MiB', '1MiB', '3MiB', '8MiB'] },
  resnet: { model: 'resnet', memory: '8MiB', microBatch: 32, range: 128, budgets: ['3MiB', '2MiB', '8MiB', '16MiB'] },
}

for (const [name, { budgets, ...net }] of Object.entries(NETS)) {
  test(`${name}: 1, 2 and 4 workers under different budgets, the same bits; a plain streamer, but for rounding`, async () => {
    const options = { ...net, batch: 1024, steps: LONG ? 20 : 2, values: true }
    const results = []
    for (const count of LONG ? [1, 2, 4] : [1, 4]) {
      const { bits, status, numbers, workers, steps } = await trained(
        { ...options, start: count },
        budgets.slice(0, count),
      )
      results.push(bits)
      assert.is(status.mismatches, 0)
      for (const { mismatches } of workers) assert.is(mismatches, 0)
      for (const { peakBytes, plannedPeakBytes } of steps) assert.is(peakBytes, plannedPeakBytes)
      if (count > 1) continue
      const plain = started(serve({}, { ...options, redis: undefined }))
      assert.is(await plain.ended, 0, plain.errors)
      const [{ numbers: expected }] = plain.of('end')
      let worst = 0
      for (const [key, values] of Object.entries(expected)) {
        const scale = Math.max(1, ...values.map(Math.abs))
        values.forEach((value, i) => {
          worst = Math.max(worst, Math.abs(value - numbers[key][i]) / scale)
        })
      }
      const losses = plain.of('step').map(({ loss }, i) => Math.abs(loss - steps[i].loss) / loss)
      tell(
        `${name}: off a plain streamer by ${worst.toExponential(1)}, losses by ${Math.max(...losses).toExponential(1)}`,
      )
      // the first two losses differ by rounding alone; adam divides by the root of the second moment, so a rounding of a gradient near 0 can move a step by a part of the rate
      assert.ok(Math.max(...losses.slice(0, 2)) < 1e-5 && worst < 0.003 * options.steps, `${worst}`)
    }
    tell(`${name}: bits ${results.join(' ')}`)
    assert.is(new Set(results).size, 1)
  })
}

const SMALL = { model: 'mlp', memory: '1MiB', batch: 512, microBatch: 64 }

test('workers killed, paused, started and cut off, Redis restarted, the coordinator killed: the same bits', async () => {
  const steps = LONG ? 200 : 10
  const checkpoint = join(tmpdir(), `sluice-cluster-${process.pid}.safetensors`)
  const options = { ...SMALL, steps, patienceMs: 1000 }
  const { bits } = await trained(options, ['1MiB'])
  const workers = []
  const start = () => workers.push(started(work(redis, { ...options, memory: pick(['512KiB', '1MiB', '2MiB']) })))
  start()
  start()
  let coordinator = started(serve(redis, { ...options, checkpoint }))
  const acts = {
    kill: () => workers.splice(Math.floor(random() * workers.length), 1)[0]?.kill('SIGKILL'),
    pause: async () => {
      const worker = pick(workers)
      worker?.process.kill('SIGSTOP')
      await sleep(LONG ? 3000 : 1500)
      worker?.process.kill('SIGCONT')
    },
    start,
    cut: () => redis.ask('CLIENT', 'KILL', 'TYPE', 'normal'),
    restart: () => redis.restart(pick(['SIGTERM', 'SIGKILL'])),
    coordinator: async () => {
      await coordinator.kill('SIGKILL')
      coordinator = started(serve(redis, { ...options, checkpoint, resume: true }))
    },
  }
  const counts = {}
  let isOver = false
  const faults = (async () => {
    const order = Object.keys(acts)
    for (let i = 0; !isOver; i++) {
      await coordinator.until('ready')
      const act = i < order.length ? order[i] : pick(order)
      counts[act] = (counts[act] ?? 0) + 1
      await acts[act]()
      while (workers.length < 1 || workers.length > 4) workers.length < 1 ? start() : await acts.kill()
      await sleep(LONG ? 500 : 50)
    }
  })()
  for (;;) {
    const now = coordinator
    const code = await now.ended
    if (now !== coordinator || code === 'SIGKILL') {
      await sleep(20)
      continue
    }
    isOver = true
    assert.is(code, 0, now.errors)
    break
  }
  await faults
  rmSync(checkpoint, { force: true })
  const [end] = coordinator.of('end')
  tell(`${steps} steps with ${JSON.stringify(counts)}: ${JSON.stringify(end?.status.counts)}`)
  assert.is(end?.bits, bits)
})

test('hostile jobs and results: typed errors, and the training goes on to the same bits', async () => {
  const options = { ...SMALL, steps: 6, start: 1 }
  const { bits } = await trained(options, ['1MiB'])
  const count = LONG ? 20_000 : 300
  const worker = started(work(redis, { ...options, memory: '1MiB' }))
  const coordinator = started(serve(redis, { ...options, steps: LONG ? 60 : 6 }))
  const { Queue } = require('bullmq')
  const { Redis: Client } = require('ioredis')
  const client = new Client(redis.url, { maxRetriesPerRequest: null })
  const queue = new Queue('ranges', { connection: client, prefix: '{sluice:training}' })
  await coordinator.until('step')
  const prefix = '{sluice:training}:'
  const odd = () => pick([null, -1, 1e308, 2 ** 53, '', 'x'.repeat(1000), [], {}, true, '__proto__', '../../etc', 0.5])
  let [jobs, results, typed] = [0, 0, 0]
  for (let i = 0; i < count; i++) {
    const [known] = await queue.getJobs(['active', 'waiting'], 0, 0)
    const job = { ...(known?.data ?? { turn: '1.1', range: 0 }) }
    const names = [...Object.keys(job), 'other']
    job[pick(names)] = odd()
    if (random() < 0.5) job[pick(names)] = odd()
    try {
      jobFrom(job)
    } catch (error) {
      assert.instance(error, PayloadError, String(error))
      typed++
    }
    if (i % 2 === 0) {
      await queue.add('range', job, { attempts: 1, removeOnComplete: true, removeOnFail: true })
      jobs++
    } else {
      const [, keys] = await client.scan('0', 'MATCH', `${prefix}blob:result:*`, 'COUNT', 1000)
      const key = keys[0] ?? `${prefix}blob:result:1.${i}:0`
      const bytes = await client.getBuffer(key)
      if (bytes) {
        const cut = bytes.subarray(0, bytes.length - Math.floor(random() * 3))
        cut[Math.floor(random() * cut.length)] ^= 1 + Math.floor(random() * 255)
        await client.set(key, cut, 'XX')
        results++
      }
    }
    if (coordinator.of('end').length > 0) break
  }
  client.disconnect()
  await queue.close().catch(() => {})
  const code = await coordinator.ended
  tell(
    `${jobs} jobs and ${results} results were mutated, ${typed} of the jobs refused; ${coordinator.errors.split('\n').at(-2) ?? ''}`,
  )
  if (code === 0 && !LONG) assert.is(coordinator.of('end')[0].bits, bits)
  // results that are changed again and again end the training with a typed error
  else if (code !== 0) assert.match(coordinator.errors, /PayloadError|ClusterError/)
  assert.is(await worker.kill('SIGTERM'), 0, worker.errors)
})

test('held bytes of all processes and the memory of Redis stay as they are', async () => {
  const steps = LONG ? 2000 : 40
  const options = { model: 'mlp', memory: '1MiB', batch: 256, microBatch: 64, steps, start: 2 }
  const workers = ['512KiB', '1MiB'].map((memory) => started(work(redis, { ...options, memory })))
  const coordinator = started(serve(redis, options))
  const used = []
  for (let at = steps / 10; at <= steps; at += steps / 10) {
    await coordinator.until('step', at)
    used.push(await redis.number('used_memory'))
  }
  assert.is(await coordinator.ended, 0, coordinator.errors)
  const held = new Set(coordinator.of('step').map(({ heldBytes }) => heldBytes))
  assert.is(held.size, 1)
  for (const worker of workers) {
    assert.is(await worker.kill('SIGTERM'), 0, worker.errors)
    const bytes = new Set([...worker.of('held'), ...worker.of('done')].map(({ heldBytes }) => heldBytes))
    assert.is(bytes.size, 1)
    tell(`worker: ${worker.of('held').map(({ heap }) => Math.round(heap.arrayBuffers / 1e4) / 100 + ' MB of buffers')}`)
  }
  const heaps = coordinator.events.flatMap(({ heap }) => (heap ? `${Math.round(heap.heapUsed / 1e4) / 100}` : []))
  tell(
    `Redis: ${used.map((bytes) => Math.round(bytes / 1e4) / 100).join(', ')} MB; heap of the coordinator: ${heaps.join(', ')} MB`,
  )
  // a few results of 38 kB wait at any time
  assert.ok(Math.max(...used.slice(5)) < Math.max(...used.slice(0, 5)) + 500_000, used.join())
})

test.run()
