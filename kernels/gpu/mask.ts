/**
 * Masks of functions that have two slopes, with one bit for each value, and the gradients computed from them:
 * kernels/packing.ts.
 */
import { type MaskedFunction, TWO_SLOPES } from '../functions.js'
import { BITS } from '../packing.js'
import { at, quotient } from './machine/builtins.js'
import { UNARY } from './machine/functions.js'
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Four, type Program, type Texels, type Thread } from './machine/program.js'

/** A bit is set where the slope is 1: where the gradient for dy = 1 is 1. */
function maskProgram(name: MaskedFunction): Program {
  const { gradient, constants, helpers } = UNARY[name]
  const numbers = constants ? ['a', 'b'] : []
  const source = `function value(${['i', 's', 'size', ...numbers]}) {
    const first = i * ${BITS}
    const end = Math.min(first + ${BITS}, size)
    let mask = 0.0
    let unit = 1.0
    for (let j = first; j < end; j++) {
      if (gradient(${['1.0', 'at(s, j)', ...numbers]}) === 1) {
        mask = mask + unit
      }
      unit = unit * 2
    }
    return mask
  }`
  const kinds = ['texels', 'number', ...numbers.map(() => 'number' as const)] as const
  return eachValue(`mask ${name}`, source, kinds, { ...helpers, gradient })
}

const MASKS = Object.fromEntries(
  Object.keys(TWO_SLOPES).map((name) => [name, maskProgram(name as MaskedFunction)]),
) as { readonly [Name in MaskedFunction]: Program }

declare function bitsOf(texel: number, mask: Texels): number
declare function sloped(dy: number, bits: number, unit: number, slope: number): number

/** The four bits of a texel; an element of the mask holds the bits of six texels. */
function four(texel: number, mask: Texels): number {
  const element = quotient(texel, 6)
  const before = texel - 6 * element
  let rest = at(mask, element)
  for (let j = 0; j < before; j++) {
    rest = quotient(rest, 16)
  }
  return rest - 16 * quotient(rest, 16)
}

/** @param unit  the weight of the bit in `bits`: 1, 2, 4 or 8 */
function slopedBy(dy: number, bits: number, unit: number, slope: number): number {
  const rest = quotient(bits, unit)
  return rest - 2 * quotient(rest, 2) > 0 ? dy : slope === 0 ? 0 : slope * dy
}

function gradient(this: Thread, dy: Texels, mask: Texels, slope: number): Four {
  const v = dy[this.thread.x]
  const bits = bitsOf(this.thread.x, mask)
  return [
    sloped(v[0], bits, 1, slope),
    sloped(v[1], bits, 2, slope),
    sloped(v[2], bits, 4, slope),
    sloped(v[3], bits, 8, slope),
  ]
}

const GRADIENT: Program = {
  name: 'maskGradient',
  source: gradient,
  kinds: ['texels', 'texels', 'number'],
  helpers: { bitsOf: { source: four, kinds: ['number', 'texels'] }, sloped: slopedBy },
}

export const mask: GpuKernel<'mask'> = {
  programs: Object.values(MASKS),
  run(gpu, { size, function: name, a, b }, [s], [bits]) {
    gpu.run(MASKS[name], UNARY[name].constants ? [s, size, a, b] : [s, size], bits)
  },
}

export const maskGradient: GpuKernel<'maskGradient'> = {
  programs: [GRADIENT],
  run(gpu, { slope }, [dy, bits], [dx]) {
    gpu.run(GRADIENT, [dy, bits, slope], dx)
  },
}
