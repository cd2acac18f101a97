import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT } from '../src/cli/io.js'
import { eventsOf, sluice, start } from './command-line.js'
import { notWide } from './variants.js'

test('devices: the available ones, and the reasons why others are missing', async () => {
  const { out } = await sluice('devices')
  assert.match(
    out,
    /^cpu +available +float32 +up to 4 GiB .*\nreference +available +float64 +up to 4 GiB +\S.*\ngpu +missing +the gpu device needs WebGL2: .* npm install gl@/,
  )
  const [cpu, , gpu] = await eventsOf('devices')
  assert.match(String(cpu.note), /^SIMD.*, (one thread|[234] threads)(; not 256 bits: .+)?$/)
  assert.is(String(cpu.note).endsWith(`; not 256 bits: ${notWide}`), notWide !== null)
  assert.equal([cpu.device, cpu.available, cpu.limitBytes, gpu.available], ['cpu', true, 2 ** 32, false])
  assert.is(cpu.event, 'device')
  // its largest budget is not known
  const refused = await sluice('train --device gpu --epochs 1 --memory 8GiB')
  assert.is(refused.code, EXIT.failed)
  assert.match(refused.err, /needs WebGL2: a browser, or in Node the package gl/)
})

/** (module (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd ...))) */
const FUSED = Buffer.from('0061736d0100000001080160037b7b7b017b030201000a0d010b00200020012002fd85020b', 'hex')

test('devices: the kernels of the cpu, on platforms with more and fewer features', async () => {
  const wide = notWide ? 'SIMD' : 'SIMD of 256 bits'
  const simd = WebAssembly.validate(FUSED) ? `${wide} with fused multiply-add` : wide
  const cores = (count: number): string => `import os from 'node:os'; os.availableParallelism = () => ${count};`
  const cases: [before: string, note: string][] = [
    [
      `${cores(1)} import v8 from 'node:v8'; v8.setFlagsFromString('--experimental-wasm-relaxed-simd')`,
      `${wide} with fused multiply-add, one thread`,
    ],
    [cores(64), `${simd}, 4 threads`],
    ['delete globalThis.SharedArrayBuffer', `${simd}, one thread: this platform cannot start threads on shared memory`],
    ['WebAssembly.validate = () => false', 'one thread; plain loops: this platform has no WebAssembly SIMD'],
  ]
  const notes = cases.map(async ([before]) => {
    const { out } = await start('devices --json', 'pipe', before).ended
    return String(JSON.parse(out.slice(0, out.indexOf('\n'))).note).replace(/ \(.*?\)|; not 256 bits: .*/g, '')
  })
  assert.equal(
    await Promise.all(notes),
    cases.map(([, note]) => note),
  )
})

test.run()
