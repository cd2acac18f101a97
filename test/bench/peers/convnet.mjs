/** ConvNetJS: it computes sample after sample, with one update for each batch. Arguments: WORKLOAD. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Absent } from '../absent.mjs'
import { serve } from '../serve.mjs'
import * as fixed from '../workloads.mjs'

const require = createRequire(import.meta.url)

function training(convnetjs, net, images, labels, learningRate) {
  const options = { method: 'sgd', learning_rate: learningRate, momentum: 0, l2_decay: 0, batch_size: images.length }
  const trainer = new convnetjs.Trainer(net, options)
  return {
    step: () => {
      let sum = 0
      for (const [i, image] of images.entries()) sum += trainer.train(image, labels[i]).cost_loss
      return sum / images.length
    },
  }
}

/** Rows of 784 as volumes of side x side x depth. */
function volumes(convnetjs, data, side, depth) {
  return Array.from({ length: data.length / 784 }, (_, n) => {
    const volume = new convnetjs.Vol(side, side, depth, 0)
    for (let i = 0; i < 784; i++) volume.w[i] = data[n * 784 + i]
    return volume
  })
}

/** Fills the filters of a layer, one for each output, from weights drawn as [in, out]. */
function fill(layer, data) {
  const outputs = layer.filters.length
  layer.filters.forEach(({ w }, output) => {
    for (let i = 0; i < w.length; i++) w[i] = data[i * outputs + output]
  })
  layer.biases.w.fill(0)
}

function build(convnetjs, types, data) {
  const net = new convnetjs.Net()
  net.makeLayers(types)
  const layers = net.layers.filter((layer) => layer.filters)
  for (const [i, layer] of layers.entries()) fill(layer, data[i])
  return net
}

function mlp(convnetjs) {
  const { x, labels, weights } = fixed.mlpData()
  const types = [
    { type: 'input', out_sx: 1, out_sy: 1, out_depth: 784 },
    { type: 'fc', num_neurons: 512, activation: 'relu' },
    { type: 'fc', num_neurons: 256, activation: 'relu' },
    { type: 'softmax', num_classes: 10 },
  ]
  const net = build(convnetjs, types, weights)
  return training(convnetjs, net, volumes(convnetjs, x, 1, 784), labels, fixed.MLP.learningRate)
}

/** The CNN. Volumes are stored as row, column, depth, like the drawn weights. */
function cnn(convnetjs) {
  const { x, labels, conv1, conv2, dense } = fixed.cnnData()
  const types = [
    { type: 'input', out_sx: 28, out_sy: 28, out_depth: 1 },
    { type: 'conv', sx: 3, filters: 16, stride: 1, pad: 1, activation: 'relu' },
    { type: 'pool', sx: 2, stride: 2 },
    { type: 'conv', sx: 3, filters: 32, stride: 1, pad: 1, activation: 'relu' },
    { type: 'pool', sx: 2, stride: 2 },
    { type: 'softmax', num_classes: 10 },
  ]
  const net = build(convnetjs, types, [conv1, conv2, dense])
  return training(convnetjs, net, volumes(convnetjs, x, 28, 1), labels, fixed.CNN.learningRate)
}

function make(workload) {
  const convnetjs = require('convnetjs')
  if (workload === 'mlp_sgd') return mlp(convnetjs)
  if (workload === 'cnn_sgd') return cnn(convnetjs)
  if (workload.endsWith('_adam')) throw new Absent('ConvNetJS has no Adam')
  throw new Absent(`${workload} is not written for ConvNetJS`)
}

serve(() => {
  const main = require.resolve('convnetjs')
  return JSON.parse(readFileSync(main.replace(/build.*/, 'package.json'))).version
}, make)
