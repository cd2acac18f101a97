/**
 * Fixed workloads. Every peer library was given the same data and initial weights, bit for bit, so the first losses
 * must agree. Images and convolution weights are drawn channels last and permuted here to the layouts of PyTorch.
 */
import type { Device } from '../src/device/device.js'
import { convnet, mlp } from '../src/models/index.js'
import type { Module } from '../src/nn/module.js'
import { TransformerBlock } from '../src/nn/transformer.js'
import { mean } from '../src/ops/reduce.js'
import { square } from '../src/ops/unary.js'
import type { Tensor } from '../src/tensor/tensor.js'

export interface Workload {
  make(device: Device): Module
  /** by name, in the layouts of PyTorch */
  weights: Readonly<Record<string, { shape: readonly number[]; data: Float32Array }>>
  inputs: { shape: readonly number[]; data: Float32Array }
  targets: Float32Array
  /** the loss of an output; default its cross-entropy with the targets */
  loss?(y: Tensor): Tensor
  learningRate: number
  /** the losses of the first steps with plain SGD in other libraries, which agree to `tolerance` */
  losses: readonly number[]
  tolerance: number
}

/** mulberry32, by Tommy Ettinger: uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function uniform(size: number, low: number, high: number, seed: number): Float32Array {
  const random = mulberry32(seed)
  return Float32Array.from({ length: size }, () => low + (high - low) * random())
}

function labels(count: number, classes: number, seed: number): Float32Array {
  const random = mulberry32(seed)
  return Float32Array.from({ length: count }, () => Math.floor(random() * classes))
}

/** The axes of a row-major array in another order: axis i of the result is axis order[i] of `data`. */
function permute(data: Float32Array, shape: readonly number[], order: readonly number[]) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dim) => product * dim, 1))
  const newShape = order.map((axis) => shape[axis])
  const result = new Float32Array(data.length)
  for (let i = 0; i < result.length; i++) {
    let rest = i
    let from = 0
    for (let axis = order.length - 1; axis >= 0; axis--) {
      from += (rest % newShape[axis]) * strides[order[axis]]
      rest = Math.floor(rest / newShape[axis])
    }
    result[i] = data[from]
  }
  return { shape: newShape, data: result }
}

const zeros = (size: number) => ({ shape: [size], data: new Float32Array(size) })

/** A dense layer, drawn [in, out] within 1 / sqrt(in). */
function dense(inputs: number, outputs: number, seed: number) {
  const bound = 1 / Math.sqrt(inputs)
  return permute(uniform(inputs * outputs, -bound, bound, seed), [inputs, outputs], [1, 0])
}

/** A 3 x 3 convolution, drawn [3, 3, in, out]. */
function convolution(inputs: number, outputs: number, seed: number) {
  const bound = 1 / Math.sqrt(9 * inputs)
  return permute(uniform(9 * inputs * outputs, -bound, bound, seed), [3, 3, inputs, outputs], [3, 2, 0, 1])
}

/** 784 - 512 - 256 - 10, batch 256, learning rate 0.1. */
export function mlpWorkload(): Workload {
  return {
    make: (device) => mlp(device, { inputShape: [784], hidden: [512, 256] }),
    weights: {
      '1.weight': dense(784, 512, 100),
      '1.bias': zeros(512),
      '3.weight': dense(512, 256, 101),
      '3.bias': zeros(256),
      '5.weight': dense(256, 10, 102),
      '5.bias': zeros(10),
    },
    inputs: { shape: [256, 784], data: uniform(256 * 784, 0, 1, 1) },
    targets: labels(256, 10, 2),
    learningRate: 0.1,
    losses: [2.30616, 2.30262, 2.29957, 2.29679],
    tolerance: 5e-5,
  }
}

/** conv 16 - pool - conv 32 - pool - dense on 28 x 28, batch 64, learning rate 0.05. */
export function cnnWorkload(): Workload {
  const bound = 1 / Math.sqrt(1568)
  // drawn [7, 7, 32, 10], for activations that are flattened channels last
  const last = permute(uniform(1568 * 10, -bound, bound, 23), [7, 7, 32, 10], [3, 2, 0, 1])
  return {
    make: (device) => convnet(device, { inputShape: [1, 28, 28] }),
    weights: {
      '0.weight': convolution(1, 16, 21),
      '0.bias': zeros(16),
      '3.weight': convolution(16, 32, 22),
      '3.bias': zeros(32),
      '7.weight': { shape: [10, 1568], data: last.data },
      '7.bias': zeros(10),
    },
    inputs: { shape: [64, 1, 28, 28], data: uniform(64 * 784, 0, 1, 11) },
    targets: labels(64, 10, 12),
    learningRate: 0.05,
    losses: [2.29846, 2.28112, 2.26638, 2.25323],
    tolerance: 5e-5,
  }
}

/**
 * A pre-norm causal block on 8 x 128 positions of 256 features, 8 heads, 1024 hidden, gelu; the loss is the mean of
 * squares. The losses are PyTorch's (1.13, float32), from the same numbers:
 *
 *     layer = torch.nn.TransformerEncoderLayer(256, 8, 1024, 0, 'gelu', batch_first=True, norm_first=True)
 *     layer(x, src_mask=torch.triu(torch.full((128, 128), -inf), 1)).square().mean(), SGD of 0.05
 */
export function transformerWorkload(): Workload {
  const layer = (out: number, inputs: number, seed: number) => {
    const bound = 1 / Math.sqrt(inputs)
    return { shape: [out, inputs], data: uniform(out * inputs, -bound, bound, seed) }
  }
  const ones = { shape: [256], data: new Float32Array(256).fill(1) }
  return {
    make: (device) =>
      new TransformerBlock(device, 256, 8, {
        feedForward: 1024,
        dropout: 0,
        activation: 'gelu',
        preNorm: true,
        causal: true,
      }),
    weights: {
      'self_attn.in_proj_weight': layer(768, 256, 31),
      'self_attn.in_proj_bias': zeros(768),
      'self_attn.out_proj.weight': layer(256, 256, 32),
      'self_attn.out_proj.bias': zeros(256),
      'linear1.weight': layer(1024, 256, 33),
      'linear1.bias': zeros(1024),
      'linear2.weight': layer(256, 1024, 34),
      'linear2.bias': zeros(256),
      'norm1.weight': ones,
      'norm1.bias': zeros(256),
      'norm2.weight': ones,
      'norm2.bias': zeros(256),
    },
    inputs: { shape: [8, 128, 256], data: uniform(8 * 128 * 256, 0, 1, 30) },
    targets: new Float32Array(0),
    loss: (y) => mean(square(y)),
    learningRate: 0.05,
    losses: [0.37289, 0.369425, 0.366011, 0.362645],
    tolerance: 5e-6,
  }
}
