/** LSTM and GRU, made of other ops, with the parameters of torch.nn. Sequences are [N, T, C], and states have the sample first too. */
import type { Device } from '../device/device.js'
import { BOOLEAN, door, NUMBER, options as optionsOf } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { add, mul, sub } from '../ops/binary.js'
import { checkRate, dropout } from '../ops/dropout.js'
import { linear } from '../ops/matmul.js'
import { concat, reshape, slice } from '../ops/movement.js'
import { sigmoid, tanh } from '../ops/unary.js'
import { split, stack } from '../ops/views.js'
import { zeros } from '../tensor/create.js'
import { ShapeError } from '../tensor/errors.js'
import { allOrNothing } from '../tensor/scope.js'
import { sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { defaultRandom, uniform } from './init.js'
import { WEIGHT, type WeightOptions } from './layers.js'
import { Module } from './module.js'
import { Parameter } from './parameter.js'

export interface RecurrentOptions extends WeightOptions {
  /** layers, each on the outputs of the one before; default 1 */
  layers?: number
  /** go through the sequence from its end too, and give both outputs side by side; default false */
  bidirectional?: boolean
  /** rate of dropout on the outputs of all layers but the last, in training; default 0 */
  dropout?: number
}

const SIGNATURE = {
  inputs: NUMBER,
  width: NUMBER,
  options: optionsOf<RecurrentOptions>({ layers: NUMBER, bidirectional: BOOLEAN, dropout: NUMBER, ...WEIGHT }),
}

/** A product with its bias: the weights of the inputs, or of the state, for all gates. */
type Product = (x: Tensor) => Tensor

abstract class Recurrent<Inputs, Outputs> extends Module<Inputs, Outputs> {
  /** By PyTorch's names: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, ..., weight_ih_l1, ... */
  readonly weights: Readonly<Record<string, Parameter>>
  readonly #name: string
  readonly #inputs: number
  readonly #width: number
  readonly #dropout: number
  /** the endings of names, for each layer those of its directions */
  readonly #layers: readonly (readonly string[])[]

  constructor(name: string, gates: number, device: Device, inputs: number, width: number, options: RecurrentOptions) {
    super(device)
    door(name, SIGNATURE)([inputs, width, options])
    const { layers = 1, bidirectional = false, dropout = 0, bias = true, random = defaultRandom(device) } = options
    if (!(Number.isSafeInteger(layers) && layers > 0)) {
      throw new ArgumentError(`${name}: layers is ${layers}; it must be a whole number, 1 or more`)
    }
    checkRate(name, dropout)
    this.#name = name
    this.#inputs = inputs
    this.#width = width
    this.#dropout = dropout
    this.#layers = Array.from({ length: layers }, (_, l) => (bidirectional ? [`l${l}`, `l${l}_reverse`] : [`l${l}`]))
    const bound = 1 / Math.sqrt(width)
    this.weights = allOrNothing(device, () => {
      const made: Record<string, Parameter> = {}
      const make = (key: string, shape: number[]) => {
        made[key] = new Parameter(device, shape, () => uniform(shape, random, -bound, bound))
      }
      for (const [l, directions] of this.#layers.entries()) {
        for (const end of directions) {
          make(`weight_ih_${end}`, [gates * width, l === 0 ? inputs : directions.length * width])
          make(`weight_hh_${end}`, [gates * width, width])
          if (bias) for (const side of ['ih', 'hh']) make(`bias_${side}_${end}`, [gates * width])
        }
      }
      return made
    })
  }

  /** The state after one element of the sequence; its first tensor is the output. All are [N, width]. */
  protected abstract cell(x: Tensor, state: readonly Tensor[], input: Product, recur: Product): Tensor[]

  /** @param given  the states at the start, [N, layers * directions, width] each; those left out are 0 */
  protected run(x: Tensor, count: number, given: readonly (Tensor | null | undefined)[]): Tensor[] {
    const width = this.#width
    if (x.rank !== 3 || x.shape[2] !== this.#inputs) {
      throw new ShapeError(`${this.#name}: the input ${showShape(x.shape)} must be [N, T, ${this.#inputs}]`)
    }
    const [samples, length] = x.shape
    const directions = this.#layers[0].length
    const shape = [samples, directions * this.#layers.length, width]
    for (const state of given) {
      if (!state || sameShape(state.shape, shape)) continue
      throw new ShapeError(`${this.#name}: a state ${showShape(state.shape)} must be ${showShape(shape)}`)
    }
    const zero = given.filter(Boolean).length === count ? null : zeros(this.device, [samples, width])
    const start = (of: number, place: number): Tensor => {
      const state = given[of] ?? zero
      if (!state || state === zero) return state as Tensor
      return reshape(slice(state, [0, place], [samples, place + 1]), [samples, width])
    }
    const last: Tensor[][] = Array.from({ length: count }, () => [])
    let sequence = split(x, 1, 1).map((piece) => reshape(piece, [samples, this.#inputs]))
    for (const [l, ends] of this.#layers.entries()) {
      if (l > 0 && this.training && this.#dropout > 0) sequence = sequence.map((h) => dropout(h, this.#dropout))
      const outputs = ends.map((end, d) => {
        const product = (side: string): Product => {
          const bias = this.weights[`bias_${side}_${end}`] ?? null
          return (from) => linear(from, this.weights[`weight_${side}_${end}`], bias)
        }
        const [input, recur] = [product('ih'), product('hh')]
        let state = last.map((_, of) => start(of, l * directions + d))
        const along = d === 0 ? sequence : [...sequence].reverse()
        const made = along.map((element) => {
          state = this.cell(element, state, input, recur)
          return state[0]
        })
        state.forEach((tensor, of) => last[of].push(tensor))
        return d === 0 ? made : made.reverse()
      })
      const [forth, back] = outputs
      sequence = back ? forth.map((h, t) => concat([h, back[t]], 1)) : forth
    }
    if (sequence.length !== length) throw new ShapeError(`${this.#name}: a sequence without elements`)
    return [stack(sequence, 1), ...last.map((states) => stack(states, 1))]
  }

  protected override *members(): Generator<readonly [string, unknown]> {
    for (const [name, member] of super.members()) {
      if (member === this.weights) yield* Object.entries(this.weights)
      else yield [name, member]
    }
  }
}

/**
 * Long short-term memory: for each element x of a sequence, with the state h, c
 *
 *     i, f, g, o = x weight_ih^T + bias_ih + h weight_hh^T + bias_hh, in four parts
 *     c = sigmoid(f) c + sigmoid(i) tanh(g);   h = sigmoid(o) tanh(c)
 *
 * forward(x, h, c) -> [y, h, c]: x [N, T, inputs]; y [N, T, directions * width], the h of every element in the last layer; h and
 * c [N, layers * directions, width], those after the last element, or in a backward direction after the first. Without h and c
 * they begin at 0. As torch.nn.LSTM with batch_first, but for the states, which have the sample first too.
 *
 * Parameters, all from U(-k, k) with k = 1 / sqrt(width): weight_ih_l0 [4 width, inputs], weight_hh_l0 [4 width, width],
 * bias_ih_l0 and bias_hh_l0 [4 width], and so for each layer and direction.
 * @param width  of h and c
 * @throws  the errors of `new Parameter`
 * @throws ArgumentError  layers below 1, a dropout outside [0, 1)
 */
export class LSTM extends Recurrent<
  [x: Tensor, h?: Tensor | null, c?: Tensor | null],
  [y: Tensor, h: Tensor, c: Tensor]
> {
  constructor(device: Device, inputs: number, width: number, options: RecurrentOptions = {}) {
    super('LSTM', 4, device, inputs, width, options)
  }

  /** @throws ShapeError  x is not [N, T, inputs], or a state has another shape */
  forward(x: Tensor, h?: Tensor | null, c?: Tensor | null): [y: Tensor, h: Tensor, c: Tensor] {
    const [y, lastH, lastC] = this.run(x, 2, [h, c])
    return [y, lastH, lastC]
  }

  protected cell(x: Tensor, [h, c]: readonly Tensor[], input: Product, recur: Product): Tensor[] {
    const [take, keep, fresh, show] = split(add(input(x), recur(h)), h.shape[1], 1)
    const next = add(mul(sigmoid(keep), c), mul(sigmoid(take), tanh(fresh)))
    return [mul(sigmoid(show), tanh(next)), next]
  }
}

/**
 * Gated recurrent unit: for each element x of a sequence, with the state h
 *
 *     r, z, n = x weight_ih^T + bias_ih and r', z', n' = h weight_hh^T + bias_hh, in three parts each
 *     h = (1 - s) tanh(n + sigmoid(r + r') n') + s h, s = sigmoid(z + z')
 *
 * forward(x, h) -> [y, h], with the shapes of LSTM. Parameters as in LSTM, with three parts for four. As torch.nn.GRU with
 * batch_first, but for the state, which has the sample first too.
 * @param width  of h
 * @throws  the errors of `new LSTM`
 */
export class GRU extends Recurrent<[x: Tensor, h?: Tensor | null], [y: Tensor, h: Tensor]> {
  constructor(device: Device, inputs: number, width: number, options: RecurrentOptions = {}) {
    super('GRU', 3, device, inputs, width, options)
  }

  /** @throws ShapeError  x is not [N, T, inputs], or the state has another shape */
  forward(x: Tensor, h?: Tensor | null): [y: Tensor, h: Tensor] {
    const [y, last] = this.run(x, 1, [h])
    return [y, last]
  }

  protected cell(x: Tensor, [h]: readonly Tensor[], input: Product, recur: Product): Tensor[] {
    const width = h.shape[1]
    const [r, z, n] = split(input(x), width, 1)
    const [rOfState, zOfState, nOfState] = split(recur(h), width, 1)
    const stay = sigmoid(add(z, zOfState))
    const fresh = tanh(add(n, mul(sigmoid(add(r, rOfState)), nOfState)))
    return [add(fresh, mul(stay, sub(h, fresh)))]
  }
}
