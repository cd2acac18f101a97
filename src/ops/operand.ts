/** Operands of elementwise ops, which can be numbers. */
import type { Device } from '../device/device.js'
import { ArgumentError } from '../memory/errors.js'
import { full } from '../tensor/create.js'
import { checkSetting } from '../tensor/setting.js'
import type { Tensor } from '../tensor/tensor.js'

/** A tensor, or a number that stands for a scalar tensor. */
export type Operand = Tensor | number

/** @throws ArgumentError  a number that the device's elements cannot hold */
export function asTensor(op: string, device: Device, operand: Operand): Tensor {
  if (typeof operand !== 'number') return operand
  checkSetting(device, op, 'the number', operand)
  return full(device, [], operand)
}

/** @throws ArgumentError  two numbers: without a tensor the device is unknown */
export function asTensors(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const tensor = typeof a === 'number' ? b : a
  if (typeof tensor === 'number') throw new ArgumentError(`${op}: at least one operand must be a tensor`)
  return [asTensor(op, tensor.device, a), asTensor(op, tensor.device, b)]
}
