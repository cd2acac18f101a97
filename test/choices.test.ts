/**
 * Gradients that are 0 by choice, and corner cases, on every kind of device that runs here. The tests on a GPU are in
 * gpu/choices.gl.ts.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import { HeapDevice } from '../src/device/heap-device.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { ops } from '../src/ops/table.js'
import { scope } from '../src/step/scope.js'
import { requireGrad, tensor } from '../src/tensor/create.js'
import { holdsWhatIsChosen } from './choices.js'
import { holdsAtCorners } from './corners.js'
import { StrictDevice } from './devices.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'
import { variants } from './variants.js'

const RUNS = { seed: 10, numRuns: 3 * TEST_RUNS }
const MEMORY = 1 << 20

const devices = [
  ...[...variants, 'none' as const].map(
    (simd) => [`cpu, ${simd}`, new HeapDevice('cpu', new HeapAllocator(MEMORY), { simd, threads: 1 })] as const,
  ),
  ['reference', new HeapDevice('reference', new HeapAllocator(MEMORY))] as const,
  ['reference without aliasing', new StrictDevice('reference', new HeapAllocator(MEMORY))] as const,
]

for (const [name, device] of devices) {
  test(`${name}: compositions whose outer derivative is infinite where the inner one is 0`, () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), (seed) => holdsWhatIsChosen(device, seed)),
      RUNS,
    ))

  test(`${name}: quotients, powers and losses where a formula taken literally is NaN`, () =>
    holdsAtCorners(device, 2 ** -23))

  test(`${name}: with given statistics an infinite input does not enter its own gradient`, async () => {
    const x = requireGrad(tensor(device, [[[[Infinity, -Infinity, Number.NaN, 0, 1]]]]))
    const [mean, variance, gamma, beta] = [0.5, 4, 2, 1].map((value) => tensor(device, [value]))
    scope(device, () =>
      backward(ops.sum(ops.sigmoid(ops.frozenBatchNorm2d(x, mean, variance, gamma, beta, { eps: 0 })))),
    )
    const dx = await x.grad?.data()
    // sigmoid' at Infinity, -Infinity, h = -0.25 and 0.25; gamma h + 1
    const slope = (h: number) => 1 / (1 + Math.exp(-2 * h - 1)) / (1 + Math.exp(2 * h + 1))
    const wanted = [0, 0, Number.NaN, slope(-0.25), slope(0.25)]
    wanted.forEach((value, i) => {
      const close = Object.is(dx?.[i], value) || Math.abs((dx?.[i] ?? Number.NaN) - value) < 1e-7
      assert.ok(close, `element ${i} is ${dx?.[i]}, not ${value}`)
    })
    x.grad?.dispose()
    for (const t of [x, mean, variance, gamma, beta]) t.dispose()
  })

  test(`${name}: slopes that happen to be 0 are multiplied, as in PyTorch`, async () => {
    for (const f of [ops.square, (x: ReturnType<typeof ops.abs>) => ops.mul(x, x)]) {
      const x = requireGrad(tensor(device, [0]))
      scope(device, () => backward(ops.sum(ops.sqrt(f(x)))))
      assert.equal([...((await x.grad?.data()) ?? [])], [Number.NaN])
      x.grad?.dispose()
      x.dispose()
    }
  })
}

test.run()
