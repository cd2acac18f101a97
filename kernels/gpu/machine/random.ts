/**
 * Random numbers of dropout: the masks of all other dialects, bit for bit. Threefry-2x32-20
 * (kernels/reference/machine/threefry.ts).
 *
 * Its words have 32 bits, but an argument of a program holds only 24. So a program gets each word in two halves. The
 * generator is written once more for each kind of GPU, because gpu.js does not know their integers.
 */
import { DROPOUT_CALLS, type Dropout } from '../../dropout.js'
import type { DetailedHelper, Four, Helpers, Named } from './program.js'

/** Halves of the seed and of the step. */
export const KEY = ['seedLow', 'seedHigh', 'stepLow', 'stepHigh'] as const
/** Halves of the position of value 0, and of the counter's second word there. */
export const COUNTER = ['firstLow', 'firstHigh', 'wordLow', 'wordHigh'] as const
export type Key = Named<typeof KEY>
export type Counter = Named<typeof COUNTER>

declare function turned(word: number, bits: number): number

const ROTATION: DetailedHelper = {
  source: function turned(word: number, bits: number): number {
    return (word << bits) | (word >>> (32 - bits))
  },
  glsl: 'uint turned(uint word, int bits) { return (word << bits) | (word >> (32 - bits)); }',
  wgsl: 'fn fn_turned(word: u32, bits: u32) -> u32 { return (word << bits) | (word >> (32u - bits)); }',
}

/**
 * The 24 random bits of value row * width + i, as a whole number. The index can be larger than a float can count, so it
 * comes in two parts. If the position passes 2^32, the second word grows by DROPOUT_CALLS, which is written out here: Note
 * [Counter of a mask] in kernels/dropout.ts.
 */
const DRAWN: DetailedHelper = {
  kinds: ['number', 'number', 'number', KEY, COUNTER],
  source: function drawn(row: number, width: number, i: number, key: Key, counter: Counter): number {
    const place = counter.firstLow + 65536 * counter.firstHigh + row * width + i
    const position = place >>> 0
    const next = place > position ? 2048 : 0
    let key0 = (key.seedLow + 65536 * key.seedHigh) | 0
    let key1 = (key.stepLow + 65536 * key.stepHigh) | 0
    let key2 = 0x1bd11bda ^ key0 ^ key1
    let x = ((position >>> 1) + key0) | 0
    let y = (counter.wordLow + 65536 * counter.wordHigh + next + key1) | 0
    for (let group = 0; group < 5; group++) {
      const odd = group % 2 === 1
      x = (x + y) | 0
      y = turned(y, odd ? 17 : 13) ^ x
      x = (x + y) | 0
      y = turned(y, odd ? 29 : 15) ^ x
      x = (x + y) | 0
      y = turned(y, odd ? 16 : 26) ^ x
      x = (x + y) | 0
      y = turned(y, odd ? 24 : 6) ^ x
      const used = key0
      key0 = key1
      key1 = key2
      key2 = used
      x = (x + key0) | 0
      y = (y + key1 + group + 1) | 0
    }
    return ((position & 1) === 1 ? y : x) >>> 8
  },
  glsl: `float drawn(float row, float width, float i, vec4 key, vec4 counter) {
    uvec4 k = uvec4(key);
    uvec4 c = uvec4(counter);
    uint distance = uint(row) * uint(width) + uint(i);
    uint position = (c.x | c.y << 16) + distance;
    uint next = position < distance ? 2048u : 0u;
    uvec3 keys = uvec3(k.x | k.y << 16, k.z | k.w << 16, 0x1bd11bdau);
    keys.z ^= keys.x ^ keys.y;
    uint x = (position >> 1) + keys.x;
    uint y = (c.z | c.w << 16) + next + keys.y;
    for (uint group = 0u; group < 5u; group++) {
      bool odd = (group & 1u) == 1u;
      x += y;
      y = turned(y, odd ? 17 : 13) ^ x;
      x += y;
      y = turned(y, odd ? 29 : 15) ^ x;
      x += y;
      y = turned(y, odd ? 16 : 26) ^ x;
      x += y;
      y = turned(y, odd ? 24 : 6) ^ x;
      keys = keys.yzx;
      x += keys.x;
      y += keys.y + group + 1u;
    }
    return float(((position & 1u) == 1u ? y : x) >> 8);
  }`,
  wgsl: `fn fn_drawn(row: f32, width: f32, i: f32, key: vec4f, counter: vec4f) -> f32 {
    let k = vec4u(key);
    let c = vec4u(counter);
    let distance = u32(row) * u32(width) + u32(i);
    let position = (c.x | (c.y << 16u)) + distance;
    let next = select(0u, 2048u, position < distance);
    var keys = vec3u(k.x | (k.y << 16u), k.z | (k.w << 16u), 0x1bd11bdau);
    keys.z ^= keys.x ^ keys.y;
    var x = (position >> 1u) + keys.x;
    var y = (c.z | (c.w << 16u)) + next + keys.y;
    for (var group = 0u; group < 5u; group++) {
      let bits = select(vec4u(13u, 15u, 26u, 6u), vec4u(17u, 29u, 16u, 24u), (group & 1u) == 1u);
      for (var turn = 0u; turn < 4u; turn++) {
        x += y;
        y = fn_turned(y, bits[turn]) ^ x;
      }
      keys = keys.yzx;
      x += keys.x;
      y += keys.y + group + 1u;
    }
    return f32(select(x, y, (position & 1u) == 1u) >> 8u);
  }`,
}

/** The helper `drawn(row, width, i, key, counter)`. */
export const RANDOM: Helpers = { turned: ROTATION, drawn: DRAWN }

/** The low 16 bits of a word, and the high 16; a larger number counts modulo 2^32. */
const halves = (word: number): [number, number] => [word & 0xffff, word >>> 16]

/**
 * The arguments of `drawn`, then `least` and `scale`. A value whose 24 bits give k is kept if k >= least, which means k /
 * 2^24 >= rate; then it is multiplied by `scale`.
 */
export function drawing({ rate, seed, step, call, first }: Omit<Dropout, 'size'>) {
  const key: Four = [...halves(seed), ...halves(step)]
  const counter: Four = [...halves(first), ...halves(call + DROPOUT_CALLS * Math.floor(first / 2 ** 32))]
  return { key, counter, least: Math.ceil(rate * 2 ** 24), scale: 1 / (1 - rate) }
}
