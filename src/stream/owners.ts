/**
 * Finds out which module runs: while a step is recorded, the `forward` of each module below the model notes the
 * module's path on the device. So every instruction knows its module, and errors can name it.
 */
import type { Device } from '../device/device.js'
import { forget, isPromise } from '../device/promise.js'
import type { AnyModule } from '../nn/module.js'
import { Tensor } from '../tensor/tensor.js'
import { ModelError } from './errors.js'

type Forward = AnyModule['forward']

export class Owners {
  readonly #modules: readonly Noted[]

  /** @param model  its modules are looked up now */
  constructor(readonly model: AnyModule) {
    const below = [...model.namedModules()].filter(([path]) => path !== '')
    this.#modules = below.map(([path, module]) => new Noted(path, module))
  }

  /** Run `fn` while modules note their paths. Afterwards, even if fn throws, every `forward` is back. */
  during<T>(fn: () => T): T {
    try {
      for (const module of this.#modules) module.begin()
      return fn()
    } finally {
      for (const module of this.#modules) module.end()
    }
  }
}

/** A module whose forward notes its path. */
class Noted {
  /** the forward of the module, and the one that stands in for it */
  #own: Forward | null = null
  #noting: Forward | null = null
  /** where the forward is a property of the module itself */
  #property: PropertyDescriptor | undefined
  /** Is the forward a method? Then an assignment hides it, which takes a quarter of the time. */
  readonly #isMethod: boolean

  constructor(
    readonly path: string,
    readonly module: AnyModule,
  ) {
    let prototype: object | null = Object.getPrototypeOf(module)
    while (prototype && !Object.hasOwn(prototype, 'forward')) prototype = Object.getPrototypeOf(prototype)
    this.#isMethod = prototype !== null && 'value' in (Object.getOwnPropertyDescriptor(prototype, 'forward') ?? {})
  }

  begin(): void {
    const { module, path } = this
    if (this.#own !== module.forward || !this.#noting) {
      this.#own = module.forward
      this.#noting = noting(module.device, path, this.#own)
    }
    this.#property = Object.hasOwn(module, 'forward') ? Object.getOwnPropertyDescriptor(module, 'forward') : undefined
    if (this.#isMethod && !this.#property && Object.isExtensible(module)) module.forward = this.#noting
    // a frozen module keeps its own
    else Reflect.defineProperty(module, 'forward', { value: this.#noting, configurable: true, writable: true })
  }

  end(): void {
    const { module } = this
    // a forward that was replaced meanwhile stays
    if (module.forward !== this.#noting) return
    if (this.#property) Object.defineProperty(module, 'forward', this.#property)
    else delete (module as Partial<AnyModule>).forward
  }
}

/** @throws ModelError  the forward returns a Promise */
function noting(device: Device, path: string, forward: Forward): Forward {
  return function (this: AnyModule, ...args: unknown[]) {
    const before = device.module
    device.module = path
    try {
      const result = forward.apply(this, args)
      if (!(result instanceof Tensor) && isPromise(result)) {
        forget(result)
        throw new ModelError(
          `the forward of ${path} returned a Promise, after '${device.op}'; it must return tensors, and not wait for anything`,
        )
      }
      return result
    } finally {
      device.module = before
    }
  }
}
