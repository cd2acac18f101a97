/** The module `wide`: its bits, its effect on the rest of the process, and what happens where it cannot run. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HeapDevice } from '../src/device/heap-device.js'
import { openDevice } from '../src/index.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { opTable } from '../src/ops/table.js'
import { CHILD_ENV } from './child-env.js'
import { TEST_RUNS } from './fixtures.js'
import { outcome, samplesOf } from './outcomes.js'
import { notWide } from './variants.js'

const PATIENCE_MS = 60_000
/** The number of the other library's function: larger than that of any function of Sluice. */
const OTHERS = 1000
const [major] = process.versions.node.split('.').map(Number)
/** V8 fuses vectors of the processors that have 256 bits. */
const canFuse =
  process.arch === 'x64' &&
  existsSync('/proc/cpuinfo') &&
  /\bfma\b.*\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))

const whenWide = notWide ? test.skip : test

const execute = promisify(execFile)

/** wide.ts in a process of its own. */
async function run(words: readonly string[], flags: readonly string[] = []) {
  const script = fileURLToPath(new URL('wide.js', import.meta.url))
  const { stdout, stderr } = await execute(process.execPath, [...flags, script, ...words], {
    timeout: PATIENCE_MS,
    maxBuffer: 2 ** 28,
    env: CHILD_ENV,
  })
  return { stdout, stderr, sum: (JSON.parse(stderr) as { sum: number }).sum }
}

test('it is adopted by Node from 24 on, where the processor has vectors of 256 bits', () => {
  if (major >= 24 && canFuse) assert.is(notWide, null)
  else assert.type(notWide === null || notWide.length > 10, 'boolean')
  if (major < 22) assert.match(String(notWide), 'too old')
})

whenWide('every op gives the bits of relaxed, forward and backward', async () => {
  const [wide, relaxed] = (['wide', 'relaxed'] as const).map(
    (simd) => new HeapDevice('cpu', new HeapAllocator(1 << 20), { simd }),
  )
  for (let seed = 0; seed < 3; seed++) {
    for (const [op, drawn] of samplesOf(opTable, seed)) {
      assert.equal(await outcome(wide, op, drawn), await outcome(relaxed, op, drawn), op.name)
    }
  }
})

whenWide(
  'the module of another library computes the same as before, and V8 compiles it without the option',
  async () => {
    const trace = ['--trace-wasm-revectorize']
    const fusedOther = new RegExp(`^Begin revec function wasm-function#${OTHERS}$`, 'm')
    const fusedSluice = /^Begin revec function wasm-function#\d{1,3}$/m
    const [alone, fused, after] = await Promise.all(
      ['other', 'fused', 'sluice'].map((mode) => run([mode, String(OTHERS)], trace)),
    )
    assert.not.match(alone.stdout, fusedOther)
    // if the option shows nothing here, the test would prove nothing
    assert.match(fused.stdout, fusedOther)
    assert.match(after.stdout, fusedSluice)
    assert.not.match(after.stdout, fusedOther)
    assert.equal([fused.sum, after.sum], [alone.sum, alone.sum])
  },
)

test('processes open a device with it and close it, or end without closing it: none dies or complains', async () => {
  const count = TEST_RUNS > 1 ? 200 : 6
  for (let i = 0; i < count; i += 2) {
    const seen = await Promise.all([run(['brief', 'close']), run(['brief'])])
    for (const { stdout, stderr } of seen) assert.equal([stdout, stderr], ['', '{"sum":0}\n'], `process ${i}`)
  }
})

test('where it cannot run, a device takes the best module that can', async () => {
  for (const kind of ['cpu', 'reference'] as const) {
    const [asked, plain] = await Promise.all([
      openDevice(kind, { memory: '1MiB', simd: 'wide' }),
      openDevice(kind, { memory: '1MiB' }),
    ])
    const best = (plain as HeapDevice).simd
    assert.is((asked as HeapDevice).simd, kind === 'cpu' && !notWide ? 'wide' : best)
    assert.is.not(best, 'wide')
  }
})

test.run()
