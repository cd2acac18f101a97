/**
 * What all optimizers share: parameter groups, gradient buffers and moments that stand from the beginning,
 * clipping by the norm of the whole gradient, and a step in two halves. Formulas are in sgd.ts and adam.ts.
 *
 * Note [Step as data]
 *   `updates()` says the whole step as kernel calls and changes nothing; whoever runs them then calls
 *   `committed()`. User code (schedules) runs in the first half, so that the second cannot fail.
 */
import type { UpdateParameters } from '../../kernels/kernels.js'
import { zeroGrad } from '../autograd/backward.js'
import type { Device, Update } from '../device/device.js'
import type { Storage } from '../device/storage.js'
import { ArgumentError, showValue } from '../memory/errors.js'
import { gradientOf, standingTensor } from '../tensor/create.js'
import { type Checked, checkState, isRecord, readState, refuse } from '../tensor/saved-state.js'
import { allOrNothing } from '../tensor/scope.js'
import { checkSetting } from '../tensor/setting.js'
import type { Shape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkParameters, groupsOf, leavesOf, override, type Trainable } from './groups.js'
import { asSchedule, checkAtLeast, type Schedule } from './schedule.js'
import {
  faultsOfCounts,
  type HasNames,
  isCount,
  namesOf,
  type OptimizerState,
  type SavedOptimizerState,
} from './state.js'

/** What every group of parameters may set for itself. */
export interface GroupOptions {
  /** a number, or a function of the updates made so far */
  learningRate: number | Schedule
  /** see the optimizer; default 0 in sgd and adam, 0.01 in adamw */
  weightDecay: number
}

export interface Clipping {
  /** scale the gradient so that the norm of all of it is at most this; default: no clipping */
  clipNorm?: number
}

/** A parameter with all that its update needs. */
interface Entry<Options> {
  /** its module's, or null */
  readonly name: string | null
  readonly parameter: Tensor
  readonly settings: Options
  readonly schedule: Schedule
  readonly moments: readonly Tensor[]
  /** of it made so far */
  updates: number
}

/**
 * Note [Who is trained]
 *   Parameters that do not require a gradient when the optimizer is made are left out for good. One that is frozen later
 *   (`requiresGrad = false`) stays as it is, moments and all, and its gradient counts in no norm, until it is thawed; then
 *   it goes on where it was, as in PyTorch after `zero_grad(set_to_none=True)`. A parameter that requires a gradient and
 *   that the loss does not reach has the gradient zero: it is still decayed, and moved by its momentum.
 */
export abstract class Optimizer<Options extends GroupOptions = GroupOptions> {
  readonly device: Device
  /** What it trains, in order. */
  readonly parameters: readonly Tensor[]
  /** Standing moments, in order of the parameters: 4 * size bytes each, category `optimizer`. */
  readonly state: readonly Tensor[]
  readonly #entries: readonly Entry<Options>[]
  readonly #clipNorm: number | null
  /** Of the whole gradient, as it was last measured: [scale, ratio], see kernels.ts. */
  readonly #norm: Tensor
  #steps = 0

