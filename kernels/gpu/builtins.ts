/** What every program may call. On a GPU all of it is GLSL, because gpu.js cannot say it, or not exactly. */
import type { DetailedHelper, Texels } from './program.js'

/** floor(i / n) of whole numbers. A GPU divides integers: its division of floats may come out just below a whole. */
const quotient: DetailedHelper = {
  source: function quotient(i: number, n: number): number {
    return Math.floor(i / n)
  },
  glsl: 'float quotient(float i, float n) { return float(int(i) / int(n)); }',
}

/** Value i of a tensor. */
const at: DetailedHelper = {
  kinds: ['texels'],
  source: function at(x: Texels, i: number): number {
    return x[Math.floor(i / 4)][i % 4]
  },
  glsl: `float at(sampler2D x, ivec2 size, ivec3 dimensions, float i) {
    int element = int(i);
    int texel = element >> 2;
    int row = texel / size.x;
    return texelFetch(x, ivec2(texel - row * size.x, row), 0)[element & 3];
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

/** e to the power of x. A GPU's own may make Infinity of a NaN. */
const exponential: DetailedHelper = {
  source: function exponential(x: number): number {
    return Math.exp(x)
  },
  glsl: 'float exponential(float x) { return isnan(x) ? x : exp(x); }',
}

export const BUILTINS = { quotient, at, infinity, notANumber, exponential }
