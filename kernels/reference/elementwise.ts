/** Elementwise kernels. Not here: un-broadcasting a gradient, which is a `reduce`. */
import { BINARY, BINARY_GRADIENT, sloped, TWO_SLOPES, UNARY } from '../functions.js'
import type { Kernels } from '../kernels.js'
import { BITS } from '../packing.js'
import { contiguous, eachLine } from '../strides.js'

export const fill: Kernels['fill'] = ({ value }, _, [y]) => {
  y.fill(value)
}

export const blend: Kernels['blend'] = ({ size, a, b }, [old, x], [y]) => {
  if (a === 0) for (let i = 0; i < size; i++) y[i] = b * x[i]
  else for (let i = 0; i < size; i++) y[i] = a * old[i] + b * x[i]
}

/** sum [2], x -> sum: in float64 what is left out of the first is 0. What is infinite leaves nothing out. */
export const addExactly: Kernels['addExactly'] = ({ factor }, [sum, x], [out]) => {
  const total = sum[0] + sum[1] + factor * x[0]
  out[0] = total
  out[1] = Number.isFinite(out[0]) ? total - out[0] : 0
}

export const unary: Kernels['unary'] = ({ size, function: name, a, b }, [x], [y]) => {
  const { f } = UNARY[name]
  for (let i = 0; i < size; i++) y[i] = f(x[i], a, b)
}

export const unaryGradient: Kernels['unaryGradient'] = ({ size, function: name, a, b }, [dy, s], [dx]) => {
  const { gradient } = UNARY[name]
  for (let i = 0; i < size; i++) dx[i] = gradient(dy[i], s[i], a, b)
}

export const mask: Kernels['mask'] = ({ size, function: name, a, b }, [s], [bits]) => {
  const { isOne } = TWO_SLOPES[name]
  bits.fill(0)
  for (let i = 0; i < size; i++) if (isOne(s[i], a, b)) bits[Math.floor(i / BITS)] += 2 ** (i % BITS)
}

export const maskGradient: Kernels['maskGradient'] = ({ size, slope }, [dy, bits], [dx]) => {
  for (let i = 0; i < size; i++) {
    const isSet = (bits[Math.floor(i / BITS)] >> (i % BITS)) & 1
    dx[i] = isSet ? dy[i] : sloped(dy[i], slope)
  }
}

export const binary: Kernels['binary'] = ({ shape, stridesA, stridesB, function: name }, [a, b], [y]) => {
  const f = BINARY[name]
  eachLine(shape, [contiguous(shape), stridesA, stridesB], (length, [start, startA, startB], [, stepA, stepB]) => {
    for (let j = 0; j < length; j++) y[start + j] = f(a[startA + j * stepA], b[startB + j * stepB])
  })
}

export const binaryGradient: Kernels['binaryGradient'] = (
  { shape, stridesA, stridesB, function: name, side },
  [dy, a, b],
  [dx],
) => {
  const gradient = BINARY_GRADIENT[name][side]
  eachLine(shape, [contiguous(shape), stridesA, stridesB], (length, [start, startA, startB], [, stepA, stepB]) => {
    for (let j = 0; j < length; j++) {
      dx[start + j] = gradient(dy[start + j], a[startA + j * stepA], b[startB + j * stepB])
    }
  })
}

export const select: Kernels['select'] = ({ shape, stridesCondition, stridesA, stridesB }, [condition, a, b], [y]) => {
  const strides = [contiguous(shape), stridesCondition, stridesA, stridesB]
  eachLine(shape, strides, (length, [start, startC, startA, startB], [, stepC, stepA, stepB]) => {
    for (let j = 0; j < length; j++) {
      y[start + j] = condition[startC + j * stepC] !== 0 ? a[startA + j * stepA] : b[startB + j * stepB]
    }
  })
}
