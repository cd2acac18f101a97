/** Modules one after the other. */
import { checkArgument, type Kind } from '../memory/arguments.js'
import { ArgumentError } from '../memory/errors.js'
import { argumentsOf } from '../tensor/structure.js'
import { Tensor } from '../tensor/tensor.js'
import { AnyModule, type Arguments, Module } from './module.js'

/** What a Sequential is made of. If it has one input and one output, so has each of its modules, as far as types go. */
export type Layer<Inputs, Outputs> = [Inputs, Outputs] extends [Tensor, Tensor] ? Module : AnyModule

const MODULE: Kind = {
  told: 'a module, one after the other: new Sequential(a, b)',
  fits: (value) => value instanceof AnyModule,
}

/**
 * y = last(... second(first(x))). Its modules are named 0, 1, 2, ..., as in PyTorch. Where a module returns a list, the
 * next has a parameter for each member.
 *
 * The modules are made before the Sequential. If one does not fit, those before it stay allocated, unless all are made
 * in `nn.allOrNothing(device, () => new nn.Sequential(...))`.
 * @throws ArgumentError  no module
 */
export class Sequential<Inputs = Tensor, Outputs = Tensor> extends Module<Inputs, Outputs> {
  readonly layers: readonly Layer<Inputs, Outputs>[]

  constructor(...layers: readonly Layer<Inputs, Outputs>[]) {
    for (const [i, layer] of layers.entries()) checkArgument('Sequential', `argument ${i}`, layer, MODULE)
    if (layers.length === 0) throw new ArgumentError('Sequential: needs at least one module')
    super(layers[0].device)
    this.layers = layers
  }

  forward(...inputs: Arguments<Inputs>): Outputs
  forward(...inputs: readonly unknown[]): unknown {
    const layers: readonly AnyModule[] = this.layers
    return layers.reduce<unknown>(
      (x, layer) => (x instanceof Tensor ? layer.forward(x) : layer.forward(...argumentsOf(x))),
      inputs,
    )
  }

  protected override *members(): Generator<readonly [string, unknown]> {
    for (const [name, member] of super.members()) {
      if (member === this.layers) yield* Object.entries(this.layers)
      else yield [name, member]
    }
  }
}
