/** The workloads on TensorFlow.js: on any of its backends. Images and filters are channels last here. */
import { Absent } from '../absent.mjs'
import * as fixed from '../workloads.mjs'
import { keepingLast } from './keeping-last.mjs'

/**
 * One step of a workload.
 * @param tf  @tensorflow/tfjs, with its backend chosen
 * @returns {{ step: () => unknown, probe?: () => Promise<number> }}  see serve.mjs
 */
export function make(tf, workload) {
  const product = (compute, find) => keepingLast(compute, async (tensor) => find(await tensor.array()))

  function multiplication(workload) {
    const n = fixed.sizeOfMatmul(workload)
    const [a, b] = Object.values(fixed.matrices(n)).map((data) => tf.tensor2d(data, [n, n]))
    const [row, column] = fixed.PROBE.matmul
    return product(
      () => tf.matMul(a, b),
      (rows) => rows[row][column],
    )
  }

  /** A convolution or its gradient, by the kernel that autograd calls: autograd itself would run a forward too. */
  function convolution(workload) {
    const { batch, inputs, outputs, side, part } = fixed.convolutionOf(workload)
    const data = fixed.convolutionData({ batch, inputs, outputs, side })
    const images = (values, channels) =>
      tf.tensor4d(fixed.permute(values, [batch, channels, side, side], [0, 2, 3, 1]), [batch, side, side, channels])
    const x = images(data.x, inputs)
    const dy = images(data.dy, outputs)
    const w = tf.tensor4d(fixed.permute(data.w, [outputs, inputs, 3, 3], [2, 3, 1, 0]), [3, 3, inputs, outputs])
    const [i, j, k, l] = fixed.PROBE[part]
    const options = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC' }
    const run = (kernel, operands, more) => tf.engine().runKernel(kernel, operands, { ...options, ...more })
    if (part === 'fwd') {
      return product(
        () => tf.conv2d(x, w, 1, 'same'),
        (y) => y[i][k][l][j],
      )
    }
    if (part === 'dx') {
      return product(
        () => run(tf.Conv2DBackpropInput, { dy, filter: w }, { inputShape: x.shape }),
        (dx) => dx[i][k][l][j],
      )
    }
    return product(
      () => run(tf.Conv2DBackpropFilter, { x, dy }, { filterShape: w.shape }),
      (dw) => dw[k][l][j][i],
    )
  }

  /**
   * Reads a value. On WebGPU a synchronous read draws values to canvases; on other backends a synchronous read is the
   * fastest.
   */
  const read = (value) => (tf.getBackend() === 'webgpu' ? value.data() : value.dataSync())

  /** A step: forward, backward, update, and a read of the loss. */
  function training(loss, optimizerName, learningRate) {
    const optimizer = optimizerName === 'sgd' ? tf.train.sgd(learningRate) : tf.train.adam(1e-3)
    return {
      step: async () => {
        const value = optimizer.minimize(loss, true)
        const [number] = await read(value)
        value.dispose()
        return number
      },
    }
  }

  const variable = (data, shape) => tf.variable(tf.tensor(data, shape))

  function mlp(optimizerName) {
    const { batch, widths, learningRate } = fixed.MLP
    const { x, labels, weights } = fixed.mlpData()
    const inputs = tf.tensor2d(x, [batch, 784])
    const targets = tf.tensor2d(fixed.oneHot(labels, 10), [batch, 10])
    const layers = weights.map((data, i) => [
      variable(data, widths.slice(i, i + 2)),
      tf.variable(tf.zeros([widths[i + 1]])),
    ])
    const forward = () =>
      layers.reduce((h, [w, b], i) => {
        const y = tf.add(tf.matMul(h, w), b)
        return i < 2 ? tf.relu(y) : y
      }, inputs)
    return training(() => tf.losses.softmaxCrossEntropy(targets, forward()), optimizerName, learningRate)
  }

  function cnn(optimizerName) {
    const { batch, learningRate } = fixed.CNN
    const { x, labels, conv1, conv2, dense } = fixed.cnnData()
    const inputs = tf.tensor4d(x, [batch, 28, 28, 1])
    const targets = tf.tensor2d(fixed.oneHot(labels, 10), [batch, 10])
    const [w1, w2, w3] = [variable(conv1, [3, 3, 1, 16]), variable(conv2, [3, 3, 16, 32]), variable(dense, [1568, 10])]
    const [b1, b2, b3] = [16, 32, 10].map((size) => tf.variable(tf.zeros([size])))
    const block = (h, w, b) => tf.maxPool(tf.relu(tf.add(tf.conv2d(h, w, 1, 'same'), b)), 2, 2, 'valid')
    const forward = () => tf.add(tf.matMul(block(block(inputs, w1, b1), w2, b2).reshape([batch, 1568]), w3), b3)
    return training(() => tf.losses.softmaxCrossEntropy(targets, forward()), optimizerName, learningRate)
  }

  function chain() {
    const { x, y } = fixed.chainData()
    const [start, other] = [x, y].map((data) => tf.tensor1d(data))
    return product(
      () =>
        tf.tidy(() => {
          const a = tf.abs(tf.sub(tf.relu(tf.add(tf.mul(start, other), other)), start))
          return tf.mul(tf.square(tf.neg(tf.maximum(a, other))), tf.add(a, start))
        }),
      (values) => values[fixed.probeIndex('chain')],
    )
  }

  const [family, rest] = workload.split('_')
  if (workload.startsWith('matmul')) return multiplication(workload)
  if (workload === 'chain') return chain()
  if (family === 'mlp') return mlp(rest)
  if (family === 'cnn') return cnn(rest)
  if (/^conv\d/.test(family)) return convolution(workload)
  throw new Absent(`${family} is not written for tfjs`)
}
