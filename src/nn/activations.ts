/** Activation functions as layers; formulas and what they save are in ops/unary.ts. */
import type { Device } from '../device/device.js'
import { checkArgument, NUMBER } from '../memory/arguments.js'
import { gelu, leakyRelu, relu, sigmoid, silu, tanh } from '../ops/unary.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/** max(x, 0). */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x)
  }
}

/**
 * x where x > 0, else slope x.
 * @param slope  default 0.01
 */
export class LeakyReLU extends Module {
  constructor(
    device: Device,
    readonly slope = 0.01,
  ) {
    super(device)
    checkArgument('LeakyReLU', 'slope', slope, NUMBER)
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.slope)
  }
}

/** x times the standard normal distribution function of x (the erf form). */
export class GELU extends Module {
  forward(x: Tensor): Tensor {
    return gelu(x)
  }
}

/** x sigmoid(x). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x)
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x)
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x)
  }
}
