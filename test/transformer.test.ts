/**
 * Attention layers: PyTorch's numbers and names, memory, exactness under streaming.
 *
 * The numbers are those of Debian's torch 1.13 in float64:
 *
 *     import torch
 *     def fill(shape, k):  # multiples of 1/16 in [-5/16, 5/16]
 *         n = torch.Size(shape).numel()
 *         return (((torch.arange(n) * 7 + k) % 11 - 5) / 16).double().reshape(shape)
 *     def show(module, call):
 *         for k, p in enumerate(module.parameters()): p.data = fill(p.shape, k)
 *         x = (fill((2, 3, 4), 3) * 4).requires_grad_()
 *         y = call(module.double(), x)
 *         (y * fill(y.shape, 5)).sum().backward()
 *         print(y.flatten().tolist()); print(x.grad.flatten().tolist())
 *         print([(p.grad * fill(p.shape, 9)).sum().item() for p in module.parameters()])
 *     mask = torch.triu(torch.full((3, 3), float('-inf')), 1).double()
 *     show(torch.nn.MultiheadAttention(4, 2, batch_first=True), lambda m, x: m(x, x, x)[0])
 *     layer = torch.nn.TransformerEncoderLayer
 *     show(layer(4, 2, 6, 0, 'gelu', batch_first=True, norm_first=True), lambda m, x: m(x, src_mask=mask))
 *     show(layer(4, 2, 6, 0, 'relu', batch_first=True), lambda m, x: m(x))
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import type { Device } from '../src/device/device.js'
import { openDevice, openVirtualDevice } from '../src/device/open.js'
import { ArgumentError } from '../src/memory/errors.js'
import { transformer } from '../src/models/index.js'
import { type Module, MultiheadAttention, TransformerBlock } from '../src/nn/index.js'
import { crossEntropy } from '../src/ops/cross-entropy.js'
import { ops } from '../src/ops/table.js'
import { noGrad } from '../src/ops/tape.js'
import { adam } from '../src/optim/index.js'
import { scope } from '../src/step/scope.js'
import { Streamer } from '../src/stream/streamer.js'
import { requireGrad, tensor, zeros } from '../src/tensor/create.js'
import { ShapeError } from '../src/tensor/errors.js'
import { type Shape, sizeOf } from '../src/tensor/shape.js'
import { LITERAL } from './tolerances.js'

const fill = (shape: Shape, k: number, scale = 1): Float64Array =>
  Float64Array.from({ length: sizeOf(shape) }, (_, i) => ((((i * 7 + k) % 11) - 5) / 16) * scale)

function expectClose(seen: ArrayLike<number>, wanted: ArrayLike<number>): void {
  assert.is(seen.length, wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    assert.ok(Math.abs(seen[i] - wanted[i]) <= LITERAL, `element ${i}: ${seen[i]}, not ${wanted[i]}`)
  }
}

interface Case {
  name: string
  make(device: Device): Module
  y: number[]
  dx: number[]
  /** the gradient of each parameter times fill(shape, 9), summed */
  parameters: number[]
}

