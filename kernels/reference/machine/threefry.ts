/**
 * The generator Threefry-2x32-20: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011),
 * with the constants and test vectors of Random123.
 */
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24]
const PARITY = 0x1bd11bda

const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits))

/** Two random 32-bit words for a key and a counter of two words each; all unsigned. */
export function threefry(key0: number, key1: number, counter0: number, counter1: number): [number, number] {
  const keys = [key0 | 0, key1 | 0, PARITY ^ key0 ^ key1]
  let x = (counter0 + keys[0]) | 0
  let y = (counter1 + keys[1]) | 0
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0
    y = rotate(y, ROTATIONS[round % 8]) ^ x
    if (round % 4 === 3) {
      const injection = (round + 1) / 4
      x = (x + keys[injection % 3]) | 0
      y = (y + keys[(injection + 1) % 3] + injection) | 0
    }
  }
  return [x >>> 0, y >>> 0]
}
