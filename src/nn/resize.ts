/** Layers that make images of another size; formulas are in ops/resize.ts. */
import type { Device } from '../device/device.js'
import { door } from '../memory/arguments.js'
import { adaptiveAveragePool2d, UPSAMPLE, type UpsampleOptions, upsample } from '../ops/resize.js'
import { type Sides, sides } from '../ops/window.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/** Images of any size to images of one: [N, C, H, W] -> [N, C, OH, OW], as `adaptiveAveragePool2d`. */
export class AdaptiveAveragePool2d extends Module {
  readonly #size: Sides

  constructor(device: Device, size: Sides) {
    super(device)
    this.#size = sides('AdaptiveAveragePool2d', 'size', size, 1)
  }

  /** @throws ShapeError  x is not [N, C, H, W] */
  forward(x: Tensor): Tensor {
    return adaptiveAveragePool2d(x, this.#size)
  }
}

const checkUpsample = door('Upsample', { options: UPSAMPLE })

/** [N, C, H, W] -> [N, C, scale H, scale W], as `upsample`. */
export class Upsample extends Module {
  readonly #options: UpsampleOptions

  constructor(device: Device, options: UpsampleOptions) {
    super(device)
    checkUpsample([options])
    this.#options = { ...options, scale: sides('Upsample', 'scale', options.scale, 1) }
  }

  /** @throws ShapeError  x is not [N, C, H, W] */
  forward(x: Tensor): Tensor {
    return upsample(x, this.#options)
  }
}
