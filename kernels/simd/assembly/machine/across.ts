/** Operations across the four lanes of a vector. Every lane holds the result. */

/** The maximum of numbers that are not NaN. */
@inline
export function maxAcross(v: v128): v128 {
  const pairs = f32x4.pmax(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2))
}

@inline
export function orAcross(v: v128): v128 {
  const pairs = v128.or(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return v128.or(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2))
}

/** Ones in the first `count` lanes. */
@inline
export function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count))
}
