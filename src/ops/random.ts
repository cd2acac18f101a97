/**
 * Random tensors for a forward, such as the noise of a variational autoencoder. As in dropout, the numbers follow from
 * positions.
 */
import type { Device } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { checkArgument } from '../memory/arguments.js'
import { filledBy } from '../tensor/create.js'
import { DEVICE } from '../tensor/kinds.js'
import { checkShape, type Shape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { nextKey } from './dropout.js'
import { withWorkspace } from './op.js'

/** A tensor of `calls` draws for each element, which `fill` writes. */
function drawn(
  op: string,
  device: Device,
  shape: Shape,
  calls: number,
  fill: (storage: Storage, uniform: (call: number, into: Storage) => void) => void,
): Tensor {
  checkArgument(op, 'device', device, DEVICE)
  checkShape(op, shape)
  const samples = shape[0] ?? 1
  return nextKey(
    op,
    device,
    samples,
    sizeOf(shape) / samples,
    (key) =>
      filledBy(op, device, shape, (storage) =>
        fill(storage, (call, into) =>
          device.run('uniform', { size: into.size, ...key, call: key.call + call }, [], [into]),
        ),
      ),
    calls,
  )
}

/**
 * Uniform random numbers in [0, 1), whole multiples of 2^-24, the same bits on every device. They follow from (seed, step, number of
 * the draw within the forward, position in the mini-batch), as a mask of dropout does; axis 0 is the sample, so they are the
 * same however the mini-batch is split.
 * @throws ShapeError           not a shape
 * @throws ArgumentError        a mini-batch so large that numbers would repeat
 * @throws BudgetExceededError  it does not fit
 */
export const rand = (device: Device, shape: Shape): Tensor =>
  drawn('rand', device, shape, 1, (storage, uniform) => uniform(0, storage))

/**
 * Random numbers of the standard normal distribution, by the method of Box and Muller: sqrt(-2 ln(1 - u)) cos(2 pi v),
 * where u and v come from two calls of `rand`. So no number is beyond 5.8. Devices draw the same u and v; ln and cos are
 * rounded as each device rounds them. Keys, axes and errors are those of `rand`.
 *
 *     const z = mean.add(logVariance.mul(0.5).exp().mul(randn(mean.device, mean.shape)))
 */
export const randn = (device: Device, shape: Shape): Tensor =>
  drawn('randn', device, shape, 2, (storage, uniform) =>
    withWorkspace(device, (workspace) => {
      const { size } = storage
      // if a kernel may write over its input, two storages are enough
      const spare = device.aliases ? null : workspace(size)
      const radius = new Chain(device, device.aliases ? storage : workspace(size), spare)
      uniform(0, radius.storage)
      radius.run('affine', -1, 1).run('log').run('affine', -2, 0).run('sqrt')
      const angle = new Chain(device, workspace(size), radius.spare)
      uniform(1, angle.storage)
      angle.run('affine', 2 * Math.PI, 0).run('cos')
      const parameters = { function: 'mul', shape: [size], stridesA: [1], stridesB: [1] } as const
      device.run('binary', parameters, [radius.storage, angle.storage], [storage])
    }),
  )

/** Applies functions to each element, one after the other. */
class Chain {
  constructor(
    readonly device: Device,
    public storage: Storage,
    public spare: Storage | null,
  ) {}

  run(name: 'affine' | 'log' | 'sqrt' | 'cos', a = 0, b = 0): this {
    const into = this.spare ?? this.storage
    this.device.run('unary', { size: into.size, function: name, a, b }, [this.storage], [into])
    if (this.spare) this.spare = this.storage
    this.storage = into
    return this
  }
}
