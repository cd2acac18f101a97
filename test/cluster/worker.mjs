/** A worker of the tests. The argument is a JSON object: { redis, model, memory, ... } */

import { work } from '../../dist/src/cluster/index.js'
import { crossEntropy, openDevice } from '../../dist/src/index.js'
import { netOf, say, sourceOf } from './nets.mjs'

const options = JSON.parse(process.argv[2])
const { redis, memory, threads = 1, patienceMs, hasData = true } = options
const device = await openDevice('cpu', { memory, threads })
const source = sourceOf(options)
const ended = new AbortController()
process.on('SIGTERM', () => ended.abort())
let ranges = 0
const done = await work({
  model: netOf(device, options, source),
  loss: crossEntropy,
  data: hasData ? source : undefined,
  redis,
  patienceMs,
  signal: ended.signal,
  onRange: (range) => {
    if (ranges++ === 0) say('first', range)
    if (ranges % 200 === 0) say('held', { ranges, heldBytes: device.memory.heldBytes, heap: heapNow() })
  },
})
say('done', { ...done, heldBytes: device.memory.heldBytes })

function heapNow() {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heapUsed, arrayBuffers, rss }
}
