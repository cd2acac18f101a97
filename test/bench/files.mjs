/**
 * A folder of 20,000 image files of mixed size, streamed: what the process holds, and how long a step waits for its data.
 *
 *   node test/bench/files.mjs [--files 20000] [--size 224] [--batch 64] [--workers 2] [--steps 0]
 *
 *   --steps N  train a ResNet-18 for N steps instead of reading all files, and print the share of time that steps wait
 *
 * The files are links to 100 different JPEGs of 64 to 1,600 pixels a side.
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { imageFolder } from '../../dist/src/files/index.js'
import { crossEntropy, data, nn, openDevice, optim, Streamer } from '../../dist/src/index.js'
import { ResNet18 } from './nets/resnet.mjs'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '20000' },
    size: { type: 'string', default: '224' },
    batch: { type: 'string', default: '64' },
    workers: { type: 'string', default: '2' },
    steps: { type: 'string', default: '0' },
  },
})
const [files, size, batch, workers, steps] = ['files', 'size', 'batch', 'workers', 'steps'].map((name) =>
  Number(values[name]),
)
const MIB = 2 ** 20

const folder = mkdtempSync(join(tmpdir(), 'sluice-images-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const random = nn.generator(5)
const side = () => Math.round(64 * 25 ** random())
for (const kind of ['a', 'b']) mkdirSync(join(folder, kind))
const originals = join(folder, 'originals')
mkdirSync(originals)
for (let i = 0; i < 100; i++) {
  const noise = { type: 'gaussian', mean: 80 + i, sigma: 30 }
  await sharp({ create: { width: side(), height: side(), channels: 3, noise } })
    .jpeg()
    .toFile(join(originals, `${i}.jpg`))
}
for (let i = 0; i < files; i++) linkSync(join(originals, `${i % 100}.jpg`), join(folder, i % 2 ? 'a' : 'b', `${i}.jpg`))
rmSync(originals, { recursive: true })
sharp.cache(false)

const { train } = await imageFolder(folder, { size, workers })
const before = process.memoryUsage().rss
let most = before
const sample = () => {
  most = Math.max(most, process.memoryUsage().rss)
}
const started = performance.now()
if (steps === 0) {
  let read = 0
  for await (const { inputs } of data.miniBatches(train, { batch })) {
    read += inputs.shape[0]
    sample()
  }
  const seconds = (performance.now() - started) / 1000
  console.log(`${read} files of ${train.length} in ${seconds.toFixed(0)} s, ${(read / seconds).toFixed(0)} a second`)
} else {
  const device = await openDevice('cpu', { memory: '1GiB', simd: 'wide' })
  const model = new ResNet18(device, 64)
  const optimizer = optim.sgd(model, { learningRate: 0.01 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer })
  let [learning, count, first] = [0, 0, 0]
  for await (const { ms } of streamer.fit(train, { batch })) {
    count++
    if (count === 1) first = performance.now()
    else learning += ms
    sample()
    if (count > steps) break
  }
  const waited = 1 - learning / (performance.now() - first)
  console.log(
    `${count - 1} steps of ${batch}, ${(learning / (count - 1)).toFixed(0)} ms each; waiting ${(100 * waited).toFixed(1)} % of the time`,
  )
  await device.close()
}
console.log(`the process held ${(most / MIB).toFixed(0)} MiB at most, ${(before / MIB).toFixed(0)} MiB before it began`)
