/** Modules one after the other. */
import { ArgumentError } from '../memory/errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/**
 * y = last(... second(first(x))). Its modules are named 0, 1, 2, ..., as in PyTorch.
 *
 * The modules are made before the Sequential. If one does not fit, those before it stay allocated, unless all are made
 * in `nn.allOrNothing(device, () => new nn.Sequential(...))`.
 * @throws ArgumentError  no module
 */
export class Sequential extends Module {
  readonly layers: readonly Module[]

  constructor(...layers: readonly Module[]) {
    if (layers.length === 0) throw new ArgumentError('Sequential: needs at least one module')
    super(layers[0].device)
    this.layers = layers
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((current, layer) => layer.forward(current), x)
  }

  protected override *members(): Generator<readonly [string, unknown]> {
    for (const [name, member] of super.members()) {
      if (member === this.layers) yield* Object.entries(this.layers)
      else yield [name, member]
    }
  }
}
