/** Optimizers against PyTorch, and their promises about state, memory and failure. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { BudgetExceededError } from '../src/memory/allocator.js'
import { ArgumentError } from '../src/memory/errors.js'
import { Parameter, StateError } from '../src/nn/index.js'
import { Linear } from '../src/nn/layers.js'
import { add, mul } from '../src/ops/binary.js'
import { sum } from '../src/ops/reduce.js'
import { adam, adamw, constant, cosine, type Optimizer, rmsprop, sgd, stepDecay, warmUp } from '../src/optim/index.js'
import { planOf } from '../src/step/pass.js'
import { scope } from '../src/step/scope.js'
import { tensor } from '../src/tensor/create.js'
import { DeviceMismatchError, DisposedError } from '../src/tensor/errors.js'
import { TEST_RUNS } from './fixtures.js'
import { fc } from './property.js'

const SEED = { seed: 20241 }

/**
 * Values of a and b after the first and the fourth step, from PyTorch 1.13:
 *
 *     import math, torch
 *     from torch.optim import SGD, Adam, AdamW, RMSprop
 *     from torch.optim.lr_scheduler import StepLR, CosineAnnealingLR, LambdaLR
 *
 *     def run(make, clip=None, schedule=None, value=None):
 *         a = torch.tensor([1, -2, 3], dtype=torch.float64, requires_grad=True)
 *         b = torch.tensor([0.5, -0.25], dtype=torch.float64, requires_grad=True)
 *         optimizer = make(a, b)
 *         scheduler = schedule and schedule(optimizer)
 *         rows = []
 *         for t in range(1, 5):
 *             a.grad = torch.tensor([0.5 * t, -1, 0.25 * t * t], dtype=torch.float64)
 *             b.grad = torch.tensor([2 - t, 0.125], dtype=torch.float64)
 *             if clip: torch.nn.utils.clip_grad_norm_([a, b], clip)
 *             if value: torch.nn.utils.clip_grad_value_([a, b], value)
 *             optimizer.step()
 *             if scheduler: scheduler.step()
 *             rows.append([round(v, 12) for v in [*a.tolist(), *b.tolist()]])
 *         return [rows[0], rows[3]]
 *
 *     cases = {
 *         'plain': run(lambda a, b: SGD([a, b], lr=0.1)),
 *         'decay': run(lambda a, b: SGD([a, b], lr=0.1, weight_decay=0.01)),
 *         'momentum': run(lambda a, b: SGD([a, b], lr=0.1, momentum=0.9)),
 *         'dampening': run(lambda a, b: SGD([a, b], lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01)),
 *         'nesterov': run(lambda a, b: SGD([a, b], lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)),
 *         'sgdClip': run(lambda a, b: SGD([a, b], lr=0.1, momentum=0.9, weight_decay=0.01), clip=1.5),
 *         'adam': run(lambda a, b: Adam([a, b])),
 *         'adamDecay': run(lambda a, b: Adam([a, b], lr=0.1, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.1)),
 *         'adamw': run(lambda a, b: AdamW([a, b])),
 *         'adamwDecay': run(lambda a, b: AdamW([a, b], lr=0.1, weight_decay=0.1)),
 *         'adamwClip': run(lambda a, b: AdamW([a, b], lr=0.1), clip=1.5),
 *         'groups': run(lambda a, b: SGD([{'params': [a], 'weight_decay': 0.1}, {'params': [b], 'lr': 0.5, 'momentum': 0}], lr=0.1, momentum=0.9)),
 *         'stepDecay': run(lambda a, b: SGD([a, b], lr=0.1), schedule=lambda o: StepLR(o, 2, gamma=0.5)),
 *         'cosine': run(lambda a, b: Adam([a, b], lr=0.1), schedule=lambda o: CosineAnnealingLR(o, 4, eta_min=0.02)),
 *         'clipValue': run(lambda a, b: SGD([a, b], lr=0.1, momentum=0.9), value=0.75),
 *         'rmsprop': run(lambda a, b: RMSprop([a, b])),
 *         'rmspropDecay': run(lambda a, b: RMSprop([a, b], lr=0.1, alpha=0.9, eps=1e-3, weight_decay=0.1)),
 *         'rmspropMomentum': run(lambda a, b: RMSprop([a, b], lr=0.1, momentum=0.9)),
 *         'rmspropCentered': run(lambda a, b: RMSprop([a, b], lr=0.1, alpha=0.8, centered=True, momentum=0.5, weight_decay=0.1)),
 *         'rmspropClip': run(lambda a, b: RMSprop([a, b], lr=0.1, centered=True), value=0.75),
 *         'warmUp': run(lambda a, b: SGD([a, b], lr=0.1), schedule=lambda o: LambdaLR(o, lambda t: min(1, (t + 1) / 3))),
 *     }
 *     for name, rows in cases.items(): print(f'  {name}: {rows},')
 */
