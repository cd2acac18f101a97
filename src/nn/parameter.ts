/** The tensors of a module: parameters, which learn, and buffers, which do not. */
import type { Device } from '../device/device.js'
import { BOOLEAN, checkArgument, options as optionsOf } from '../memory/arguments.js'
import { standingStorage, standingTensor, type Values } from '../tensor/create.js'
import { StateError } from '../tensor/errors.js'
import { checkState, refuse } from '../tensor/saved-state.js'
import { standing } from '../tensor/scope.js'
import { ownShape, type Shape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'

/**
 * A leaf that learns: it requires a gradient, and no scope frees it. The optimizer makes its gradient buffer, or the
 * first backward if there is no optimizer yet.
 * @param values  null: zeros; a function is called only where values exist, so a plan draws no values
 * @throws ShapeError           not a shape, or values that do not fill it
 * @throws BudgetExceededError  it does not fit: it takes elementBytes * size, category `parameter`
 */
export class Parameter extends Tensor {
  constructor(device: Device, shape: Shape, values: Values = null) {
    // `values` is the caller's code, and could change the caller's shape
    const own = ownShape('parameter', shape)
    super(device, standingStorage(device, own, 'parameter', values), own)
    this.requiresGrad = true
    standing(this)
  }

  /**
   * Replace the values; gradients and moments stay.
   * @param values  row-major
   * @throws StateError     they do not fill the shape, or one is not a number; nothing was written
   * @throws DisposedError  the parameter is disposed
   */
  set(values: ArrayLike<number>): void {
    const { faults, write } = checkState('set', new Map([['values', this]]), {
      values: { shape: this.shape, data: values },
    })
    refuse(faults)
    write()
  }
}

export interface BufferOptions {
  /** nothing changes the value in training, so that no streamer needs a shadow of it; default false */
  constant?: boolean
}

const BUFFER = optionsOf<BufferOptions>({ constant: BOOLEAN })

/**
 * State of a module that is saved but does not learn, such as running statistics.
 *
 * A training forward updates `target`. While a streamer gathers a mini-batch the target is the shadow: it begins as a copy
 * of the value, and the commit copies it into the value. So a mini-batch that fails leaves no trace. In a loop without a
 * streamer there is no shadow, and the value changes at once.
 * It takes elementBytes * size of category `buffer`, and a shadow takes as much again; `constant: true` is for positions,
 * masks and other tables, which need no shadow.
 * @throws  the errors of `new Parameter`; ArgumentError  an option that is not known
 */
export class Buffer {
  readonly value: Tensor
  readonly constant: boolean
  /**
   * The target while a streamer gathers: the streaming layer fills and reads it. It has the shape of the value.
   */
  shadow: Tensor | null = null
  /** Set when a forward asks for `target`, in order to update it. */
  moved = false
  /** how many streamers need the shadow */
  #holders = 0

  constructor(device: Device, shape: Shape, values: Values = null, options: BufferOptions = {}) {
    checkArgument('Buffer', 'options', options, BUFFER)
    this.constant = options.constant ?? false
    this.value = standingTensor(device, shape, 'buffer', values)
  }

  /** The tensor that a forward updates. @throws StateError  the buffer is constant */
  get target(): Tensor {
    if (this.constant) {
      throw new StateError(
        'Buffer: this one is constant, so a forward reads its value and has no target: leave `constant` out',
      )
    }
    this.moved = true
    return this.shadow ?? this.value
  }

  /** Count a streamer that needs the shadow; the first one makes it. @throws BudgetExceededError  it does not fit */
  holdShadow(): void {
    if (this.constant) return
    this.shadow ??= standingTensor(this.value.device, this.value.shape, 'buffer')
    this.#holders++
  }

  /** Count such a streamer out; the last one frees the shadow. */
  releaseShadow(): void {
    if (this.constant || --this.#holders > 0) return
    this.shadow?.dispose()
    this.shadow = null
  }

  dispose(): void {
    this.value.dispose()
    this.shadow?.dispose()
  }
}
