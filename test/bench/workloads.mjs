/**
 * The fixed workloads: their numbers, their arithmetic, and their expected results.
 *
 * Every number is drawn by mulberry32 from a seed, so every peer starts from the same bits; peers/pytorch.py draws the
 * same numbers in Python. Images and convolution weights of the CNN are drawn channels last, everything else in the
 * layouts of PyTorch.
 */

/** mulberry32, by Tommy Ettinger: uniform in [0, 1). */
function mulberry32(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function uniform(size, low, high, seed) {
  const random = mulberry32(seed)
  return Float32Array.from({ length: size }, () => low + (high - low) * random())
}

/** Initial weights, uniform within 1 / sqrt(fan in). */
const weights = (size, fanIn, seed) => uniform(size, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn), seed)

function classes(count, kinds, seed) {
  const random = mulberry32(seed)
  return Int32Array.from({ length: count }, () => Math.floor(random() * kinds))
}

export function oneHot(labels, kinds) {
  const rows = new Float32Array(labels.length * kinds)
  labels.forEach((label, row) => {
    rows[row * kinds + label] = 1
  })
  return rows
}

/** Axis i of the result is axis order[i] of `data`, row-major. */
export function permute(data, shape, order) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, dim) => product * dim, 1))
  const dims = order.map((axis) => shape[axis])
  const result = new Float32Array(data.length)
  for (let i = 0; i < result.length; i++) {
    let rest = i
    let from = 0
    for (let axis = order.length - 1; axis >= 0; axis--) {
      from += (rest % dims[axis]) * strides[order[axis]]
      rest = Math.floor(rest / dims[axis])
    }
    result[i] = data[from]
  }
  return result
}

/** 784 - 512 - 256 - 10 with relu, softmax cross-entropy; weights [in, out], biases zero. */
export const MLP = { batch: 256, widths: [784, 512, 256, 10], learningRate: 0.1 }

export function mlpData(batch = MLP.batch) {
  const { widths } = MLP
  return {
    x: uniform(batch * 784, 0, 1, 1),
    labels: classes(batch, 10, 2),
    weights: [0, 1, 2].map((i) => weights(widths[i] * widths[i + 1], widths[i], 100 + i)),
  }
}

/**
 * conv 3x3, 16 - relu - pool 2 - conv 3x3, 32 - relu - pool 2 - dense, on 28 x 28; biases zero.
 * x [N, 28, 28, 1], convolutions [3, 3, in, out], dense [7, 7, 32, 10].
 */
export const CNN = { batch: 64, learningRate: 0.05 }

export function cnnData(batch = CNN.batch) {
  return {
    x: uniform(batch * 784, 0, 1, 11),
    labels: classes(batch, 10, 12),
    conv1: weights(9 * 16, 9, 21),
    conv2: weights(9 * 16 * 32, 9 * 16, 22),
    dense: weights(1568 * 10, 1568, 23),
  }
}

/** Two 3x3 convolutions with group norm (8 groups) and a skip: relu(x + norm(conv(relu(norm(conv(x)))))). */
export const RESBLOCK = { batch: 16, channels: 64, side: 32, groups: 8, learningRate: 0.05 }

export function resblockData() {
  const { batch, channels, side } = RESBLOCK
  return {
    x: uniform(batch * channels * side * side, 0, 1, 41),
    conv1: weights(channels * channels * 9, channels * 9, 42),
    conv2: weights(channels * channels * 9, channels * 9, 43),
  }
}

/** A pre-norm causal block: 8 heads, gelu, 1024 hidden features; weights [out, in], biases zero, no dropout. */
export const TRANSFORMER = { batch: 8, length: 128, width: 256, heads: 8, hidden: 1024, learningRate: 0.05 }

export function transformerData() {
  const { batch, length, width, hidden } = TRANSFORMER
  return {
    x: uniform(batch * length * width, 0, 1, 30),
    inProjection: weights(3 * width * width, width, 31),
    outProjection: weights(width * width, width, 32),
    linear1: weights(hidden * width, width, 33),
    linear2: weights(width * hidden, hidden, 34),
  }
}