const TORCH: Readonly<Record<string, readonly [readonly number[], readonly number[]]>> = {
  plain: [
    [0.95, -1.9, 2.975, 0.4, -0.2625],
    [0.5, -1.6, 2.25, 0.7, -0.3],
  ],
  decay: [
    [0.949, -1.898, 2.972, 0.3995, -0.26225],
    [0.496505746051, -1.592611592102, 2.238517813028, 0.698202698101, -0.298926548988],
  ],
  momentum: [
    [0.95, -1.9, 2.975, 0.4, -0.2625],
    [0.07205, -1.0951, 1.815525, 0.5461, -0.3631125],
  ],
  dampening: [
    [0.949, -1.898, 2.972, 0.3995, -0.26225],
    [0.444169879706, -1.363694771913, 2.346324217228, 0.348407214238, -0.326419010236],
  ],
  nesterov: [
    [0.9031, -1.8062, 2.9468, 0.30905, -0.273275],
    [-0.344675053609, -0.764798778683, 1.149993990507, 0.737112388426, -0.398345244717],
  ],
  sgdClip: [
    [0.949846116984, -1.899692233967, 2.972423058492, 0.401192233967, -0.262038470754],
    [0.388733587171, -1.287724931994, 2.325031515535, 0.311535454694, -0.334516795151],
  ],
  adam: [
    [0.99900000002, -1.99900000001, 2.99900000004, 0.49900000001, -0.25099999992],
    [0.996116406529, -1.99600000004, 2.996383099186, 0.498931039275, -0.25399999968],
  ],
  adamDecay: [
    [0.900166389351, -1.900083263947, 2.900181488203, 0.400095147479, -0.34900990099],
    [0.600138242709, -1.600726297896, 2.611231938234, 0.407647839492, -0.639355253908],
  ],
  adamw: [
    [0.99899000002, -1.99898000001, 2.99897000004, 0.49899500001, -0.25099749992],
    [0.996076466012, -1.99592006124, 2.996263157328, 0.498911082117, -0.25398993983],
  ],
  adamwDecay: [
    [0.890000002, -1.880000001, 2.870000004, 0.395000001, -0.347499992],
    [0.578085476255, -1.52715212394, 2.525693383366, 0.3776195807, -0.634188870977],
  ],
  adamwClip: [
    [0.899000002034, -1.898000001017, 2.897000004069, 0.399500001017, -0.349749991862],
    [0.601836816235, -1.610884429398, 2.609333278967, 0.328803230388, -0.630129030207],
  ],
  groups: [
    [0.94, -1.88, 2.945, 0.0, -0.3125],
    [-0.00728714, -0.93063572, 1.556467205, 1.5, -0.5],
  ],
  stepDecay: [
    [0.95, -1.9, 2.975, 0.4, -0.2625],
    [0.675, -1.7, 2.5625, 0.55, -0.2875],
  ],
  cosine: [
    [0.900000002, -1.900000001, 2.900000004, 0.400000001, -0.349999992],
    [0.726849427025, -1.7200000028, 2.742497263399, 0.362337348456, -0.5299999776],
  ],
  clipValue: [
    [0.95, -1.925, 2.975, 0.425, -0.2625],
    [0.4073, -1.321325, 2.493275, 0.459575, -0.3631125],
  ],
  rmsprop: [
    [0.90000002, -1.90000001, 2.90000004, 0.40000001, -0.34999992],
    [0.656843818212, -1.720710270503, 2.626781484616, 0.552986249672, -0.529289582988],
  ],
  rmspropDecay: [
    [0.685430162599, -1.684603377062, 2.685580021752, 0.184721755269, -0.556534300317],
    [-0.080297704369, -1.104885134946, 1.846810206957, 0.669779347547, -0.963270832966],
  ],
  rmspropMomentum: [
    [2e-7, -1.0000001, 2.0000004, -0.4999999, -1.249999200001],
    [-7.12471746401, 4.966307971691, -5.6495914083, -0.769551306724, -7.216303985685],
  ],
  rmspropCentered: [
    [0.750000010417, -1.750000005208, 2.750000011364, 0.250000005952, -0.4999999375],
    [-0.513462381559, -0.681024649086, 1.446617243529, 0.49052611572, -1.258893863069],
  ],
  rmspropClip: [
    [-0.005037613239, -0.994962319421, 1.994962588781, -0.505037680579, -1.255037007179],
    [-2.050952779436, 0.824137782932, -0.241407961069, 0.78784629627, -3.074136360264],
  ],
  warmUp: [
    [0.983333333333, -1.966666666667, 2.991666666667, 0.466666666667, -0.254166666667],
    [0.566666666667, -1.7, 2.3, 0.766666666667, -0.2875],
  ],
}

