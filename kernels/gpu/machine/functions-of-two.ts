/** The functions of two numbers, as kernels/functions.ts defines them. */
import type { BinaryFunction } from '../../functions.js'
import { POWERS } from './functions.js'
import type { Helpers, Source } from './program.js'

declare function isNotANumber(x: number): number
declare function logarithm(x: number): number
declare function power(x: number, exponent: number): number

function add(a: number, b: number): number {
  return a + b
}
function sub(a: number, b: number): number {
  return a - b
}
function mul(a: number, b: number): number {
  return a * b
}
function div(a: number, b: number): number {
  return a / b
}
function maximum(a: number, b: number): number {
  return isNotANumber(a) + isNotANumber(b) > 0 ? a + b : a > b ? a : b
}
function minimum(a: number, b: number): number {
  return isNotANumber(a) + isNotANumber(b) > 0 ? a + b : a < b ? a : b
}
function powerOf(a: number, b: number): number {
  if (isNotANumber(b) > 0) {
    return a === 1 ? 1 : b
  }
  if (isNotANumber(a) > 0) {
    return b === 0 ? 1 : a
  }
  return power(a, b)
}
function less(a: number, b: number): number {
  return a < b ? 1 : 0
}
function lessEqual(a: number, b: number): number {
  return a <= b ? 1 : 0
}
function greater(a: number, b: number): number {
  return a > b ? 1 : 0
}
function greaterEqual(a: number, b: number): number {
  return a >= b ? 1 : 0
}
function equal(a: number, b: number): number {
  return a === b ? 1 : 0
}
function notEqual(a: number, b: number): number {
  return a === b ? 0 : 1
}
function keepWhere(a: number, b: number): number {
  return b === 0 ? 0 : a
}
function keepUnless(a: number, b: number): number {
  return b === 0 ? a : 0
}

export const OF_POWERS: Helpers = { ...POWERS, powerOf }

/** dy, a, b -> the gradients of a^b */
export function powerA(dy: number, a: number, b: number): number {
  if (isNotANumber(b) > 0) {
    return b
  }
  return b === 0 ? 0 : dy * (b * powerOf(a, b - 1))
}
export function powerB(dy: number, a: number, b: number): number {
  if (isNotANumber(a) > 0) {
    return a
  }
  if (isNotANumber(b) > 0) {
    return a === 1 ? 0 * dy : b
  }
  return a === 0 && b >= 0 ? 0 : dy * (powerOf(a, b) * logarithm(a))
}

export const BINARY: { readonly [Name in BinaryFunction]: Source } = {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  power: powerOf,
  less,
  lessEqual,
  greater,
  greaterEqual,
  equal,
  notEqual,
  keepWhere,
  keepUnless,
}
