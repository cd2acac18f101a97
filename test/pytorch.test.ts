/**
 * Ops against PyTorch 1.13 in float64, on the numbers of pytorch.json, which pytorch.py prints: y, its shape, and the gradients
 * of (y * c).sum() with c = 1, 2, 3, 1, 2, 3, ... On every kind of device that needs no GPU.
 */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import { openDevice } from '../src/device/open.js'
import * as nn from '../src/nn/index.js'
import { crossEntropyLoss } from '../src/ops/cross-entropy.js'
import { einsum } from '../src/ops/einsum.js'
import { bceWithLogitsLoss, diceLoss, huberLoss, klDivergence, l1, nll } from '../src/ops/losses.js'
import { adaptiveAveragePool2d, upsample } from '../src/ops/resize.js'
import { ops } from '../src/ops/table.js'
import { topk } from '../src/ops/topk.js'
import { scope } from '../src/step/scope.js'
import { arange } from '../src/tensor/arange.js'
import { requireGrad, tensor } from '../src/tensor/create.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { CONVENTION_FLOAT32, LITERAL } from './tolerances.js'

/** Infinities and NaN are texts. */
type Numbers = number | string | Numbers[]

interface Recorded {
  name: string
  inputs: Numbers[]
  y: Numbers[]
  shape: number[]
  /** null: the input has no gradient */
  gradients: (Numbers[] | null)[]
}

/** A layer with these values in place of its parameters. */
const withValues = (layer: nn.Module, values: object) => Object.assign(layer, values)

/** The layer with the values that `recurrent` of pytorch.py gives it. */
function filled<Layer extends nn.AnyModule>(layer: Layer): Layer {
  const state = [...layer.namedParameters()].map(([name, { shape, size }]) => {
    const first = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
    return [
      name,
      { shape, data: Float64Array.from({ length: size }, (_, i) => (((7 * i + first) % 17) - 8) / 8) },
    ] as const
  })
  layer.loadStateDict(Object.fromEntries(state))
  return layer
}

/** The gradients of the sum of squares of all outputs, for all parameters in a row. */
function gradientsOf(layer: nn.LSTM | nn.GRU, x: Tensor): Tensor {
  backward(ops.sum(ops.square(filled(layer).forward(x)[0])))
  x.grad?.dispose()
  x.grad = null
  const gradients = layer.parameters().map(({ grad, size }) => ops.reshape(grad as Tensor, [size]))
  return ops.add(ops.concat(gradients), ops.mul(ops.sum(x), 0))
}

const CLASS_WEIGHTS = crossEntropyLoss({ classWeights: [1, 2, 0.5] })
const SMOOTH_CLASS_WEIGHTS = crossEntropyLoss({ classWeights: [1, 2, 0.5], labelSmoothing: 0.25 })
const someBits = ({ device }: Tensor): Tensor =>
  tensor(device, [
    [1, 0, 0.5],
    [0, 1, 1],
  ])
const someIgnored = ({ device }: Tensor): Tensor =>
  tensor(device, [
    [2, -100],
    [0, 1],
  ])

