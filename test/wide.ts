/**
 * A process of its own, for wide.test.ts: `node wide.js MODE [close | OTHERS]`. Writes to the error stream, as JSON, what it saw;
 * the output belongs to V8.
 *
 *   other   runs the SIMD module of another library, its function number OTHERS, until V8 has compiled it
 *   fused   the same while V8's option is on
 *   sluice  the same after a device has been opened with `wide`, has worked and has been closed
 *   brief   opens a device with `wide`, uses it and closes it or, without `close`, ends the process while it is open
 */
import { setFlagsFromString } from 'node:v8'
import { matmul, openDevice, zeros } from '../src/index.js'

/**
 * The module of another library: y += a x, two vectors at a time.
 *
 *   saxpy(n: i32, a: f32, x: i32, y: i32)
 */
const SAXPY =
  '017b2001fd132104200220004102746a21000340200020024b044020032003fd00040020042002fd000400fde601fde401fd0b0400' +
  '20032003fd00041020042002fd000410fde601fde401fd0b0410200341206a2103200241206a21020c010b0b0b'

/** The module: before saxpy come functions that do nothing, and give saxpy a number that tells it from Sluice's functions. */
function otherModule(others: number): Uint8Array<ArrayBuffer> {
  const number = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...number(n >> 7)])
  const section = (id: number, bytes: number[]): number[] => [id, ...number(bytes.length), ...bytes]
  const list = (items: number[][]): number[] => [...number(items.length), ...items.flat()]
  const sized = (bytes: number[]): number[] => [...number(bytes.length), ...bytes]
  const text = (name: string): number[] => sized([...Buffer.from(name)])
  const [i32, f32] = [0x7f, 0x7d]
  const nothing = sized([0, 0x0b])
  const saxpy = sized([1, ...Buffer.from(SAXPY, 'hex')])
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, ...list([[i32], [f32], [i32], [i32]]), 0]])),
    ...section(3, list(Array.from({ length: others + 1 }, () => [0]))),
    ...section(5, list([[0, 2]])),
    ...section(
      7,
      list([
        [...text('memory'), 2, 0],
        [...text('saxpy'), 0, ...number(others)],
      ]),
    ),
    ...section(10, list([...Array.from({ length: others }, () => nothing), saxpy])),
  ])
}

/** Runs saxpy for a second; returns the sum of y. */
async function runOther(others: number): Promise<number> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(otherModule(others)))
  const { memory, saxpy } = exports as { memory: WebAssembly.Memory; saxpy: (...numbers: number[]) => void }
  const [n, x, y] = [4096, 0, 65536]
  const numbers = new Float32Array(memory.buffer)
  for (let i = 0; i < n; i++) numbers[i] = Math.sin(i)
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 500; i++) saxpy(n, 1 / 3, x, y)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return numbers.subarray(y / 4, y / 4 + n).reduce((sum, value) => sum + value, 0)
}

async function runSluice(close: boolean): Promise<void> {
  const device = await openDevice('cpu', { memory: '4MiB', simd: 'wide', threads: 2 })
  const [a, b] = [zeros(device, [256, 256]), zeros(device, [256, 256])]
  matmul(a, b).dispose()
  if (close) await device.close()
}

const [mode, word] = process.argv.slice(2)
if (mode === 'fused') setFlagsFromString('--experimental-wasm-revectorize')
if (mode === 'sluice' || mode === 'brief') await runSluice(mode === 'sluice' || word === 'close')
console.error(JSON.stringify({ sum: mode === 'brief' ? 0 : await runOther(Number(word)) }))
if (mode === 'brief') process.exit(0)
