/** The workloads on jax-js, jitted: on any of its backends. */
import { Absent } from '../absent.mjs'
import * as fixed from '../workloads.mjs'

/**
 * One step of a workload. Arrays are lazy, and each backend has its own best way to have them computed.
 * @param jax      @jax-js/jax, with its backend chosen
 * @param compute  (array) => makes sure that the array is computed, at once or together with others
 * @param read     (loss, parameters) => the loss as a number, after a step; consumes the loss
 * @returns {{ step: () => unknown, probe?: () => Promise<number> }}  see serve.mjs
 */
export function make(jax, workload, { compute, read }) {
  const { numpy: np, nn, lax, tree } = jax

  const array = (data, shape) => np.array(data).reshape(shape)

  /** A workload that computes one array. An array is consumed by its use; `.ref` keeps it for another use. */
  function product(formula, operands, index) {
    const compiled = jax.jit(formula)
    let last = null
    return {
      step: async () => {
        last?.dispose()
        last = compiled(...operands.map((operand) => operand.ref))
        await compute(last)
      },
      probe: async () => (await last.ref.data())[index],
    }
  }

  function multiplication(workload) {
    const n = fixed.sizeOfMatmul(workload)
    const operands = Object.values(fixed.matrices(n)).map((data) => array(data, [n, n]))
    return product((a, b) => np.matmul(a, b), operands, fixed.probeIndex(workload))
  }

  /**
   * A convolution or its gradient. The gradient is the transposed half of the vector-Jacobian product; jit drops the
   * unused forward.
   */
  function convolution(workload) {
    const { batch, inputs, outputs, side, part } = fixed.convolutionOf(workload)
    const data = fixed.convolutionData({ batch, inputs, outputs, side })
    const x = array(data.x, [batch, inputs, side, side])
    const w = array(data.w, [outputs, inputs, 3, 3])
    const dy = array(data.dy, [batch, outputs, side, side])
    const forward = (x, w) => lax.convGeneralDilated(x, w, [1, 1], 'SAME')
    const index = fixed.probeIndex(workload)
    if (part === 'fwd') return product(forward, [x, w], index)
    const gradient = (of, at, dy) => {
      const [y, pullBack] = jax.vjp(of, [at])
      y.dispose()
      const [result] = pullBack(dy)
      pullBack.dispose()
      return result
    }
    if (part === 'dx') return product((w, dy, x) => gradient((x) => forward(x, w), x, dy), [w, dy, x], index)
    return product((x, dy, w) => gradient((w) => forward(x, w), w, dy), [x, dy, w], index)
  }

  /** The chain of elementwise functions; jit makes one kernel of all ten. */
  function chain() {
    const { x, y } = fixed.chainData()
    const formula = (x, y) => {
      const a = np.abs(nn.relu(x.ref.mul(y.ref).add(y.ref)).sub(x.ref))
      return np.square(np.maximum(a.ref, y).neg()).mul(a.add(x))
    }
    return product(formula, [np.array(x), np.array(y)], fixed.probeIndex('chain'))
  }

  const sgd = (rate) => ({
    init: (parameters) => {
      tree.dispose(parameters)
      return []
    },
    update: (gradients, state) => [tree.map((g) => g.mul(-rate), gradients), state],
  })

  const adam = (rate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) => ({
    init: (parameters) => ({
      t: np.array(0),
      m: tree.map((x) => np.zerosLike(x), tree.ref(parameters)),
      v: tree.map((x) => np.zerosLike(x), parameters),
    }),
    update: (gradients, state) => {
      const t = state.t.add(1)
      const m = tree.map((m, g) => m.mul(beta1).add(g.mul(1 - beta1)), state.m, tree.ref(gradients))
      const v = tree.map((v, g) => v.mul(beta2).add(np.square(g).mul(1 - beta2)), state.v, gradients)
      const correction = (beta) => np.array(1).sub(np.exp(t.ref.mul(Math.log(beta))))
      const [c1, c2] = [correction(beta1), correction(beta2)]
      const step = (m, v) =>
        m
          .div(c1.ref)
          .div(np.sqrt(v.div(c2.ref)).add(eps))
          .mul(-rate)
      const updates = tree.map(step, tree.ref(m), tree.ref(v))
      c1.dispose()
      c2.dispose()
      return [updates, { t, m, v }]
    },
  })

  /** The whole step in one jit. */
  function training(logProbabilities, parameters, x, y, optimizer) {
    const mean = -1 / x.shape[0]
    const loss = (p, x, y) => logProbabilities(p, x).mul(y).sum().mul(mean)
    const step = jax.jit((p, state, x, y) => {
      const [value, gradients] = jax.valueAndGrad(loss)(tree.ref(p), x, y)
      const [updates, next] = optimizer.update(gradients, state)
      return [tree.map((a, b) => a.add(b), p, updates), next, value]
    })
    let state = optimizer.init(tree.ref(parameters))
    return {
      step: async () => {
        let value = null
        ;[parameters, state, value] = step(parameters, state, x.ref, y.ref)
        return await read(value, parameters)
      },
    }
  }

  function mlp(optimizer) {
    const { batch, widths } = fixed.MLP
    const { x, labels, weights } = fixed.mlpData()
    const parameters = {}
    weights.forEach((data, i) => {
      parameters[`w${i}`] = array(data, widths.slice(i, i + 2))
      parameters[`b${i}`] = np.zeros([widths[i + 1]])
    })
    const predict = (p, x) => {
      const h1 = nn.relu(np.dot(x, p.w0).add(p.b0))
      const h2 = nn.relu(np.dot(h1, p.w1).add(p.b1))
      return nn.logSoftmax(np.dot(h2, p.w2).add(p.b2))
    }
    return training(
      predict,
      parameters,
      array(x, [batch, 784]),
      array(fixed.oneHot(labels, 10), [batch, 10]),
      optimizer,
    )
  }

  function cnn(optimizer) {
    const { batch } = fixed.CNN
    const { x, labels, conv1, conv2, dense } = fixed.cnnData()
    const filters = (data, inputs, outputs) =>
      array(fixed.permute(data, [3, 3, inputs, outputs], [3, 2, 0, 1]), [outputs, inputs, 3, 3])
    const parameters = {
      w1: filters(conv1, 1, 16),
      b1: np.zeros([16, 1, 1]),
      w2: filters(conv2, 16, 32),
      b2: np.zeros([32, 1, 1]),
      w3: array(fixed.permute(dense, [7, 7, 32, 10], [2, 0, 1, 3]), [1568, 10]),
      b3: np.zeros([10]),
    }
    const block = (h, w, b) => {
      const y = nn.relu(lax.convGeneralDilated(h, w, [1, 1], 'SAME').add(b))
      return lax.reduceWindow(y, np.max, [2, 2], [2, 2])
    }
    const predict = (p, x) => {
      const h = block(block(x, p.w1, p.b1), p.w2, p.b2)
      return nn.logSoftmax(np.dot(h.reshape([-1, 1568]), p.w3).add(p.b3))
    }
    const y = array(fixed.oneHot(labels, 10), [batch, 10])
    return training(predict, parameters, array(x, [batch, 1, 28, 28]), y, optimizer)
  }

  const [family, rest] = workload.split('_')
  if (workload.startsWith('matmul')) return multiplication(workload)
  if (workload === 'chain') return chain()
  if (family === 'mlp') return mlp(rest === 'sgd' ? sgd(fixed.MLP.learningRate) : adam(1e-3))
  if (family === 'cnn') return cnn(rest === 'sgd' ? sgd(fixed.CNN.learningRate) : adam(1e-3))
  if (/^conv\d/.test(family)) return convolution(workload)
  throw new Absent(`${family} is not written for jax-js`)
}
