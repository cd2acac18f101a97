/**
 * Weights saved from PyTorch's models (test/weights/make.py) load into models written as a user would write them, and
 * give PyTorch's outputs. `loadStateDict` lists every name that does not fit, or, if it need not be strict, leaves such a
 * name out.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  type Device,
  fromHost,
  load,
  Module,
  nn,
  noGrad,
  openDevice,
  permute,
  reshape,
  type SavedTensor,
  scaledDotProductAttention,
  slice,
  type Tensor,
} from '../src/index.js'
import { ResNet18 } from './resnet.js'

const HERE = fileURLToPath(new URL('../../test/weights/', import.meta.url))

interface Recorded {
  shape: number[]
  data: number[]
}
const recorded = (name: string): Record<'inputs' | 'outputs', Recorded> =>
  JSON.parse(readFileSync(`${HERE}${name}.json`, 'utf8'))

class Attention extends Module {
  c_attn: nn.Linear
  c_proj: nn.Linear

  constructor(
    device: Device,
    width: number,
    readonly heads: number,
  ) {
    super(device)
    this.c_attn = new nn.Linear(device, width, 3 * width)
    this.c_proj = new nn.Linear(device, width, width)
  }

  forward(x: Tensor): Tensor {
    const [n, t, c] = x.shape
    const all = this.c_attn.forward(x)
    const [q, k, v] = [0, 1, 2].map((i) => {
      const part = slice(all, [0, 0, i * c], [n, t, (i + 1) * c])
      return permute(reshape(part, [n, t, this.heads, c / this.heads]), [0, 2, 1, 3])
    })
    const seen = scaledDotProductAttention(q, k, v, { causal: true })
    return this.c_proj.forward(reshape(permute(seen, [0, 2, 1, 3]), [n, t, c]))
  }
}

class Mlp extends Module {
  c_fc: nn.Linear
  c_proj: nn.Linear
  act: nn.GELU

  constructor(device: Device, width: number) {
    super(device)
    this.c_fc = new nn.Linear(device, width, 4 * width)
    this.c_proj = new nn.Linear(device, 4 * width, width)
    this.act = new nn.GELU(device)
  }

  forward(x: Tensor): Tensor {
    return this.c_proj.forward(this.act.forward(this.c_fc.forward(x)))
  }
}

class Block extends Module {
  ln_1: nn.LayerNorm
  attn: Attention
  ln_2: nn.LayerNorm
  mlp: Mlp

  constructor(device: Device, width: number, heads: number) {
    super(device)
    this.ln_1 = new nn.LayerNorm(device, width)
    this.attn = new Attention(device, width, heads)
    this.ln_2 = new nn.LayerNorm(device, width)
    this.mlp = new Mlp(device, width)
  }

  forward(x: Tensor): Tensor {
    const attended = add(x, this.attn.forward(this.ln_1.forward(x)))
    return add(attended, this.mlp.forward(this.ln_2.forward(attended)))
  }
}

class Body extends Module {
  wte: nn.Embedding
  wpe: nn.Embedding
  h: Block[]
  ln_f: nn.LayerNorm

  constructor(device: Device) {
    super(device)
    this.wte = new nn.Embedding(device, 24, 16)
    this.wpe = new nn.Embedding(device, 12, 16)
    this.h = [new Block(device, 16, 2), new Block(device, 16, 2)]
    this.ln_f = new nn.LayerNorm(device, 16)
  }

  forward(tokens: Tensor): Tensor {
    const places = slice(this.wpe.weight, [0, 0], [tokens.shape[1], 16])
    let x = add(this.wte.forward(tokens), places)
    for (const block of this.h) x = block.forward(x)
    return this.ln_f.forward(x)
  }
}

/** nanoGPT: its head is the table of its tokens, saved under both names. */
class Gpt extends Module {
  transformer: Body
  lm_head: nn.Linear

  constructor(device: Device) {
    super(device)
    this.transformer = new Body(device)
    this.lm_head = new nn.Linear(device, 16, 24, { bias: false })
    this.lm_head.weight.dispose()
    Object.assign(this.lm_head, { weight: this.transformer.wte.weight })
  }

  forward(tokens: Tensor): Tensor {
    return this.lm_head.forward(this.transformer.forward(tokens))
  }
}

/** PyTorch's float32 against ours, with sums in another order: 8 roundings of the largest output. Measured: up to 2.5. */
const FLOAT32_MODEL = 8 * 2 ** -24

const MODELS = {
  resnet18: (device: Device) => new ResNet18(device, { width: 2, classes: 5 }),
  gpt: (device: Device) => new Gpt(device),
}

for (const [name, make] of Object.entries(MODELS)) {
  for (const kind of ['cpu', 'reference'] as const) {
    test(`${name}: a file of PyTorch's weights gives PyTorch's outputs on ${kind}`, async () => {
      const device = await openDevice(kind, { memory: '4MiB' })
      const model = make(device)
      const { missing, unexpected } = model.loadStateDict(await load(`${HERE}${name}.safetensors`))
      assert.equal([missing, unexpected], [[], []])
      const { inputs, outputs } = recorded(name)
      model.eval()
      const given = fromHost(device, { data: Float32Array.from(inputs.data), shape: inputs.shape })
      const result = noGrad(device, () => model.forward(given))
      assert.equal(result.shape, outputs.shape)
      const values = await result.data()
      const worst = Math.max(...outputs.data.map((value, i) => Math.abs(values[i] - value)))
      const largest = Math.max(...outputs.data.map(Math.abs))
      assert.ok(worst < FLOAT32_MODEL * largest, `${name} on ${kind}: off by ${worst}`)
    })
  }
}

test('names that are missing, unexpected or misshapen are listed together; strict: false leaves the first two', async () => {
  const device = await openDevice('cpu', { memory: '1MiB' })
  const model = new ResNet18(device, { width: 2, classes: 5 })
  const before = await model.stateDict()
  const { 'fc.bias': bias, ...others } = await load(`${HERE}resnet18.safetensors`)
  const state: Record<string, SavedTensor> = { ...others, 'head.bias': bias }
  const wrong = { ...state, 'fc.weight': { ...state['fc.weight'], shape: [16, 5] } }
  for (const strict of [undefined, true, false]) {
    assert.throws(
      () => model.loadStateDict(wrong, { strict }),
      (error: unknown) => {
        assert.instance(error, nn.StateError)
        const { message } = error as Error
        assert.match(message, 'fc.weight is [16, 5], not [5, 16]')
        assert.is(message.includes('fc.bias is missing'), strict !== false)
        assert.is(message.includes('head.bias is unexpected'), strict !== false)
        return true
      },
    )
    assert.equal(await model.stateDict(), before)
  }
  assert.throws(() => model.loadStateDict(state), /fc\.bias is missing; head\.bias is unexpected\. Nothing was changed/)
  assert.equal(await model.stateDict(), before)
  assert.equal(model.loadStateDict(state, { strict: false }), { missing: ['fc.bias'], unexpected: ['head.bias'] })
  const after = await model.stateDict()
  assert.equal(after['fc.bias'], before['fc.bias'])
  assert.equal([...after['fc.weight'].data], Array.from(state['fc.weight'].data, Number))
})

test.run()
