/** Chaining: `x.matmul(w).add(b)` for every op whose first argument is a tensor. Importing this installs it. */
import { Tensor } from '../tensor/tensor.js'
import { type Ops, ops } from './table.js'

type Method<F> = F extends (x: Tensor, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never

/**
 * All ops except concat and stack, which take a list. A mapped type over `keyof Ops` hands on the documentation of each op to
 * editors.
 */
export type Chained = { readonly [Name in keyof Ops as Exclude<Name, 'concat' | 'stack'>]: Method<Ops[Name]> }

declare module '../tensor/tensor.js' {
  interface Tensor extends Chained {}
}

const { concat, stack, ...chained } = ops

for (const [name, op] of Object.entries(chained)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: never[]) {
      return Reflect.apply(op, undefined, [this, ...rest])
    },
  })
}
