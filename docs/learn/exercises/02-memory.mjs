/** The exercises of chapter 2. Try them: npm run learn -- 2 */

/**
 * The bytes that tensors of these shapes hold on the device `cpu`: float32, each block rounded up to 64 bytes.
 * @param {number[][]} shapes  [] is a single number
 * @returns {number}
 */
export function reservedBytes(shapes) {
  throw new Error('TODO: add up the bytes of the blocks')
}

/**
 * Where a request goes: into the smallest hole that is large enough, the lowest of equal ones, else to the tail.
 * @param {{ address: number, bytes: number }[]} holes  free spaces below the tail, in any order
 * @param {number} tail   the address at which the tail begins; it has no end here
 * @param {number} bytes  of the request, before rounding
 * @returns {number} the address
 */
export function place(holes, tail, bytes) {
  throw new Error('TODO: choose a hole, or the tail')
}
