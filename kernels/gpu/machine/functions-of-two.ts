/** The functions of two numbers, as kernels/functions.ts defines them. */
import type { BinaryFunction } from '../../functions.js'
import type { Source } from './program.js'

declare function isNotANumber(x: number): number

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

export const BINARY: { readonly [Name in BinaryFunction]: Source } = {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  less,
  lessEqual,
  greater,
  greaterEqual,
  equal,
  notEqual,
  keepWhere,
  keepUnless,
}
