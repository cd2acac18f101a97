/** Activation functions as layers; formulas and what they save are in ops/unary.ts. */
import type { Device } from '../device/device.js'
import { gelu, leakyRelu, relu, sigmoid, silu, tanh } from '../ops/unary.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x)
  }
}

export class LeakyReLU extends Module {
  constructor(
    device: Device,
    readonly slope = 0.01,
  ) {
    super(device)
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.slope)
  }
}

export class GELU extends Module {
  forward(x: Tensor): Tensor {
    return gelu(x)
  }
}

export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x)
  }
}

export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x)
  }
}

export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x)
  }
}
