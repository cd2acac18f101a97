/** Tensors that a function makes and frees before it ends, even outside of a scope. */
import type { Tensor } from '../tensor/tensor.js'

/** Run `fn` with a function that marks tensors. They are disposed when `fn` ends, because no caller has them. */
export function withTemporaries<T>(fn: (temporary: (tensor: Tensor) => Tensor) => T): T {
  const marked: Tensor[] = []
  try {
    return fn((tensor) => {
      marked.push(tensor)
      return tensor
    })
  } finally {
    for (const tensor of marked) tensor.dispose()
  }
}
