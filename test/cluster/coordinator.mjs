/** A coordinator of the tests, or a plain Streamer if there is no `redis`. The argument is a JSON object. */

import { serve } from '../../dist/src/cluster/index.js'
import { crossEntropy, loadCheckpoint, openDevice, optim, Streamer, saveCheckpoint } from '../../dist/src/index.js'
import { bitsOf, netOf, say, sourceOf } from './nets.mjs'

const options = JSON.parse(process.argv[2])
const {
  redis,
  memory,
  threads = 1,
  batch,
  steps,
  microBatch,
  range,
  smallest,
  send,
  ahead,
  checkpoint,
  resume,
  start = 0,
} = options
const device = await openDevice('cpu', { memory, threads })
const source = sourceOf(options)
const model = netOf(device, options, source)
const streamer = new Streamer({
  model,
  loss: crossEntropy,
  optimizer: optim.adam(model, { learningRate: 0.003 }),
  seed: 7,
})
if (resume) streamer.restore(await loadCheckpoint(checkpoint))
else if (checkpoint) await saveCheckpoint(await streamer.checkpoint(), checkpoint)
const cluster = redis && (await serve({ streamer, redis, ahead }))
if (cluster) {
  // measurements begin with so many workers
  while ((await cluster.status()).workers.length < start) await new Promise((resolve) => setTimeout(resolve, 100))
}
const fit = { batch, microBatch, epochs: 1e6, from: streamer.cursor }
const training = cluster ? cluster.fit(source, { ...fit, range, smallest, send }) : streamer.fit(source, fit)
say('ready', {})
const began = performance.now()
for await (const { step, loss, ms, peakBytes, plannedPeakBytes, parts } of training) {
  const heldBytes = device.memory.heldBytes
  if (checkpoint) await saveCheckpoint(await streamer.checkpoint(), checkpoint)
  say('step', {
    step,
    loss,
    ms,
    peakBytes,
    plannedPeakBytes,
    parts,
    heldBytes,
    ...(step % 100 === 0 && { heap: heapNow() }),
  })
  if (step >= steps) break
}
const status = cluster && (await cluster.status())
const saved = await streamer.checkpoint()
const numbers = options.values
  ? Object.fromEntries(Object.entries(saved.model).map(([k, { data }]) => [k, [...data]]))
  : undefined
say('end', { bits: bitsOf(saved), status, wallMs: performance.now() - began, numbers })
await cluster?.close()
await device.close()

function heapNow() {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heapUsed, arrayBuffers, rss }
}