interface Leaves {
  a: Parameter
  b: Parameter
}

const leavesOn = (device: Device): Leaves => ({
  a: new Parameter(device, [3], () => [1, -2, 3]),
  b: new Parameter(device, [2], () => [0.5, -0.25]),
})

/** The gradients of step t, as in the snippet: those of a loss that is linear in a and b. */
function addGradients(device: Device, { a, b }: Leaves, t: number): void {
  scope(device, () => {
    const lossA = sum(mul(a, tensor(device, [0.5 * t, -1, 0.25 * t * t])))
    const lossB = sum(mul(b, tensor(device, [2 - t, 0.125])))
    backward(add(lossA, lossB))
  })
}

function take(optimizer: Optimizer, leaves: Leaves, t: number): void {
  optimizer.zeroGrad()
  addGradients(optimizer.device, leaves, t)
  optimizer.step()
}

const valuesOf = async ({ a, b }: Leaves): Promise<number[]> => [...(await a.data()), ...(await b.data())]

function expectClose(seen: readonly number[], wanted: readonly number[], tolerance: number, what = ''): void {
  wanted.forEach((value, i) => {
    assert.ok(Math.abs(seen[i] - value) <= tolerance, `${what} element ${i} is ${seen[i]}, not ${value}`)
  })
}

