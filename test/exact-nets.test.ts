/** Exact batch norm in residual networks, and in every place that a batch norm can have in a network. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HeapDevice } from '../src/device/heap-device.js'
import { type Device, Module, nn, noGrad, optim, type Tensor } from '../src/index.js'
import { HeapAllocator } from '../src/memory/heap.js'
import { add, mul } from '../src/ops/binary.js'
import { crossEntropy, crossEntropyLoss } from '../src/ops/cross-entropy.js'
import { concat, reshape } from '../src/ops/movement.js'
import { relu, tanh } from '../src/ops/unary.js'
import { TEST_RUNS } from './fixtures.js'
import { distance, expectSame, type Lesson, lesson, samplesOf } from './lessons.js'
import { fc } from './property.js'
import { ResNet18 } from './resnet.js'
import { EXACT_NORM } from './tolerances.js'

const open = (kind: 'cpu' | 'reference', budgetBytes = 2 ** 20): Device =>
  new HeapDevice(kind, new HeapAllocator(budgetBytes))

function resnet(device: Device, policy: nn.BatchNormPolicy, width: number, dropout = 0): Module {
  const model = new ResNet18(device, { width, classes: 5, random: nn.generator(1), dropout })
  nn.setBatchNormPolicy(model, policy)
  return model
}

const OPTIMIZERS = {
  sgd: (model: Module) => optim.sgd(model, { learningRate: 0.05, momentum: 0.9 }),
  adam: (model: Module) => optim.adam(model, { learningRate: 0.01 }),
}

for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
  test(`a residual network of width 4 trains in pieces as in one piece, with dropout and label smoothing: ${name}`, async () => {
    const batch = samplesOf(10, [3, 16, 16], 5)
    const options = { loss: crossEntropyLoss({ labelSmoothing: 0.1 }), optimizer, steps: 3 }
    const whole = await lesson(resnet(open('reference', 2 ** 24), 'micro', 4, 0.25), batch, 10, options)
    for (const [microBatch, store] of [[4], [1, '1MiB']] as const) {
      const model = resnet(open('reference', 2 ** 24), 'exact', 4, 0.25)
      expectSame(await lesson(model, batch, microBatch, { ...options, store }), whole, EXACT_NORM)
    }
  })
}

test('in float32 a residual network of width 16 in pieces is as close to float64 as in one piece; with the policy micro it is not', async () => {
  const batch = samplesOf(33, [3, 8, 8], 5)
  const options = { loss: crossEntropy, optimizer: OPTIMIZERS.sgd, steps: 1 }
  const learned = (kind: 'cpu' | 'reference', policy: nn.BatchNormPolicy, microBatch: number) =>
    lesson(resnet(open(kind, 2 ** 26), policy, 16), batch, microBatch, options)
  const truth = await learned('reference', 'micro', 33)
  const error = (seen: Lesson): number => distance(seen, truth, 1e-3).of
  const whole = error(await learned('cpu', 'micro', 33))
  for (const microBatch of [7, 4, 1]) {
    const exact = error(await learned('cpu', 'exact', microBatch))
    assert.ok(exact <= 4 * whole, `${exact} by ${microBatch}, in one piece ${whole}`)
  }
  const micro = error(await learned('cpu', 'micro', 7))
  assert.ok(micro > 0.1, `${micro}`)
})

const WIDTH = 6
type Norm = nn.BatchNorm1d

/** A classifier of [N, WIDTH] whose middle a test wires. */
class Wired extends Module {
  override readonly inputShape = [WIDTH]
  readonly norms: readonly Norm[]
  readonly wide: nn.BatchNorm1d
  readonly images: nn.BatchNorm2d
  readonly linears: readonly nn.Linear[]
  readonly narrow: nn.Linear
  readonly head: nn.Linear

  constructor(
    device: Device,
    readonly wiring: (x: Tensor, net: Wired) => Tensor,
  ) {
    super(device)
    const random = nn.generator(9)
    this.norms = Array.from({ length: 3 }, () => new nn.BatchNorm1d(device, WIDTH))
    this.wide = new nn.BatchNorm1d(device, 2 * WIDTH)
    this.images = new nn.BatchNorm2d(device, 2)
    this.linears = Array.from({ length: 3 }, () => new nn.Linear(device, WIDTH, WIDTH, { random }))
    this.narrow = new nn.Linear(device, 2 * WIDTH, WIDTH, { random })
    this.head = new nn.Linear(device, WIDTH, 3, { random })
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(this.wiring(x, this))
  }
}

const branches = (x: Tensor, { norms: [a, b], linears: [f, g] }: Wired): Tensor =>
  add(a.forward(f.forward(x)), b.forward(g.forward(x)))

/** Each place of a batch norm, and what is frozen there. */
const WIRINGS: Record<string, (x: Tensor, net: Wired) => Tensor> = {
  'side by side': branches,
  'in series, without anything between': (x, { norms: [a, b, c], linears: [f] }) =>
    c.forward(b.forward(a.forward(f.forward(x)))),
  'on the input itself': (x, { norms: [a] }) => a.forward(x),
  'after concat': (x, { wide, narrow, linears: [f, g] }) =>
    narrow.forward(relu(wide.forward(concat([f.forward(x), g.forward(x)], 1)))),
  'in a branch without gradient': (x, { norms: [a, b], linears: [f, g], device }) => {
    const gate = noGrad(device, () => tanh(a.forward(f.forward(x))))
    return mul(b.forward(g.forward(x)), gate)
  },
  'a result that nothing uses': (x, net) => {
    net.norms[2].forward(net.linears[2].forward(x))
    return branches(x, net)
  },
  'one module called twice': (x, { norms: [a], linears: [f, g] }) =>
    a.forward(g.forward(relu(a.forward(f.forward(x))))),
  'one module called on two branches': (x, { norms: [a], linears: [f, g] }) =>
    add(a.forward(f.forward(x)), tanh(a.forward(g.forward(x)))),
  'one module called with other numbers of positions': (x, { images, linears: [f] }) => {
    const [n] = x.shape
    const wide = reshape(images.forward(reshape(f.forward(x), [n, 2, 3, 1])), [n, WIDTH])
    return add(wide, reshape(images.forward(reshape(tanh(x), [n, 2, 1, 3])), [n, WIDTH]))
  },
  'a sequence': (x, { images, linears: [f, g] }) => {
    const norm = images.forward(reshape(f.forward(x), [x.shape[0], 2, 3, 1]))
    return g.forward(reshape(norm, [x.shape[0], WIDTH]))
  },
}

