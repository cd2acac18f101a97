/** The workloads on Sluice, as built in dist/: on any device, in Node and in a page. */
import * as sluice from '../../../dist/src/index.js'
import { Absent } from '../absent.mjs'
import * as fixed from '../workloads.mjs'
import { keepingLast } from './keeping-last.mjs'

const { backward, conv2d, crossEntropy, fromHost, matmul, models, nn, optim, relu, scope, Streamer } = sluice

const zeros = (size) => ({ shape: [size], data: new Float32Array(size) })
const ones = (size) => ({ shape: [size], data: new Float32Array(size).fill(1) })

/** [in, out] as drawn -> [out, in] */
const dense = (data, inputs, outputs) => ({
  shape: [outputs, inputs],
  data: fixed.permute(data, [inputs, outputs], [1, 0]),
})

/** [3, 3, in, out] as drawn -> [out, in, 3, 3] */
const filters = (data, inputs, outputs) => ({
  shape: [outputs, inputs, 3, 3],
  data: fixed.permute(data, [3, 3, inputs, outputs], [3, 2, 0, 1]),
})

function mlp(device, batch) {
  const { x, labels, weights } = fixed.mlpData(batch)
  const model = models.mlp(device, { inputShape: [784], hidden: [512, 256] })
  const state = {}
  weights.forEach((data, i) => {
    const [inputs, outputs] = fixed.MLP.widths.slice(i)
    state[`${2 * i + 1}.weight`] = dense(data, inputs, outputs)
    state[`${2 * i + 1}.bias`] = zeros(outputs)
  })
  model.loadStateDict(state)
  const inputs = { shape: [x.length / 784, 784], data: x }
  return { model, inputs, targets: labelled(labels), loss: crossEntropy, learningRate: fixed.MLP.learningRate }
}

function cnn(device, batch) {
  const { x, labels, conv1, conv2, dense: last } = fixed.cnnData(batch)
  const model = models.convnet(device, { inputShape: [1, 28, 28] })
  model.loadStateDict({
    '0.weight': filters(conv1, 1, 16),
    '0.bias': zeros(16),
    '3.weight': filters(conv2, 16, 32),
    '3.bias': zeros(32),
    '7.weight': { shape: [10, 1568], data: fixed.permute(last, [7, 7, 32, 10], [3, 2, 0, 1]) },
    '7.bias': zeros(10),
  })
  const inputs = { shape: [x.length / 784, 1, 28, 28], data: x }
  return { model, inputs, targets: labelled(labels), loss: crossEntropy, learningRate: fixed.CNN.learningRate }
}

const labelled = (labels) => ({ shape: [labels.length], data: labels })

class ResBlock extends sluice.Module {
  constructor(device) {
    super(device)
    const { channels, groups } = fixed.RESBLOCK
    this.conv1 = new nn.Conv2d(device, channels, channels, 3, { padding: 1 })
    this.norm1 = new nn.GroupNorm(device, groups, channels)
    this.conv2 = new nn.Conv2d(device, channels, channels, 3, { padding: 1 })
    this.norm2 = new nn.GroupNorm(device, groups, channels)
  }

  forward(x) {
    const inner = relu(this.norm1.forward(this.conv1.forward(x)))
    return relu(sluice.add(x, this.norm2.forward(this.conv2.forward(inner))))
  }
}

const meanSquare = (y) => sluice.mean(sluice.square(y))

function resblock(device) {
  const { batch, channels, side, learningRate } = fixed.RESBLOCK
  const { x, conv1, conv2 } = fixed.resblockData()
  const model = new ResBlock(device)
  const shape = [channels, channels, 3, 3]
  model.loadStateDict({
    'conv1.weight': { shape, data: conv1 },
    'conv1.bias': zeros(channels),
    'norm1.weight': ones(channels),
    'norm1.bias': zeros(channels),
    'conv2.weight': { shape, data: conv2 },
    'conv2.bias': zeros(channels),
    'norm2.weight': ones(channels),
    'norm2.bias': zeros(channels),
  })
  return { model, inputs: { shape: [batch, channels, side, side], data: x }, loss: meanSquare, learningRate }
}

function transformer(device) {
  const { batch, length, width, heads, hidden, learningRate } = fixed.TRANSFORMER
  const { x, inProjection, outProjection, linear1, linear2 } = fixed.transformerData()
  const options = { feedForward: hidden, dropout: 0, activation: 'gelu', preNorm: true, causal: true }
  const model = new nn.TransformerBlock(device, width, heads, options)
  model.loadStateDict({
    'self_attn.in_proj_weight': { shape: [3 * width, width], data: inProjection },
    'self_attn.in_proj_bias': zeros(3 * width),
    'self_attn.out_proj.weight': { shape: [width, width], data: outProjection },
    'self_attn.out_proj.bias': zeros(width),
    'linear1.weight': { shape: [hidden, width], data: linear1 },
    'linear1.bias': zeros(hidden),
    'linear2.weight': { shape: [width, hidden], data: linear2 },
    'linear2.bias': zeros(width),
    'norm1.weight': ones(width),
    'norm1.bias': zeros(width),
    'norm2.weight': ones(width),
    'norm2.bias': zeros(width),
  })
  return { model, inputs: { shape: [batch, length, width], data: x }, loss: meanSquare, learningRate }
}