const rate = 0.1
const OPTIMIZERS: Readonly<Record<string, (leaves: Leaves) => Optimizer>> = {
  plain: ({ a, b }) => sgd([{ parameters: [a, b] }], { learningRate: rate }),
  decay: ({ a, b }) => sgd([{ parameters: [a, b] }], { learningRate: rate, weightDecay: 0.01 }),
  momentum: ({ a, b }) => sgd([{ parameters: [a, b] }], { learningRate: rate, momentum: 0.9 }),
  dampening: ({ a, b }) =>
    sgd([{ parameters: [a, b] }], { learningRate: rate, momentum: 0.9, dampening: 0.5, weightDecay: 0.01 }),
  nesterov: ({ a, b }) =>
    sgd([{ parameters: [a, b] }], { learningRate: rate, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  sgdClip: ({ a, b }) =>
    sgd([{ parameters: [a, b] }], { learningRate: rate, momentum: 0.9, weightDecay: 0.01, clipNorm: 1.5 }),
  adam: ({ a, b }) => adam([{ parameters: [a, b] }]),
  adamDecay: ({ a, b }) =>
    adam([{ parameters: [a, b] }], { learningRate: rate, betas: [0.8, 0.99], eps: 1e-3, weightDecay: 0.1 }),
  adamw: ({ a, b }) => adamw([{ parameters: [a, b] }]),
  adamwDecay: ({ a, b }) => adamw([{ parameters: [a, b] }], { learningRate: rate, weightDecay: 0.1 }),
  adamwClip: ({ a, b }) => adamw([{ parameters: [a, b] }], { learningRate: rate, clipNorm: 1.5 }),
  groups: ({ a, b }) =>
    sgd(
      [
        { parameters: [a], weightDecay: 0.1 },
        { parameters: [b], learningRate: 0.5, momentum: 0 },
      ],
      { learningRate: rate, momentum: 0.9 },
    ),
  stepDecay: ({ a, b }) =>
    sgd([{ parameters: [a, b] }], { learningRate: stepDecay({ learningRate: rate, every: 2, factor: 0.5 }) }),
  cosine: ({ a, b }) =>
    adam([{ parameters: [a, b] }], { learningRate: cosine({ learningRate: rate, steps: 4, floor: 0.02 }) }),
  clipValue: ({ a, b }) => sgd([{ parameters: [a, b] }], { learningRate: rate, momentum: 0.9, clipValue: 0.75 }),
  rmsprop: ({ a, b }) => rmsprop([{ parameters: [a, b] }]),
  rmspropDecay: ({ a, b }) =>
    rmsprop([{ parameters: [a, b] }], { learningRate: rate, alpha: 0.9, eps: 1e-3, weightDecay: 0.1 }),
  rmspropMomentum: ({ a, b }) => rmsprop([{ parameters: [a, b] }], { learningRate: rate, momentum: 0.9 }),
  rmspropCentered: ({ a, b }) =>
    rmsprop([{ parameters: [a, b] }], {
      learningRate: rate,
      alpha: 0.8,
      centered: true,
      momentum: 0.5,
      weightDecay: 0.1,
    }),
  rmspropClip: ({ a, b }) => rmsprop([{ parameters: [a, b] }], { learningRate: rate, centered: true, clipValue: 0.75 }),
  warmUp: ({ a, b }) => sgd([{ parameters: [a, b] }], { learningRate: warmUp(3, rate) }),
}

for (const [name, make] of Object.entries(OPTIMIZERS)) {
  for (const [kind, tolerance] of [
    ['reference', 2e-12],
    ['cpu', 2e-6],
  ] as const) {
    test(`${name} steps as in PyTorch, on ${kind}`, async () => {
      const device = await openDevice(kind, { memory: '64KiB' })
      const leaves = leavesOn(device)
      const optimizer = make(leaves)
      const [first, fourth] = TORCH[name]
      take(optimizer, leaves, 1)
      expectClose(await valuesOf(leaves), first, tolerance, 'step 1')
      for (let t = 2; t <= 4; t++) take(optimizer, leaves, t)
      expectClose(await valuesOf(leaves), fourth, tolerance, 'step 4')
      assert.is(optimizer.steps, 4)
    })
  }
}

test('every recorded trajectory has its optimizer', () => assert.equal(Object.keys(TORCH), Object.keys(OPTIMIZERS)))

test('updates() changes nothing; running them is the step; committed() counts it', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const leaves = leavesOn(device)
  const optimizer = adam([{ parameters: [leaves.a, leaves.b] }], { learningRate: rate, clipNorm: 1 })
  addGradients(device, leaves, 1)
  optimizer.measureNorm()
  const before = await valuesOf(leaves)
  const heldBytes = device.memory.heldBytes
  const updates = optimizer.updates()
  assert.equal(
    updates.map(({ kernel }) => kernel),
    ['adam', 'adam'],
  )
  assert.equal(await valuesOf(leaves), before)
  assert.is(optimizer.steps, 0)
  device.commit(updates)
  assert.not.equal(await valuesOf(leaves), before)
  assert.is(optimizer.steps, 0)
  optimizer.committed()
  assert.is(optimizer.steps, 1)
  assert.is(device.memory.heldBytes, heldBytes)
})

test('a rehearsed step takes no memory and does not count', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const { a, b } = leavesOn(device)
  const optimizer = sgd([{ parameters: [a, b] }], { learningRate: rate, momentum: 0.9, clipNorm: 1 })
  const { peakBytes } = planOf(device, () => optimizer.step())
  assert.is(peakBytes, device.memory.heldBytes)
  assert.is(optimizer.steps, 0)
})