  /**
   * @param name      for errors
   * @param defaults  what neither `options` nor a group sets
   */
  constructor(
    readonly name: string,
    model: Trainable<Options>,
    defaults: Options,
    { clipNorm, ...options }: Partial<Options> & Clipping,
  ) {
    if (clipNorm !== undefined && !(Number.isFinite(clipNorm) && clipNorm > 0)) {
      throw new ArgumentError(`${name}: clipNorm is ${clipNorm}; it must be a finite number above 0`)
    }
    const trained = groupsOf(model).flatMap(({ parameters, own }) => {
      const settings = override(override(defaults, options), own)
      const { learningRate, weightDecay } = settings
      if (typeof learningRate === 'number') checkAtLeast(name, 'learningRate', learningRate, 0)
      checkAtLeast(name, 'weightDecay', weightDecay, 0)
      this.check(settings)
      const schedule = asSchedule(learningRate)
      return leavesOf(name, parameters).map((leaf) => ({ ...leaf, settings, schedule, updates: 0 }))
    })
    this.parameters = trained.map(({ parameter }) => parameter)
    checkParameters(name, this.parameters)
    this.device = this.parameters[0].device
    if (clipNorm !== undefined) checkSetting(this.device, name, 'clipNorm', clipNorm)
    for (const settings of new Set(trained.map((entry) => entry.settings))) {
      const numbers = Object.entries({ ...settings, ...this.derived(settings) })
      for (const [what, value] of numbers) if (typeof value === 'number') checkSetting(this.device, name, what, value)
    }
    this.#clipNorm = clipNorm ?? null

    const make = (shape: Shape): Tensor => standingTensor(this.device, shape, 'optimizer')
    const { entries, norm } = allOrNothing(this.device, () => {
      for (const { parameter } of trained) gradientOf(parameter)
      const entries = trained.map((entry) => ({
        ...entry,
        moments: this.moments(entry.settings).map(() => make(entry.parameter.shape)),
      }))
      return { entries, norm: make([2]) }
    })
    this.#entries = entries
    this.#norm = norm
    this.state = this.#entries.flatMap(({ moments }) => moments)
  }

  /** Updates made. */
  get steps(): number {
    return this.#steps
  }