/** What is done to the net before it trains. */
const STATES: Record<string, (net: Wired) => void> = {
  '': () => {},
  'one of them frozen': ({ norms: [a] }) => {
    a.policy = 'frozen'
  },
  'one of them in evaluation mode': ({ norms: [a] }) => {
    a.eval()
  },
  'weights that do not learn': ({ norms: [a], linears: [f] }) => {
    for (const parameter of [...a.parameters(), ...f.parameters()]) parameter.requiresGrad = false
  },
}

const WIRED = { loss: crossEntropy, optimizer: OPTIMIZERS.sgd }

async function expectExact(make: (policy: nn.BatchNormPolicy) => Module, samples: number, microBatch: number) {
  const batch = samplesOf(samples, [WIDTH], 3)
  const whole = await lesson(make('micro'), batch, samples, WIRED)
  expectSame(await lesson(make('exact'), batch, microBatch, WIRED), whole, EXACT_NORM)
}

for (const [place, wiring] of Object.entries(WIRINGS)) {
  test(`batch norms ${place}`, async () => {
    for (const [state, prepare] of Object.entries(STATES)) {
      const make = (policy: nn.BatchNormPolicy): Module => {
        const net = new Wired(open('reference'), wiring)
        nn.setBatchNormPolicy(net, policy)
        prepare(net)
        return net
      }
      for (const microBatch of [1, 2, 4])
        await expectExact(make, 7, microBatch).catch((error: Error) => {
          error.message = `${state} by ${microBatch}: ${error.message}`
          throw error
        })
    }
  })
}

/** A step of a random net: `from` and `also` count earlier values back from the latest. */
interface Step {
  kind: 'norm' | 'again' | 'frozen' | 'plain' | 'apart' | 'wide' | 'linear' | 'relu' | 'tanh' | 'add' | 'mul'
  from: number
  also: number
}

class NormNet extends Module {
  override readonly inputShape = [WIDTH]
  readonly layers: readonly (Module | null)[]
  readonly shared: Norm
  readonly head: nn.Linear

  constructor(
    device: Device,
    readonly steps: readonly Step[],
    policy: nn.BatchNormPolicy,
  ) {
    super(device)
    const random = nn.generator(9)
    // at a deviation of almost 0 a smaller eps would make rounding errors large
    const norm = (policy: nn.BatchNormPolicy, affine = true): Norm =>
      new nn.BatchNorm1d(device, WIDTH, { policy, affine, eps: 0.1 })
    this.shared = norm(policy)
    this.layers = steps.map(({ kind }) => {
      if (kind === 'norm' || kind === 'apart') return norm(policy)
      if (kind === 'plain') return norm(policy, false)
      if (kind === 'frozen') return norm('frozen')
      if (kind === 'linear') return new nn.Linear(device, WIDTH, WIDTH, { random })
      if (kind !== 'wide') return null
      const wide = new nn.BatchNorm1d(device, 2 * WIDTH, { policy })
      return new nn.Sequential(wide, new nn.Linear(device, 2 * WIDTH, WIDTH, { random }))
    })
    this.head = new nn.Linear(device, WIDTH, 3, { random })
  }

  forward(x: Tensor): Tensor {
    const values = [x]
    const take = (back: number): Tensor => values[values.length - 1 - (back % values.length)]
    this.steps.forEach(({ kind, from, also }, i) => {
      values.push(this.#apply(kind, take(from), take(also), this.layers[i]))
    })
    return this.head.forward(add(take(0), take(1)))
  }

  #apply(kind: Step['kind'], x: Tensor, other: Tensor, layer: Module | null): Tensor {
    if (kind === 'relu') return relu(x)
    if (kind === 'tanh') return tanh(x)
    if (kind === 'add') return add(x, other)
    if (kind === 'mul') return mul(x, tanh(other))
    if (kind === 'again' || !layer) return this.shared.forward(x)
    if (kind === 'wide') return layer.forward(concat([x, other], 1))
    if (kind === 'apart')
      return add(
        x,
        noGrad(this.device, () => layer.forward(other)),
      )
    return layer.forward(x)
  }
}

const KINDS = ['norm', 'again', 'frozen', 'plain', 'apart', 'wide', 'linear', 'relu', 'tanh', 'add', 'mul'] as const

const back = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9) })

test('random nets of batch norms: in series, side by side, shared, frozen, after concat, without gradient', async () => {
  const steps = fc.array(fc.record<Step>({ kind: fc.constantFrom(...KINDS), from: back, also: fc.nat(9) }), {
    minLength: 1,
    maxLength: 9,
    size: 'max',
  })
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 3, max: 9 }), fc.nat(7), async (drawn, samples, less) => {
      const make = (policy: nn.BatchNormPolicy): Module => new NormNet(open('reference'), drawn, policy)
      await expectExact(make, samples, 1 + (less % (samples - 1)))
    }),
    { seed: 8, numRuns: 60 * TEST_RUNS },
  )
})

test.run()