/** The same expressions in Sluice. */
const RUNS: Readonly<Record<string, (...inputs: Tensor[]) => Tensor>> = {
  'x.amin(1)': (x) => ops.min(x, 1),
  'x.amin()': (x) => ops.min(x),
  'x.argmin(1)': (x) => ops.argmin(x, 1),
  'x.std(1)': (x) => ops.std(x, 1),
  'x.std(0, unbiased=False)': (x) => ops.std(x, 0, { correction: 0 }),
  'x.std()': (x) => ops.std(x),
  'x.norm(dim=1)': (x) => ops.norm(x, 1),
  'x.norm(dim=(0, 1), keepdim=True)': (x) => ops.norm(x, [0, 1], { keepDims: true }),
  'torch.logsumexp(x, 1)': (x) => ops.logSumExp(x, 1),
  'torch.logsumexp(x, (0, 1))': (x) => ops.logSumExp(x, [0, 1]),
  'torch.stack([a, b], 1)': (a, b) => ops.stack([a, b], 1),
  'x.split(2, 1)[1]': (x) => ops.split(x, 2, 1)[1],
  'x.split([1, 2], 1)[1]': (x) => ops.split(x, [1, 2], 1)[1],
  'x.chunk(3)[1]': (x) => ops.chunk(x, 3)[1],
  'x.chunk(4)[2]': (x) => ops.chunk(x, 4)[2],
  'x.transpose(0, -1)': (x) => ops.transpose(x, 0, -1),
  'F.one_hot(x, 4)': (x) => ops.oneHot(x, 4),
  'x.detach() * x': (x) => ops.mul(ops.detach(x), x),
  "F.gelu(x, approximate='tanh')": (x) => ops.gelu(x, { approximate: 'tanh' }),
  'x.sin()': ops.sin,
  'x.cos()': ops.cos,
  'x.sign() * x': (x) => ops.mul(ops.sign(x), x),
  'x.floor() + x': (x) => ops.add(ops.floor(x), x),
  'x.round() + x': (x) => ops.add(ops.round(x), x),
  'a ** b': ops.pow,
  'torch.pow(a, b)': ops.pow,
  'torch.pow(2, x)': (x) => ops.power(2, x),
  'x.cumsum(1)': (x) => ops.cumsum(x, 1),
  'x.cumsum(0)': (x) => ops.cumsum(x, 0),
  'x.prod(1)': (x) => ops.prod(x, 1),
  'x.prod()': (x) => ops.prod(x),
  'x.prod(0, keepdim=True)': (x) => ops.prod(x, 0, { keepDims: true }),
  'x.gather(1, torch.tensor([[2, 2, 0, 1], [0, 1, 2, 2]]))': (x) =>
    ops.gather(
      x,
      1,
      tensor(x.device, [
        [2, 2, 0, 1],
        [0, 1, 2, 2],
      ]),
    ),
  'x.gather(0, torch.tensor([[1, 0, 1]]))': (x) => ops.gather(x, 0, tensor(x.device, [[1, 0, 1]])),
  'x.topk(2)[0]': (x) => topk(x, 2)[0],
  'x.topk(3, 0)[1]': (x) => topk(x, 3, 0)[1],
  'x.topk(3, 0)[0] * 2': (x) => ops.mul(topk(x, 3, 0)[0], 2),
  "torch.einsum('bij,bkj->bik', a, b)": (a, b) => einsum('bij,bkj->bik', a, b),
  "torch.einsum('ij,jk,il->lk', a, b, c)": (a, b, c) => einsum('ij,jk,il->lk', a, b, c),
  "torch.einsum('ij->j', x)": (x) => einsum('ij->j', x),
  "torch.einsum('i,j', a, b)": (a, b) => einsum('i,j', a, b),
  'F.l1_loss(a, b)': (a, b) => l1(a, b),
  'F.huber_loss(a, b, delta=0.75)': (a, b) => huberLoss({ delta: 0.75 })(a, b),
  'F.binary_cross_entropy_with_logits(a, b, pos_weight=torch.tensor([2., 0.5, 4.]).double())': (a, b) =>
    bceWithLogitsLoss({ posWeight: [2, 0.5, 4] })(a, b),
  "F.kl_div(a, b, reduction='batchmean')": (a, b) => klDivergence(a, b),
  "F.kl_div(x, torch.tensor([[1., 0, 0], [0, 0.5, 0.5]]).double(), reduction='batchmean')": (x) =>
    klDivergence(
      x,
      tensor(x.device, [
        [1, 0, 0],
        [0, 0.5, 0.5],
      ]),
    ),
  'F.nll_loss(x, torch.tensor([2, 0]))': (x) => nll(x, tensor(x.device, [2, 0])),
  'F.cross_entropy(x, torch.tensor([2, 0]), weight=torch.tensor([1., 2, 0.5]).double())': (x) =>
    CLASS_WEIGHTS(x, tensor(x.device, [2, 0])),
  'F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), weight=torch.tensor([1., 2, 0.5]).double())': (x) =>
    CLASS_WEIGHTS(x, someIgnored(x)),
  'F.cross_entropy(a, b)': (a, b) => ops.crossEntropy(a, b),
  'F.cross_entropy(a, b) * 2': (a, b) => ops.mul(ops.crossEntropy(a, b), 2),
  'F.cross_entropy(a, b, weight=torch.tensor([1., 2, 0.5]).double(), label_smoothing=0.25)': (a, b) =>
    SMOOTH_CLASS_WEIGHTS(a, b),
  "F.cross_entropy(a, b, label_smoothing=0.25, reduction='none')": (a, b) =>
    ops.crossEntropy(a, b, { labelSmoothing: 0.25, reduction: 'none' }),
  "F.cross_entropy(a, b, reduction='sum')": (a, b) => ops.crossEntropy(a, b, { reduction: 'sum' }),
  'F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), weight=torch.tensor([1., 2, 0.5]).double(), label_smoothing=0.25)':
    (x) => SMOOTH_CLASS_WEIGHTS(x, someIgnored(x)),
  "F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), label_smoothing=0.25, reduction='none')": (x) =>
    ops.crossEntropy(x, someIgnored(x), { labelSmoothing: 0.25, reduction: 'none' }),
  "F.cross_entropy(x, torch.tensor([[2, -100], [0, 1]]), reduction='sum')": (x) =>
    ops.crossEntropy(x, someIgnored(x), { reduction: 'sum' }),
  "F.cross_entropy(x, torch.tensor([2, 0]), reduction='none')": (x) =>
    ops.crossEntropy(x, tensor(x.device, [2, 0]), { reduction: 'none' }),
  "F.mse_loss(a, b, reduction='none')": (a, b) => ops.mse(a, b, { reduction: 'none' }),
  "F.mse_loss(a, b, reduction='sum')": (a, b) => ops.mse(a, b, { reduction: 'sum' }),
  "F.l1_loss(a, b, reduction='none')": (a, b) => l1(a, b, { reduction: 'none' }),
  "F.huber_loss(a, b, reduction='sum', delta=0.75)": (a, b) => huberLoss({ delta: 0.75 })(a, b, { reduction: 'sum' }),
  "F.kl_div(a, b, reduction='none')": (a, b) => klDivergence(a, b, { reduction: 'none' }),
  "F.kl_div(a, b, reduction='sum')": (a, b) => klDivergence(a, b, { reduction: 'sum' }),
  "F.nll_loss(x, torch.tensor([2, 0]), reduction='none')": (x) =>
    nll(x, tensor(x.device, [2, 0]), { reduction: 'none' }),
  "F.binary_cross_entropy_with_logits(x, torch.tensor([[1., 0, 0.5], [0, 1, 1]]).double(), reduction='none')": (x) =>
    ops.bceWithLogits(x, someBits(x), { reduction: 'none' }),
  "F.binary_cross_entropy_with_logits(x, torch.tensor([[1., 0, 0.5], [0, 1, 1]]).double(), reduction='sum')": (x) =>
    ops.bceWithLogits(x, someBits(x), { reduction: 'sum' }),
  '1 - (2 * (a * b).sum(1) + 1) / ((a + b).sum(1) + 1)': (a, b) =>
    ops.concat([0, 1].map((i) => ops.reshape(diceLoss()(ops.slice(a, [i], [i + 1]), ops.slice(b, [i], [i + 1])), [1]))),
  'F.adaptive_avg_pool2d(x, 1)': (x) => adaptiveAveragePool2d(x, 1),
  'F.adaptive_avg_pool2d(x, (2, 7))': (x) => adaptiveAveragePool2d(x, [2, 7]),
  'F.adaptive_avg_pool2d(x, (3, 4))': (x) => new nn.AdaptiveAveragePool2d(x.device, [3, 4]).forward(x),
  'F.adaptive_avg_pool2d(x, (5, 2))': (x) => adaptiveAveragePool2d(x, [5, 2]),
  'F.interpolate(x, scale_factor=(2, 3))': (x) => upsample(x, { scale: [2, 3] }),
  "F.interpolate(x, scale_factor=(2, 3), mode='bilinear')": (x) =>
    new nn.Upsample(x.device, { scale: [2, 3], mode: 'bilinear' }).forward(x),
  "F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)": (x) =>
    upsample(x, { scale: 2, mode: 'bilinear', alignCorners: true }),
  "F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True) * 3": (x) =>
    ops.mul(upsample(x, { scale: 2, mode: 'bilinear', alignCorners: true }), 3),
  'F.conv1d(a, b, c, stride=2, padding=1)': (a, weight, bias) =>
    withValues(new nn.Conv1d(a.device, 2, 2, 3, { stride: 2, padding: 1 }), { weight, bias }).forward(a),
  'F.conv1d(a, b, dilation=2, groups=2)': (a, weight) =>
    withValues(new nn.Conv1d(a.device, 2, 2, 2, { dilation: 2, groups: 2, bias: false }), { weight }).forward(a),
  'F.max_pool1d(x, 3, 2, 1)': (x) => new nn.MaxPool1d(x.device, 3, { stride: 2, padding: 1 }).forward(x),
  'F.avg_pool1d(x, 3, 2, 1, count_include_pad=False)': (x) =>
    new nn.AveragePool1d(x.device, 3, { stride: 2, padding: 1, countPadding: false }).forward(x),
  'a / torch.sqrt((a * a).mean(-1, keepdim=True) + 0.25) * b': (a, weight) =>
    withValues(new nn.RMSNorm(a.device, 3, { eps: 0.25 }), { weight }).forward(a),
  'F.max_pool2d(x, 3, 2, 1, ceil_mode=True)': (x) =>
    ops.maxPool2d(x, { kernel: 3, stride: 2, padding: 1, ceilMode: true }),
  'F.max_pool2d(x, 2, 3, ceil_mode=True)': (x) =>
    new nn.MaxPool2d(x.device, 2, { stride: 3, ceilMode: true }).forward(x),
  'F.max_pool1d(x, 2, 4, 1, ceil_mode=True)': (x) =>
    new nn.MaxPool1d(x.device, 2, { stride: 4, padding: 1, ceilMode: true }).forward(x),
  'F.avg_pool2d(x, 3, 2, ceil_mode=True)': (x) => ops.averagePool2d(x, { kernel: 3, stride: 2, ceilMode: true }),
  'F.max_pool2d(x, (2, 3), (1, 2), (1, 1), dilation=(3, 2))': (x) =>
    ops.maxPool2d(x, { kernel: [2, 3], stride: [1, 2], padding: 1, dilation: [3, 2] }),
  'F.max_pool2d(x, 2, 3, 1, dilation=2, ceil_mode=True)': (x) =>
    new nn.MaxPool2d(x.device, 2, { stride: 3, padding: 1, dilation: 2, ceilMode: true }).forward(x),
  'F.max_pool2d(x, 3, 2, dilation=(1, 2), ceil_mode=True)': (x) =>
    ops.maxPool2d(x, { kernel: 3, stride: 2, dilation: [1, 2], ceilMode: true }),
  'F.max_pool1d(x, 3, 1, 1, dilation=2)': (x) =>
    new nn.MaxPool1d(x.device, 3, { stride: 1, padding: 1, dilation: 2 }).forward(x),
  'F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)': (x) =>
    new nn.AveragePool2d(x.device, 3, { stride: 2, padding: 1, ceilMode: true, countPadding: false }).forward(x),
  'recurrent(nn.MultiheadAttention(4, 2, batch_first=True), a, b, b)[0]': (x, key) =>
    filled(new nn.MultiheadAttention(x.device, 4, 2)).forward(x, null, key),
  'recurrent(nn.MultiheadAttention(4, 2, batch_first=True), a, b, c)[0]': (x, key, value) =>
    filled(new nn.MultiheadAttention(x.device, 4, 2)).forward(x, null, key, value),
  'recurrent(nn.LSTM(2, 3, batch_first=True), x)[0]': (x) => filled(new nn.LSTM(x.device, 2, 3)).forward(x)[0],
  'recurrent(nn.LSTM(2, 3, 2, batch_first=True, bidirectional=True), x)[0]': (x) =>
    filled(new nn.LSTM(x.device, 2, 3, { layers: 2, bidirectional: true })).forward(x)[0],
  'states(recurrent(nn.LSTM(2, 3, 2, batch_first=True, bidirectional=True), x)[1])': (x) =>
    ops.concat(
      filled(new nn.LSTM(x.device, 2, 3, { layers: 2, bidirectional: true }))
        .forward(x)
        .slice(1),
      1,
    ),
  'recurrent(nn.LSTM(2, 2, batch_first=True, bias=False), a, (b.transpose(0, 1), c.transpose(0, 1)))[0]': (x, h, c) =>
    filled(new nn.LSTM(x.device, 2, 2, { bias: false })).forward(x, h, c)[0],
  'recurrent(nn.LSTM(1, 1, batch_first=True), x)[0]': (x) => filled(new nn.LSTM(x.device, 1, 1)).forward(x)[0],
  'weights(nn.LSTM(2, 2, batch_first=True), x)': (x) => gradientsOf(new nn.LSTM(x.device, 2, 2), x),
  'recurrent(nn.GRU(2, 3, 2, batch_first=True), x)[0]': (x) =>
    filled(new nn.GRU(x.device, 2, 3, { layers: 2 })).forward(x)[0],
  'states(recurrent(nn.GRU(2, 3, 2, batch_first=True, bidirectional=True), x)[1:])': (x) =>
    filled(new nn.GRU(x.device, 2, 3, { layers: 2, bidirectional: true })).forward(x)[1],
  'recurrent(nn.GRU(2, 2, batch_first=True, bias=False), a, b.transpose(0, 1))[0]': (x, h) =>
    filled(new nn.GRU(x.device, 2, 2, { bias: false })).forward(x, h)[0],
  'weights(nn.GRU(2, 2, batch_first=True), x)': (x) => gradientsOf(new nn.GRU(x.device, 2, 2), x),
  'F.relu6(x) + F.softplus(x)': (x) => ops.add(new nn.ReLU6(x.device).forward(x), new nn.Softplus(x.device).forward(x)),
  'F.elu(x, 0.5) + nn.Identity()(x)': (x) =>
    ops.add(new nn.ELU(x.device, 0.5).forward(x), new nn.Identity(x.device).forward(x)),
  'F.mish(x)': (x) => new nn.Mish(x.device).forward(x),
  'F.hardswish(x) + F.relu6(x + 3) / 6': (x) =>
    ops.add(new nn.Hardswish(x.device).forward(x), new nn.Hardsigmoid(x.device).forward(x)),
  'nn.LogSoftmax(0)(x)': (x) => new nn.LogSoftmax(x.device, 0).forward(x),
  'torch.arange(1, 2, 0.25) * x': (x) => ops.mul(arange(x.device, 1, 2, 0.25), x),
  'torch.arange(5, 0, -2) * x': (x) => ops.mul(arange(x.device, 5, 0, -2), x),
}