const cases: Case[] = [
  {
    name: 'MultiheadAttention',
    make: (device) => new MultiheadAttention(device, 4, 2),
    y: [
      0.05342966440589389, 0.2262665776231891, 0.22629227459874054, -0.2883708121839642, 0.06020824940647698,
      0.2088009748502865, 0.23446901294898173, -0.30443826160720877, 0.0883064017510331, 0.20999946641654335,
      0.26691068989856415, -0.29889624543592563, 0.054780631753056974, 0.2328292082275281, 0.24854478729725515,
      -0.2609066362282737, 0.07492147219342632, 0.23282285075657472, 0.27033049291950206, -0.2592681285173496,
      0.034838461880240174, 0.23812120203836812, 0.22827401610648607, -0.25594324373538596,
    ],
    dx: [
      0.009118080812279852, -0.01888230200228274, 0.010866058485920874, -0.002949820730510229, 0.0077239396527024745,
      0.001518222166196786, -0.013913313477638266, 0.015550779523452699, -0.00047708354641211033, 0.0015464177213207744,
      0.006728428840488085, -0.001143851395506994, 0.011457389899443568, -0.0008787987709894815, -0.008016641677343441,
      0.006909438154004773, -0.0019212288008080653, -0.0026307306761852098, 0.012321970077542542, -0.00969822653892162,
      -0.00541970501872846, 0.00033614108945313054, 0.005478485630913857, -0.0071745004683680495,
    ],
    parameters: [0.07153871798203325, -0.028548911092254634, 0.030181657113079505, -0.328125],
  },
  {
    name: 'TransformerBlock, pre-norm, gelu, causal',
    make: (device) =>
      new TransformerBlock(device, 4, 2, {
        feedForward: 6,
        dropout: 0,
        activation: 'gelu',
        preNorm: true,
        causal: true,
      }),
    y: [
      -0.20580937486583523, 1.3627911892501656, 0.7192461105935857, -0.9940702418254888, 1.2694302358766174,
      0.0867962766284229, -0.458714300442036, 0.5081448005008199, 0.0513469646589762, -1.1632115331248665,
      1.0201502249368615, -0.7377312333387737, 1.5394773979423393, 0.3183140144906613, -0.1869557077654046,
      0.7395605805360005, 0.3167738186436588, -0.9179697798114522, 1.285798637768492, -0.4930378942108383,
      -0.9514129112580032, 0.5786095169003028, -0.03818437634585958, 1.0734719012135474,
    ],
    dx: [
      0.006390955230397238, -0.2496153407485594, 0.1845496707942045, -0.06632528527604235, -0.3218489569433921,
      0.12212382939235943, -0.12807000536761984, 0.32779513291865253, 0.07288709284276729, -0.19112936914519854,
      0.24527915836904843, -0.0020368820666171556, -0.2474335361161421, 0.19316668581123092, -0.06223910558816642,
      -0.3209940441069224, 0.13661217640179726, -0.12876818926535388, 0.3072794992932538, 0.05987651357030277,
      -0.18631679981106913, 0.2560554041483361, -0.0035618627234769453, -0.25367674161379006,
    ],
    parameters: [
      0.001857952636967251, -0.029400350631747854, 0.03054278639561861, -0.322330146921411, 0.013187143139442213,
      -0.006580663443508404, 0.0780402247230323, -0.328125, -0.005050180044934143, 0.0023406835334165614,
      -0.004603437696721637, 0.017584878368934423,
    ],
  },
  {
    name: 'TransformerBlock, post-norm, relu',
    make: (device) => new TransformerBlock(device, 4, 2, { feedForward: 6, dropout: 0 }),
    y: [
      0.1605640658593699, 0.05026214529141164, -0.032056067588601606, 0.3569254093620554, 0.031577014653056054,
      0.031113969844356715, -0.25156865099007064, 0.24402430758003427, 0.09761572612324278, 0.10907313356158696,
      0.14461160286359587, 0.40759702200651915, 0.025556454317409577, 0.03055420239447089, -0.25454424939532916,
      0.24711236110774992, 0.09328678503386027, 0.10949051884670823, 0.1463497116007657, 0.41170811205376656,
      -0.28953402197910955, 0.029569402112549575, -0.15805249205745342, 0.6317796197231514,
    ],
    dx: [
      -0.006671484395715449, -0.012453212905504675, 0.01929598895848449, -0.005636168903313212, -0.06202688411458654,
      0.02854649667926063, -0.03389461750116173, 0.05996393832317392, -0.008876691458164589, 0.0009432406101282498,
      0.0002562226645639905, 0.0026236934926761437, -0.021432398850678096, 0.03532084162242901, -0.015192240094472977,
      -0.0029065834322832035, -0.008962518235171727, 0.0009760999589285748, 0.001277886247684408, 0.0033288289801125513,
      0.012057242715126384, 0.00966672942730342, -0.03009754022956479, 0.004021841143737866,
    ],
    parameters: [
      0.00589645295520754, 0.03130287837002122, 0.0038840621099590434, 0.009150490183778066, -0.0158279524429423,
      0.03224079377414589, 0.03753144771303417, -0.2081924548858089, 0.10299988262787121, -0.19950317673323692,
      0.10404729803034986, -0.328125,
    ],
  },
]

for (const { name, make, y, dx, parameters } of cases) {
  test(`${name} agrees with PyTorch, gradients included`, async () => {
    const device = await openDevice('reference', { memory: '1MiB' })
    const module = make(device)
    const state = [...module.namedParameters()].map(([name, { shape }], k) => [name, { shape, data: fill(shape, k) }])
    module.loadStateDict(Object.fromEntries(state))
    const x = requireGrad(tensor(device, fill([2, 3, 4], 3, 4), [2, 3, 4]))
    const seen = module.forward(x)
    expectClose(await seen.data(), y)
    backward(ops.sum(ops.mul(seen, tensor(device, fill(seen.shape, 5), seen.shape))))
    expectClose((await x.grad?.data()) ?? [], dx)
    const products = module.parameters().map(async ({ grad, shape }) => {
      const weights = fill(shape, 9)
      return Array.from((await grad?.data()) ?? []).reduce((sum, value, i) => sum + value * weights[i], 0)
    })
    expectClose(await Promise.all(products), parameters)
  })
}

