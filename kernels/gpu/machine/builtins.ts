/** Functions that every program can call. A function that gpu.js cannot express exactly has GLSL for a GPU. */
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

export const BUILTINS: Helpers = {
  quotient: {
    source: quotient,
    // A GPU's quotient of floats may be wrong in its last bit, and its floor then by one. The remainder shows that.
    glsl: `float quotient(float i, float n) {
    float q = floor(i / n);
    float rest = i - q * n;
    return rest < 0.0 ? q - 1.0 : rest < n ? q : q + 1.0;
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
  },
  infinity: {
    source: infinity,
    // gpu.js writes Infinity as the largest finite number.
    glsl: 'float infinity() { return uintBitsToFloat(0x7f800000u); }',
  },
  notANumber: {
    source: notANumber,
    glsl: 'float notANumber() { return uintBitsToFloat(0x7fc00000u); }',
  },
  isNotANumber: {
    source: isNotANumber,
    // A driver may leave out a comparison that only a NaN fails, so look at the bits.
    glsl: `float isNotANumber(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u ? 1.0 : 0.0;
  }`,
  },
  exceeds: { source: exceeds },
  exponential: {
    source: exponential,
    // A GPU's own exp may turn a NaN into Infinity.
    glsl: 'float exponential(float x) { return isNotANumber(x) > 0.0 ? x : exp(x); }',
  },
  logarithm: {
    source: logarithm,
    // A GPU's own log may give any number where x is not positive or not finite.
    glsl: `float logarithm(float x) {
    if (isNotANumber(x) > 0.0 || isinf(x)) return x < 0.0 ? notANumber() : x;
    return x > 0.0 ? log(x) : x == 0.0 ? -infinity() : notANumber();
  }`,
  },
  hyperbolicTangent: {
    source: hyperbolicTangent,
    // A GPU's own tanh overflows at 50 and turns a NaN into -1. In float32 tanh is 1 from 9 on.
    glsl: 'float hyperbolicTangent(float x) { return isNotANumber(x) > 0.0 ? x : tanh(clamp(x, -9.0, 9.0)); }',
  },
}
