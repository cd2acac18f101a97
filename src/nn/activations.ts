/** Activation functions as layers; formulas and what they save are in ops/unary.ts. */
import type { Device } from '../device/device.js'
import { checkArgument, door, NUMBER } from '../memory/arguments.js'
import { GELU_OPTIONS, type GeluOptions } from '../ops/gelu-options.js'
import { softmax } from '../ops/softmax.js'
import { clamp, gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from '../ops/unary.js'
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

/** min(max(x, 0), 6); slope 0 at 0, as relu has, and 1 at 6, as clamp has. */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return clamp(relu(x), 0, 6)
  }
}

const checkGelu = door('GELU', { options: GELU_OPTIONS })

/** x times the standard normal distribution function of x: in the erf form, or its tanh approximation. */
export class GELU extends Module {
  readonly #options: GeluOptions

  constructor(device: Device, options: GeluOptions = {}) {
    super(device)
    checkGelu([options])
    this.#options = { ...options }
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.#options)
  }
}

/** ln(1 + e^x). */
export class Softplus extends Module {
  forward(x: Tensor): Tensor {
    return softplus(x)
  }
}

/** Shares along one axis, -1 by default: e^x / sum e^x. */
export class Softmax extends Module {
  constructor(
    device: Device,
    readonly axis = -1,
  ) {
    super(device)
    checkArgument('Softmax', 'axis', axis, NUMBER)
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.axis)
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
