/**
 * Module: a forward with its parameters, buffers and modules. They are found by walking the properties of the module, so
 * nothing has to be registered.
 */
import type { Device } from '../device/device.js'
import { BOOLEAN, checkArgument, options as optionsOf } from '../memory/arguments.js'
import { DEVICE } from '../tensor/kinds.js'
import {
  type Checked,
  checkState,
  type LoadOptions,
  type LoadResult,
  readState,
  refuse,
  type SavedState,
  type StateDict,
} from '../tensor/saved-state.js'
import type { Shapes } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import { Buffer, Parameter } from './parameter.js'

export { Buffer, Parameter }

const LOAD = optionsOf<LoadOptions>({ strict: BOOLEAN })

type Member = AnyModule | Parameter | Buffer

/** A module with any inputs and outputs: everything that a Module is, but for the types of its forward. */
export abstract class AnyModule {
  /** Does the forward train, or evaluate? See `train`. */
  training = true
  /** Shape of one sample, or the shapes of its inputs, if the model knows: then it can be planned without data. */
  readonly inputShape?: Shapes
  /** A note for the plan of a training in micro-batches. */
  readonly streamingNote?: string

  constructor(readonly device: Device) {
    checkArgument(new.target.name, 'device', device, DEVICE)
  }

  get [Symbol.toStringTag](): string {
    return 'Module'
  }

  abstract forward(...inputs: readonly unknown[]): unknown

  /** Turn training on (dropout drops, batch norm takes the batch's statistics) or off, here and in all modules below. */
  train(on = true): this {
    for (const [, member] of this.#walk()) if (member instanceof AnyModule) member.training = on
    return this
  }

  /** `train(false)`. */
  eval(): this {
    return this.train(false)
  }

  /** This module and all modules below it, each once. */
  modules(): AnyModule[] {
    return [...this.namedModules().values()]
  }

  /** `modules()` by their paths, such as `layer2.0.conv1`; the path of this module is ''. */
  namedModules(): Map<string, AnyModule> {
    return this.#named((member): member is AnyModule => member instanceof AnyModule)
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
   * Set all parameters and buffers. The state may have further names of tied parameters, which are not read.
   * With `strict: false` names can be missing (their values stay) and unexpected.
   * @returns the names that were missing, and the unexpected ones
   * @throws StateError     a name is missing or unexpected, a shape differs, a value is not a number; nothing was written
   * @throws DisposedError  the module is disposed
   */
  loadStateDict(state: SavedState, options?: LoadOptions): LoadResult {
    const { faults, missing, unexpected, write } = this.checkState(state, options)
    refuse(faults)
    write()
    return { missing, unexpected }
  }

  /**
   * Checks what `loadStateDict` checks, for a caller that loads several states or none of them.
   * @throws DisposedError
   */
  checkState(state: SavedState, options?: LoadOptions): Checked & LoadResult {
    checkArgument('loadStateDict', 'options', options, LOAD)
    const aliases = new Set(this.#walk().map(([name]) => name))
    return checkState('the state', this.#tensors(), state, { ...options, optional: aliases })
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

  /** Its properties by name; properties that are not members are passed over. Override it to rename members. */
  protected members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this)
  }

  /** The module itself and all members below it, under every name that leads there. */
  #walk(): [string, Member][] {
    const found: [string, Member][] = []
    const path: unknown[] = []
    const visit = (value: unknown, name: string): void => {
      if (path.includes(value)) return
      if (value instanceof Parameter || value instanceof Buffer || value instanceof AnyModule) found.push([name, value])
      path.push(value)
      for (const [key, member] of value instanceof AnyModule ? value.members() : entriesIn(value)) {
        if (typeof member === 'object' && member !== null) visit(member, name ? `${name}.${key}` : key)
      }
      path.pop()
    }
    visit(this, '')
    return found
  }

  #named<T extends Member>(wanted: (member: Member) => member is T): Map<string, T> {
    const first = new Map<T, string>()
    for (const [name, member] of this.#walk()) if (wanted(member) && !first.has(member)) first.set(member, name)
    return new Map(Array.from(first, ([member, name]) => [name, member]))
  }

  /** Every tensor of the saved state, by name. */
  #tensors(): Map<string, Tensor> {
    const buffers = Array.from(this.namedBuffers(), ([name, buffer]) => [name, buffer.value] as const)
    return new Map<string, Tensor>([...this.namedParameters(), ...buffers])
  }
}

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
 * If `new Net(device)` does not fit, it throws half way, and its first layers stay allocated. `nn.allOrNothing(device,
 * () => new Net(device))` frees them.
 *
 * A model can have several inputs and outputs. `Module<[Tensor, Tensor]>` has a `forward(a, b)`, and a record is one
 * argument: `Module<{ image: Tensor; text: Tensor }>` has a `forward({ image, text })`. The second type is what the forward
 * returns: one tensor, or a list or a record of tensors.
 *
 * Properties that hold a Parameter, a Buffer or a Module, or these in arrays, plain objects, Maps and Sets, are its members,
 * in the order of definition; #private properties are not. An object that is found under two names keeps the first.
 */
export abstract class Module<Inputs = Tensor, Outputs = Tensor> extends AnyModule {
  /** x [N, ...]: axis 0 is the sample, in every input and every output. */
  abstract override forward(...inputs: Arguments<Inputs>): Outputs
}

/** The members of a collection by name: of an array, a Set, a Map or a plain object. */
function entriesIn(value: unknown): Iterable<readonly [string, unknown]> {
  if (Array.isArray(value)) return Object.entries(value)
  if (value instanceof Set) return Object.entries([...value])
  if (value instanceof Map) return Array.from(value, ([key, member]) => [String(key), member] as const)
  const isPlain = typeof value === 'object' && value !== null && PLAIN.includes(Object.getPrototypeOf(value))
  return isPlain ? Object.entries(value) : []
}

const PLAIN: readonly unknown[] = [Object.prototype, null]

/** The parameters of a forward: a list gives one each, and everything else is one parameter. */
export type Arguments<Inputs> = Inputs extends readonly unknown[] ? Inputs : [x: Inputs]

/** Members under other names: `names` maps some of them, and the rest keep their own. */
export function* renamed(
  members: Iterable<readonly [string, unknown]>,
  names: Readonly<Record<string, string>>,
): Generator<readonly [string, unknown]> {
  for (const [name, member] of members) yield [names[name] ?? name, member]
}
