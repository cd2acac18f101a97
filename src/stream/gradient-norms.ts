/** The norm of the gradient of each parameter, for `onGradients` of a Streamer. */
import type { Optimizer } from '../optim/optimizer.js'
import type { HasNames } from '../optim/state.js'
import { gradientOf, standingTensor } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'

/** Each norm as [scale, ratio], as `gradientNorm` in kernels.ts gives it. A frozen parameter is left out. */
export class GradientNorms {
  readonly #entries: readonly { readonly name: string; readonly parameter: Tensor; readonly norm: Tensor }[]

  /**
   * @throws ArgumentError        two parameters have the same name
   * @throws BudgetExceededError  the norms do not fit: 8 bytes for each parameter, which stay, rounded up by the allocator
   */
  constructor(model: HasNames, optimizer: Optimizer) {
    this.#entries = Array.from(optimizer.namedParameters(model), ([name, parameter]) => ({
      name,
      parameter,
      norm: standingTensor(optimizer.device, [2], 'buffer'),
    }))
  }

  /** Measure the gradients as they are now. */
  measure(): void {
    for (const { parameter, norm } of this.#trained()) {
      const gradient = gradientOf(parameter).storage('gradient norm')
      parameter.device.run('gradientNorm', { sizes: [parameter.size] }, [gradient], [norm.storage('gradient norm')])
    }
  }

  /** What `measure` found, by the names of the parameters. All reads are started before one is awaited. */
  async read(): Promise<Map<string, number>> {
    const reads = this.#trained().map(async ({ name, norm }): Promise<[string, number]> => {
      const [scale, ratio] = await norm.data()
      return [name, scale * ratio]
    })
    return new Map(await Promise.all(reads))
  }

  dispose(): void {
    for (const { norm } of this.#entries) norm.dispose()
  }

  #trained() {
    return this.#entries.filter(({ parameter }) => parameter.requiresGrad)
  }
}
