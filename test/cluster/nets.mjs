/** Models and data of the tests: both sides build them from the same options. */
import { createHash } from 'node:crypto'
import { data, models } from '../../dist/src/index.js'

const NETS = {
  lenet: (device) => models.lenet(device, { seed: 1 }),
  mlp: (device) => models.mlp(device, { seed: 1 }),
  /** residual blocks with batch norm (deferred) */
  resnet: (device, { inputShape }) =>
    models.resnet18(device, { seed: 1, width: 4, inputShape, classes: 10, batchNorm: 'deferred' }),
  /** a ResNet-18 of a quarter of the channels */
  resnet18: (device, { inputShape }) =>
    models.resnet18(device, { seed: 1, width: 16, inputShape, classes: 10, batchNorm: 'deferred' }),
}

export const sourceOf = ({ data: name = 'digits', samples = 1024, size = 32 }) =>
  name === 'digits'
    ? data.subset(
        data.digits(),
        Uint16Array.from({ length: samples }, (_, i) => i),
        'digits',
      )
    : data.shapes({ samples, size, seed: 1 })

export const netOf = (device, { model }, source) => NETS[model](device, { inputShape: source.inputShape })

/** A digest of all that a checkpoint holds. */
export function bitsOf({ model, optimizer, cursor }) {
  const hash = createHash('sha256')
  for (const [name, { data }] of [...Object.entries(model), ...Object.entries(optimizer.moments)].sort()) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash
    .update(JSON.stringify([optimizer.steps, cursor.epoch, cursor.samples]))
    .digest('hex')
    .slice(0, 16)
}

export const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }))