/** A step: forward, backward, update, and a read of the loss; inputs stay on the device. */
function training(device, build, optimizerName) {
  const { model, inputs, targets, loss, learningRate } = build(device)
  const optimizer =
    optimizerName === 'sgd' ? optim.sgd(model, { learningRate }) : optim.adam(model, { learningRate: 1e-3 })
  const x = fromHost(device, inputs)
  const y = targets && fromHost(device, targets)
  return {
    step: async () => {
      optimizer.zeroGrad()
      const value = scope(device, () => {
        const mean = loss(model.forward(x), y)
        backward(mean)
        return mean
      })
      optimizer.step()
      const number = await value.item()
      value.dispose()
      return number
    },
  }
}

/** A mini-batch of MINI_BATCH through a Streamer, in micro-batches of a given size; inputs come from the host. */
function streaming(device, build, microBatch) {
  const { model, inputs, targets, loss, learningRate } = build(device, fixed.MINI_BATCH)
  const streamer = new Streamer({ model, loss, optimizer: optim.sgd(model, { learningRate }) })
  return { step: async () => (await streamer.step({ inputs, targets }, { microBatch })).loss }
}

/** A workload that computes one tensor; its probe is one number of it. */
const product = (workload, compute) =>
  keepingLast(compute, async (tensor) => (await tensor.data())[fixed.probeIndex(workload)])

function multiplication(device, workload) {
  const n = fixed.sizeOfMatmul(workload)
  const { a, b } = fixed.matrices(n)
  const [left, right] = [a, b].map((data) => fromHost(device, { shape: [n, n], data }))
  return product(workload, () => matmul(left, right))
}

/**
 * A convolution or its gradient. The gradient runs as a kernel of the device; through autograd it would need a forward.
 */
function convolution(device, workload) {
  const { batch, inputs, outputs, side, part } = fixed.convolutionOf(workload)
  const data = fixed.convolutionData({ batch, inputs, outputs, side })
  const x = fromHost(device, { shape: [batch, inputs, side, side], data: data.x })
  const w = fromHost(device, { shape: [outputs, inputs, 3, 3], data: data.w })
  const dy = fromHost(device, { shape: [batch, outputs, side, side], data: data.dy })
  if (part === 'fwd') return product(workload, () => conv2d(x, w, null, { padding: 1 }))
  const square = (name, value) => ({ [`${name}Y`]: value, [`${name}X`]: value })
  const parameters = {
    ...{ batch, channels: inputs, outChannels: outputs, groups: 1, accumulate: false },
    ...{ height: side, width: side, outHeight: side, outWidth: side, kernelHeight: 3, kernelWidth: 3 },
    ...{ ...square('stride', 1), ...square('pad', 1), ...square('dilation', 1) },
  }
  const [kernel, operand, like] =
    part === 'dw' ? ['convolutionWeightGradient', x, w] : ['convolutionInputGradient', w, x]
  const operands = [dy, operand].map((tensor) => tensor.storage(kernel))
  const result = sluice.zeros(device, like.shape)
  return {
    step: () => device.run(kernel, parameters, operands, [result.storage(kernel)]),
    probe: async () => (await result.data())[fixed.probeIndex(workload)],
  }
}

/** Ten kernels over a million values, each of which is read and written. */
function chain(device) {
  const { x, y } = fixed.chainData()
  const [start, other] = [x, y].map((data) => fromHost(device, { shape: [data.length], data }))
  const { add, sub, mul, maximum, square, abs, neg } = sluice.ops
  return product('chain', () =>
    scope(device, () => {
      const a = abs(sub(relu(add(mul(start, other), other)), start))
      return mul(square(neg(maximum(a, other))), add(a, start))
    }),
  )
}

/**
 * One step of a workload on a device.
 * @returns {{ step: () => unknown, probe?: () => Promise<number> }}  see serve.mjs
 */
export function make(device, name) {
  const [workload, microBatch] = name.split('/')
  const [family, rest] = workload.split('_')
  if (workload.startsWith('matmul')) return multiplication(device, workload)
  if (workload === 'chain') return chain(device)
  if (family === 'mlp') return training(device, mlp, rest)
  if (family === 'cnn') return training(device, cnn, rest)
  if (family === 'resblock') return training(device, resblock, rest)
  if (family === 'transformer') return training(device, transformer, rest)
  if (family === 'microbatch') return streaming(device, { mlp, cnn }[rest], Number(microBatch))
  if (family.startsWith('conv')) return convolution(device, workload)
  throw new Absent(`${family} is not written for Sluice`)
}
