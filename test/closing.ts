/**
 * A process of its own, for closing.test.ts: `node --expose-gc closing.js KIND COUNT`. Opens and closes devices of
 * 128 MiB, one after the other, writes all of each and lets its second thread work; keeps every device and a tensor of
 * each. Prints by how many bytes the process has grown since the first was closed, how many tensors were kept, and how
 * many worker threads were started.
 */
import { openDevice, square, type Tensor, zeros } from '../src/index.js'

const [kind, count] = process.argv.slice(2)
const BYTES = 2 ** 27
const kept: Tensor[] = []

const threads = process.getBuiltinModule('node:worker_threads')
let workers = 0
threads.Worker = new Proxy(threads.Worker, {
  construct(Worker, args: ConstructorParameters<typeof threads.Worker>) {
    workers++
    return new Worker(...args)
  },
})

async function residentBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage.rss()
}

let first = 0
for (let i = 0; i < Number(count); i++) {
  const device = await openDevice(kind === 'reference' ? 'reference' : 'cpu', { memory: BYTES, threads: 2 })
  const x = zeros(device, [(BYTES / 2 - 2 ** 20) / device.elementBytes])
  zeros(device, [x.size]).dispose()
  const part = zeros(device, [2 ** 16])
  // enough kernels that the device starts a worker thread
  for (let round = 0; round < 200; round++) square(part).dispose()
  part.dispose()
  kept.push(x)
  await device.close()
  if (i === 0) first = await residentBytes()
}
console.log(JSON.stringify({ grownBytes: (await residentBytes()) - first, kept: kept.length, workers }))
