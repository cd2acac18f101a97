/**
 * Functions that every program can call. A function that gpu.js cannot express exactly has GLSL and WGSL for a GPU. In WGSL a
 * tensor is a pointer of the type TEXELS (src/device/webgpu/wgsl.ts), and gpu.js puts fn_ before the name of a function.
 */
import type { Helpers, Texels } from './program.js'

/** floor(i / n) of whole numbers. */
export function quotient(i: number, n: number): number {
  return Math.floor(i / n)
}

/** Value i of a tensor. */
export function at(x: Texels, i: number): number {
  return x[Math.floor(i / 4)][i % 4]
}

export function infinity(): number {
  return 1 / 0
}

export function notANumber(): number {
  return 0 / 0
}

/** 1 where x is NaN, else 0. */
export function isNotANumber(x: number): number {
  return x >= 0 ? 0 : x < 0 ? 0 : 1
}

/** 1 where `value` is larger than `largest`, or is NaN and `largest` is not; else 0. */
export function exceeds(value: number, largest: number): number {
  if (isNotANumber(largest) < 1) {
    if (isNotANumber(value) > 0 || value > largest) {
      return 1
    }
  }
  return 0
}

export function exponential(x: number): number {
  return Math.exp(x)
}

export function logarithm(x: number): number {
  return Math.log(x)
}

export function hyperbolicTangent(x: number): number {
  return Math.tanh(x)
}

export function sine(x: number): number {
  return Math.sin(x)
}

export function cosine(x: number): number {
  return Math.cos(x)
}

/**
 * GLSL and WGSL for sin(x + quarters pi / 2). A GPU's own sin is good to about 1e-5. Here x is taken to r in [-pi / 4, pi / 4] by k
 * quarter turns, by pi / 2 in three parts so that k times the first two is exact; then come the Taylor series of sin r or cos r.
 */
const turning = (name: string, quarters: number): { glsl: string; wgsl: string } => {
  // the two languages differ in declarations and choices only
  const series = `
    k = floor(x * 0.6366197723675814 + 0.5);
    r = ((x - k * 1.5703125) - k * 4.837512969970703e-4) - k * 7.549789954891882e-8;
    s = r * r;
    quarter = k + ${quarters}.0 - 4.0 * floor((k + ${quarters}.0) * 0.25);
    y = 1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s * (1.0 / 40320.0 - s / 3628800.0))));
    if (quarter == 0.0 || quarter == 2.0) {
      y = r + r * s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s / 362880.0)));
    }
    if (quarter > 1.5) { y = -y; }
    return y;
  }`
  const numbers = ['k', 'r', 's', 'quarter', 'y']
  return {
    glsl: `float ${name}(float x) {
    if (isNotANumber(x) > 0.0 || isinf(x)) return notANumber();
    float ${numbers.join(', ')};${series}`,
    wgsl: `fn fn_${name}(x: f32) -> f32 {
    if (isNotFinite(x)) { return fn_notANumber(); }
    ${numbers.map((number) => `var ${number}: f32;`).join(' ')}${series}`,
  }
}

export const BUILTINS: Helpers = {
  quotient: {
    source: quotient,
    // A GPU's quotient of floats may be wrong in its last bit, and its floor then by one. The remainder shows that.
    glsl: `float quotient(float i, float n) {
    float q = floor(i / n);
    float rest = i - q * n;
    return rest < 0.0 ? q - 1.0 : rest < n ? q : q + 1.0;
  }`,
    wgsl: `fn fn_quotient(i: f32, n: f32) -> f32 {
    let q = floor(i / n);
    let rest = i - q * n;
    return select(select(q + 1.0, q, rest < n), q - 1.0, rest < 0.0);
  }`,
  },
  at: {
    source: at,
    kinds: ['texels'],
    glsl: `float at(sampler2D x, ivec2 size, ivec3 dimensions, float i) {
    float texel = floor(i * 0.25);
    vec4 v = texelAt(x, float(size.x), intBitsToFloat(dimensions.xy), texel);
    float lane = i - 4.0 * texel;
    return lane < 2.0 ? (lane < 1.0 ? v.x : v.y) : lane < 3.0 ? v.z : v.w;
  }`,
    wgsl: `fn fn_at(x: TEXELS, i: f32) -> f32 {
    let place = u32(i);
    return (*x)[place >> 2u][place & 3u];
  }`,
  },
  infinity: {
    source: infinity,
    // gpu.js writes Infinity as the largest finite number.
    glsl: 'float infinity() { return uintBitsToFloat(0x7f800000u); }',
    // WGSL refuses a constant that is infinite
    wgsl: `var<private> infinite = 0x7f800000u;
  fn fn_infinity() -> f32 { return bitcast<f32>(infinite); }`,
  },
  notANumber: {
    source: notANumber,
    glsl: 'float notANumber() { return uintBitsToFloat(0x7fc00000u); }',
    wgsl: 'fn fn_notANumber() -> f32 { return bitcast<f32>(infinite | 0x400000u); }',
  },
  isNotANumber: {
    source: isNotANumber,
    // A driver may leave out a comparison that only a NaN fails, so look at the bits.
    glsl: `float isNotANumber(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u ? 1.0 : 0.0;
  }`,
    wgsl: `fn fn_isNotANumber(x: f32) -> f32 { return select(0.0, 1.0, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u); }
  fn isNotFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u; }`,
  },
  exceeds: { source: exceeds },
  exponential: {
    source: exponential,
    // A GPU's own exp may turn a NaN into Infinity.
    glsl: 'float exponential(float x) { return isNotANumber(x) > 0.0 ? x : exp(x); }',
    wgsl: 'fn fn_exponential(x: f32) -> f32 { return select(exp(x), x, fn_isNotANumber(x) > 0.0); }',
  },
  logarithm: {
    source: logarithm,
    // A GPU's own log may give any number where x is not positive or not finite.
    glsl: `float logarithm(float x) {
    if (isNotANumber(x) > 0.0 || isinf(x)) return x < 0.0 ? notANumber() : x;
    return x > 0.0 ? log(x) : x == 0.0 ? -infinity() : notANumber();
  }`,
    wgsl: `fn fn_logarithm(x: f32) -> f32 {
    if (isNotFinite(x)) { return select(x, fn_notANumber(), x < 0.0); }
    if (x > 0.0) { return log(x); }
    return select(fn_notANumber(), -fn_infinity(), x == 0.0);
  }`,
  },
  hyperbolicTangent: {
    source: hyperbolicTangent,
    // A GPU's own tanh overflows at 50 and turns a NaN into -1. In float32 tanh is 1 from 9 on.
    glsl: 'float hyperbolicTangent(float x) { return isNotANumber(x) > 0.0 ? x : tanh(clamp(x, -9.0, 9.0)); }',
    wgsl: `fn fn_hyperbolicTangent(x: f32) -> f32 {
    return select(tanh(clamp(x, -9.0, 9.0)), x, fn_isNotANumber(x) > 0.0);
  }`,
  },
  sine: { source: sine, ...turning('sine', 0) },
  cosine: { source: cosine, ...turning('cosine', 1) },
}
