/** A net with an LSTM of two directions and two layers, and a GRU, for tests on several devices. */
import type { Device } from '../src/device/device.js'
import * as nn from '../src/nn/index.js'
import { reshape } from '../src/ops/movement.js'
import type { Tensor } from '../src/tensor/tensor.js'

/** [N, 3, 2] -> [N, 3] */
export class RecurrentNet extends nn.Module {
  readonly lstm: nn.LSTM
  readonly gru: nn.GRU

  constructor(device: Device, dropout = 0) {
    super(device)
    const random = nn.generator(7)
    this.lstm = new nn.LSTM(device, 2, 3, { layers: 2, bidirectional: true, dropout, random })
    this.gru = new nn.GRU(device, 6, 3, { random })
  }

  forward(x: Tensor): Tensor {
    const [y] = this.lstm.forward(x)
    const [, h] = this.gru.forward(y)
    return reshape(h, [x.shape[0], 3])
  }
}

export const sequences = (samples: number) => ({
  inputs: {
    shape: [samples, 3, 2],
    data: Float32Array.from({ length: 6 * samples }, (_, i) => ((7 * i) % 11) / 8 - 0.5),
  },
  targets: { shape: [samples], data: Float32Array.from({ length: samples }, (_, i) => i % 3) },
})