test('parameters are named as in torch.nn.TransformerEncoderLayer', () => {
  const block = new TransformerBlock(openVirtualDevice('cpu'), 4, 2, { feedForward: 8 })
  assert.equal(
    Array.from(block.namedParameters(), ([name, { shape }]) => [name, shape]),
    [
      ['self_attn.in_proj_weight', [12, 4]],
      ['self_attn.in_proj_bias', [12]],
      ['self_attn.out_proj.weight', [4, 4]],
      ['self_attn.out_proj.bias', [4]],
      ['linear1.weight', [8, 4]],
      ['linear1.bias', [8]],
      ['linear2.weight', [4, 8]],
      ['linear2.bias', [4]],
      ['norm1.weight', [4]],
      ['norm1.bias', [4]],
      ['norm2.weight', [4]],
      ['norm2.bias', [4]],
    ],
  )
})

test('initial values: projections by Xavier, biases 0', async () => {
  const attention = new MultiheadAttention(await openDevice('cpu', { memory: '1MiB' }), 8, 2)
  const bound = Math.sqrt(6 / (8 + 24))
  const weight = await attention.inProjWeight.data()
  assert.ok(weight.every((value) => Math.abs(value) <= Math.fround(bound)) && weight.some((value) => value > bound / 2))
  for (const bias of [attention.inProjBias, attention.outProj.bias])
    assert.ok((await bias?.data())?.every((b) => b === 0))
  const plain = new MultiheadAttention(attention.device, 8, 2, { bias: false })
  assert.equal([...plain.namedParameters().keys()], ['in_proj_weight', 'out_proj.weight'])
})

test('a mask can be given: a causal mask equals `causal`', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  for (const make of [
    (causal: boolean) => new MultiheadAttention(device, 4, 2, { causal }),
    (causal: boolean) => new TransformerBlock(device, 4, 2, { causal, feedForward: 8, preNorm: true, dropout: 0 }),
    (causal: boolean) => new TransformerBlock(device, 4, 2, { causal, feedForward: 8, dropout: 0 }),
  ]) {
    const [masked, causal] = [make(false), make(true)]
    causal.loadStateDict(await masked.stateDict())
    const x = tensor(device, fill([2, 3, 4], 3, 4), [2, 3, 4])
    const [no, mask] = [-Infinity, [] as number[][]]
    mask.push([0, no, no], [0, 0, no], [0, 0, 0])
    assert.equal(await masked.forward(x, tensor(device, mask)).data(), await causal.forward(x).data())
  }
})

test('a forward leaves its result and the tensors that gradients need; evaluation drops nothing and keeps nothing', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  for (const preNorm of [false, true]) {
    const block = new TransformerBlock(device, 8, 2, { feedForward: 16, dropout: 0.5, preNorm })
    const x = tensor(device, fill([3, 5, 8], 1), [3, 5, 8])
    const before = device.memory.heldBytes
    scope(device, () => block.forward(x)).dispose()
    assert.is(device.memory.heldBytes, before, 'training')
    block.eval()
    const [first, second] = scope(device, () => noGrad(device, () => [block.forward(x), block.forward(x)]))
    assert.is(device.memory.heldBytes - before, 2 * first.storage('test').block.bytes, 'evaluation')
    assert.equal(await first.data(), await second.data())
    for (const each of [first, second, x]) each.dispose()
    block.dispose()
  }
})

test('the language model sees no later tokens, and learns through a streamer as planned', async () => {
  const device = await openDevice('cpu', { memory: '2MiB' })
  const model = transformer(device, { vocabulary: 5, context: 6, width: 16, heads: 2 })
  const logits = async (last: number) => {
    const y = noGrad(device, () => model.forward(tensor(device, [[1, 2, 3, 4, 0, last]])))
    assert.equal(y.shape, [1, 5, 6])
    return Array.from(await y.data()).filter((_, i) => i % 6 < 5)
  }
  assert.equal(await logits(1), await logits(4))

  // Each token is the one before it plus 1, modulo 5, from any start.
  const rows = Array.from({ length: 15 }, (_, n) => Array.from({ length: 7 }, (_, t) => (n + t) % 5))
  const side = (from: number) => ({
    data: Int32Array.from(rows.flatMap((row) => row.slice(from, from + 6))),
    shape: [15, 6],
  })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: adam(model, { learningRate: 0.01 }) })
  const losses: number[] = []
  for (let i = 0; i < 30; i++) {
    const step = await streamer.step({ inputs: side(0), targets: side(1) }, { microBatch: 4 })
    assert.is(step.peakBytes, step.plannedPeakBytes)
    losses.push(step.loss)
  }
  assert.ok(losses[0] > 1 && losses[29] < 0.05, `from ${losses[0]} to ${losses[29]}`)
})

