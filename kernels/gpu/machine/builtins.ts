/** What every program may call. On a GPU all of it is GLSL, because gpu.js cannot say it, or not exactly. */
import type { DetailedHelper, Texels } from './program.js'

/** floor(i / n) of whole numbers. A GPU's division of floats may be off by a last bit: then by one, as the rest shows. */
const quotient: DetailedHelper = {
  source: function quotient(i: number, n: number): number {
    return Math.floor(i / n)
  },
  glsl: `float quotient(float i, float n) {
    float q = floor(i / n);
    float rest = i - q * n;
    return rest < 0.0 ? q - 1.0 : rest < n ? q : q + 1.0;
  }`,
}

/** Value i of a tensor. */
const at: DetailedHelper = {
  kinds: ['texels'],
  source: function at(x: Texels, i: number): number {
    return x[Math.floor(i / 4)][i % 4]
  },
  glsl: `float at(sampler2D x, ivec2 size, ivec3 dimensions, float i) {
    float texel = floor(i * 0.25);
    vec4 v = texelAt(x, float(size.x), intBitsToFloat(dimensions.xy), texel);
    float lane = i - 4.0 * texel;
    return lane < 2.0 ? (lane < 1.0 ? v.x : v.y) : lane < 3.0 ? v.z : v.w;
  }`,
}

/** `Infinity` of gpu.js is the largest finite number. */
const infinity: DetailedHelper = {
  source: function infinity(): number {
    return 1 / 0
  },
  glsl: 'float infinity() { return uintBitsToFloat(0x7f800000u); }',
}

const notANumber: DetailedHelper = {
  source: function notANumber(): number {
    return 0 / 0
  },
  glsl: 'float notANumber() { return uintBitsToFloat(0x7fc00000u); }',
}

/** 1 where x is NaN, else 0. By its bits: a comparison that only a NaN fails may be optimised away. */
const isNotANumber: DetailedHelper = {
  source: function isNotANumber(x: number): number {
    return x >= 0 ? 0 : x < 0 ? 0 : 1
  },
  glsl: `float isNotANumber(float x) {
    return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u ? 1.0 : 0.0;
  }`,
}

/** A GPU's own exp may make Infinity of a NaN. */
const exponential: DetailedHelper = {
  source: function exponential(x: number): number {
    return Math.exp(x)
  },
  glsl: 'float exponential(float x) { return isNotANumber(x) > 0.0 ? x : exp(x); }',
}

/** A GPU's own log is anything where x is not positive, or not finite. */
const logarithm: DetailedHelper = {
  source: function logarithm(x: number): number {
    return Math.log(x)
  },
  glsl: `float logarithm(float x) {
    if (isNotANumber(x) > 0.0 || isinf(x)) return x < 0.0 ? notANumber() : x;
    return x > 0.0 ? log(x) : x == 0.0 ? -infinity() : notANumber();
  }`,
}

/** A GPU's own tanh overflows at 50, and makes -1 of a NaN. In float32 it is 1 from 9 on. */
const hyperbolicTangent: DetailedHelper = {
  source: function hyperbolicTangent(x: number): number {
    return Math.tanh(x)
  },
  glsl: 'float hyperbolicTangent(float x) { return isNotANumber(x) > 0.0 ? x : tanh(clamp(x, -9.0, 9.0)); }',
}

export const BUILTINS = { quotient, at, infinity, notANumber, isNotANumber, exponential, logarithm, hyperbolicTangent }
