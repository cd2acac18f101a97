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

export function sine(x: number): number {
  return Math.sin(x)
}

export function cosine(x: number): number {
  return Math.cos(x)
}

/**
 * GLSL for sin(x + quarters pi / 2). A GPU's own sin is good to about 1e-5. Here x is taken to r in [-pi / 4, pi / 4] by k
 * quarter turns, by pi / 2 in three parts so that k times the first two is exact; then come the Taylor series of sin r or cos r.
 */
const turning = (name: string, quarters: number): string => `float ${name}(float x) {
    if (isNotANumber(x) > 0.0 || isinf(x)) return notANumber();
    float k = floor(x * 0.6366197723675814 + 0.5);
    float r = ((x - k * 1.5703125) - k * 4.837512969970703e-4) - k * 7.549789954891882e-8;
    float s = r * r;
    float quarter = mod(k + ${quarters}.0, 4.0);
    float y = mod(quarter, 2.0) < 0.5
      ? r + r * s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s / 362880.0)))
      : 1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s * (1.0 / 40320.0 - s / 3628800.0))));
    return quarter < 1.5 ? y : -y;
  }`

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
  sine: { source: sine, glsl: turning('sine', 0) },
  cosine: { source: cosine, glsl: turning('cosine', 1) },
}
