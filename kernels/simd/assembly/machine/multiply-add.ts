/** Multiply and add: rounded once where the module has fused multiply-add, else twice. */

/** sum + a b */
@inline
export function multiplyAdd(a: v128, b: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b))
}

/** from - a b */
@inline
export function subtractProduct(from: v128, a: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_nmadd(a, b, from) : f32x4.sub(from, f32x4.mul(a, b))
}
