/** Modules one after the other. What lies between is freed as early as that is safe. */
import { ArgumentError } from '../memory/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/**
 * y = last(... second(first(x))). Its modules are named 0, 1, 2, ..., as PyTorch's.
 *
 * Its modules are made before it. If one does not fit, those before it stay allocated, unless all are made in
 * `nn.allOrNothing(device, () => new nn.Sequential(...))`.
 *
 * Note [Early free]
 *   An intermediate is freed before the scope ends if it was made in this call by a layer that releases (see RELEASES),
 *   and every layer that took it releases too. The input and the result are never freed. The tape keeps what gradients
 *   need in any case. A tensor that another module took or made is freed by the scope, because that module may still
 *   refer to it. The layers of a Sequential inside are taken in its place, so nesting costs no memory.
 */
export class Sequential extends Module {
  readonly layers: readonly Module[]

  /** @throws ArgumentError  no module */
  constructor(...layers: readonly Module[]) {
    if (layers.length === 0) throw new ArgumentError('Sequential: needs at least one module')
    super(layers[0].device)
    this.layers = layers
  }

  forward(x: Tensor): Tensor {
    let current = x
    /** may `current` be freed? Note [Early free] */
    let ours = false
    for (const layer of this.#flat()) {
      const next = layer.forward(current)
      if (next === current) {
        ours &&= layer.releases
      } else {
        if (ours && layer.releases) current.dispose()
        ours = layer.releases
        current = next
      }
    }
    return current
  }

  /** Its layers; a Sequential among them is replaced by its own layers. */
  *#flat(): Generator<Module> {
    for (const layer of this.layers) {
      if (layer instanceof Sequential && layer.forward === Sequential.prototype.forward) yield* layer.#flat()
      else yield layer
    }
  }

  protected override *members(): Generator<readonly [string, unknown]> {
    for (const [name, member] of super.members()) {
      if (member === this.layers) yield* Object.entries(this.layers)
      else yield [name, member]
    }
  }
}
