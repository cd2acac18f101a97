/**
 * The networks whose bytes are counted, as a user writes them: no `using`, no `dispose`. The same networks in PyTorch:
 * pytorch.py. A net is { make(device), inputShape, targetShape, loss }.
 */
import { optim, Streamer } from '../../../dist/src/index.js'
import { amoebanet } from './amoebanet.mjs'
import { gpt } from './gpt.mjs'
import { lenet } from './lenet.mjs'
import { lstm } from './lstm.mjs'
import { mobilenet } from './mobilenet.mjs'
import { gruLayer, lstmLayer } from './recurrent.mjs'
import { resnet18, resnet50 } from './resnet.mjs'
import { unet } from './unet.mjs'
import { vae } from './vae.mjs'
import { vgg16 } from './vgg.mjs'

export const NETS = {
  resnet18,
  resnet50,
  unet,
  amoebanet,
  mobilenet,
  gpt,
  vgg16,
  lstm,
  lstmLayer,
  gruLayer,
  lenet,
  vae,
}

/** A streamer that trains the net with Adam. */
export function streamerOf({ make, loss }, device, recompute = 'cheap') {
  const model = make(device)
  return new Streamer({ model, loss, optimizer: optim.adam(model), recompute })
}
