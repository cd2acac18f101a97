/** A parameter that is frozen after its optimizer was made: left alone, by hand and through a Streamer, until it is thawed. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openDevice } from '../src/device/open.js'
import { Parameter, Sequential } from '../src/nn/index.js'
import { Linear } from '../src/nn/layers.js'
import { add, mul } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { sum } from '../src/ops/reduce.js'
import { adam, adamw, type Optimizer, sgd } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { Streamer } from '../src/stream/streamer.js'
import { fromHost, tensor } from '../src/tensor/create.js'
import { randomBatch } from './fixtures.js'

interface Leaves {
  a: Parameter
  b: Parameter
}

/**
 * b is frozen in some of the steps; values of a and b after two of them, from PyTorch 1.13:
 *
 *     def run(make, frozen, rows, clip=None):
 *         a = torch.tensor([1, -2, 3], dtype=torch.float64, requires_grad=True)
 *         b = torch.tensor([0.5, -0.25], dtype=torch.float64, requires_grad=True)
 *         optimizer = make(a, b)
 *         values = []
 *         for t in range(1, 7):
 *             optimizer.zero_grad(set_to_none=True)
 *             a.grad = torch.tensor([0.5 * t, -1, 0.25 * t * t], dtype=torch.float64)
 *             if t not in frozen: b.grad = torch.tensor([2 - t, 0.125], dtype=torch.float64)
 *             if clip: torch.nn.utils.clip_grad_norm_([a, b], clip)
 *             optimizer.step()
 *             values.append([round(v, 12) for v in [*a.tolist(), *b.tolist()]])
 *         return [values[row - 1] for row in rows]
 *
 *     SGD([a, b], lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01), (2, 3), [3, 6]    # and so on, as below
 */
interface Case {
  make(leaves: Leaves): Optimizer
  frozen: readonly number[]
  rows: readonly number[]
  values: readonly (readonly number[])[]
}

const learningRate = 0.1
const CASES: Readonly<Record<string, Case>> = {
  momentum: {
    make: ({ a, b }) =>
      sgd([{ parameters: [a, b] }], { learningRate, momentum: 0.9, dampening: 0.5, weightDecay: 0.01 }),
    frozen: [2, 3],
    rows: [3, 6],
    values: [
      [0.69046213725, -1.5758992745, 2.712348943, 0.3995, -0.26225],
      [-0.36496048446, -0.853968548019, 0.673591313752, 0.909167239238, -0.326419010236],
    ],
  },
  'clipping, by the norm of the trained parameters': {
    make: ({ a, b }) => sgd([{ parameters: [a, b] }], { learningRate, weightDecay: 0.01, clipNorm: 1.5 }),
    frozen: [2, 3],
    rows: [3, 6],
    values: [
      [0.783391616518, -1.757352281177, 2.762905491626, 0.401192233967, -0.262038470754],
      [0.627318078396, -1.687509072593, 2.378491470677, 0.57828844169, -0.26932519395],
    ],
  },
  Adam: {
    make: ({ a, b }) =>
      adam([{ parameters: [a, b] }], { learningRate, betas: [0.8, 0.99], eps: 1e-3, weightDecay: 0.1 }),
    frozen: [2, 3],
    rows: [3, 6],
    values: [
      [0.701521651865, -1.700416506468, 2.707882808991, 0.400095147479, -0.34900990099],
      [0.391171399344, -1.401777038932, 2.410852801481, 0.600909108625, -0.639355253908],
    ],
  },
  'AdamW, clipped': {
    make: ({ a, b }) => adamw([{ parameters: [a, b] }], { learningRate, weightDecay: 0.1, clipNorm: 1.5 }),
    frozen: [2, 3],
    rows: [3, 6],
    values: [
      [0.676579175985, -1.649063828307, 2.630925401757, 0.395000001017, -0.347499991862],
      [0.370294736772, -1.357918862365, 2.263359173738, 0.418668294067, -0.568686641745],
    ],
  },
  'momentum that begins late': {
    make: ({ a, b }) => sgd([{ parameters: [a, b] }], { learningRate, momentum: 0.9, dampening: 0.5 }),
    frozen: [1, 2],
    rows: [2, 4],
    values: [
      [0.855, -1.76, 2.9025, 0.5, -0.25],
      [0.45005, -1.3756, 2.364775, 0.79, -0.28],
    ],
  },
  'Adam that begins late': {
    make: ({ a, b }) => adam([{ parameters: [a, b] }], { learningRate }),
    frozen: [1, 2],
    rows: [2, 4],
    values: [
      [0.803481800639, -1.800000002, 2.811562356155, 0.5, -0.25],
      [0.611640652893, -1.600000004, 2.638309918617, 0.696518200972, -0.449999984],
    ],
  },
}

const leavesOn = (device: Device): Leaves => ({
  a: new Parameter(device, [3], () => [1, -2, 3]),
  b: new Parameter(device, [2], () => [0.5, -0.25]),
})

const valuesOf = async ({ a, b }: Leaves): Promise<number[]> => [...(await a.data()), ...(await b.data())]

function take({ make: _, frozen }: Case, optimizer: Optimizer, { a, b }: Leaves, t: number): void {
  const { device } = optimizer
  b.requiresGrad = !frozen.includes(t)
  optimizer.zeroGrad()
  scope(device, () => {
    const lossA = sum(mul(a, tensor(device, [0.5 * t, -1, 0.25 * t * t])))
    const lossB = sum(mul(b, tensor(device, [2 - t, 0.125])))
    backward(add(lossA, lossB))
  })
  optimizer.step()
}

