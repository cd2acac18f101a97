/** Owners: every instruction of a streamed step, and every value, belongs to the module in whose forward it arises. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Batch } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import { RehearsalError } from '../src/device/errors.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { Linear, Module, ReLU, Sequential } from '../src/nn/index.js'
import { add } from '../src/ops/binary.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { relu, tanh } from '../src/ops/unary.js'
import { sgd } from '../src/optim/index.js'
import { ModelError } from '../src/stream/errors.js'
import { Streamer } from '../src/stream/streamer.js'
import { DisposedError } from '../src/tensor/errors.js'
import { keep } from '../src/tensor/scope.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { errorOf } from './error-of.js'

const WIDTH = 4
const linear = (device: Device): Linear => new Linear(device, WIDTH, WIDTH)

const streamerOf = (model: Module): Streamer =>
  new Streamer({ model, loss: crossEntropy, optimizer: sgd(model, { learningRate: 0.1 }) })

const planOf = (model: Module) => streamerOf(model).plan({ batch: 2, inputShape: [WIDTH] })

const batch = (samples = 2): Batch => ({
  inputs: { data: new Float32Array(samples * WIDTH), shape: [samples, WIDTH] },
  targets: { data: new Uint8Array(samples), shape: [samples] },
})

/** 'module: op' for each turn of the micro-batch. */
function turnsOf(model: Module): string[] {
  const { passes } = planOf(model).toJSON()
  return passes
    .filter(({ name }) => name === 'micro-batch')
    .flatMap(({ turns }) => turns.map(({ module, op }) => `${module}: ${op}`))
}

const ownersOf = (model: Module, op: string): string[] =>
  turnsOf(model)
    .filter((turn) => turn.endsWith(`: ${op}`))
    .map((turn) => turn.slice(0, turn.indexOf(':')))

test('Sequential in Sequential: the paths are those of the parameters', () => {
  const device = openVirtualDevice('cpu')
  const inner = new Sequential(linear(device), new ReLU(device), linear(device))
  const model = new Sequential(linear(device), inner, new Sequential(new Sequential(linear(device))))
  assert.equal(
    [...model.namedParameters().keys()].filter((name) => name.endsWith('weight')),
    ['0.weight', '1.0.weight', '1.2.weight', '2.0.0.weight'],
  )
  assert.equal(ownersOf(model, 'linear'), ['0', '1.0', '1.2', '2.0.0'])
  assert.equal(ownersOf(model, 'relu'), ['1.1'])
  assert.equal(new Set(ownersOf(model, 'relu gradient')), new Set(['1.1']))
  assert.equal([...new Set(ownersOf(model, 'linear gradient'))], ['2.0.0', '1.2', '1.0', '0'])
  assert.equal(new Set(ownersOf(model, 'crossEntropy')), new Set(['']))
})

class Skips extends Module {
  readonly shared = linear(this.device)
  readonly #hidden = linear(this.device)
  readonly block = new Block(this.device)

