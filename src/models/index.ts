/** Models that come with the library: `import * as models`, then `models.lenet(device)`. */
import type { Device } from '../device/device.js'
import type { Classifier, ModelOptions } from './classifier.js'
import { convnet } from './convnet.js'
import { lenet } from './lenet.js'
import { mlp } from './mlp.js'
import { transformer } from './transformer.js'

export type { Classifier, ModelOptions } from './classifier.js'
export type { MlpOptions } from './mlp.js'
export type { Transformer, TransformerOptions } from './transformer.js'
export { convnet, lenet, mlp, transformer }

export type ModelBuilder = (device: Device, options?: ModelOptions) => Classifier

/** The models of the command line, by name. */
export const BUILDERS: Readonly<Record<string, ModelBuilder>> = { mlp, lenet, convnet }
