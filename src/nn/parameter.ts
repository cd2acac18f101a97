/** What a module is made of besides modules: parameters, which learn, and buffers, which do not. */
import type { Device } from '../device/device.js'
import { standingStorage, standingTensor, type Values } from '../tensor/create.js'
import { standing } from '../tensor/scope.js'
import { ownShape, type Shape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'

/**
 * A leaf that learns: it requires a gradient and no scope frees it. Its gradient buffer is made by the
 * optimizer, or by the first backward.
 */
export class Parameter extends Tensor {
  /**
   * @param values  null: zeros; a function is called only where values exist, so planning draws nothing
   * @throws ShapeError           not a shape, or values that do not fill it
   * @throws BudgetExceededError  it does not fit: elementBytes * size, category `parameter`
   */
  constructor(device: Device, shape: Shape, values: Values = null) {
    // `values` is the caller's code, and could change the caller's shape
    const own = ownShape('parameter', shape)
    super(device, standingStorage(device, own, 'parameter', values), own)
    this.requiresGrad = true
    standing(this)
  }
}

/**
 * State of a module that is saved and does not learn, such as running statistics.
 *
 * A training forward updates `target`. While a mini-batch is being gathered that is the shadow, which
 * starts as a copy of the value and becomes the value when the mini-batch is committed: so a mini-batch
 * that fails half way leaves no trace. In a loop written by hand there is no shadow, and the value changes
 * at once.
 */
export class Buffer {
  readonly value: Tensor
  /** Filled and read by the streaming layer; of the value's shape. */
  shadow: Tensor | null = null
  /** Has a forward asked for the target, as one that updates it does, since this was set to false? */
  moved = false
  /** streamers that need the shadow */
  #holders = 0

  /** Throws what `new Parameter` throws; elementBytes * size, category `buffer`. */
  constructor(device: Device, shape: Shape, values: Values = null) {
    this.value = standingTensor(device, shape, 'buffer', values)
  }

  /** What a forward updates. */
  get target(): Tensor {
    this.moved = true
    return this.shadow ?? this.value
  }

  /** One more streamer needs the shadow; the first has it made. @throws BudgetExceededError  it does not fit */
  holdShadow(): void {
    this.shadow ??= standingTensor(this.value.device, this.value.shape, 'buffer')
    this.#holders++
  }

  /** One streamer less needs it; with the last it is freed. */
  releaseShadow(): void {
    if (--this.#holders > 0) return
    this.shadow?.dispose()
    this.shadow = null
  }

  dispose(): void {
    this.value.dispose()
    this.shadow?.dispose()
  }
}
