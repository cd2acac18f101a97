/**
 * A module of its own, small enough to be tried on every platform: it has an instruction of each kind that not every
 * platform with WebAssembly has.
 */
import { multiplyAdd } from './machine/multiply-add'

export function probe(address: usize): void {
  const x = v128.load(address)
  v128.store(address, multiplyAdd(x, x, x))
  atomic.add<i32>(address, 1)
}
