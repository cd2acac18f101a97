/** Losses and modules as users write them, right and with the faults that users make. */
import { type Device, nn, type Tensor } from '../../src/index.js'
import { Buffer, Linear, Module, Parameter } from '../../src/nn/index.js'
import { add, div, mul, sub } from '../../src/ops/binary.js'
import '../../src/ops/chain.js'
import type { AnyLoss, LossOptions } from '../../src/ops/loss.js'
import { mean, sum } from '../../src/ops/reduce.js'
import { softmax } from '../../src/ops/softmax.js'
import { noGrad } from '../../src/ops/tape.js'
import { relu, square, tanh } from '../../src/ops/unary.js'
import { detach } from '../../src/ops/views.js'
import { tensor, zeros } from '../../src/tensor/create.js'
import type { HostArray } from '../../src/tensor/host.js'
import { keep } from '../../src/tensor/scope.js'
import { softplus } from '../defined.js'

export const FEATURES = 4
export const OUTPUTS = 3

// Losses. Targets [N, OUTPUTS] below 0 are missing: the mean is over those that are there, each with the weight of its sample.

type LossOf = (y: Tensor, t: Tensor, w?: Tensor) => Tensor
type Host = (targets: HostArray, weights?: HostArray) => number

const there = (t: Tensor): Tensor => t.greaterEqual(0)
const weighted = (t: Tensor, w?: Tensor): Tensor => (w ? mul(there(t), w.reshape([-1, 1])) : there(t))
const missingMean: LossOf = (y, t, w) =>
  div(sum(mul(weighted(t, w), square(sub(y, t)))), sum(weighted(t, w)).maximum(1e-9))

const count =
  (counts: (value: number) => boolean, use: 'weights' | 'none' = 'weights'): Host =>
  ({ data, shape }, weights) => {
    let total = 0
    data.forEach((value, i) => {
      if (counts(value)) total += weights && use === 'weights' ? weights.data[Math.floor(i / shape[1])] : 1
    })
    return total
  }
const counted = count((value) => value >= 0)

function loss(of: LossOf, weight: Host | null = counted): AnyLoss {
  const call = (output: Tensor, target: Tensor, options?: LossOptions): Tensor => of(output, target, options?.weights)
  return (weight ? Object.assign(call, { weight }) : call) as unknown as AnyLoss
}

export const RIGHT_LOSS = loss(missingMean)

/** @param weighted  does the batch have weights? */
export const WRONG_LOSSES: Readonly<Record<string, readonly [AnyLoss, weighted?: false]>> = {
  'no weight': [loss(missingMean, null)],
  'the weight counts missing targets': [
    loss(
      missingMean,
      count(() => true),
    ),
  ],
  'the weight counts what is missing': [
    loss(
      missingMean,
      count((value) => value < 0),
    ),
  ],
  'the weight is the number of samples': [loss(missingMean, ({ shape }) => shape[0])],
  'the weight leaves zeros out': [
    loss(
      missingMean,
      count((value) => value > 0),
    ),
  ],
  'the weight forgets sample weights': [
    loss(
      missingMean,
      count((value) => value >= 0, 'none'),
    ),
  ],
  'the weight is squared': [loss(missingMean, (targets, weights) => counted(targets, weights) ** 2)],
  'the weight of the first target of each sample': [
    loss(missingMean, ({ data, shape }) => {
      let total = 0
      for (let n = 0; n < shape[0]; n++) if (data[n * shape[1]] >= 0) total++
      return total
    }),
    false,
  ],
  'a sum': [loss((y, t, w) => sum(mul(weighted(t, w), square(sub(y, t)))))],
  'a sum over a batch size that is written down': [
    loss((y, t) => div(sum(mul(there(t), square(sub(y, t)))), 18)),
    false,
  ],
  'the mean over all targets': [loss((y, t) => mean(mul(there(t), square(sub(y, t))))), false],
  'weights above, not below': [
    loss((y, t, w) => div(sum(mul(weighted(t, w), square(sub(y, t)))), sum(there(t)).maximum(1))),
  ],
  'weights below, not above': [
    loss((y, t, w) => div(sum(mul(there(t), square(sub(y, t)))), sum(weighted(t, w)).maximum(1e-9))),
  ],
  'one more in the denominator': [
    loss((y, t) => div(sum(mul(there(t), square(sub(y, t)))), sum(there(t)).add(1))),
    false,
  ],
  'the root of the mean': [loss((y, t, w) => missingMean(y, t, w).add(1e-3).sqrt())],
  'errors less their mean': [
    loss((y, t) => {
      const e = mul(there(t), sub(y, t))
      return div(sum(square(sub(e, mean(e)))), sum(there(t)).maximum(1))
    }),
    false,
  ],
  'errors as a share of the largest': [
    loss((y, t) => {
      const e = mul(there(t), square(sub(y, t)))
      return div(div(sum(e), e.max().add(1e-3)), sum(there(t)).maximum(1))
    }),
    false,
  ],
  'a softmax over the samples': [loss((y, t, w) => missingMean(softmax(y, 0), t, w))],
  'half of the gradient': [
    loss((y, t, w) => {
      const e = sub(y, t)
      return div(sum(mul(weighted(t, w), mul(e, detach(e)))), sum(weighted(t, w)).maximum(1e-9))
    }),
  ],
  'the scale of the outputs as a constant': [
    loss((y, t, w) => {
      const scale = noGrad(y.device, () => mean(square(y), 1, { keepDims: true }).add(1))
      return missingMean(div(y, scale), t, w)
    }),
  ],
}