test('gradients and moments exist from the beginning, and are freed if one does not fit', async () => {
  // two parameters, their gradients, moments and norm fill a page, except for the bytes that the kernels hold
  const device = await openDevice('cpu', { memory: '64KiB' })
  const parameters = [0, 1].map(() => new Parameter(device, [1904]))
  const bytes = 1904 * 4
  assert.is(device.memory.held.parameter, 2 * bytes)
  const optimizer = adam([{ parameters }])
  assert.is(device.memory.held.gradient, 2 * bytes)
  assert.is(device.memory.held.optimizer, 4 * bytes + 64)
  assert.is(optimizer.state.length, 4)
  optimizer.dispose()
  assert.is(device.memory.held.optimizer, 0)
  assert.is(device.memory.held.gradient, 2 * bytes, 'gradients belong to the parameters')
  for (const parameter of parameters) parameter.grad?.dispose()

  const third = new Parameter(device, [1904])
  const { heldBytes } = device.memory
  assert.throws(
    () => adam([{ parameters: [...parameters, third] }]),
    (error: unknown) => error instanceof BudgetExceededError,
  )
  assert.is(device.memory.heldBytes, heldBytes)
})

test('a parameter that the loss does not depend on is decayed; one that requires no gradient is left out', async () => {
  const device = await openDevice('reference', { memory: '64KiB' })
  const { a, b } = leavesOn(device)
  const frozen = new Parameter(device, [1], () => [7])
  frozen.requiresGrad = false
  const optimizer = sgd([{ parameters: [a, b, frozen] }], { learningRate: 0.5, weightDecay: 0.5 })
  assert.equal(optimizer.parameters, [a, b])
  optimizer.step()
  assert.equal([...(await a.data())], [0.75, -1.5, 2.25])
  assert.equal([...(await frozen.data())], [7])
})

test('training goes on from saved state as if it had not stopped', async () => {
  const device = await openDevice('reference', { memory: '64KiB' })
  for (const make of [OPTIMIZERS.nesterov, OPTIMIZERS.adamwClip, OPTIMIZERS.groups, OPTIMIZERS.stepDecay]) {
    const straight = leavesOn(device)
    const first = make(straight)
    for (let t = 1; t <= 2; t++) take(first, straight, t)
    const saved = await first.stateDict()
    const values = await valuesOf(straight)

    const resumed = {
      a: new Parameter(device, [3], () => values.slice(0, 3)),
      b: new Parameter(device, [2], () => values.slice(3)),
    }
    const second = make(resumed)
    second.loadStateDict(saved)
    assert.is(second.steps, 2)
    for (let t = 3; t <= 4; t++)
      for (const [optimizer, leaves] of [
        [first, straight],
        [second, resumed],
      ] as const)
        take(optimizer, leaves, t)
    assert.equal(await valuesOf(resumed), await valuesOf(straight))
  }
})

test("state has PyTorch's names; state of another optimizer is refused whole", async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const leaves = leavesOn(device)
  const parameters = [leaves.a, leaves.b]
  const optimizer = adam([{ parameters }])
  take(optimizer, leaves, 1)
  const saved = await optimizer.stateDict()
  assert.equal(Object.keys(saved.moments), ['0.exp_avg', '0.exp_avg_sq', '1.exp_avg', '1.exp_avg_sq'])
  const momenta = await sgd([{ parameters }], { learningRate: rate, momentum: 0.9 }).stateDict()
  assert.equal(Object.keys(momenta.moments), ['0.momentum_buffer', '1.momentum_buffer'])
  const swapped = { ...saved.moments, '1.exp_avg_sq': saved.moments['0.exp_avg_sq'] }
  for (const bad of [
    { ...saved, moments: momenta.moments },
    { ...saved, moments: swapped },
    { ...saved, steps: 1.5 },
  ]) {
    assert.throws(
      () => optimizer.loadStateDict(bad),
      (error: unknown) => error instanceof StateError,
    )
  }
  assert.equal(await optimizer.stateDict(), saved)
})

test('a model is one group', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const layer = new Linear(device, 3, 2)
  assert.equal(sgd(layer, { learningRate: rate }).parameters, [layer.weight, layer.bias])
  assert.equal(sgd([{ parameters: layer }], { learningRate: rate }).parameters, [layer.weight, layer.bias])
})