  forward(x: Tensor): Tensor {
    const first = this.shared.forward(x)
    return this.block.forward(add(this.#hidden.forward(first), this.shared.forward(tanh(first))))
  }
}

class Block extends Module {
  readonly convs = [linear(this.device), linear(this.device)]

  forward(x: Tensor): Tensor {
    return add(x, this.convs[1].forward(relu(this.convs[0].forward(x))))
  }
}

test('a module used twice has one path; the ops of a module itself belong to it, before and after another module runs', () => {
  const model = new Skips(openVirtualDevice('cpu'))
  // a module in a private property is not a member, so its owner owns what it does
  assert.equal(ownersOf(model, 'linear'), ['shared', '', 'shared', 'block.convs.0', 'block.convs.1'])
  assert.equal(ownersOf(model, 'relu'), ['block'])
  assert.equal(ownersOf(model, 'add'), ['', 'block'])
  assert.equal(new Set(ownersOf(model, 'tanh gradient')), new Set(['']))
  const gradients = ownersOf(model, 'linear gradient')
  // nor does it train
  assert.equal([...new Set(gradients)], ['block.convs.1', 'block.convs.0', 'shared'])
})

test('the owner of a block is the module that it is born for, and the plan names the largest owners at the peak', () => {
  const device = openVirtualDevice('cpu')
  const model = new Sequential(new Linear(device, WIDTH, 600), new Linear(device, 600, 2))
  const plan = streamerOf(model).plan({ batch: 64, inputShape: [WIDTH] })
  for (const { turns, blocks } of plan.toJSON().passes) {
    for (const { birth, op, module } of blocks) {
      assert.equal([op, module], [turns[birth].op, turns[birth].module])
    }
  }
  const [largest] = plan.modulesAtPeak
  const held = Object.values(plan.heldAtPeak).reduce((sum, bytes) => sum + bytes)
  assert.match(String(plan), `modules at the peak   '${largest.module}' ${Math.round((100 * largest.bytes) / held)} %`)
  const standing = Object.values(plan.heldBytes).reduce((sum, bytes) => sum + bytes)
  assert.is(
    plan.modulesAtPeak.reduce((sum, { bytes }) => sum + bytes, 0),
    held - standing,
  )
  assert.equal(
    plan.modulesAtPeak,
    [...plan.modulesAtPeak].sort((a, b) => b.bytes - a.bytes),
  )
})

/** A module whose `inner.act` calls `during`. */
class Acting extends Module {
  readonly inner = new Inner(this.device)
  readonly last = linear(this.device)

  forward(x: Tensor): Tensor {
    return this.last.forward(this.inner.forward(x))
  }
}

class Inner extends Module {
  readonly act = new Act(this.device)

  forward(x: Tensor): Tensor {
    return this.act.forward(x)
  }
}

class Act extends Module {
  during: (y: Tensor) => unknown = () => undefined

  forward(x: Tensor): Tensor {
    const y = relu(x)
    return (this.during(y) as Tensor) ?? y
  }
}

async function acting(during: (y: Tensor) => unknown): Promise<{ model: Acting; error: unknown }> {
  const model = new Acting(await openDevice('cpu', { memory: '1MiB' }))
  const before = Object.keys(model.inner.act)
  model.inner.act.during = during
  const streamer = streamerOf(model)
  const error = await errorOf(streamer.step(batch(6), { microBatch: 2 }))
  for (const module of model.modules()) assert.not(Object.hasOwn(module, 'forward'))
  assert.equal(Object.keys(model.inner.act), before)
  assert.is(model.device.module, '')
  model.inner.act.during = () => undefined
  assert.is((await streamer.step(batch())).step, 1)
  return { model, error }
}

test('forbidden actions of a forward are refused by a typed error that names op and module, and every forward is restored', async () => {
  const read = await acting((y) => y.data())
  assert.instance(read.error, RehearsalError)
  assert.match(String(read.error), "after 'relu' in inner.act")
  const waiting = await acting(async (y) => y)
  assert.instance(waiting.error, ModelError)
  assert.match(String(waiting.error), "the forward of inner.act returned a Promise, after 'relu'")
  let kept: Tensor | null = null
  const lost = await acting((y) => {
    const sum = kept ? add(y, kept) : y
    kept = y
    return sum
  })
  assert.instance(lost.error, DisposedError)
  assert.match(String(lost.error), 'add in inner.act: this tensor of shape [')
  let saved: Tensor | null = null
  const used = await acting((y) => {
    const sum = saved ? add(y, saved) : y
    saved = keep(tanh(y))
    return sum
  })
  assert.instance(used.error, RehearsalError)
  assert.match(String(used.error), 'add in inner.act: this tensor of shape [')
  const thrown = await acting(() => {
    throw new Error('no')
  })
  assert.instance(thrown.error, ModelError)
})

test('a forward that the user has patched stays in place, even if it is patched while it runs', async () => {
  const device = openVirtualDevice('cpu')
  const model = new Sequential(...Array.from({ length: 3 }, () => linear(device)))
  const [first, second, third] = model.layers
  const calls: string[] = []
  const original = first.forward
  const patched = function (this: Module, x: Tensor): Tensor {
    calls.push(this.device.module)
    return original.call(this, x)
  }
  Object.defineProperty(first, 'forward', { value: patched, configurable: true, enumerable: true, writable: false })
  const descriptor = Object.getOwnPropertyDescriptor(first, 'forward')
  Object.freeze(third)
  const own = second.forward
  const late = (x: Tensor): Tensor => {
    calls.push('late')
    return own.call(second, x)
  }
  second.forward = (x) => {
    second.forward = late
    return own.call(second, x)
  }
  assert.equal(ownersOf(model, 'linear'), ['0', '1', ''])
  assert.equal(Object.getOwnPropertyDescriptor(first, 'forward'), descriptor)
  assert.is(second.forward, late)
  assert.ok(calls.every((call) => call === '0' || call === 'late'))
  assert.ok(calls.includes('0'))
})

test('a forward that is a property or an accessor is noted and restored too', () => {
  const device = openVirtualDevice('cpu')
  const arrow = Object.assign(Object.create(Module.prototype), {
    device,
    training: true,
    forward: (x: Tensor) => relu(x),
  })
  const accessor = new ReLU(device)
  Object.setPrototypeOf(accessor, {
    __proto__: ReLU.prototype,
    get forward() {
      return (x: Tensor) => tanh(x)
    },
  })
  const { forward } = arrow
  const model = new Sequential(linear(device), arrow, accessor)
  assert.equal([...ownersOf(model, 'relu'), ...ownersOf(model, 'tanh')], ['1', '2'])
  assert.is(arrow.forward, forward)
  assert.not(Object.hasOwn(accessor, 'forward'))
})

test('a step has the owners of its plan, and a layer that was exchanged is named', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const model = new Acting(device)
  const seen: string[] = []
  model.inner.act.during = () => void seen.push(device.module)
  const streamer = streamerOf(model)
  await streamer.step(batch())
  assert.equal(new Set(seen), new Set(['inner.act']))
  Object.assign(model, { inner: Object.assign(new Inner(device), { other: model.inner.act, act: model.inner.act }) })
  await streamer.step(batch())
  assert.equal(new Set(seen), new Set(['inner.act']))
})

test.run()
