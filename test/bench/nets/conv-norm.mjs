/**
 * A convolution that keeps the size, or divides it by its stride, and a batch norm: the unit that ResNets and similar
 * nets repeat.
 */
import { Module, nn } from '../../../dist/src/index.js'

export class ConvNorm extends Module {
  constructor(device, from, to, kernel, { stride = 1, groups = 1 } = {}) {
    super(device)
    const sides = typeof kernel === 'number' ? [kernel, kernel] : kernel
    const padding = sides.map((side) => (side - 1) / 2)
    this.conv = new nn.Conv2d(device, from, to, kernel, { stride, padding, groups, bias: false })
    this.norm = new nn.BatchNorm2d(device, to)
  }

  forward(x) {
    return this.norm.forward(this.conv.forward(x))
  }
}