for (const [name, drawn] of Object.entries(CASES)) {
  for (const [kind, tolerance] of [
    ['reference', 2e-12],
    ['cpu', 2e-6],
  ] as const) {
    test(`frozen for a while, as in PyTorch, even across a saved state: ${name}, on ${kind}`, async () => {
      const device = await openDevice(kind, { memory: '64KiB' })
      let leaves = leavesOn(device)
      let optimizer = drawn.make(leaves)
      for (let t = 1; t <= drawn.rows[1]; t++) {
        take(drawn, optimizer, leaves, t)
        const row = drawn.rows.indexOf(t)
        if (row < 0) continue
        const seen = await valuesOf(leaves)
        drawn.values[row].forEach((value, i) => {
          assert.ok(Math.abs(seen[i] - value) <= tolerance, `step ${t}: element ${i} is ${seen[i]}, not ${value}`)
        })
        const state = await optimizer.stateDict()
        assert.equal(state.updates, { 0: t, 1: t - drawn.frozen.filter((step) => step <= t).length })
        // every parameter requires a gradient when the optimizer is made
        leaves = {
          a: new Parameter(device, [3], () => seen.slice(0, 3)),
          b: new Parameter(device, [2], () => seen.slice(3)),
        }
        optimizer = drawn.make(leaves)
        optimizer.loadStateDict(state)
      }
    })
  }
}

test('all frozen: nothing moves, and the norm is 0', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const leaves = leavesOn(device)
  const optimizer = adamw([{ parameters: [leaves.a, leaves.b] }], { clipNorm: 1 })
  scope(device, () => backward(sum(mul(leaves.a, leaves.a))))
  optimizer.step()
  assert.ok((await optimizer.gradNorm()) > 0)
  const before = await valuesOf(leaves)
  for (const leaf of [leaves.a, leaves.b]) leaf.requiresGrad = false
  optimizer.step()
  assert.is(await optimizer.gradNorm(), 0)
  assert.equal(await valuesOf(leaves), before)
})

/** A step by hand. @returns the norm of the gradient of all parameters that require one */
async function stepByHand(model: Sequential, optimizer: Optimizer, batch: ReturnType<typeof flat>): Promise<number> {
  const { device } = model
  optimizer.zeroGrad()
  scope(device, () =>
    backward(crossEntropy(model.forward(fromHost(device, batch.inputs)), fromHost(device, batch.targets))),
  )
  const trained = model.parameters().filter(({ requiresGrad }) => requiresGrad)
  const gradients = await Promise.all(trained.map(async ({ grad }) => [...((await grad?.data()) ?? [])]))
  optimizer.step()
  return Math.hypot(...gradients.flat())
}

function flat(samples: number, seed: number) {
  const { inputs, targets } = randomBatch(samples, seed)
  return { inputs: { ...inputs, shape: [samples, 32] }, targets }
}

for (const make of [
  (model: Sequential) => sgd(model, { learningRate, momentum: 0.9, weightDecay: 0.01, clipNorm: 0.5 }),
  (model: Sequential) => adamw(model, { learningRate, clipNorm: 0.5 }),
]) {
  test('a layer that is frozen between two steps of a Streamer, and thawed again, trains as in a loop by hand', async () => {
    const build = async () => {
      const device = await openDevice('reference', { memory: '256KiB' })
      const model = new Sequential(new Linear(device, 32, 6), new Linear(device, 6, 3))
      model.loadStateDict(Object.fromEntries(values.map(([name, shape]) => [name, { shape, data: fill(name, shape) }])))
      return { model, optimizer: make(model) }
    }
    const values = [
      ['0.weight', [6, 32]],
      ['0.bias', [6]],
      ['1.weight', [3, 6]],
      ['1.bias', [3]],
    ] as const
    const fill = (name: string, shape: readonly number[]) =>
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(name.length + 7 * i) / 4)
    const [byHand, streamed] = [await build(), await build()]
    for (let step = 0; step < 6; step++) {
      const frozen = step === 2 || step === 3
      for (const { model } of [byHand, streamed]) {
        for (const parameter of [...model.parameters()].slice(0, 2)) parameter.requiresGrad = !frozen
      }
      const batch = flat(7, step)
      const before = await streamed.model.stateDict()
      // each state has a Streamer of its own; plans that become invalid are tested elsewhere
      const streamer = new Streamer({ ...streamed, loss: crossEntropy })
      const { gradNorm } = await streamer.step(batch, { microBatch: 3 })
      streamer.dispose()
      const norm = await stepByHand(byHand.model, byHand.optimizer, batch)
      assert.ok(Math.abs(gradNorm - norm) <= 1e-12 * norm, `${gradNorm} is not ${norm}`)
      const [seen, wanted] = [await streamed.model.stateDict(), await byHand.model.stateDict()]
      for (const [name, { data }] of Object.entries(wanted)) {
        data.forEach((value, i) => {
          assert.ok(Math.abs(seen[name].data[i] - value) <= 1e-12, `${name} in step ${step}`)
        })
        if (frozen && name.startsWith('0.')) assert.equal(seen[name], before[name])
      }
    }
  })
}

test.run()
