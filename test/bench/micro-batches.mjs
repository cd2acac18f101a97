/**
 * The time of a mini-batch against its micro-batch, Sluice beside PyTorch, on the nets of nets/: used by
 * docs/experiments/time.mjs. Both take turns, on one thread each, and the shortest turn counts, in processor time.
 *
 *   npm run --prefix test/bench micro-batches -- [NET...]
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openDevice } from '../../dist/src/index.js'
import { NETS, streamerOf } from './nets/index.mjs'

const SCRIPT = fileURLToPath(new URL('micro-batches.py', import.meta.url))

/** PyTorch as a function from { net, samples, size } to milliseconds; null where Python or PyTorch is missing. */
async function openPyTorch() {
  const child = spawn('/usr/bin/python3', [SCRIPT], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.on('error', () => child.stdout.destroy())
  child.stdin.on('error', () => {})
  const answer = async () => {
    const { value, done } = await lines.next()
    return done ? null : JSON.parse(value)
  }
  const hello = await answer()
  if (hello === null) return null
  return {
    version: hello.version,
    async turn(asked) {
      child.stdin.write(`${JSON.stringify(asked)}\n`)
      return (await answer()).ms
    },
    close: () => child.stdin.end(),
  }
}

/** Samples of zeros and ones: every net takes them as inputs and as targets. */
function bits(samples, sampleShape) {
  const shape = [samples, ...sampleShape]
  const length = shape.reduce((size, dim) => size * dim)
  return { shape, data: Float32Array.from({ length }, (_, i) => (i % 7) % 2) }
}

async function openSluice(net, samples) {
  const device = await openDevice('cpu', { memory: '2GiB', threads: 1 })
  const streamer = streamerOf(net, device, 'never')
  const batch = { inputs: bits(samples, net.inputShape), targets: bits(samples, net.targetShape) }
  return {
    async turn({ size }) {
      const started = process.cpuUsage()
      await streamer.step(batch, { microBatch: size })
      const { user, system } = process.cpuUsage(started)
      return (user + system) / 1e3
    },
    close: () => device.close(),
  }
}

/**
 * @param jobs     [{ net, samples, sizes }]
 * @param rounds   turns of each size, after one that warms up
 * @param pytorch  false leaves it out
 * @returns version: PyTorch's, or null where it is absent; rows: [{ net, samples, size, sluiceMs, pytorchMs }]
 */
export async function besidePyTorch(jobs, { rounds, pytorch: wanted = true }) {
  const pytorch = wanted ? await openPyTorch() : null
  const rows = []
  for (const { net, samples, sizes } of jobs) {
    const sluice = await openSluice(NETS[net], samples)
    const each = sizes.map((size) => ({ net, samples, size, sluiceMs: Infinity, pytorchMs: Infinity }))
    for (let round = 0; round <= rounds; round++) {
      for (const row of each) {
        const asked = { net, samples, size: row.size }
        const [ours, theirs] = [await sluice.turn(asked), (await pytorch?.turn(asked)) ?? Infinity]
        if (round === 0) continue
        row.sluiceMs = Math.min(row.sluiceMs, ours)
        row.pytorchMs = Math.min(row.pytorchMs, theirs)
      }
    }
    rows.push(...each)
    await sluice.close()
  }
  pytorch?.close()
  return { version: pytorch?.version ?? null, rows }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : ['lenet', 'resnet18', 'vae']
  const jobs = names.map((net) => ({ net, samples: 8, sizes: [8, 2, 1] }))
  const { version, rows } = await besidePyTorch(jobs, { rounds: 3 })
  console.log(version === null ? 'PyTorch is absent: install python3-torch' : `PyTorch ${version}`)
  for (const row of rows) console.log(JSON.stringify(row))
}
