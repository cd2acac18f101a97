/** Random networks, as a user might write them: values used twice and late, skips, shared weights, several heads. */
import type { Device } from '../src/device/device.js'
import { BatchNorm2d, Conv2d, Dropout, GroupNorm, generator, Linear, Module } from '../src/nn/index.js'
import { scaledDotProductAttention } from '../src/ops/attention.js'
import { add, mul } from '../src/ops/binary.js'
import { concat, permute, reshape } from '../src/ops/movement.js'
import { averagePool2d, maxPool2d } from '../src/ops/pool.js'
import { clamp, gelu, leakyRelu, relu, sigmoid, tanh } from '../src/ops/unary.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { fc } from './property.js'

export const CHANNELS = 6
export const SIDE = 8
export const CLASSES = 3

const KINDS = [
  ...['conv', 'shared', 'relu', 'relu', 'leakyRelu', 'clamp', 'gelu', 'tanh', 'sigmoid', 'add', 'mul', 'concat'],
  ...['batchNorm', 'groupNorm', 'dropout', 'attention', 'pooled'],
] as const

export interface Step {
  kind: (typeof KINDS)[number]
  /** the earlier value that the step takes, counted from the latest, modulo their number */
  from: number
  also: number
}

/** Every value is [N, CHANNELS, SIDE, SIDE], so that any step can take any value. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    from: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
    also: fc.nat(20),
  }),
  { minLength: 2, maxLength: 12, size: 'max' },
)

export class RandomNet extends Module {
  override readonly inputShape = [CHANNELS, SIDE, SIDE]
  readonly shared: Conv2d
  readonly layers: readonly (Module | null)[]
  readonly head: Linear
  readonly lateHead: Linear

  constructor(
    device: Device,
    readonly steps: readonly Step[],
  ) {
    super(device)
    const random = generator(7)
    const conv = (channels = CHANNELS): Conv2d => new Conv2d(device, channels, CHANNELS, 3, { padding: 1, random })
    this.shared = conv()
    this.layers = steps.map(({ kind }) => {
      if (kind === 'conv') return conv()
      if (kind === 'concat') return conv(2 * CHANNELS)
      if (kind === 'batchNorm') return new BatchNorm2d(device, CHANNELS)
      if (kind === 'groupNorm') return new GroupNorm(device, 2, CHANNELS)
      return kind === 'dropout' ? new Dropout(device, 0.25) : null
    })
    const features = CHANNELS * SIDE * SIDE
    this.head = new Linear(device, features, CLASSES, { random })
    this.lateHead = new Linear(device, features, CLASSES, { random })
  }

  forward(x: Tensor): Tensor {
    const values = [x]
    const take = (back: number): Tensor => values[values.length - 1 - (back % values.length)]
    this.steps.forEach(({ kind, from, also }, i) => {
      values.push(this.#apply(kind, take(from), take(also), this.layers[i]))
    })
    const flat = (value: Tensor): Tensor => reshape(value, [x.shape[0], -1])
    return add(this.head.forward(flat(take(0))), this.lateHead.forward(flat(values[Math.min(1, values.length - 1)])))
  }

  #apply(kind: Step['kind'], x: Tensor, other: Tensor, layer: Module | null): Tensor {
    switch (kind) {
      case 'shared':
        return this.shared.forward(x)
      case 'relu':
        return relu(x)
      case 'leakyRelu':
        return leakyRelu(x, 0.1)
      case 'clamp':
        return clamp(x, -0.5, 0.75)
      case 'gelu':
        return gelu(x)
      case 'tanh':
        return tanh(x)
      case 'sigmoid':
        return sigmoid(x)
      case 'add':
        return add(x, other)
      case 'mul':
        return mul(x, tanh(other))
      case 'concat':
        return (layer as Module).forward(concat([x, other], 1))
      case 'attention': {
        const rows = permute(reshape(x, [x.shape[0], 1, CHANNELS, SIDE * SIDE]), [0, 1, 3, 2])
        return reshape(permute(scaledDotProductAttention(rows, rows, rows), [0, 1, 3, 2]), x.shape)
      }
      case 'pooled':
        return add(
          maxPool2d(x, { kernel: 3, stride: 1, padding: 1 }),
          averagePool2d(x, { kernel: 3, stride: 1, padding: 1 }),
        )
      default:
        return (layer as Module).forward(x)
    }
  }
}