test('settings that make no sense are refused by name', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const { a, b } = leavesOn(device)
  const groups = [{ parameters: [a, b] }]
  const refused: [() => unknown, string][] = [
    [() => sgd(groups, { learningRate: -1 }), 'learningRate is -1'],
    [() => sgd(groups, { learningRate: Number.NaN }), 'learningRate is NaN'],
    [() => sgd(groups, { learningRate: rate, weightDecay: -1 }), 'weightDecay is -1'],
    [() => sgd(groups, { learningRate: rate, momentum: -0.5 }), '^sgd: momentum is -0.5'],
    [() => sgd(groups, { learningRate: rate, nesterov: true }), 'nesterov needs momentum .* not 0 and 0'],
    [() => sgd(groups, { momentum: 0.9, dampening: 0.5, nesterov: true }), 'nesterov needs .* not 0.9 and 0.5'],
    [() => sgd(groups, { learningRate: rate, clipNorm: 0 }), 'clipNorm is 0'],
    [() => sgd(groups, { clipValue: -1 }), 'clipValue is -1'],
    [() => rmsprop(groups, { clipValue: 1, clipNorm: 1 }), 'clipNorm and clipValue are both given'],
    [() => rmsprop(groups, { alpha: 1 }), 'rmsprop: alpha is 1; it must be a number in \\[0, 1\\)'],
    [() => rmsprop(groups, { alpha: 1 - 1e-9 }), 'alpha is 0.999999999, which is 1 in the float32'],
    [() => rmsprop(groups, { eps: 0 }), 'rmsprop: eps is 0; it must be above 0'],
    [() => rmsprop(groups, { momentum: -1 }), 'rmsprop: momentum is -1'],
    ...[[0.9, 1], [1, 0.9], [-0.1, 0.9], [0.9, -0.1], [0.9], [0.9, 0.9, 0.9]].map((betas): [() => unknown, string] => [
      () => adam(groups, { betas: betas as [number, number] }),
      `betas are \\[${betas.join(', ')}\\]; they must be two numbers`,
    ]),
    [() => adamw(groups, { eps: -1 }), 'adamw: eps is -1'],
    [() => adam([{ parameters: [a] }, { parameters: [a, b] }]), 'listed twice'],
    [() => adam([]), 'no parameter'],
    [() => adam([{ parameters: [mul(a, 2)] }]), 'result of an op'],
    [() => stepDecay({ learningRate: 1, every: 0 }), 'every is 0'],
    [() => cosine({ learningRate: 1, steps: 1.5 }), 'steps is 1.5'],
    [() => warmUp(-1, constant(1)), 'steps is -1'],
    [() => constant(Number.POSITIVE_INFINITY), 'learningRate is Infinity'],
  ]
  const { held } = device.memory
  for (const [make, message] of refused) {
    assert.throws(
      make,
      (error: unknown) => error instanceof ArgumentError && new RegExp(message).test(error.message),
      message,
    )
  }
  assert.is(device.memory.held.gradient, held.gradient)
  const elsewhere = new Parameter(openVirtualDevice('cpu'), [3])
  assert.throws(
    () => adam([{ parameters: [a, elsewhere] }]),
    (error: unknown) =>
      error instanceof DeviceMismatchError &&
      error.message.includes('a cpu device (budget 64 KiB) and a cpu device (budget unlimited)'),
  )
})

test('a setting of undefined counts as left out', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const parameter = new Parameter(device, [1], () => [1])
  const group = { parameters: [parameter], momentum: undefined, weightDecay: undefined }
  const optimizer = sgd([group], { learningRate: 0.5, momentum: 0.5, weightDecay: 1, nesterov: undefined })
  optimizer.zeroGrad()
  // the gradient is 0, so decay alone moves it: by 0.5 v, where v is 1 and then 0.5 v + 0.5
  optimizer.step()
  assert.equal([...(await parameter.data())], [0.5])
  optimizer.step()
  assert.equal([...(await parameter.data())], [0])
})

test('`using` frees an optimizer at the end of its block', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const optimizer = adam([{ parameters: [new Parameter(device, [3])] }])
  optimizer[Symbol.dispose]()
  assert.is(device.memory.held.optimizer, 0)
})

