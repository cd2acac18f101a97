/** Models that come with the library: `import * as models`, then `models.lenet(device)`. */
export { type AmoebaNet, type AmoebaNetOptions, amoebanet } from './amoebanet.js'
export type { Classifier, ModelOptions } from './classifier.js'
export { convnet } from './convnet.js'
export { type Gpt, type GptMaking, type GptOptions, gpt } from './gpt.js'
export { lenet } from './lenet.js'
export {
  type LstmClassifier,
  type LstmLanguageModel,
  type LstmLanguageOptions,
  type LstmOptions,
  type LstmSizes,
  lstm,
} from './lstm.js'
export { type MlpOptions, mlp } from './mlp.js'
export { type MobileNet, type MobileNetOptions, mobilenet } from './mobilenet.js'
export type { Form, FormOptions, ImageOptions, Making } from './parts.js'
export { type ResNet, resnet18, resnet34, resnet50, resnet101 } from './resnet.js'
export { type BuildOptions, MODELS, type ModelKind, type Sample, type SizeOption } from './table.js'
export { type Transformer, type TransformerOptions, transformer } from './transformer.js'
export { maskLoss, type UNet, type UNetOptions, unet } from './unet.js'
export { type Vgg, type VggOptions, vgg16 } from './vgg.js'
