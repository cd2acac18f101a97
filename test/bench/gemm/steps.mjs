/**
 * The matrix product, step by step, from plain loops to the product of the library. docs/gemm.md says what each step
 * does.
 *
 *   npm ci && npm run --prefix test/bench gemm-steps -- [--from STEP] [n...]     square matrices; default 256 512 1024
 *
 * A step and the one before it take turns in one process, so a gain is the median of the ratios of neighbouring turns.
 * Every step's result is compared with sums in float64. The last two need relaxed SIMD, and the last needs a V8 that fuses
 * vectors: run this file with Node 24.
 */
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import asc from 'assemblyscript/asc'
import { matmul as plainLoops } from '../../../dist/kernels/reference/matmul.js'
import { workspaceBytes } from '../../../dist/kernels/simd/index.js'
import { DeviceError, formatBytes, fromHost, openDevice, zeros } from '../../../dist/src/index.js'
import { median, quantile } from '../player.mjs'
import { uniform } from '../workloads.mjs'
import { eightSums } from './eight-sums.mjs'

/** Turns of each of two neighbouring steps; fewer if they take longer than PAIRS_MS, but at least 3. */
const PAIRS = 21
const PAIRS_MS = 10_000
/** A turn lasts this long, or one product. */
const TURN_MS = 50
/** Elements of c that are compared. */
const SAMPLES = 64

const { values, positionals } = parseArgs({ allowPositionals: true, options: { from: { type: 'string' } } })
const sizes = positionals.length > 0 ? positionals.map(Number) : [256, 512, 1024]
if (!sizes.every((n) => Number.isInteger(n) && n > 0 && n % 16 === 0)) {
  console.error('sizes must be multiples of 16: the first steps have no code for a remainder')
  process.exit(2)
}

/** Compiles the module of the steps that the library does not use. */
async function compileSteps() {
  let binary = null
  const { error, stderr } = await asc.main(
    [
      ...['assembly/index.ts', '--baseDir', fileURLToPath(new URL('.', import.meta.url)), '--outFile', 'out.wasm'],
      ...['-O3', '--enable', 'simd', '--runtime', 'stub', '--importMemory', '--noAssert'],
    ],
    {
      writeFile: (_, contents) => {
        binary = contents
      },
    },
  )
  if (error) throw new Error(`${error.message}\n${stderr}`)
  return new WebAssembly.Module(binary)
}

const parameters = (n) => ({
  ...{ batch: 1, offsetsA: [0], offsetsB: [0], m: n, n, k: n },
  ...{ transposeA: false, transposeB: false, bias: false, accumulate: false },
})

/** A step in plain JavaScript, on arrays. */
function plain(kernel, n, a, b) {
  const c = new Float32Array(n * n)
  return { run: () => kernel(parameters(n), [a, b], [c]), result: () => c, workspace: 0 }
}

/** Bytes that each step of that module takes beside the operands. */
const WORKSPACES = { dots: (n) => 4 * n * n, tiles: () => 0, packed: (n) => 4 * n * n + 64 * n + 64 }

/** A step in the module of the steps: operands and workspace one after the other in a memory of their own. */
function assembled(module, name, n, a, b) {
  const bytes = n * n * 4
  const base = 65536
  const memory = new WebAssembly.Memory({ initial: Math.ceil((base + 3 * bytes + WORKSPACES[name](n)) / 65536) })
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  new Float32Array(memory.buffer, base, n * n).set(a)
  new Float32Array(memory.buffer, base + bytes, n * n).set(b)
  return {
    run: () => exports[name](base, base + bytes, base + 2 * bytes, n, n, n, base + 3 * bytes),
    result: () => new Float32Array(memory.buffer, base + 2 * bytes, n * n),
    workspace: WORKSPACES[name](n),
  }
}

/** The product of the library, on one thread, with one of its modules. */
async function library(simd, n, a, b) {
  const device = await openDevice('cpu', { memory: '64MiB', threads: 1, simd })
  if (device.simd !== simd) throw new DeviceError(`V8 ${process.versions.v8} does not fuse vectors`)
  const shape = [n, n]
  const c = zeros(device, shape)
  const operands = [a, b].map((data) => fromHost(device, { shape, data }).storage('matmul'))
  const target = [c.storage('matmul')]
  return {
    run: () => device.run('matmul', parameters(n), operands, target),
    result: () => c.data(),
    workspace: workspaceBytes('matmul', parameters(n)),
  }
}