// Modules: [N, FEATURES] -> [N, OUTPUTS]

type Build = (device: Device) => Module

class Net extends Module {
  fc1 = new Linear(this.device, FEATURES, 5)
  fc2 = new Linear(this.device, 5, OUTPUTS)

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.hidden(x))
  }

  hidden(x: Tensor): Tensor {
    return tanh(this.fc1.forward(x))
  }
}

const net =
  (Class: new (device: Device) => Module): Build =>
  (device) =>
    new Class(device)

export const RIGHT_MODULES: Readonly<Record<string, Build>> = {
  plain: net(Net),
  'a defined op and layer norm': net(
    class extends Net {
      norm = new nn.LayerNorm(this.device, 5)
      override hidden(x: Tensor): Tensor {
        return softplus(this.norm.forward(this.fc1.forward(x)))
      }
    },
  ),
  'dropout, a skip and a constant buffer': net(
    class extends Net {
      drop = new nn.Dropout(this.device, 0.25)
      shift = new Buffer(this.device, [5], () => [1, 2, 3, 4, 5], { constant: true })
      override hidden(x: Tensor): Tensor {
        const h = this.fc1.forward(x)
        return add(h, this.drop.forward(relu(add(h, this.shift.value))))
      }
    },
  ),
  'a scale that learns, used twice': net(
    class extends Net {
      scale = new Parameter(this.device, [5], () => [1, 0.5, 2, 1.5, 1])
      override hidden(x: Tensor): Tensor {
        return mul(tanh(mul(this.fc1.forward(x), this.scale)), this.scale)
      }
    },
  ),
}

