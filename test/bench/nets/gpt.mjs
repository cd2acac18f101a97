/**
 * GPT: four pre-norm blocks of width 256 with four heads, 256 positions, 256 tokens (bytes); Radford and others (2018,
 * 2019).
 */
import {
  add,
  crossEntropy,
  gelu,
  Module,
  nn,
  Parameter,
  permute,
  reshape,
  scaledDotProductAttention,
} from '../../../dist/src/index.js'

const VOCABULARY = 256
const CONTEXT = 256
const WIDTH = 256
const HEADS = 4
const LAYERS = 4

/** [N, T, C] -> [N, T, C] */
class Attention extends Module {
  constructor(device) {
    super(device)
    this.query = new nn.Linear(device, WIDTH, WIDTH)
    this.key = new nn.Linear(device, WIDTH, WIDTH)
    this.value = new nn.Linear(device, WIDTH, WIDTH)
    this.out = new nn.Linear(device, WIDTH, WIDTH)
  }

  forward(x) {
    const q = this.byHead(this.query.forward(x))
    const k = this.byHead(this.key.forward(x))
    const v = this.byHead(this.value.forward(x))
    const seen = scaledDotProductAttention(q, k, v, { causal: true })
    const joined = reshape(permute(seen, [0, 2, 1, 3]), x.shape)
    return this.out.forward(joined)
  }

  /** [N, T, C] -> [N, heads, T, C / heads] */
  byHead(x) {
    const [samples, places, width] = x.shape
    return permute(reshape(x, [samples, places, HEADS, width / HEADS]), [0, 2, 1, 3])
  }
}

class Block extends Module {
  constructor(device) {
    super(device)
    this.norm1 = new nn.LayerNorm(device, WIDTH)
    this.attention = new Attention(device)
    this.norm2 = new nn.LayerNorm(device, WIDTH)
    this.widen = new nn.Linear(device, WIDTH, 4 * WIDTH)
    this.narrow = new nn.Linear(device, 4 * WIDTH, WIDTH)
  }

  forward(x) {
    const attended = add(x, this.attention.forward(this.norm1.forward(x)))
    const h = gelu(this.widen.forward(this.norm2.forward(attended)))
    return add(attended, this.narrow.forward(h))
  }
}

class GPT extends Module {
  constructor(device) {
    super(device)
    this.tokens = new nn.Embedding(device, VOCABULARY, WIDTH)
    this.places = new Parameter(device, [CONTEXT, WIDTH])
    this.blocks = Array.from({ length: LAYERS }, () => new Block(device))
    this.norm = new nn.LayerNorm(device, WIDTH)
    this.head = new nn.Linear(device, WIDTH, VOCABULARY, { bias: false })
  }

  /**
   * tokens [N, T] -> logits of the next token at each position [N, tokens, T], with the classes where crossEntropy
   * expects them
   */
  forward(x) {
    let h = add(this.tokens.forward(x), this.places)
    for (const block of this.blocks) h = block.forward(h)
    return permute(this.head.forward(this.norm.forward(h)), [0, 2, 1])
  }
}

export const gpt = {
  make: (device) => new GPT(device),
  inputShape: [CONTEXT],
  targetShape: [CONTEXT],
  loss: crossEntropy,
}
