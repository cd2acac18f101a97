/** Sums that are longer than what Mesa's software GL runs of one program's loops: 65,535 rounds. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { onGpu } from './on-gpu.js'

test('the weight gradient of many weights over many positions is complete', async () => {
  const [batch, channels, side] = [68, 32, 16]
  const p = {
    ...{
      batch,
      channels,
      outChannels: channels,
      groups: 1,
      height: side,
      width: side,
      outHeight: side,
      outWidth: side,
    },
    ...{ kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padY: 1, padX: 1 },
    accumulate: false,
  }
  const ones = new Float32Array(batch * channels * side * side).fill(1)
  const run = await onGpu()
  const [dw] = await run('convolutionWeightGradient', p, [ones, ones], [channels * channels * 9])
  // the middle tap meets every position along an axis, each of the others one less
  const along = (tap: number) => (tap === 1 ? side : side - 1)
  for (let i = 0; i < dw.length; i++) {
    assert.is(dw[i], batch * along(Math.floor(i / 3) % 3) * along(i % 3), `weight ${i}`)
  }
})

test.run()
