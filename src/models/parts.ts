/** What the convolutional models share: their options, and the layers that they repeat. */
import type { Device } from '../device/device.js'
import { oneOf, optional } from '../memory/arguments.js'
import { BatchNorm2d, type BatchNormPolicy } from '../nn/batch-norm.js'
import { generator, kaimingNormal, type Random } from '../nn/init.js'
import { Conv2d } from '../nn/layers.js'
import type { Module } from '../nn/module.js'
import { flatten } from '../ops/movement.js'
import { averagePool2d } from '../ops/pool.js'
import type { Sides } from '../ops/window.js'
import { allOrNothing } from '../tensor/scope.js'
import { ownShape, type Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { ModelOptions } from './classifier.js'

export interface ImageOptions extends ModelOptions {
  /** shape of one sample, [channels, height, width]; default [3, 32, 32] */
  inputShape?: Shape
  /** the policy of the batch norms; default 'deferred' */
  batchNorm?: BatchNormPolicy
}

/** A network for the large images of ImageNet, or its form for small ones such as those of CIFAR. */
export type Form = 'cifar' | 'imagenet'

export interface FormOptions extends ImageOptions {
  /** default 'cifar' for images with a side below 64, else 'imagenet' */
  form?: Form
}

export const FORM = optional(oneOf('cifar', 'imagenet'))

/** What all layers of a model are made with. */
export interface Making {
  readonly device: Device
  readonly random: Random
  readonly policy: BatchNormPolicy | undefined
}

/** Make a model of images. If a layer does not fit, the layers before it are freed. */
export function imageModel<M extends Module>(
  device: Device,
  { inputShape = [3, 32, 32], classes = 10, batchNorm: policy, seed = 0, form }: FormOptions,
  make: (making: Making, inputShape: Shape, classes: number, isSmall: boolean) => M,
): M {
  const shape = ownShape('inputShape', inputShape)
  const isSmall = form === undefined ? Math.min(...shape.slice(-2)) < 64 : form === 'cifar'
  return allOrNothing(device, () => make({ device, random: generator(seed), policy }, shape, classes, isSmall))
}

/** A convolution without bias; kaimingNormal draws its weight. It keeps the sides of the image, or divides them by `stride`. */
export function conv(
  { device, random }: Making,
  from: number,
  to: number,
  kernel: Sides,
  { stride, groups }: { stride?: Sides; groups?: number } = {},
): Conv2d {
  const [height, width] = typeof kernel === 'number' ? [kernel, kernel] : kernel
  const padding: Sides = [(height - 1) / 2, (width - 1) / 2]
  return new Conv2d(device, from, to, kernel, { stride, padding, groups, bias: false, random, initial: kaimingNormal })
}

export const norm = ({ device, policy }: Making, channels: number): BatchNorm2d =>
  new BatchNorm2d(device, channels, { policy })

/** The mean of each channel: [N, C, H, W] -> [N, C]. */
export function channelMeans(x: Tensor): Tensor {
  const [, , height, width] = x.shape
  return flatten(averagePool2d(x, { kernel: [height, width] }))
}
