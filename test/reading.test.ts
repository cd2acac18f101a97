/**
 * The test to read first. fast-check draws the inputs, the library computes through its public functions, and the
 * expected values come from arithmetic outside the library.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward, openDevice, requireGrad, scope, tensor } from '../src/index.js'
import { fc } from './property.js'

/** Sixteenths between -2 and 2. Binary floats hold them and their sums exactly, and they shrink to 0. */
const number = fc.integer({ min: -32, max: 32 }).map((n) => n / 16)
const pairs = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 8 })

const device = await openDevice('cpu', { memory: '64KiB' })

test('the gradient of sum(a b) is b for a, and a for b', async () => {
  const property = fc.asyncProperty(pairs, async (drawn) => {
    const a = drawn.map(([a]) => a)
    const b = drawn.map(([, b]) => b)
    const x = requireGrad(tensor(device, a))
    const y = requireGrad(tensor(device, b))
    scope(device, () => backward(x.mul(y).sum()))
    assert.equal([await x.grad?.array(), await y.grad?.array()], [b, a])
    for (const each of [x.grad, x, y.grad, y]) each?.dispose()
  })
  await fc.assert(property, { seed: 1 })
})

test('a tensor that was disposed gives all its bytes back', () => {
  const held = device.memory.heldBytes
  fc.assert(
    fc.property(pairs, (drawn) => {
      tensor(device, drawn).dispose()
      assert.is(device.memory.heldBytes, held)
    }),
    { seed: 2 },
  )
})

test.run()