const numbersOf = (given: Numbers): number[] =>
  Array.isArray(given)
    ? given.flatMap(numbersOf)
    : [typeof given === 'string' ? Number(given.replace('inf', 'Infinity')) : given]

const shapeOf = (given: Numbers): number[] => (Array.isArray(given) ? [given.length, ...shapeOf(given[0])] : [])

const recorded: Recorded[] = JSON.parse(readFileSync(new URL('../../test/pytorch.json', import.meta.url), 'utf8'))

/** Equal where PyTorch's number is not finite, and within the limit, relative to the largest number, where it is. */
function assertNumbers(seen: ArrayLike<number>, wanted: readonly number[], limit: number, what: string): void {
  assert.is(seen.length, wanted.length, what)
  const scale = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs))
  wanted.forEach((value, i) => {
    const near = Number.isFinite(value) ? Math.abs(seen[i] - value) <= limit * scale : Object.is(seen[i], value)
    assert.ok(near, `${what}: ${seen[i]} at ${i}, and PyTorch has ${value}`)
  })
}

for (const [kind, limit] of [
  ['reference', LITERAL],
  ['cpu', CONVENTION_FLOAT32],
] as const) {
  for (const { name, inputs, y, shape, gradients } of recorded) {
    test(`${kind}: ${name}`, async () => {
      const device = await openDevice(kind, { memory: '1MiB' })
      const leaves = inputs.map((input, i) => {
        const leaf = tensor(device, Float64Array.from(numbersOf(input)), shapeOf(input))
        return gradients[i] ? requireGrad(leaf) : leaf
      })
      const result = scope(device, () => {
        const result = RUNS[name](...leaves)
        const c = tensor(
          device,
          Float64Array.from(y, (_, i) => (i % 3) + 1),
          result.shape,
        )
        if (gradients.some((gradient) => gradient !== null)) backward(ops.sum(ops.mul(result, c)))
        return result
      })
      assert.equal(result.shape, shape)
      assertNumbers(await result.data(), numbersOf(y), limit, 'y')
      for (const [i, gradient] of gradients.entries()) {
        if (gradient) assertNumbers((await leaves[i].grad?.data()) ?? [], numbersOf(gradient), limit, `gradient ${i}`)
      }
    })
  }
}

test('every expression was recorded', () => {
  assert.equal(Object.keys(RUNS).sort(), recorded.map(({ name }) => name).sort())
})

test.run()