/** 3x3, padding 1, as [N, C, side, side] with [O, C, 3, 3]. */
const CONVOLUTIONS = {
  conv1x16: { batch: 64, inputs: 1, outputs: 16, side: 28 },
  conv16x32: { batch: 64, inputs: 16, outputs: 32, side: 14 },
  conv64x64: { batch: 16, inputs: 64, outputs: 64, side: 32 },
}
const PARTS = ['fwd', 'dw', 'dx']

/** `part`: 'fwd' x, w -> y; 'dw' x, dy -> dw; 'dx' w, dy -> dx. */
export function convolutionOf(workload) {
  const [name, part] = workload.split('_')
  const sizes = CONVOLUTIONS[name]
  return { ...sizes, part }
}

export function convolutionData({ batch, inputs, outputs, side }) {
  return {
    x: uniform(batch * inputs * side * side, -1, 1, 31),
    w: uniform(outputs * inputs * 9, -1, 1, 32),
    dy: uniform(batch * outputs * side * side, -1, 1, 33),
  }
}

export function matrices(n) {
  return { a: uniform(n * n, -1, 1, 5), b: uniform(n * n, -1, 1, 6) }
}

/** A million values each, none of them zero. */
export function chainData() {
  return { x: uniform(1e6, 0.1, 1, 7), y: uniform(1e6, 0.1, 1, 8) }
}

export const sizeOfMatmul = (workload) => Number(workload.slice('matmul'.length))

/** The element of a result that is compared: of a matrix by row and column, of a convolution by its four indices. */
export const PROBE = { matmul: [3, 7], fwd: [1, 3, 5, 7], dx: [1, 0, 5, 7], dw: [3, 0, 1, 2] }

/** The index of the probe in a row-major result. */
export function probeIndex(workload) {
  if (workload === 'chain') return 12345
  if (workload.startsWith('matmul')) {
    const [row, column] = PROBE.matmul
    return row * sizeOfMatmul(workload) + column
  }
  const { inputs, outputs, side, part } = convolutionOf(workload)
  const [, channels, height, width] = {
    fwd: [0, outputs, side, side],
    dx: [0, inputs, side, side],
    dw: [0, inputs, 3, 3],
  }[part]
  const [n, c, y, x] = PROBE[part]
  return ((n * channels + c) * height + y) * width + x
}

/**
 * The expected probe, by plain sums in float64, and the tolerance of a float32 sum: its roundings go up and down like a
 * random walk, so their sum grows with sqrt(terms), not with the number of terms.
 */
export function expectedProbe(workload) {
  const sum = { value: 0, magnitude: 0, terms: 0 }
  const add = (product) => {
    sum.value += product
    sum.magnitude += Math.abs(product)
    sum.terms++
  }
  if (workload.startsWith('matmul')) {
    const n = sizeOfMatmul(workload)
    const { a, b } = matrices(n)
    const [row, column] = PROBE.matmul
    for (let j = 0; j < n; j++) add(a[row * n + j] * b[j * n + column])
  } else {
    const sizes = convolutionOf(workload)
    forEachProduct(sizes, convolutionData(sizes), PROBE[sizes.part], add)
  }
  return { value: sum.value, tolerance: Math.sqrt(sum.terms) * 2 ** -24 * sum.magnitude }
}

