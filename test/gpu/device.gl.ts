/** The gpu device itself: what it counts is what the context has. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDevice } from '../../src/device/open.js'
import { ops } from '../../src/ops/table.js'
import { tensor } from '../../src/tensor/create.js'

test('values go up, through kernels, and down', async () => {
  const device = await openDevice('gpu', { memory: '1MiB' })
  const x = tensor(device, [1, -2, 3, -4, 5, -6, 7])
  const y = tensor(device, [[10], [20]])
  assert.equal([...(await x.data())], [1, -2, 3, -4, 5, -6, 7])
  assert.equal([...(await ops.relu(x).data())], [1, 0, 3, 0, 5, 0, 7])
  assert.equal(await ops.add(x, y).array(), [
    [11, 8, 13, 6, 15, 4, 17],
    [21, 18, 23, 16, 25, 14, 27],
  ])
  assert.equal(await ops.permute(ops.add(x, y), [1, 0]).array(), [
    [11, 21],
    [8, 18],
    [13, 23],
    [6, 16],
    [15, 25],
    [4, 14],
    [17, 27],
  ])
  device.close()
})

test.run()
