/** Kinds of arguments that have to do with tensors: see memory/arguments.ts. */
import { Device } from '../device/device.js'
import { either, type Kind, LIST, NUMBER, orNothing } from '../memory/arguments.js'
import { Tensor } from './tensor.js'

export const DEVICE: Kind = {
  told: 'a device, the result of await openDevice(...)',
  fits: (value) => value instanceof Device,
}

export const TENSOR: Kind = {
  told: 'a tensor, such as tensor(device, [1, 2])',
  fits: (value) => value instanceof Tensor,
}

export const MAYBE_TENSOR = orNothing(TENSOR)

/** A tensor, or a number that stands for a scalar tensor. */
export const OPERAND: Kind = {
  told: 'a number or a tensor, such as tensor(device, [1, 2])',
  fits: (value) => typeof value === 'number' || value instanceof Tensor,
}

export const TENSORS: Kind = {
  told: 'a list of tensors, such as [a, b]',
  fits: (value) => Array.isArray(value) && value.every((item) => item instanceof Tensor),
}

/** An axis, or several. */
export const AXES = either(NUMBER, { ...LIST, told: 'a list of axes' })
