/** Activation functions as layers; formulas and what they save are in ops/unary.ts. */
import type { Device } from '../device/device.js'
import { checkArgument, door, NUMBER } from '../memory/arguments.js'
import { add, greater, mul, sub } from '../ops/binary.js'
import { GELU_OPTIONS, type GeluOptions } from '../ops/gelu-options.js'
import { logSoftmax, softmax } from '../ops/softmax.js'
import { clamp, exp, gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from '../ops/unary.js'
import { where } from '../ops/where.js'
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

/** The logarithm of Softmax. */
export class LogSoftmax extends Module {
  constructor(
    device: Device,
    readonly axis = -1,
  ) {
    super(device)
    checkArgument('LogSoftmax', 'axis', axis, NUMBER)
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.axis)
  }
}

/**
 * x where x > 0, else alpha (e^x - 1).
 * @param alpha  default 1
 */
export class ELU extends Module {
  constructor(
    device: Device,
    readonly alpha = 1,
  ) {
    super(device)
    checkArgument('ELU', 'alpha', alpha, NUMBER)
  }

  forward(x: Tensor): Tensor {
    return where(greater(x, 0), x, mul(sub(exp(clamp(x, Number.NEGATIVE_INFINITY, 0)), 1), this.alpha))
  }
}

/** x tanh(ln(1 + e^x)). */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return mul(x, tanh(softplus(x)))
  }
}

/** x min(max(x + 3, 0), 6) / 6. */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return mul(mul(x, clamp(add(x, 3), 0, 6)), 1 / 6)
  }
}

/** min(max(x + 3, 0), 6) / 6. */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return mul(clamp(add(x, 3), 0, 6), 1 / 6)
  }
}

/** x itself. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x
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
