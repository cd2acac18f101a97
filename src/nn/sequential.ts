/** Modules one after the other, freeing what lies between as early as that is safe. */
import { ArgumentError } from '../memory/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/**
 * y = last(... second(first(x))). Its modules are named 0, 1, 2, ..., as PyTorch's.
 *
 * Its modules are made before it: where one does not fit, those before it stay, unless all is made in
 * `nn.allOrNothing(device, () => new nn.Sequential(...))`.
 *
 * Note [Early free]
 *   An intermediate is freed before the scope ends if it was made inside this call, by a layer of ours
 *   (see RELEASES), and everything that took it is a layer of ours; the input and the result never are.
 *   The tape keeps what gradients need, whoever frees. What a user's module took or made waits for the
 *   scope: it may still hold on to it. A Sequential inside is taken as its layers in its place, so that
 *   nesting costs nothing.
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
    /** made here, and held by nobody else: Note [Early free] */
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

  /** Its layers, those of Sequentials among them in their place. */
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