test('a language model takes sequences up to its context: the outputs of a beginning are those of the whole sequence', async () => {
  const device = await openDevice('reference', { memory: '1MiB' })
  const [samples, context, vocabulary] = [2, 5, 7]
  const model = transformer(device, { vocabulary, context, width: 8, heads: 2, layers: 2, seed: 3 }).eval()
  const tokens = Array.from({ length: samples }, (_, n) =>
    Array.from({ length: context }, (_, t) => (3 * n + 5 * t) % 7),
  )
  /** [samples, length, vocabulary], flat */
  const logits = (length: number) => {
    const input = tokens.map((sequence) => sequence.slice(0, length))
    return scope(device, () => ops.permute(model.forward(tensor(device, input)), [0, 2, 1])).data()
  }
  const whole = await logits(context)
  for (let length = 1; length < context; length++) {
    const part = await logits(length)
    const size = length * vocabulary
    assert.is(part.length, samples * size)
    for (let n = 0; n < samples; n++) {
      const from = n * context * vocabulary
      expectClose(part.slice(n * size, (n + 1) * size), whole.slice(from, from + size))
    }
  }
  const wrong: [Shape, string][] = [
    [[2, 6], '[2, 6] must be [N, T], T up to the context 5'],
    [[5], '[5] must be'],
    [[2, 5, 1], '[2, 5, 1] must be'],
  ]
  for (const [shape, says] of wrong) {
    const refused = (error: unknown) => error instanceof ShapeError && error.message.includes(says)
    scope(device, () => assert.throws(() => model.forward(zeros(device, shape)), refused))
  }
})

test('a language model learns from short sequences, as planned, and its later positions do not change', async () => {
  const device = await openDevice('cpu', { memory: '256KiB' })
  const model = transformer(device, { vocabulary: 4, context: 6, width: 8, heads: 2, layers: 1 })
  const streamer = new Streamer({ model, loss: crossEntropy, optimizer: adam(model) })
  const before = await model.places.data()
  for (const length of [1, 4, 6, 3]) {
    const shape = [3, length]
    const batch = { data: new Uint8Array(3 * length).map((_, i) => i % 4), shape }
    const { peakBytes, plannedPeakBytes } = await streamer.step({ inputs: batch, targets: batch }, { microBatch: 2 })
    assert.is(peakBytes, plannedPeakBytes)
    const { shape: found } = await streamer.predict(batch)
    assert.equal(found, [3, 4, length])
    if (length < 6 && length > 1) continue
    const after = await model.places.data()
    const moved = Array.from({ length: 6 }, (_, place) =>
      after.slice(8 * place, 8 * place + 8).some((value, i) => value !== before[8 * place + i]),
    )
    assert.equal(moved, length === 1 ? [true, false, false, false, false, false] : new Array(6).fill(true))
  }
})

test('wrong sizes are refused, and leave nothing behind', async () => {
  const device = await openDevice('cpu', { memory: '64KiB' })
  const refuses = (call: () => unknown, kind: new (...args: never[]) => Error, says: string) =>
    assert.throws(call, (error: unknown) => error instanceof kind && error.message.includes(says), says)
  refuses(() => new MultiheadAttention(device, 6, 4), ArgumentError, '4 heads do not divide the width 6')
  refuses(() => new MultiheadAttention(device, 6, 2, { dropout: 1 }), ArgumentError, 'rate 1')
  refuses(() => new TransformerBlock(device, 6, 4), ArgumentError, '4 heads')
  refuses(() => new TransformerBlock(device, 32, 4), Error, 'budget')
  assert.is(device.memory.heldBytes, device.memory.held.runtime)
  const attention = new MultiheadAttention(device, 6, 2)
  refuses(() => attention.forward(zeros(device, [2, 3, 5])), ShapeError, '[2, 3, 5] must be [B, T, 6]')
})

test.run()
