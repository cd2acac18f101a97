/**
 * The next micro-batch is uploaded while the GPU computes this one: between the first and the last upload of a
 * mini-batch nothing waits for the GPU, so the whole mini-batch is queued ahead.
 *
 *   npm ci --prefix test/browser && node test/browser/overlap.mjs
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inPage, serving } from './page.mjs'

const LONGEST_RUN_MS = 120_000

/**
 * Runs in the page. Records for each step its calls that upload or wait, in order, its micro-batches, and the time of
 * the last upload.
 */
async function record() {
  const { crossEntropy, data, models, openDevice, optim, Streamer } = await import('sluice')
  const context = new OffscreenCanvas(1, 1).getContext('webgl2')
  let calls = []
  const waits = ['readPixels', 'getBufferSubData', 'clientWaitSync', 'finish', 'getError', 'fenceSync']
  for (const name of ['texSubImage2D', ...waits]) {
    const call = context[name].bind(context)
    context[name] = (...args) => {
      calls.push({ name, at: performance.now() })
      return call(...args)
    }
  }
  const device = await openDevice('gpu', { memory: '512KiB', context })
  const model = models.mlp(device, { seed: 1 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: optim.adam(model), seed: 1 })
  const steps = []
  let begun = performance.now()
  for await (const { parts } of streamer.fit(data.digits(), { batch: 600, epochs: 3 })) {
    const now = performance.now()
    const last = calls.findLast(({ name }) => name === 'texSubImage2D').at
    steps.push({
      names: calls.map(({ name }) => name),
      count: parts.reduce((sum, { count }) => sum + count, 0),
      queuedMs: last - begun,
      ms: now - begun,
    })
    calls = []
    begun = performance.now()
  }
  device.close()
  return steps
}

test('no upload of a mini-batch waits for the GPU', async () => {
  const steps = await serving((address) =>
    inPage(address, (page) => {
      page.setDefaultTimeout(LONGEST_RUN_MS)
      return page.evaluate(record)
    }),
  )
  // in the first steps programs are compiled, and the driver is asked whether it has room for the textures
  const { names, count, queuedMs, ms } = steps.at(-1)
  const [first, last] = [names.indexOf('texSubImage2D'), names.lastIndexOf('texSubImage2D')]
  assert.ok(count > 4, 'the mini-batch went through in one piece')
  assert.is(names.filter((name) => name === 'texSubImage2D').length, 2 * count)
  const waits = names.slice(first, last).filter((name) => name !== 'texSubImage2D')
  assert.is(waits.length, 0, `${waits.length} times ${[...new Set(waits)]}`)
  assert.ok(names.slice(last).includes('fenceSync'), 'the loss was never read')
  console.log(`${count} micro-batches: all queued after ${queuedMs.toFixed(0)} of ${ms.toFixed(0)} ms`)
})

test.run()