test('schedules by hand: defaults, both sides of each boundary, and after the end', () => {
  const first = (schedule: (step: number) => number, count: number) =>
    Array.from({ length: count }, (_, i) => schedule(i))
  expectClose(first(stepDecay({ learningRate: 2, every: 2 }), 5), [2, 2, 0.2, 0.2, 0.02], 1e-15)
  assert.equal(first(stepDecay({ learningRate: 2, every: 1, factor: 0 }), 3), [2, 0, 0])
  expectClose(first(cosine({ learningRate: 4, steps: 2 }), 5), [4, 2, 0, 0, 0], 1e-15)
  expectClose(first(cosine({ learningRate: 4, steps: 1, floor: 1 }), 3), [4, 1, 1], 1e-15)
  const halved = stepDecay({ learningRate: 8, every: 1, factor: 0.5 })
  assert.equal(first(warmUp(2, halved), 5), [4, 8, 8, 4, 2])
  assert.equal(first(warmUp(1, 0), 2), [0, 0])
})

test('each setting of a schedule is refused by name', () => {
  const refused: [() => unknown, string][] = [
    [() => constant(-1), 'constant: learningRate is -1'],
    [() => stepDecay({ learningRate: -1, every: 1 }), 'stepDecay: learningRate is -1'],
    [() => stepDecay({ learningRate: 1, every: 1.5 }), 'stepDecay: every is 1.5'],
    [() => stepDecay({ learningRate: 1, every: 1, factor: -1 }), 'stepDecay: factor is -1'],
    [() => cosine({ learningRate: -1, steps: 1 }), 'cosine: learningRate is -1'],
    [() => cosine({ learningRate: 1, steps: 0 }), 'cosine: steps is 0'],
    [() => cosine({ learningRate: 1, steps: 1, floor: -1 }), 'cosine: floor is -1'],
    [() => warmUp(0, 1), 'warmUp: steps is 0'],
    [() => warmUp(1, -1), 'constant: learningRate is -1'],
  ]
  for (const [make, message] of refused) {
    assert.throws(
      make,
      (error: unknown) => error instanceof ArgumentError && error.message.startsWith(message),
      message,
    )
  }
})

test('a schedule that fails, and a disposed parameter, change nothing', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const leaves = leavesOn(device)
  const before = await valuesOf(leaves)
  const optimizer = sgd([{ parameters: [leaves.a, leaves.b] }], {
    learningRate: (step) => (step === 0 ? Number.NaN : 1),
  })
  addGradients(device, leaves, 1)
  assert.throws(
    () => optimizer.step(),
    (error: unknown) => error instanceof ArgumentError && /of step 0 is NaN/.test(error.message),
  )
  assert.equal(await valuesOf(leaves), before)
  assert.is(optimizer.steps, 0)

  const other = sgd([{ parameters: [leaves.a, leaves.b] }], { learningRate: rate })
  leaves.b.dispose()
  assert.throws(
    () => other.step(),
    (error: unknown) => error instanceof DisposedError,
  )
  assert.equal([...(await leaves.a.data())], before.slice(0, 3))
})

