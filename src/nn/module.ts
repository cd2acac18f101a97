/**
 * Module: a forward with the parameters, buffers and modules it is made of. What they are is found by
 * walking the module's own properties, so there is nothing to register.
 */
import type { Device } from '../device/device.js'
import { type Checked, checkState, readState, refuse, type SavedState, type StateDict } from '../tensor/saved-state.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Buffer, Parameter } from './parameter.js'

export { Buffer, Parameter }

/**
 * A class says `static readonly [RELEASES] = true` when its forward keeps no reference to its input, nor
 * to its output: then a Sequential may free both early. It counts for that very class, not for those that
 * extend it.
 */
export const RELEASES = Symbol('releases')

type Member = Module | Parameter | Buffer

/**
 * Base of all layers and models.
 *
 *     class Net extends Module {
 *       fc1 = new Linear(this.device, 64, 32)
 *       fc2 = new Linear(this.device, 32, 10)
 *       forward(x: Tensor): Tensor {
 *         return this.fc2.forward(relu(this.fc1.forward(x)))
 *       }
 *     }
 *     const net = new Net(device)   // parameters fc1.weight, fc1.bias, fc2.weight, fc2.bias
 *
 * `new Net(device)` that does not fit throws half way, and its first layers stay: nobody sees your constructor throw.
 * `nn.allOrNothing(device, () => new Net(device))` frees them.
 *
 * Properties that hold a Parameter, a Buffer, a Module, or an array of these belong to it, in order of
 * definition; #private ones are not seen. The same object found twice is one leaf, under its first name.
 */
export abstract class Module {
  /** Does forward train? See `train`. */
  training = true
  /** Shape of one sample, where the model knows it: lets a plan be made before any data is seen. */
  readonly inputShape?: Shape
  /** What a plan should say of this module when it trains in micro-batches. */
  readonly streamingNote?: string

  constructor(readonly device: Device) {}

  /** x [N, ...]: axis 0 is the sample. */
  abstract forward(x: Tensor): Tensor

  /** Turn training on (dropout drops, batch norm takes the batch's statistics) or off, here and in all modules below. */
  train(on = true): this {
    for (const [, member] of this.#walk()) if (member instanceof Module) member.training = on
    return this
  }

  /** `train(false)`. */
  eval(): this {
    return this.train(false)
  }

  /** Itself and all modules below, each once. */
  modules(): Module[] {
    return [...this.#named((member): member is Module => member instanceof Module).values()]
  }

  namedParameters(): Map<string, Parameter> {
    return this.#named((member): member is Parameter => member instanceof Parameter)
  }

  parameters(): Parameter[] {
    return [...this.namedParameters().values()]
  }

  namedBuffers(): Map<string, Buffer> {
    return this.#named((member): member is Buffer => member instanceof Buffer)
  }

  buffers(): Buffer[] {
    return [...this.namedBuffers().values()]
  }

  /** Copies of all parameters and buffers on the host, under PyTorch's names. */
  stateDict(): Promise<StateDict> {
    return readState(this.#tensors())
  }

  /**
   * Set all parameters and buffers. Further names of tied parameters may be there, and are not read.
   * @throws StateError     a name is missing or unexpected, a shape differs, or a value is no number: nothing was written
   * @throws DisposedError  the module is disposed
   */
  loadStateDict(state: SavedState): void {
    const { faults, write } = this.checkState(state)
    refuse(faults)
    write()
  }

  /** What `loadStateDict` would refuse, for those who load more than one state or none. @throws DisposedError */
  checkState(state: SavedState): Checked {
    const aliases = new Set(Array.from(this.#walk(), ([name]) => name))
    return checkState('the state', this.#tensors(), state, aliases)
  }

  /** Free all parameters, their gradients, and all buffers. */
  dispose(): void {
    for (const parameter of this.parameters()) {
      parameter.grad?.dispose()
      parameter.dispose()
    }
    for (const buffer of this.buffers()) buffer.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** May a Sequential free what goes in and comes out? See RELEASES. */
  get releases(): boolean {
    return Object.hasOwn(this.constructor, RELEASES) && !Object.hasOwn(this, 'forward')
  }

  /** What it is made of, by name; anything else is passed over. Override to name things differently. */
  protected members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this)
  }

  /** Itself and all below, under every name that leads there. */
  *#walk(value: unknown = this, name = '', path: readonly unknown[] = []): Generator<[string, Member]> {
    if (path.includes(value)) return
    if (value instanceof Parameter || value instanceof Buffer || value instanceof Module) yield [name, value]
    const members = value instanceof Module ? value.members() : Array.isArray(value) ? Object.entries(value) : []
    for (const [key, member] of members) yield* this.#walk(member, name ? `${name}.${key}` : key, [...path, value])
  }

  #named<T extends Member>(wanted: (member: Member) => member is T): Map<string, T> {
    const first = new Map<T, string>()
    for (const [name, member] of this.#walk()) if (wanted(member) && !first.has(member)) first.set(member, name)
    return new Map(Array.from(first, ([member, name]) => [name, member]))
  }

  /** All that is saved, by name. */
  #tensors(): Map<string, Tensor> {
    const buffers = Array.from(this.namedBuffers(), ([name, buffer]) => [name, buffer.value] as const)
    return new Map<string, Tensor>([...this.namedParameters(), ...buffers])
  }
}
