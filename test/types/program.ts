/**
 * A program that is compiled and not run: what must have a type, from the packed declarations. A line below
 * `@ts-expect-error` must be refused.
 */
import {
  type BatchNormOptions,
  type CreateOptions,
  crossEntropy,
  data,
  defineOp,
  Module,
  nn,
  openDevice,
  optim,
  type PoolOptions,
  Streamer,
  scope,
  type Tensor,
  tensor,
} from 'sluice'

const device = await openDevice('cpu', { memory: '1MiB', seed: 1 })

// lists that are only read, rows that are typed arrays, and every typed array of numbers
const matrix = [
  [1, 2],
  [3, 4],
] as const
const shape = [2, 2] as const
export const made = [
  tensor(device, matrix),
  tensor(device, [Float32Array.of(1, 2), Uint8Array.of(3, 4)]),
  tensor(device, Uint8ClampedArray.of(1, 2, 3, 4), shape),
  tensor(device, [1, 2, 3, 4], shape, { requiresGrad: true }).reshape([4, 1] as const),
]
const images = { data: new Uint8ClampedArray(8), shape: [2, 4] as const, scale: 1 / 255 }
const samples = data.fromArrays({ inputs: images, targets: { data: Int32Array.of(0, 1), shape: [2] } })

// axes: a number, a list, or in the options
export const sums: Tensor[] = [made[0].sum(), made[0].sum(1), made[0].sum([0, 1]), made[0].sum({ axes: 0 })]
// @ts-expect-error  the option is called axes
made[0].sum({ axis: 0 })

// tied weights
class Tied extends Module {
  table = new nn.Embedding(this.device, 10, 4)
  head = new nn.Linear(this.device, 4, 10, { bias: false })

  constructor() {
    super(device)
    this.head.weight = this.table.weight
  }

  forward(x: Tensor): Tensor {
    return this.head.forward(this.table.forward(x))
  }
}

// several inputs and outputs, in modules within a model
class Bilinear extends Module<[a: Tensor, b: Tensor]> {
  weight = new nn.Linear(this.device, 4, 4)

  forward(a: Tensor, b: Tensor): Tensor {
    return this.weight.forward(a).mul(b)
  }
}

class Halves extends Module<[x: Tensor], readonly [Tensor, Tensor]> {
  forward(x: Tensor): readonly [Tensor, Tensor] {
    return [x.slice([0, 0], [x.shape[0], 2]), x.slice([0, 2])]
  }
}

class Net extends Module {
  halves = new Halves(this.device)
  bilinear = new Bilinear(this.device)

  forward(x: Tensor): Tensor {
    const [a, b] = this.halves.forward(x)
    return this.bilinear.forward(a, b)
  }
}

export const ofTwo = new Streamer({ model: new Bilinear(device), loss: crossEntropy, optimizer: optim.sgd([]) })

const model: Module = new Net(device)
const optimizer = optim.adam(model.parameters(), { learningRate: 1e-3 })
const streamer = new Streamer({ model, loss: crossEntropy, optimizer })
for await (const step of streamer.fit(samples, { batch: 2 })) console.log(step.loss.toFixed(3))
export const tied = new Tied()

// ops that are defined: inputs by position, options by name
export const scaled = defineOp({
  name: 'scaled',
  inputs: ['x', 'by'],
  options: { factor: 2, inverse: false },
  loop([x, by], y, { factor }) {
    for (let i = 0; i < y.length; i++) y[i] = x[i] * by[i] * factor
  },
  gpu: 'function value(i, x, by, p) { return x[i] * by[i] * p.factor }',
  gradients: {
    x: { saves: ['by'], ops: ({ dy, by }, { factor }) => dy.mul(by).mul(factor) },
    by: null,
  },
})
export const product: Tensor = scaled(made[0], made[1], { factor: 3, inverse: true })
// @ts-expect-error  an input is missing
scaled(made[0])
// @ts-expect-error  there is no such option
scaled(made[0], made[1], { by: 1 })

const controller = new AbortController()
export const pool: PoolOptions = { kernel: 2 }
export const created: CreateOptions = { category: 'input' }
export const norm: BatchNormOptions = { eps: 1e-5 }
export const plan = streamer.plan({ batch: 2, inputShape: [4] })
export const total: Promise<number> = scope(device, () => made[0].sum()).item()
export const stepped = streamer.step(samples.gather([0]), { signal: controller.signal })

export function half(): number {
  // freed at the end, where the compiler knows `using`
  const temporary = tensor(device, 1)
  temporary[Symbol.dispose]()
  return optimizer.steps / 2
}

declare const console: { log(text: string): void }
declare class AbortController {
  readonly signal: AbortSignal
}