export const WRONG_MODULES: Readonly<Record<string, Build>> = {
  // of samples: the result depends on the others of the micro-batch
  'centred over the batch': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = this.fc1.forward(x)
        return tanh(sub(h, mean(h, 0, { keepDims: true })))
      }
    },
  ),
  'scaled by the deviation of the batch': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = this.fc1.forward(x)
        return div(h, mean(square(h), 0, { keepDims: true }).add(0.1).sqrt())
      }
    },
  ),
  'a softmax over samples': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return softmax(this.fc1.forward(x), 0)
      }
    },
  ),
  'divided by the number of samples': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return div(super.hidden(x), x.shape[0])
      }
    },
  ),
  'sums over samples so far': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return super.hidden(x).cumsum(0)
      }
    },
  ),
  'a scale of the largest value': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        return div(h, h.max().add(2))
      }
    },
  ),
  'another function for small batches': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return x.shape[0] > 3 ? super.hidden(x) : this.fc1.forward(x)
      }
    },
  ),
  'batch norm of each micro-batch': net(
    class extends Net {
      norm = new nn.BatchNorm1d(this.device, 5)
      override hidden(x: Tensor): Tensor {
        return tanh(this.norm.forward(this.fc1.forward(x)))
      }
    },
  ),
  'attention between samples': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = this.fc1.forward(x)
        return softmax(h.matmul(h.transpose(0, 1))).matmul(h)
      }
    },
  ),
  'the sample before': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        return x.shape[0] < 2 ? h : add(h, h.slice([x.shape[0] - 1], [x.shape[0]]))
      }
    },
  ),
  // gradients
  'a layer without recording': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return noGrad(this.device, () => super.hidden(x))
      }
    },
  ),
  'detached in between': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return detach(super.hidden(x))
      }
    },
  ),
  'the input detached': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return super.hidden(detach(x))
      }
    },
  ),
  'tied weights, detached at one use': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        return add(h, tanh(h.matmul(detach(this.fc1.weight)).matmul(this.fc1.weight.transpose(0, 1))))
      }
    },
  ),
  'a gate as a constant': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = this.fc1.forward(x)
        return mul(
          h,
          noGrad(this.device, () => h.sigmoid()),
        )
      }
    },
  ),
  // memory
  'the last hidden value kept': net(
    class extends Net {
      lastHidden: Tensor | null = null
      override hidden(x: Tensor): Tensor {
        this.lastHidden = keep(super.hidden(x))
        return this.lastHidden
      }
    },
  ),
  'all hidden values kept': net(
    class extends Net {
      history: Tensor[] = []
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        this.history.push(keep(mul(h, 1)))
        return h
      }
    },
  ),
  'the statistics kept for a plot': net(
    class extends Net {
      plotted: Tensor[] = []
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        if (this.training) this.plotted.push(keep(mean(h)))
        return h
      }
    },
  ),
  'a table that is no buffer': net(
    class extends Net {
      table = tensor(this.device, [1, 2, 3, 4, 5])
      override hidden(x: Tensor): Tensor {
        return mul(super.hidden(x), this.table)
      }
    },
  ),
  'a tensor left from the constructor': net(
    class extends Net {
      constructor(device: Device) {
        super(device)
        add(zeros(device, [64]), 1)
      }
    },
  ),
  'a parameter in a private field': net(
    class extends Net {
      readonly #scale = new Parameter(this.device, [5], () => [1, 2, 1, 2, 1])
      override hidden(x: Tensor): Tensor {
        return mul(super.hidden(x), this.#scale)
      }
    },
  ),
  'a layer that is made when it is needed': net(
    class extends Net {
      late: Linear | null = null
      override hidden(x: Tensor): Tensor {
        this.late ??= new Linear(this.device, 5, 5)
        return this.late.forward(super.hidden(x))
      }
    },
  ),
  // plans: what runs depends on more than shapes
  'another layer every second time': net(
    class extends Net {
      calls = 0
      override hidden(x: Tensor): Tensor {
        return this.calls++ % 2 === 0 ? super.hidden(x) : relu(super.hidden(x))
      }
    },
  ),
  'layers dropped at random': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return Math.random() < 0.5 ? super.hidden(x) : this.fc1.forward(x)
      }
    },
  ),
  'warm-up by a counter': net(
    class extends Net {
      calls = 0
      override hidden(x: Tensor): Tensor {
        return mul(super.hidden(x), Math.min(1, ++this.calls / 100))
      }
    },
  ),
  'noise of its own': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        const noise = Float64Array.from({ length: h.size }, () => 0.1 * Math.random())
        return add(h, tensor(this.device, noise, h.shape))
      }
    },
  ),
  'the hidden state of the batch before': net(
    class extends Net {
      state: Tensor | null = null
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        const before = this.state
        this.state = keep(mean(h, 0, { keepDims: true }))
        return before?.usable ? add(h, before) : h
      }
    },
  ),
  'the weights changed in the forward': net(
    class extends Net {
      scale = new Parameter(this.device, [5], () => [1, 1, 1, 1, 1])
      clipped = 1
      override hidden(x: Tensor): Tensor {
        this.clipped *= 0.99
        this.scale.set(new Array(5).fill(this.clipped))
        return mul(super.hidden(x), this.scale)
      }
    },
  ),
  'the time of the day': net(
    class extends Net {
      override hidden(x: Tensor): Tensor {
        return mul(super.hidden(x), 1 + (performance.now() % 1000) / 1e5)
      }
    },
  ),
  'positions counted from the first call': net(
    class extends Net {
      seen = 0
      override hidden(x: Tensor): Tensor {
        const h = super.hidden(x)
        const places = Float64Array.from({ length: x.shape[0] }, () => this.seen++ / 100)
        return add(h, tensor(this.device, places, [x.shape[0], 1]))
      }
    },
  ),
}
