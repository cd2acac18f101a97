/**
 * A module as what it has in common with another: runs of bytes that stand in the other, and new bytes between them. The
 * modules of kernels/simd differ in a few instructions only, so the package need not have them all in full. `unpacked` in
 * simd/machine/module.ts undoes it.
 */

/** A common run shorter than this is not worth its numbers. */
const SHORTEST = 12

/**
 * The text of `binary`, from the bytes of `known`: base64 of a list of runs, each with the number of new bytes, the place of the
 * common ones in `known`, their number (three uint32), and the new bytes.
 */
export function packed(binary, known) {
  const places = new Map()
  const keyAt = (bytes, at) => bytes.toString('latin1', at, at + SHORTEST)
  for (let at = known.length - SHORTEST; at >= 0; at--)
    places.set(keyAt(known, at), [at, ...(places.get(keyAt(known, at)) ?? []).slice(0, 7)])
  const lengthOf = (from, at) => {
    let length = 0
    while (at + length < binary.length && binary[at + length] === known[from + length]) length++
    return length
  }
  const parts = []
  let fresh = 0
  const add = (at, from, length) => {
    const numbers = Buffer.alloc(12)
    for (const [i, number] of [at - fresh, from, length].entries()) numbers.writeUInt32LE(number, 4 * i)
    parts.push(numbers, binary.subarray(fresh, at))
    fresh = at + length
  }
  // where the last run went on: most modules go on together behind a difference
  let expected = 0
  for (let at = 0; at < binary.length; ) {
    const candidates = [expected + at, ...(places.get(keyAt(binary, at)) ?? [])]
    const best = candidates.reduce((a, b) => (lengthOf(b, at) > lengthOf(a, at) ? b : a))
    const length = lengthOf(best, at)
    if (length < SHORTEST) {
      at++
      continue
    }
    add(at, best, length)
    at += length
    expected = best - (at - length)
  }
  add(binary.length, 0, 0)
  return Buffer.concat(parts).toString('base64')
}