  /**
   * The next step, one update for each parameter, clipped by what `measureNorm()` found. Note [Step as data].
   * @throws ArgumentError  a schedule gave a rate that is negative or not finite
   * @throws DisposedError  a parameter or the optimizer's state is gone
   */
  updates(): Update[] {
    const entries = this.#trained()
    const norm = this.#clipNorm === null ? null : this.#norm.storage(this.name)
    const rates = new Map<Schedule, number>()
    for (const { schedule } of entries) if (!rates.has(schedule)) rates.set(schedule, this.#rate(schedule))
    return entries.map((entry) => {
      const { parameter, moments, settings, schedule } = entry
      const values: UpdateParameters = {
        size: parameter.size,
        learningRate: rates.get(schedule) ?? 0,
        weightDecay: settings.weightDecay,
        clip: norm !== null,
        maxNorm: this.#clipNorm ?? 0,
      }
      const targets = [parameter, ...moments].map((tensor) => tensor.storage(this.name))
      const gradient = gradientOf(parameter).storage(this.name)
      return this.update(settings, entry.updates + 1, values, targets, norm ? [gradient, norm] : [gradient])
    })
  }

  /**
   * Measure the norm of the whole gradient, by which `updates()` clip. It neither over- nor underflows where gradients are
   * finite, and is not finite where one of them is not.
   * @throws BudgetExceededError  no room for the device's workspace
   * @throws DisposedError        a parameter's gradient or the optimizer's state is gone
   */
  measureNorm(): void {
    const gradients = this.#trained().map(({ parameter }) => gradientOf(parameter))
    if (gradients.length === 0) {
      this.device.run('fill', { size: 2, value: 0 }, [], [this.#norm.storage(this.name)])
      return
    }
    this.device.run(
      'gradientNorm',
      { sizes: gradients.map(({ size }) => size) },
      gradients.map((gradient) => gradient.storage(this.name)),
      [this.#norm.storage(this.name)],
    )
  }

  /** The norm that `measureNorm()` found. In double precision: it may be more than an element holds. */
  async gradNorm(): Promise<number> {
    const [scale, ratio] = await this.#norm.data()
    return scale * ratio
  }

  /** Say that `updates()` were run: the step counts. Not in a rehearsal, where nothing was. */
  committed(): void {
    if (this.device.rehearsal) return
    this.#steps++
    for (const entry of this.#trained()) entry.updates++
  }

  /**
   * Update all parameters by their gradients, for loops written by hand:
   *
   *     optimizer.zeroGrad()
   *     scope(device, () => backward(crossEntropy(model.forward(x), y)))
   *     optimizer.step()
   */
  step(): void {
    if (this.#clipNorm !== null) this.measureNorm()
    this.device.commit(this.updates())
    this.committed()
  }

  /** Set all gradients to zero. */
  zeroGrad(): void {
    zeroGrad(this.parameters)
  }

  /**
   * Copies of the moments on the host, and the number of updates. Note [Names in saved state].
   * @param model  whose names to use, for an optimizer made from parts of it
   * @throws ArgumentError  two parameters have one name
   */
  async stateDict(model?: HasNames): Promise<OptimizerState> {
    const named = [...namesOf(this.name, this.#entries, model)]
    const steps = this.#steps
    const updates = Object.fromEntries(named.map(([name, entry]) => [name, entry.updates]))
    return { steps, updates, moments: await readState(this.#momentsOf(named)) }
  }

  /**
   * Take over what `stateDict` gave, for the same parameters by name.
   * @throws StateError     something is missing, unexpected, of another shape or no number; nothing was written
   * @throws ArgumentError  two parameters have one name
   * @throws DisposedError  the optimizer is disposed
   */
  loadStateDict(state: SavedOptimizerState, model?: HasNames): void {
    const { faults, write } = this.checkState(state, model)
    refuse(faults)
    write()
  }

  /** What `loadStateDict` would refuse, for those who load more than one state or none. @throws what it throws else */
  checkState(state: SavedOptimizerState, model?: HasNames): Checked {
    const named = namesOf(this.name, this.#entries, model)
    const { steps, updates, moments } = isRecord(state) ? state : {}
    const values = checkState('moments', this.#momentsOf(named), moments)
    const counts = new Map(Array.from(named, ([name, entry]) => [entry, isRecord(updates) ? updates[name] : undefined]))
    const faults = [
      ...(isCount(steps) ? [] : [`steps is ${showValue(steps)}; it must be a whole number, 0 or more`]),
      ...faultsOfCounts(updates, new Set(named.keys())),
      ...values.faults,
    ]
    const write = (): void => {
      values.write()
      for (const [entry, count] of counts) entry.updates = count ?? 0
      this.#steps = steps ?? 0
    }
    return { faults, write }
  }

  /** Free moments and norm. Gradients are the parameters' and stay. */
  dispose(): void {
    for (const tensor of this.state) tensor.dispose()
    this.#norm.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Throw an ArgumentError on settings that make no sense. Called by the constructor, like `moments`. */
  protected abstract check(settings: Options): void

  /**
   * Further numbers that kernels compute with, by what they are: like settings, the device's elements must hold them.
   * @throws ArgumentError  what else the device cannot hold
   */
  protected derived(_settings: Options): Readonly<Record<string, number>> {
    return {}
  }

  /** The standing tensors that each parameter needs, by PyTorch's names. */
  protected abstract moments(settings: Options): readonly string[]

  /**
   * The update of one parameter.
   * @param step     which it is for this parameter, from 1
   * @param targets  the parameter, then its moments
   * @param inputs   its gradient, then the norm of all when `values.clip`
   */
  protected abstract update(
    settings: Options,
    step: number,
    values: UpdateParameters,
    targets: readonly Storage[],
    inputs: readonly Storage[],
  ): Update

  #rate(schedule: Schedule): number {
    const rate = schedule(this.#steps)
    const what = `the learning rate of step ${this.#steps}`
    checkAtLeast(this.name, what, rate, 0)
    // what decays for ever may become 0
    if (rate > 1) checkSetting(this.device, this.name, what, rate)
    return rate
  }

  /** Note [Who is trained]. */
  #trained(): Entry<Options>[] {
    return this.#entries.filter(({ parameter }) => parameter.requiresGrad)
  }

  #momentsOf(named: Iterable<readonly [string, Entry<Options>]>): Map<string, Tensor> {
    const moments = Array.from(named, ([name, entry]) =>
      this.moments(entry.settings).map((moment, j) => [`${name}.${moment}`, entry.moments[j]] as const),
    )
    return new Map(moments.flat())
  }
}
