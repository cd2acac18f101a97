/**
 * The time of a step with exact batch norm beside the same step with the statistics of each micro-batch: a ResNet-18.
 *
 *   node test/bench/passes.mjs [--width 16] [--batch 256] [--micro-batch 16] [--pairs 5] [--stores 0.55,0.3]
 *
 *   --stores  budgets of the store, as shares of what PyTorch's eager mode saves of the mini-batch (nets/pytorch.json)
 *
 * Steps alternate, on one thread. A ratio compares the shortest steps.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { crossEntropy, nn, openDevice, optim, Streamer } from '../../dist/src/index.js'
import { ResNet18 } from './nets/resnet.mjs'

const { values } = parseArgs({
  options: {
    width: { type: 'string', default: '16' },
    batch: { type: 'string', default: '256' },
    'micro-batch': { type: 'string', default: '16' },
    pairs: { type: 'string', default: '5' },
    stores: { type: 'string', default: '0.55,0.3' },
  },
})
const [width, samples, microBatch, pairs] = [values.width, values.batch, values['micro-batch'], values.pairs].map(
  Number,
)
const { resnet18 } = JSON.parse(readFileSync(new URL('nets/pytorch.json', import.meta.url), 'utf8')).peakBytes
// saved tensors are in proportion to the width
const savedBytes = (((resnet18[32] - resnet18[16]) / 16) * samples * width) / 64

const random = nn.generator(7)
const batch = {
  inputs: { data: Float32Array.from({ length: samples * 3072 }, () => 2 * random() - 1), shape: [samples, 3, 32, 32] },
  targets: { data: Int32Array.from({ length: samples }, (_, i) => i % 10), shape: [samples] },
}

async function player(policy, store) {
  const device = await openDevice('cpu', { memory: '3GiB', threads: 1 })
  const model = new ResNet18(device, width)
  nn.setBatchNormPolicy(model, policy)
  const optimizer = optim.sgd(model, { learningRate: 0.01 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer, store, recompute: 'never' })
  const plan = streamer.plan({ batch: samples, microBatch, inputShape: [3, 32, 32] })
  return { streamer, plan, best: Infinity }
}

for (const share of values.stores.split(',').map(Number)) {
  const players = [await player('micro'), await player('exact', Math.round(share * savedBytes))]
  for (let pair = 0; pair <= pairs; pair++) {
    for (const each of players) {
      const { ms } = await each.streamer.step(batch, { microBatch })
      if (pair > 0) each.best = Math.min(each.best, ms)
    }
  }
  const [micro, exact] = players
  const { passes, storeBytes, storeTrafficBytes, extraTime, plannedPeakBytes } = exact.plan
  console.log(
    `store ${share} of PyTorch's: exact / micro ${(exact.best / micro.best).toFixed(2)} ` +
      `(${exact.best.toFixed(0)} and ${micro.best.toFixed(0)} ms), ${passes} passes, store ${storeBytes} bytes, traffic ` +
      `${storeTrafficBytes}, peak on the device ${plannedPeakBytes} (micro ${micro.plan.plannedPeakBytes}), predicted ` +
      `extra time ${(100 * extraTime).toFixed(0)} %`,
  )
  for (const { streamer } of players) await streamer.model.device.close()
}
