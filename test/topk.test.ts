/** topk against sorting by hand, its gradient, and what it refuses. PyTorch's numbers: pytorch.test.ts. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError, checkGradient, openDevice, ShapeError, tensor, topk } from '../src/index.js'
import { errorOf } from './error-of.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

/** Few different values, so that many tie. */
const values = fc.constantFrom(0, 1, -1, 2.5, Infinity, -Infinity)

for (const kind of ['reference', 'cpu'] as const) {
  test(`${kind}: the first of a stable sort from the largest down, along any axis`, async () => {
    const device = await openDevice(kind, { memory: '1MiB' })
    await fc.assert(
      fc.asyncProperty(
        fc.array(values, { minLength: 12, maxLength: 12 }),
        fc.constantFrom(0, 1, -1),
        fc.integer({ min: 1, max: 3 }),
        async (data, axis, k) => {
          const length = axis === 0 ? 3 : 4
          const x = tensor(device, data, [3, 4])
          const [found, places] = topk(x, k, axis)
          const [y, at] = [await found.array(), await places.array()] as number[][][]
          for (let line = 0; line < 12 / length; line++) {
            const own = Array.from({ length }, (_, i) => data[axis === 0 ? 4 * i + line : 4 * line + i])
            const order = own.map((_, i) => i).sort((a, b) => (own[a] === own[b] ? a - b : own[b] - own[a]))
            const seen = (rows: number[][]) => (axis === 0 ? rows.map((row) => row[line]) : rows[line])
            assert.equal(seen(at), order.slice(0, k))
            assert.equal(
              seen(y),
              order.slice(0, k).map((i) => own[i]),
            )
          }
          for (const each of [x, found, places]) each.dispose()
        },
      ),
      { numRuns: TEST_RUNS },
    )
    assert.is(device.memory.held.activation, 0, 'temporaries are freed, also outside of a scope')
  })
}

test('its gradient goes to the values that were found', async () => {
  const { ok } = await checkGradient(
    (x) => topk(x, 2, 0)[0].square(),
    [
      [
        [1, 2, 0.5],
        [3, -1, 4],
        [2, 5, 1.5],
      ],
    ],
  )
  assert.ok(ok)
})

test('a wrong k or axis is refused, before anything is made', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const x = tensor(device, [[1, 2, 3]])
  const { heldBytes } = device.memory
  const refused: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
    [() => topk(x, 4), ArgumentError, /topk: k is 4; along axis 1 of \[1, 3\] it must be from 1 to 3/],
    [() => topk(x, 0), ArgumentError, /topk: k is 0/],
    [() => topk(x, 1.5), ArgumentError, /topk: k is 1.5/],
    [() => topk(x, 1, 2), ShapeError, /topk/],
    [() => topk([1] as never, 1), ArgumentError, /topk: x/],
  ]
  for (const [run, kind, says] of refused) {
    const error = await errorOf(run)
    assert.instance(error, kind)
    assert.match(String(error), says)
    assert.is(device.memory.heldBytes, heldBytes)
  }
})

test.run()
