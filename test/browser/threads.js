/** Matrix products on threads: their bits, who computed them, and what this platform can do. */
import { canThread, instantiate, RUNTIME_BYTES, simd, simdVariants, Workers } from '../../dist/kernels/simd/index.js'

const SIDE = 256
const BYTES = SIDE * SIDE * 4
const PATIENCE_MS = 20_000

/** Multiplies until every worker is there and has done a part, or time is up. */
export async function multiply(threads) {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: threads > 1 })
  const [variant] = simdVariants()
  const assembly = instantiate(variant, memory)
  const workers = new Workers(variant, assembly, memory, threads)
  if (threads > 1) workers.start()

  const [a, b, c, workspace] = [0, 1, 2, 3].map((i) => RUNTIME_BYTES + i * BYTES)
  const values = (at) => new Float32Array(memory.buffer, at, SIDE * SIDE)
  values(a).forEach((_, i, x) => {
    x[i] = Math.fround(((i * 7919) % 1000) / 500 - 1)
  })
  values(b).set(values(a).slice().reverse())
  const sizes = { batch: 1, offsetsA: [0], offsetsB: [0], m: SIDE, k: SIDE, n: SIDE }
  const parameters = { ...sizes, transposeA: false, transposeB: false, bias: false, accumulate: false }
  const end = performance.now() + PATIENCE_MS
  do {
    simd.matmul.run(assembly, parameters, [a, b], [c], workspace)
    // a page starts its workers when it has nothing else to do
    await new Promise((resolve) => setTimeout(resolve))
  } while ((assembly.workers() < threads - 1 || assembly.itemsOfWorkers() < threads - 1) && performance.now() < end)
  const result = { canThread, variant, workers: assembly.workers(), items: assembly.itemsOfWorkers() }
  workers.close()
  return { ...result, bits: [...new Int32Array(values(c).slice().buffer)] }
}
