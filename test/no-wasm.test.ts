/**
 * Where WebAssembly is missing or forbidden: the library loads and plans, and opening a device says what is missing.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CHILD_ENV } from './child-env.js'

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
const LIBRARY = new URL('../src/index.js', import.meta.url).href

const node = (...args: string[]) => promisify(execFile)(process.execPath, args, { env: CHILD_ENV })

/** Opens each device, and prints the result. */
const OPENING = `
  const sluice = await import(${JSON.stringify(LIBRARY)})
  const model = sluice.models.mlp(sluice.openVirtualDevice('cpu'), { seed: 1 })
  const optimizer = sluice.optim.adam(model)
  const plan = new sluice.Streamer({ model, loss: sluice.crossEntropy, optimizer }).plan({ batch: 64 })
  const open = (kind, options) =>
    sluice.openDevice(kind, { memory: '1MiB', ...options }).then(
      async (device) => 'sum ' + (await sluice.tensor(device, [1, 2]).sum().item()),
      (error) => (error instanceof sluice.DeviceError ? 'DeviceError: ' : 'raw: ') + error.message,
    )
  console.log(JSON.stringify({
    peak: plan.plannedPeakBytes,
    cpu: await open('cpu'),
    reference: await open('reference'),
    loops: await open('cpu', { simd: 'none' }),
  }))`

interface Outcomes {
  peak: number
  cpu: string
  reference: string
  loops: string
}

async function outcomes(before: string, ...flags: string[]): Promise<Outcomes> {
  const { stdout } = await node(...flags, '--input-type=module', '-e', before + OPENING)
  return JSON.parse(stdout)
}

test('without WebAssembly the library loads and plans, and opening a device says what it needs', async () => {
  const { peak } = await outcomes('')
  for (const missing of [await outcomes('', '--jitless'), await outcomes('delete globalThis.WebAssembly\n')]) {
    assert.is(missing.peak, peak)
    assert.match(
      missing.cpu,
      /^DeviceError: the cpu device needs WebAssembly, which holds its memory, and this platform/,
    )
    assert.match(missing.reference, /^DeviceError: the reference device needs WebAssembly, which holds its memory, and/)
    assert.is(missing.loops, missing.cpu)
  }
})

test('where compiling is forbidden, the error says what to allow, and plain loops work', async () => {
  const forbidden = await outcomes(`WebAssembly.Module = class {
    constructor() {
      throw new WebAssembly.CompileError('not by this policy')
    }
  }\n`)
  assert.match(
    forbidden.cpu,
    /^DeviceError: the cpu device could not compile .* \(not by this policy\)\. .*allow 'wasm-unsafe-eval' in its/,
  )
  assert.equal([forbidden.reference, forbidden.loops], ['sum 3', 'sum 3'])
})

test('sluice devices says that they are missing, and train exits 1', async () => {
  const { stdout } = await node('--jitless', MAIN, 'devices')
  assert.match(
    stdout,
    /^cpu +missing +the cpu device needs WebAssembly.*\nreference +missing +the reference device needs/m,
  )
  const failed: unknown = await node('--jitless', MAIN, 'train', '--epochs', '1').catch((error: unknown) => error)
  assert.ok(failed instanceof Error && 'code' in failed && 'stderr' in failed)
  assert.is(failed.code, 1)
  assert.match(String(failed.stderr), /^(Warning: .*\n)?sluice: the cpu device needs WebAssembly.*\n$/)
})

test.run()