test('clipping uses the norm of the whole gradient, for any division into parameters', async () => {
  const device = await openDevice('reference', { memory: '64KiB' })
  const values = fc.array(
    fc.integer({ min: -64, max: 64 }).map((n) => n / 16),
    { minLength: 2, maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(values, fc.nat(), fc.constantFrom(0.5, 2, 1000), async (gradient, cut, clipNorm) => {
      const at = 1 + (cut % (gradient.length - 1))
      const moved = await Promise.all(
        [[gradient], [gradient.slice(0, at), gradient.slice(at)]].map(async (pieces) => {
          const parameters = pieces.map((piece) => new Parameter(device, [piece.length]))
          const optimizer = sgd([{ parameters }], { learningRate: 1, clipNorm })
          parameters.forEach((parameter, i) =>
            scope(device, () => backward(sum(mul(parameter, tensor(device, pieces[i]))))),
          )
          optimizer.step()
          const result = await Promise.all(parameters.map((parameter) => parameter.data()))
          optimizer.dispose()
          for (const parameter of parameters) {
            parameter.grad?.dispose()
            parameter.dispose()
          }
          return result.flatMap((data) => [...data])
        }),
      )
      const norm = Math.hypot(...gradient)
      const scale = Math.min(1, clipNorm / (norm + 1e-6))
      expectClose(
        moved[0],
        gradient.map((g) => -scale * g),
        1e-12,
      )
      expectClose(moved[1], moved[0], 1e-12)
      assert.is(device.memory.heldBytes, device.memory.held.runtime)
    }),
    { ...SEED, numRuns: 50 },
  )
})

/** Exponents over the whole range of float32, subnormal numbers included. */
const magnitude = fc.integer({ min: -149, max: 127 })
const gradientOfAnySize = fc.array(fc.tuple(fc.integer({ min: -32, max: 32 }), magnitude), {
  minLength: 1,
  maxLength: 7,
})

for (const kind of ['reference', 'cpu'] as const) {
  test(`the norm of gradients of any magnitude, and a step that is clipped by it, on ${kind}`, async () => {
    const device = await openDevice(kind, { memory: '64KiB' })
    const gradients = fc.array(gradientOfAnySize, { minLength: 1, maxLength: 3 })
    const clipNorms = fc.constantFrom(2 ** -100, 1e-3, 1, 1e30)
    const check = async (drawn: readonly (readonly number[])[], clipNorm: number): Promise<void> => {
      const parameters = drawn.map((values) => new Parameter(device, [values.length]))
      using optimizer = sgd([{ parameters }], { learningRate: 1, clipNorm })
      parameters.forEach((parameter, i) => {
        scope(device, () => backward(sum(mul(parameter, tensor(device, [...drawn[i]])))))
      })
      optimizer.step()
      const norm = Math.hypot(...drawn.flat())
      expectRelative([await optimizer.gradNorm()], [norm])
      const factor = Math.min(1, clipNorm / (norm + 1e-6))
      for (const [i, parameter] of parameters.entries()) {
        expectRelative(
          await parameter.data(),
          drawn[i].map((g) => -factor * g),
        )
        parameter.grad?.dispose()
        parameter.dispose()
      }
    }
    const values = (gradient: readonly (readonly [number, number])[]): number[] =>
      gradient.map(([n, exponent]) => Math.fround((n / 32) * 2 ** exponent))
    await fc.assert(
      fc.asyncProperty(gradients, clipNorms, (drawn, clipNorm) => check(drawn.map(values), clipNorm)),
      { ...SEED, numRuns: 100 * TEST_RUNS },
    )
    await check([[2e20].map(Math.fround)], 1)
    await check([[0, 0]], 1)
  })
}

/** Allows some roundings of float32 relative to each number, or the smallest float32 number. */
function expectRelative(seen: ArrayLike<number>, wanted: readonly number[]): void {
  wanted.forEach((value, i) => {
    const tolerance = 8 * 2 ** -24 * Math.abs(value) + 2 ** -148
    assert.ok(Math.abs(seen[i] - value) <= tolerance, `element ${i} is ${seen[i]}, not ${value}`)
  })
}

test('the norm of a gradient that is not finite is not finite either', async () => {
  for (const kind of ['reference', 'cpu'] as const) {
    const device = await openDevice(kind, { memory: '64KiB' })
    const { a, b } = leavesOn(device)
    const optimizer = adam([{ parameters: [a, b] }])
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      optimizer.zeroGrad()
      scope(device, () => backward(sum(mul(a, tensor(device, [1, bad, 1])))))
      optimizer.measureNorm()
      assert.not.ok(Number.isFinite(await optimizer.gradNorm()), `${bad} on ${kind}`)
    }
  }
})

test('schedules stay within their rates and join without a jump', () => {
  const steps = fc.integer({ min: 1, max: 50 })
  const rates = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(steps, steps, rates, rates, (rise, fall, a, b) => {
      const [floor, learningRate] = [Math.min(a, b), Math.max(a, b)]
      const schedule = warmUp(rise, cosine({ learningRate, steps: fall, floor }))
      const all = Array.from({ length: rise + fall + 3 }, (_, step) => schedule(step))
      const slack = 1e-12
      for (let step = 1; step < rise; step++) assert.ok(all[step] >= all[step - 1])
      assert.ok(Math.abs(all[rise - 1] - learningRate) <= slack && Math.abs(all[rise] - learningRate) <= slack)
      for (let step = rise + 1; step < all.length; step++) assert.ok(all[step] <= all[step - 1] + slack)
      for (const rate of all.slice(rise + fall)) assert.ok(Math.abs(rate - floor) <= slack)
    }),
    SEED,
  )
})

test.run()