/** The products whose sum is one element of a convolution or of its gradients. */
function forEachProduct({ batch, inputs, outputs, side, part }, { x, w, dy }, [i, j, k, l], add) {
  const inside = (row, column) => row >= 0 && row < side && column >= 0 && column < side
  const at = (n, channels, c, row, column) => ((n * channels + c) * side + row) * side + column
  const tap = (o, c, p, q) => ((o * inputs + c) * 3 + p) * 3 + q
  if (part === 'dw') {
    for (let n = 0; n < batch; n++)
      for (let row = 0; row < side; row++)
        for (let column = 0; column < side; column++) {
          const [y, z] = [row + k - 1, column + l - 1]
          if (inside(y, z)) add(x[at(n, inputs, j, y, z)] * dy[at(n, outputs, i, row, column)])
        }
    return
  }
  const sign = part === 'fwd' ? 1 : -1
  for (let c = 0; c < (part === 'fwd' ? inputs : outputs); c++)
    for (let p = 0; p < 3; p++)
      for (let q = 0; q < 3; q++) {
        const [y, z] = [k + sign * (p - 1), l + sign * (q - 1)]
        if (!inside(y, z)) continue
        add(
          part === 'fwd'
            ? x[at(i, inputs, c, y, z)] * w[tap(j, c, p, q)]
            : dy[at(i, outputs, c, y, z)] * w[tap(c, j, p, q)],
        )
      }
}

/**
 * The first losses with SGD, on which four libraries agree; those of the transformer are PyTorch's. In the other
 * workloads all peers must agree with the first peer.
 */
export const KNOWN_LOSSES = {
  mlp_sgd: [2.30616, 2.30262, 2.29957, 2.29679],
  cnn_sgd: [2.29846, 2.28112, 2.26638, 2.25323],
  transformer_sgd: [0.37289, 0.369425, 0.366011, 0.362645],
}
export const LOSS_TOLERANCE = 5e-5

/** Multiplications and additions of a step, in 10^6; those of elementwise work are not counted. */
function megaflops(workload) {
  if (workload.startsWith('matmul')) return (2 * sizeOfMatmul(workload) ** 3) / 1e6
  if (workload.startsWith('mlp')) {
    const products = [784 * 512, 512 * 256, 256 * 10].map((size) => (2 * MLP.batch * size) / 1e6)
    // forward and two gradients, except that the first layer's input needs no gradient
    return 3 * (products[0] + products[1] + products[2]) - products[0]
  }
  if (workload.startsWith('cnn')) {
    const products = [784 * 9 * 16, 196 * 9 * 16 * 32, 1568 * 10].map((size) => (2 * CNN.batch * size) / 1e6)
    return 3 * (products[0] + products[1] + products[2]) - products[0]
  }
  if (workload.startsWith('conv')) {
    const { batch, inputs, outputs, side } = convolutionOf(workload)
    return (2 * batch * side * side * 9 * inputs * outputs) / 1e6
  }
  if (workload === 'resblock_sgd') {
    const { batch, channels, side } = RESBLOCK
    const product = (2 * batch * side * side * 9 * channels * channels) / 1e6
    return 3 * 2 * product - product
  }
  if (workload === 'transformer_sgd') {
    const { batch, length, width, hidden } = TRANSFORMER
    const places = batch * length
    const projections = (2 * places * (3 * width * width + width * width + 2 * hidden * width)) / 1e6
    // scores and their product with the values; the causal half that could be left out is counted
    const attention = (2 * 2 * places * length * width) / 1e6
    return 3 * (projections + attention) - (2 * places * 3 * width * width) / 1e6
  }
  return undefined
}

/** @returns 10^9 operations a second, or undefined if they are not counted */
export function gflops(workload, ms) {
  const work = megaflops(workload)
  return work === undefined ? undefined : work / ms
}

/** The sizes of micro-batches that a mini-batch of 256 is cut into, whole batch last. */
export const MICRO_BATCHES = [2, 4, 8, 16, 32, 64, 128, 256]
export const MINI_BATCH = 256

export const SWEEPS = ['microbatch_mlp', 'microbatch_cnn']

export const WORKLOADS = [
  ...['matmul256', 'matmul512', 'matmul1024'],
  ...['mlp_sgd', 'mlp_adam', 'cnn_sgd', 'cnn_adam'],
  ...Object.keys(CONVOLUTIONS).flatMap((name) => PARTS.map((part) => `${name}_${part}`)),
  ...['resblock_sgd', 'transformer_sgd'],
  ...SWEEPS,
]
