/**
 * Totals over a mini-batch: tensors to which every micro-batch adds, for layers that need more than their own micro-batch.
 * They stand between micro-batches, so they are made before a step is planned.
 */
import type { Device } from '../device/device.js'
import { inMiniBatch, type MiniBatch, type MovesLate, type Totals, type TotalsNeeds } from '../nn/mini-batch.js'
import { standingStorage, standingTensor } from '../tensor/create.js'
import { allOrNothing } from '../tensor/scope.js'
import type { Shape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'

/** A call of a layer in a forward: its totals, unless they are still to be made, and the needs that it stated last. */
interface Call {
  totals: Totals | null
  needs: TotalsNeeds
}

export class TotalsKeeper {
  readonly #calls = new Map<MovesLate, Call[]>()
  /** how often each layer was called in the last forward that came to its end, and in the one that runs */
  #counts = new Map<MovesLate, number>()
  #running = new Map<MovesLate, number>()

  constructor(readonly device: Device) {}

  /** Run the forward of a micro-batch. */
  during<T>(place: Pick<MiniBatch, 'samples' | 'before' | 'all'>, forward: () => T): T {
    this.#running = new Map()
    const miniBatch = { ...place, totalsFor: this.#totalsFor.bind(this) }
    const result = inMiniBatch(this.device, miniBatch, forward)
    this.#counts = this.#running
    return result
  }

  /** Are all totals there that the last forward asked for? */
  get complete(): boolean {
    return [...this.#lastForward()].every(([, calls]) => calls.every(isServed))
  }

  /** Do the samples of the last forward depend on those of other micro-batches? */
  get coupleSamples(): boolean {
    return [...this.#lastForward()].some(([, calls]) => calls.some(({ needs }) => needs.sums))
  }

  /** The totals of the last forward, in order. */
  get inOrder(): readonly Totals[] {
    return [...this.#lastForward()].flatMap(([, calls]) => calls.flatMap(({ totals }) => totals ?? []))
  }

  /** Make the totals that are missing. @throws BudgetExceededError  they do not fit; none was made */
  makeMissing(): void {
    const missing = [...this.#lastForward()].flatMap(([, calls]) => calls.filter((call) => !isServed(call)))
    const made = allOrNothing(this.device, () =>
      missing.map(({ needs }) => totalsOf(needs, (channels) => standingTensor(this.device, [channels], 'buffer'))),
    )
    missing.forEach((call, i) => {
      if (call.totals) release(call.totals)
      call.totals = made[i]
    })
  }

  /** Let the layers move their buffers, at the end of a mini-batch. */
  end(samples: number): void {
    for (const [layer, calls] of this.#lastForward()) {
      const served = calls.flatMap(({ totals, needs }) =>
        totals ? [{ ...totals, values: samples * needs.perSample }] : [],
      )
      layer.endMiniBatch(served)
    }
  }

  dispose(): void {
    for (const calls of this.#calls.values()) for (const { totals } of calls) if (totals) release(totals)
    this.#calls.clear()
  }

  *#lastForward(): Generator<[MovesLate, Call[]]> {
    for (const [layer, count] of this.#counts) yield [layer, this.#calls.get(layer)?.slice(0, count) ?? []]
  }

  #totalsFor(layer: MovesLate, needs: TotalsNeeds): Totals {
    const count = this.#running.get(layer) ?? 0
    this.#running.set(layer, count + 1)
    const calls = this.#calls.get(layer) ?? []
    this.#calls.set(layer, calls)
    calls[count] ??= { totals: null, needs }
    const call = calls[count]
    call.needs = needs
    if (isServed(call)) return call.totals
    // this forward is recorded only to find out what is needed
    return totalsOf(needs, (channels) => unowned(this.device, [channels]))
  }
}

function isServed(call: Call): call is Call & { totals: Totals } {
  const { totals, needs } = call
  return totals !== null && totals.mean.size === needs.channels && (totals.sums !== null || !needs.sums)
}

/** A value of the recording that no scope frees. */
const unowned = (device: Device, shape: Shape): Tensor =>
  new Tensor(device, standingStorage(device, shape, 'buffer', null), shape)

function totalsOf({ channels, sums }: TotalsNeeds, make: (channels: number) => Tensor): Totals {
  const total = (): Tensor => {
    const tensor = make(channels)
    tensor.storage('totals').isTotal = true
    return tensor
  }
  return { mean: total(), variance: total(), sums: sums ? { sum: total(), lean: total() } : null }
}

function release({ mean, variance, sums }: Totals): void {
  for (const tensor of [mean, variance, ...(sums ? [sums.sum, sums.lean] : [])]) tensor.dispose()
}
