/**
 * linearCrossEntropy beside crossEntropy(linear(...)): the time and the bytes of forward and backward over a large vocabulary.
 *
 *   npm run --prefix test/bench vocabulary -- [--rows 1024] [--width 256] [--classes 50000] [--rounds 10] [--threads N] [--simd wide]
 *
 * The forms take turns. Times are minima of the CPU time of all threads and of the wall. `logits` is the product of the
 * logits alone: the cost of making them again in the backward. Peaks are those of the device beside features, weights and
 * gradients.
 */
import { parseArgs } from 'node:util'
import {
  backward,
  crossEntropy,
  linear,
  linearCrossEntropy,
  mul,
  nn,
  noGrad,
  openDevice,
  requireGrad,
  scope,
  tensor,
} from '../../dist/src/index.js'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1024' },
    width: { type: 'string', default: '256' },
    classes: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '10' },
    threads: { type: 'string' },
    simd: { type: 'string' },
  },
})
const [rows, width, classes, rounds] = [values.rows, values.width, values.classes, values.rounds].map(Number)
const device = await openDevice('cpu', {
  memory: '3GiB',
  ...(values.threads ? { threads: Number(values.threads) } : {}),
  ...(values.simd ? { simd: values.simd } : {}),
})

const random = nn.generator(1)
const leaf = (shape, size) => {
  const count = shape.reduce((a, b) => a * b, 1)
  return requireGrad(
    tensor(
      device,
      Float32Array.from({ length: count }, () => (random() - 0.5) * size),
      shape,
    ),
  )
}
const [x, weight, bias] = [leaf([rows, width], 2), leaf([classes, width], 0.2), leaf([classes], 0.1)]
const targets = tensor(
  device,
  Float32Array.from({ length: rows }, () => Math.floor(random() * classes)),
)

const step = (lossOf) => () =>
  scope(device, () => {
    // features are the output of a layer
    const loss = lossOf(mul(x, 1))
    backward(loss)
    return loss
  })
const FORMS = {
  plain: step((features) => crossEntropy(linear(features, weight, bias), targets)),
  chunked: step((features) => linearCrossEntropy(features, weight, targets, { bias })),
  logits: () => noGrad(device, () => scope(device, () => linear(x, weight, bias).slice([0, 0], [1, 1]))),
}

const best = {}
for (let round = 0; round <= rounds; round++) {
  for (const [name, form] of Object.entries(FORMS)) {
    device.allocator.resetPeak()
    const standing = device.memory.heldBytes
    const [cpu, start] = [process.cpuUsage(), performance.now()]
    const result = form()
    await result.data()
    const [wallMs, cpuMs] = [performance.now() - start, process.cpuUsage(cpu).user / 1000]
    const peakBytes = device.memory.peakHeldBytes - standing
    result.dispose()
    // the first round makes the gradients and compiles
    if (round === 0) continue
    const before = best[name] ?? { wallMs: Infinity, cpuMs: Infinity }
    best[name] = { wallMs: Math.min(before.wallMs, wallMs), cpuMs: Math.min(before.cpuMs, cpuMs), peakBytes }
  }
}
console.log(`${rows} rows of ${width} over ${classes} classes, Node ${process.versions.node}`)
for (const [name, { wallMs, cpuMs, peakBytes }] of Object.entries(best)) {
  const ratios = `${(wallMs / best.plain.wallMs).toFixed(2)} of plain, cpu ${(cpuMs / best.plain.cpuMs).toFixed(2)}`
  console.log(`${name.padEnd(8)} ${wallMs.toFixed(0)} ms, ${ratios}; ${(peakBytes / 2 ** 20).toFixed(1)} MiB`)
}
await device.close()
