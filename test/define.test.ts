/** Ops that users define: values, gradients, memory and steps are like those of library ops, and errors name what is wrong. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Floats } from '../kernels/kernels.js'
import { backward } from '../src/autograd/backward.js'
import { checkGradient } from '../src/autograd/gradcheck.js'
import type { Device } from '../src/device/device.js'
import { DeviceError } from '../src/device/errors.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { ArgumentError, type SluiceError } from '../src/memory/errors.js'
import { generator, Linear, Module } from '../src/nn/index.js'
import '../src/ops/chain.js'
import { DefinedOpError, defineOp } from '../src/ops/define.js'
import { logSumExp } from '../src/ops/log-sum-exp.js'
import { mse } from '../src/ops/point-loss.js'
import { tapeOf } from '../src/ops/tape.js'
import { sgd } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { Streamer } from '../src/stream/streamer.js'
import { requireGrad, tensor, zeros } from '../src/tensor/create.js'
import { DeviceMismatchError, ShapeError } from '../src/tensor/errors.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { checkDevices, checkEveryAllocation, checkPlan } from '../src/testing/index.js'
import { verifyPlan } from '../src/verify/verify.js'
import { gatedProduct, rowLogSum, softplus } from './defined.js'
import { errorOf } from './error-of.js'
import { assertClose } from './outcomes.js'
import { BY_HAND, float32Sum, SPLIT_GRADIENT } from './tolerances.js'

const cpu = await openDevice('cpu', { memory: '1MiB' })
const reference = await openDevice('reference', { memory: '1MiB' })

const ROWS = [
  [0.5, -1.25, 3],
  [-0.75, 2, 0.25],
]

test('values are those of the loop, on cpu in float32 and on reference in float64', async () => {
  for (const device of [cpu, reference]) {
    const limit = device === cpu ? float32Sum(8, 4) : 1e-15
    const x = tensor(device, ROWS)
    const wanted = ROWS.flat().map((v) => Math.log(1 + Math.exp(2 * v)) / 2)
    assertClose(await softplus(x, { beta: 2 }).data(), wanted, limit, 'softplus')
    assertClose(
      await rowLogSum(x).data(),
      ROWS.map((row) => Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0))),
      limit,
      'rowLogSum',
    )
    const gated = gatedProduct(x, x, tensor(device, [0, 1, 0.5, 0.75, 0, 1], [2, 3]))
    assert.equal(await gated.array(), [
      [0, 1.5625, 0],
      [0.5625, 0, 0.0625],
    ])
    assert.equal(await gatedProduct(x, x, zeros(device, [2, 3]), { open: true }).array(), await x.square().array())
  }
})

test('gradients by ops and by loops are those of finite differences, and of library ops', async () => {
  assert.ok((await checkGradient((x) => softplus(x, { beta: 1.5 }), [ROWS])).ok)
  assert.ok((await checkGradient(rowLogSum, [ROWS])).ok)
  const gate = [
    [0, 1, 0],
    [1, 1, 0],
  ]
  assert.ok((await checkGradient((a, b, gate) => gatedProduct(a, b, gate), [ROWS, ROWS, gate], { inputs: [0, 1] })).ok)
  const gradient = async (fn: (x: Tensor) => Tensor): Promise<ArrayLike<number>> => {
    const x = requireGrad(tensor(reference, ROWS))
    scope(reference, () => backward(fn(x).square().sum()))
    return (await x.grad?.data()) ?? []
  }
  assertClose(await gradient(rowLogSum), await gradient((x) => logSumExp(x, 1)), BY_HAND, 'logSumExp')
})

test('the tape keeps what the gradient saves, and no gradient that nobody wants', () => {
  scope(cpu, () => {
    const [a, b] = [requireGrad(tensor(cpu, ROWS)), tensor(cpu, ROWS)]
    gatedProduct(a, b, zeros(cpu, [2, 3]))
    assert.equal([...tapeOf(cpu)[0].saved.keys()], [1, 2])
    assert.not(softplus(b).requiresGrad)
    assert.is(tapeOf(cpu).length, 1)
  })
})

class Net extends Module {
  override readonly inputShape = [6]
  first: Linear
  second: Linear

  constructor(
    device: Device,
    readonly act: (x: Tensor) => Tensor,
  ) {
    super(device)
    const random = generator(3)
    this.first = new Linear(device, 6, 200, { random })
    this.second = new Linear(device, 200, 4, { random })
  }

  forward(x: Tensor): Tensor {
    return rowLogSum(this.second.forward(this.act(this.act(this.act(this.first.forward(x))))))
  }
}

const random = generator(5)
const draw = (size: number): Float64Array => Float64Array.from({ length: size }, () => 2 * random() - 1)
const batch = { inputs: { data: draw(96 * 6), shape: [96, 6] }, targets: { data: draw(96), shape: [96] } }

async function trained(device: Device, act: (x: Tensor) => Tensor, microBatch?: number, recompute?: 'needed') {
  const model = new Net(device, act)
  const streamer = new Streamer({ model, loss: mse, optimizer: sgd(model, { learningRate: 0.1 }), recompute })
  const plan = streamer.plan({ batch: 96, microBatch })
  verifyPlan(JSON.parse(JSON.stringify(plan.toJSON())))
  const step = await streamer.step(batch, { microBatch })
  assert.is(step.peakBytes, plan.plannedPeakBytes)
  return { plan, loss: step.loss, state: await model.stateDict() }
}

test('a streamed step is planned, split and made again like any other: planned is measured, and the update the same', async () => {
  const library = (x: Tensor): Tensor => x.mul(1.5).softplus().div(1.5)
  const open = () => openDevice('reference', { memory: '4MiB' })
  const whole = await trained(await open(), (x) => softplus(x, { beta: 1.5 }), 96)
  const others = [
    await trained(await open(), library, 96),
    await trained(await open(), (x) => softplus(x, { beta: 1.5 }), 7),
    await trained(await openDevice('reference', { memory: '512KiB' }), (x) => softplus(x, { beta: 1.5 }), 96, 'needed'),
  ]
  assert.ok(others[2].plan.extraTime > 0, 'nothing was made again')
  for (const { loss, state } of others) {
    assert.ok(Math.abs(loss - whole.loss) <= SPLIT_GRADIENT)
    for (const [name, { data }] of Object.entries(whole.state))
      assertClose(state[name].data, data, SPLIT_GRADIENT, name)
  }
})

test('a virtual device plans it with the bytes of the real one, also the gpu', async () => {
  const plan = (device: Device) => {
    const model = new Net(device, softplus)
    return new Streamer({ model, loss: mse, optimizer: sgd(model, { learningRate: 0.1 }) }).plan({ batch: 96 })
  }
  const [real, virtual] = [await openDevice('cpu', { memory: '1MiB' }), openVirtualDevice('cpu', { memory: '1MiB' })]
  assert.is(plan(virtual).plannedPeakBytes, plan(real).plannedPeakBytes)
  assert.ok(plan(openVirtualDevice('gpu', { memory: '1MiB' })).plannedPeakBytes > 0)
})

test('it passes the checks of sluice/testing, on a device that forbids aliasing too', async () => {
  const chain = (x: Tensor): Tensor => rowLogSum(softplus(gatedProduct(x, x, x)))
  assert.ok((await checkEveryAllocation(chain, [ROWS])).failures > 20)
  for (const device of ['cpu', 'reference'] as const) await checkPlan(chain, [ROWS], { device })
  await checkDevices(chain, [ROWS])
})

type Untyped = (...given: unknown[]) => unknown
const untyped = (fn: unknown): Untyped => fn as Untyped

test('a wrong definition is an ArgumentError that says what is wrong', async () => {
  const right = {
    name: 'half',
    inputs: ['x'],
    loop: ([x]: Floats[], y: Floats) => y.forEach((_, i) => (y[i] = x[i] / 2)),
    gradients: { x: { saves: [], ops: ({ dy }: { dy: Tensor }) => dy.div(2) } },
  }
  const x = { saves: [], ops: () => 0 }
  const cases: [change: object, says: RegExp][] = [
    [{ forward: () => 0 }, /defineOp: there is no option 'forward'; the options are name, inputs/],
    [{ loop: undefined }, /the option loop is missing/],
    [{ loop: 1 }, /loop is 1; it must be a function/],
    [{ gpu: 1 }, /gpu is 1; it must be a function or text/],
    [{ name: 'a b' }, /name 'a b' is not the name of a function/],
    [{ inputs: [] }, /half: inputs must be different names/],
    [{ inputs: ['x', 'x'] }, /there is 'x'/],
    [{ inputs: ['dy'] }, /none of them dy/],
    [{ options: { beta: '1' } }, /half: the default of beta is '1'; it must be a number, true or false/],
    [{ gradients: {} }, /half: the gradient of x is missing; give null if there is none/],
    [{ gradients: { x, w: null } }, /half: gradients has 'w', which is no input/],
    [{ gradients: { x: 1 } }, /gradients.x is 1; it must be an object/],
    [{ gradients: { x: { ops: () => 0 } } }, /half: the option saves is missing; the options are saves, ops/],
    [{ gradients: { x: { ...x, loop: () => 0 } } }, /there is no option 'loop'; the options are saves, ops/],
    [{ gradients: { x: { ...x, saves: ['w'] } } }, /the gradient of x saves 'w'; it can save each of x, output once/],
    [
      { gpu: (i: number) => i },
      /half: gpu must be one flat function with the parameters \(i, x, numbers\), or its text/,
    ],
    [{ gpu: 'async (i, x) => 0' }, /begins with 'async/],
    [{ gpu: '(i, { x }) => 0' }, /gpu must be one flat function/],
  ]
  for (const [change, says] of cases) {
    const error = await errorOf(() => untyped(defineOp)({ ...right, ...change }))
    assert.instance(error, ArgumentError, `${says}: ${error}`)
    assert.match(String(error), says)
  }
  assert.equal(await (untyped(defineOp)(right) as typeof softplus)(tensor(cpu, [3])).array(), [1.5])
})

test('a wrong call is refused before anything is made', async () => {
  const [x, one, elsewhere] = [tensor(cpu, ROWS), tensor(cpu, [1]), zeros(reference, [2, 3])]
  const held = cpu.memory.heldBytes
  const cases: [call: () => unknown, says: RegExp, type: typeof SluiceError][] = [
    [() => untyped(softplus)(1), /softplus: x is 1; it must be a tensor/, ArgumentError],
    [() => untyped(softplus)(x, { Beta: 1 }), /there is no option 'Beta' \(do you mean beta\?\)/, ArgumentError],
    [() => untyped(softplus)(x, { beta: true }), /beta is true; it must be a number/, ArgumentError],
    [() => untyped(softplus)(x, {}, 1), /there are 3 arguments, and it takes \(x, options\)/, ArgumentError],
    [() => softplus(x, { beta: 1e300 }), /softplus: beta is 1e\+300/, ArgumentError],
    [() => gatedProduct(x, x, one), /gatedProduct: the inputs have shapes \[2, 3\] and \[1\]/, ShapeError],
    [() => gatedProduct(x, x, elsewhere), /two devices/, DeviceMismatchError],
  ]
  for (const [call, says, type] of cases) {
    const error = await errorOf(call)
    assert.instance(error, type, `${says}: ${error}`)
    assert.match(String(error), says)
    assert.is(cpu.memory.heldBytes, held)
  }
})

test('a function of the op that throws, waits or returns something else is a DefinedOpError, and nothing is left', async () => {
  const given = {
    name: 'bad',
    inputs: ['x'],
    loop: ([x]: readonly Floats[], y: Floats) => y.set(x),
    gradients: { x: { saves: [], ops: ({ dy }: { dy: Tensor }) => dy } },
  }
  const byOps = (saves: readonly string[], ops: unknown) => ({ gradients: { x: { saves, ops } } })
  const oops = (): never => {
    throw new TypeError('oops')
  }
  const cases: [change: object, says: RegExp, type?: typeof SluiceError][] = [
    [{ loop: oops }, /bad: its loop threw: oops/],
    [{ loop: async () => {} }, /bad: its loop returned a Promise; it must be synchronous/],
    [{ shape: oops }, /bad: shape threw: oops/],
    [{ shape: () => [0] }, /bad: \[0\] is not a shape/, ShapeError],
    [{ shape: () => 3 }, /bad: 3 is not a shape/, ShapeError],
    [{ numbers: () => ({ size: 'x' }) }, /bad: numbers has size as 'x'; it must be a number/],
    [{ gpu: '(i, x, p) => p.sise' }, /bad: gpu reads the number 'sise', which is neither in options nor in numbers/],
    [byOps([], oops), /bad: the gradient of x threw: oops/],
    [byOps([], ({ x }: { x: Tensor }) => x), /the gradient of x reads x, which it does not save/],
    [byOps([], () => 1), /the gradient of x returned 1; it must return a tensor/],
    [
      byOps([], ({ dy }: { dy: Tensor }) => dy.sum()),
      /the gradient of x has shape \[\], and x has \[2, 3\]/,
      ShapeError,
    ],
  ]
  for (const [change, says, type = DefinedOpError] of cases) {
    const held = cpu.memory.heldBytes
    const x = requireGrad(tensor(cpu, ROWS))
    const error = await errorOf(() =>
      scope(cpu, () => backward((untyped(defineOp)({ ...given, ...change }) as typeof rowLogSum)(x).sum())),
    )
    assert.instance(error, type, `${says}: ${error}`)
    assert.match(String(error), says)
    x.grad?.dispose()
    x.dispose()
    assert.is(cpu.memory.heldBytes, held, String(says))
  }
})

test('without a function for the gpu it is refused there, and runs elsewhere', async () => {
  const twice = defineOp({
    name: 'twice',
    inputs: ['x'],
    loop([x], y) {
      for (let i = 0; i < y.length; i++) y[i] = 2 * x[i]
    },
    gradients: { x: { saves: [], ops: ({ dy }) => dy.mul(2) } },
  })
  assert.equal(await twice(tensor(cpu, [1, 2])).array(), [2, 4])
  const gpu = openVirtualDevice('gpu', { memory: '1MiB' })
  const error = await errorOf(() => twice(zeros(gpu, [2])))
  assert.instance(error, DeviceError)
  assert.match(String(error), /twice: it is not defined for the gpu device: give gpu beside each loop/)
})

test.run()