/** The steps in order. Each is compared with the one before. */
const STEPS = {
  'plain loops': (n, a, b) => plain(plainLoops, n, a, b),
  'eight sums': (n, a, b) => plain(eightSums, n, a, b),
  'SIMD dot products': (n, a, b, module) => assembled(module, 'dots', n, a, b),
  'register tile': (n, a, b, module) => assembled(module, 'tiles', n, a, b),
  packing: (n, a, b, module) => assembled(module, 'packed', n, a, b),
  'cache blocking': (n, a, b) => library('baseline', n, a, b),
  'fused multiply-add': (n, a, b) => library('relaxed', n, a, b),
  'fused vectors': (n, a, b) => library('wide', n, a, b),
}

/** @throws Error  an element differs from its sum in float64 by more than roundings explain */
async function check(name, { result }, n, a, b) {
  const c = await result()
  for (let sample = 0; sample < SAMPLES; sample++) {
    // spread over rows and columns: 37 and 101 share no factor with a size
    const [i, j] = [(sample * 37) % n, (sample * 101) % n]
    let sum = 0
    let magnitude = 0
    for (let p = 0; p < n; p++) {
      sum += a[i * n + p] * b[p * n + j]
      magnitude += Math.abs(a[i * n + p] * b[p * n + j])
    }
    const error = Math.abs(c[i * n + j] - sum)
    if (!(error <= Math.sqrt(n) * 2 ** -24 * magnitude))
      throw new Error(`${name}: c[${i}, ${j}] is ${c[i * n + j]}, not ${sum}`)
  }
}

/** The median of `count` times of one product, in milliseconds. */
function time({ run }, count) {
  const ms = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    run()
    ms.push(performance.now() - started)
  }
  return median(ms)
}

async function prepare(n, module) {
  const [a, b] = [uniform(n * n, -1, 1, 5), uniform(n * n, -1, 1, 6)]
  const steps = []
  for (const name of names) {
    try {
      const step = await STEPS[name](n, a, b, module)
      time(step, 2)
      await check(name, step, n, a, b)
      steps.push({ name, ...step, count: Math.max(1, Math.round(TURN_MS / time(step, 1))), turns: [] })
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error
      console.log(`absent: ${name}, on Node ${process.versions.node}: ${error.message.split('. ')[0]}`)
    }
  }
  return steps
}

/** One turn. The first product is not timed: it brings the operands back into the caches. */
function turn(step) {
  if (step.count > 1) step.run()
  const ms = time(step, step.count)
  step.turns.push(ms)
  return ms
}

/** The speed of `step` relative to `before`, turn by turn. */
function gains(before, step) {
  const ratios = []
  const started = performance.now()
  while (ratios.length < PAIRS && (ratios.length < 3 || performance.now() - started < PAIRS_MS)) {
    ratios.push(turn(before) / turn(step))
  }
  return ratios
}

const speed = (n, ms) => ((2 * n ** 3) / ms / 1e6).toFixed(1)

const names = Object.keys(STEPS).slice(Math.max(0, Object.keys(STEPS).indexOf(values.from)))
const module = await compileSteps()
console.log(`Node ${process.versions.node}, load ${loadavg()[0].toFixed(1)}`)
for (const n of sizes) {
  const steps = await prepare(n, module)
  const ratios = steps.map((step, i) => (i > 0 ? gains(steps[i - 1], step) : []))
  console.log(
    `\n| ${n} x ${n} | GFLOPS: median | best | gain over the step before | workspace |\n| --- | --- | --- | --- | --- |`,
  )
  steps.forEach(({ name, turns, workspace }, i) => {
    const [q1, middle, q3] = [0.25, 0.5, 0.75].map((share) => (i > 0 ? quantile(ratios[i], share).toFixed(2) : ''))
    const gain = i > 0 ? `${middle} (${q1}-${q3})` : ''
    console.log(
      `| ${name} | ${speed(n, median(turns))} | ${speed(n, Math.min(...turns))} | ${gain} | ${formatBytes(workspace)} |`,
    )
  })
}
