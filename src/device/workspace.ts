/**
 * Workspace that the kernels of a commit share: each block has the size of the largest request, and each kernel uses
 * its first bytes.
 */
import { Storage } from './storage.js'

/** The first bytes of a workspace, as one kernel of several uses it. */
export function part(whole: Storage, size: number, bytes: number): Storage {
  const storage = new Storage(size, bytes, whole.category)
  storage.place({ ...whole.block, requestedBytes: bytes })
  return storage
}

/** The largest number at each position of the lists. */
export function largest(lists: readonly (readonly number[])[]): number[] {
  const most: number[] = []
  for (const list of lists) {
    list.forEach((number, i) => {
      most[i] = Math.max(most[i] ?? 0, number)
    })
  }
  return most
}
