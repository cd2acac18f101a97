/**
 * Modules as text that is shorter than base64 of all their bytes. Bytes that repeat earlier bytes, of the same module or of
 * another one, are written as the place of the earlier ones: the method of Lempel and Ziv (1977). The modules of
 * kernels/simd differ in a few instructions only. `unpacked` in simd/machine/module.ts undoes it without waiting; the
 * decompression that platforms offer has to be awaited.
 */

/** A repetition shorter than this is not worth its numbers. */
const SHORTEST = 6
/** How many earlier places with the same beginning are tried. */
const TRIES = 64

/**
 * The text of `binary`: base64 of its length and a list of runs. A run is four things: the number of new bytes, the new
 * bytes, the number of repeated bytes, and their place, counted from the byte after the last repeated ones. Numbers are
 * written as LEB128, as in WebAssembly; the place, which can be negative, as 2 n or -2 n - 1.
 * @param known  bytes that stand before the binary when it is unpacked
 */
export function packed(binary, known = Buffer.alloc(0)) {
  const all = Buffer.concat([known, binary])
  const places = new Map()
  const note = (at) => {
    if (at + SHORTEST > all.length) return
    const key = all.toString('latin1', at, at + SHORTEST)
    const earlier = places.get(key)
    if (earlier) earlier.push(at)
    else places.set(key, [at])
  }
  for (let at = 0; at < known.length; at++) note(at)
  const lengthOf = (from, at) => {
    let length = 0
    while (at + length < all.length && all[at + length] === all[from + length]) length++
    return length
  }
  const parts = [leb(binary.length)]
  let fresh = known.length
  let next = 0
  for (let at = known.length; at < all.length; ) {
    const expected = next + at - fresh
    const found = places.get(all.toString('latin1', at, at + SHORTEST)) ?? []
    const candidates = [...(expected < at ? [expected] : []), ...found.slice(-TRIES)]
    const best = candidates.reduce((a, b) => (lengthOf(b, at) > lengthOf(a, at) ? b : a), at - 1)
    const length = lengthOf(best, at)
    // going on where the last repetition ended takes the fewest bytes
    if (length < (best === expected ? 3 : SHORTEST)) {
      note(at++)
      continue
    }
    parts.push(leb(at - fresh), all.subarray(fresh, at), leb(length), leb(zigzag(best - expected)))
    for (const end = at + length; at < end; at++) note(at)
    fresh = at
    next = best + length
  }
  parts.push(leb(all.length - fresh), all.subarray(fresh), leb(0), leb(0))
  return Buffer.concat(parts).toString('base64')
}

const zigzag = (number) => (number < 0 ? -2 * number - 1 : 2 * number)

function leb(number) {
  const bytes = []
  for (let rest = number; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}
