/** Models and data for the tests of streaming: small, and with every layer that a split could affect. */
import type { Batch } from '../src/data/index.js'
import type { Device } from '../src/device/device.js'
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  GroupNorm,
  generator,
  LayerNorm,
  Linear,
  Module,
  ReLU,
  Sequential,
  TransformerBlock,
} from '../src/nn/index.js'
import { add } from '../src/ops/binary.js'
import { reshape } from '../src/ops/movement.js'
import { relu } from '../src/ops/unary.js'
import type { Tensor } from '../src/tensor/tensor.js'

/** A factor for the number of runs of each property: SLUICE_TEST_RUNS=100 npm test. Default 1; in a page always 1. */
export const TEST_RUNS = Number(globalThis.process?.env.SLUICE_TEST_RUNS ?? 1)

export const INPUT = [2, 4, 4] as const
export const CLASSES = 3

/**
 * A module as a user would write it: two convolutions, group norm and a skip. It disposes nothing, and the library does
 * not know it.
 */
export class ResidualBlock extends Module {
  conv1: Conv2d
  conv2: Conv2d
  norm1: GroupNorm
  norm2: GroupNorm

  constructor(device: Device, channels: number, random: () => number) {
    super(device)
    this.conv1 = new Conv2d(device, channels, channels, 3, { padding: 1, random })
    this.norm1 = new GroupNorm(device, 2, channels)
    this.conv2 = new Conv2d(device, channels, channels, 3, { padding: 1, random })
    this.norm2 = new GroupNorm(device, 2, channels)
  }

  forward(x: Tensor): Tensor {
    const h = relu(this.norm1.forward(this.conv1.forward(x)))
    return relu(add(x, this.norm2.forward(this.conv2.forward(h))))
  }
}

/** Convolution, the residual block, dropout, a linear layer: all exact under splitting. */
export function residualModel(device: Device, rate = 0.25): Sequential {
  const random = generator(7)
  return new Sequential(
    new Conv2d(device, INPUT[0], 4, 3, { padding: 1, random }),
    new ResidualBlock(device, 4, random),
    new Flatten(device),
    new Dropout(device, rate),
    new Linear(device, 64, CLASSES, { random }),
  )
}

/** Layer norm and two dropouts. */
export function denseModel(device: Device, rate = 0.25): Sequential {
  const random = generator(11)
  return new Sequential(
    new Flatten(device),
    new Linear(device, 32, 12, { random }),
    new LayerNorm(device, 12),
    new ReLU(device),
    new Dropout(device, rate),
    new Linear(device, 12, 8, { random }),
    new ReLU(device),
    new Dropout(device, rate),
    new Linear(device, 8, CLASSES, { random }),
  )
}

/** The image as a sequence of 8 positions with 4 features. */
class Sequence extends Module {
  forward(x: Tensor): Tensor {
    return reshape(x, [x.shape[0], 8, 4])
  }
}

/**
 * Two transformer blocks, the first pre-norm and causal, the second post-norm: four dropouts each, including those in
 * attention.
 */
export function transformerModel(device: Device, rate = 0.25): Sequential {
  const random = generator(17)
  const options = { feedForward: 6, dropout: rate, random }
  return new Sequential(
    new Sequence(device),
    new TransformerBlock(device, 4, 2, { ...options, activation: 'gelu', preNorm: true, causal: true }),
    new TransformerBlock(device, 4, 2, options),
    new Flatten(device),
    new Linear(device, 32, CLASSES, { random }),
  )
}

/** A model with batch norm: it has buffers, and takes its statistics from each micro-batch. */
export function batchNormModel(device: Device): Sequential {
  const random = generator(13)
  return new Sequential(
    new Conv2d(device, INPUT[0], 4, 3, { random }),
    new BatchNorm2d(device, 4),
    new ReLU(device),
    new Flatten(device),
    new Linear(device, 16, CLASSES, { random }),
  )
}

/** N random samples; `ignored` targets are -100. */
export function randomBatch(
  samples: number,
  seed: number,
  options: { weighted?: boolean; ignored?: readonly number[] } = {},
): Batch {
  const random = generator(seed)
  const size = samples * INPUT[0] * INPUT[1] * INPUT[2]
  const targets = Int32Array.from({ length: samples }, () => Math.floor(random() * CLASSES))
  for (const sample of options.ignored ?? []) targets[sample] = -100
  return {
    inputs: { data: Float64Array.from({ length: size }, () => 2 * random() - 1), shape: [samples, ...INPUT] },
    targets: { data: targets, shape: [samples] },
    ...(options.weighted && {
      weights: { data: Float64Array.from({ length: samples }, () => Math.floor(8 * random()) / 4), shape: [samples] },
    }),
  }
}
