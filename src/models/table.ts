/** The models of the command line, by name. */
import type { Device } from '../device/device.js'
import type { BatchNormPolicy } from '../nn/batch-norm.js'
import type { Module } from '../nn/module.js'
import type { Shape } from '../tensor/shape.js'
import { amoebanet } from './amoebanet.js'
import { convnet } from './convnet.js'
import { gpt } from './gpt.js'
import { lenet } from './lenet.js'
import { lstm } from './lstm.js'
import { mlp } from './mlp.js'
import { mobilenet } from './mobilenet.js'
import { resnet18, resnet34, resnet50, resnet101 } from './resnet.js'
import { unet } from './unet.js'
import { vgg16 } from './vgg.js'

/** What a model learns: the class of a sample, the mask of an image, or the next token at each position. */
export type Sample = 'class' | 'mask' | 'tokens'

export type SizeOption = 'width' | 'layers' | 'filters' | 'levels' | 'heads'

export interface BuildOptions extends Partial<Record<SizeOption, number>> {
  /** the shape of a sample; [context] for tokens */
  inputShape: Shape
  /** the number of classes, of masks, or of different tokens */
  classes: number
  batchNorm?: BatchNormPolicy
  /** default 0 */
  seed?: number
}

export interface ModelKind {
  /** what the model can learn; the default is the first */
  readonly samples: readonly Sample[]
  /** the options that it takes */
  readonly takes: readonly (SizeOption | 'batchNorm')[]
  build(device: Device, options: BuildOptions, sample?: Sample): Module
}

const classifier = (takes: ModelKind['takes'], build: ModelKind['build']): ModelKind => ({
  samples: ['class'],
  takes,
  build,
})

/** The options of a language model. */
const tokens = ({ inputShape: [context], classes: vocabulary, ...sizes }: BuildOptions) => ({
  context,
  vocabulary,
  ...sizes,
})

const WIDE = ['width', 'batchNorm'] as const

export const MODELS: Readonly<Record<string, ModelKind>> = {
  mlp: classifier(WIDE, mlp),
  lenet: classifier(WIDE, lenet),
  convnet: classifier(WIDE, convnet),
  resnet18: classifier(WIDE, resnet18),
  resnet34: classifier(WIDE, resnet34),
  resnet50: classifier(WIDE, resnet50),
  resnet101: classifier(WIDE, resnet101),
  vgg16: classifier(WIDE, vgg16),
  mobilenet: classifier(WIDE, mobilenet),
  amoebanet: { samples: ['class'], takes: ['layers', 'filters', 'batchNorm'], build: amoebanet },
  unet: { samples: ['mask'], takes: ['width', 'levels', 'batchNorm'], build: unet },
  gpt: {
    samples: ['tokens'],
    takes: ['width', 'layers', 'heads'],
    build: (device, options) => gpt(device, tokens(options)),
  },
  lstm: {
    samples: ['class', 'tokens'],
    takes: ['width', 'layers'],
    build: (device, options, sample) => (sample === 'tokens' ? lstm(device, tokens(options)) : lstm(device, options)),
  },
}
