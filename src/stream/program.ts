/**
 * The program of a step: the code that is recorded, both to plan it and to run it.
 *
 * A step is a reset, then for each micro-batch forward and backward into the gradient buffers, then the updates of the
 * commit. The tensors that it needs between micro-batches (the loss so far, shadows of the model's buffers) exist from
 * the beginning, so that a step starts and ends without a transient block.
 */
import { backward, zeroGrad } from '../autograd/backward.js'
import type { AnyBatch } from '../data/batch.js'
import type { Device } from '../device/device.js'
import type { Update } from '../device/instruction.js'
import { movesLate } from '../nn/mini-batch.js'
import type { AnyModule } from '../nn/module.js'
import type { Buffer } from '../nn/parameter.js'
import type { AnyLoss } from '../ops/loss.js'
import { noGrad, tapeOf } from '../ops/tape.js'
import type { Optimizer } from '../optim/optimizer.js'
import { rehearse } from '../step/record.js'
import { gradientOf, requireGrad, standingTensor } from '../tensor/create.js'
import { ShapeError } from '../tensor/errors.js'
import { allOrNothing, asForward, ifAllFails, scope } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import { argumentsOf, isTensor, mapMembers, membersOf, showShapes, type Tensors } from '../tensor/structure.js'
import type { Tensor } from '../tensor/tensor.js'
import { backwardByShare, counting } from './counting.js'
import { GradientNorms } from './gradient-norms.js'
import { Joint } from './joint.js'
import { type Kind, type Mode, trains } from './kind.js'
import { checkLearns, evaluating, place, placeAll } from './micro-batch.js'
import { Owners } from './owners.js'
import { type Outputs, outputsOf } from './rows.js'
import { TotalsKeeper } from './totals.js'
import { checkTensor, checkTensors, userCode } from './user-code.js'
import { SampleWeights } from './weights.js'

export class Program {
  readonly device: Device
  /** what the model returned last */
  outputs: Outputs = { outputShape: [], outputRows: 1 }
  /** the sample of the mini-batch with which the range begins: see range.ts */
  rangeStart = 0
  #owners: Owners
  readonly #buffers: readonly Buffer[]
  /** the buffers whose shadow this program holds */
  readonly #shadowed: Buffer[] = []
  /** the tensors that collect gradients, whether the optimizer trains them or not: see prepare */
  leaves: readonly Tensor[] = []
  /** totals over the mini-batch, for layers that need more than their micro-batch */
  readonly totals: TotalsKeeper
  /** does the loss compare samples? */
  readonly isCoupled: boolean
  readonly joint: Joint
  /** the loss so far, and the part that rounding left out of it, so that many small parts add up exactly */
  readonly loss: Tensor
  /** the norm of the gradient after the first micro-batch: see noise.ts */
  readonly #partNorm: Tensor | null
  readonly norms: GradientNorms | null

  constructor(
    readonly model: AnyModule,
    readonly lossFunction: AnyLoss,
    readonly optimizer: Optimizer,
    readonly measuresNoise: boolean,
    measuresNorms: boolean,
  ) {
    this.device = model.device
    this.#owners = new Owners(model)
    this.#buffers = model.buffers()
    this.totals = new TotalsKeeper(this.device)
    this.joint = new Joint(this.device)
    this.isCoupled = Boolean(lossFunction.coupled)
    const made = allOrNothing(this.device, () => {
      ifAllFails(this.device, () => this.#releaseShadows())
      const pair = () => standingTensor(this.device, [2], 'buffer')
      const norms = measuresNorms ? new GradientNorms(model, optimizer) : null
      const made = { partNorm: measuresNoise ? pair() : null, loss: pair(), norms }
      this.prepare()
      for (const buffer of this.#buffers) {
        buffer.holdShadow()
        this.#shadowed.push(buffer)
      }
      return made
    })
    this.loss = made.loss
    this.#partNorm = made.partNorm
    this.norms = made.norms
  }

  /**
   * Look at the model before a step is planned, and make every tensor that stays between steps: a layer that was thawed
   * gets its gradients now.
   * @throws BudgetExceededError  a gradient does not fit; no gradient was made
   */
  prepare(): void {
    this.#owners = new Owners(this.model)
    const all = new Set([...this.model.parameters(), ...this.optimizer.parameters])
    this.leaves = [...all].filter(({ requiresGrad }) => requiresGrad)
    allOrNothing(this.device, () => this.leaves.forEach(gradientOf))
  }

  /** Begin a mini-batch: reset gradients, loss and shadows, in which an abandoned gather may have left anything. */
  reset(): void {
    this.device.op = 'reset'
    zeroGrad(this.leaves)
    this.device.run('fill', { size: 2, value: 0 }, [], [this.loss.storage('reset')])
    for (const { value, shadow } of this.#buffers) {
      if (shadow) this.#copy(value, shadow)
    }
  }

  /**
   * Run one micro-batch. Everything that it makes is freed at its end, except the output of an evaluation or
   * prediction.
   * @param all    samples in the mini-batch
   * @param piece  null for a plan
   * @param share  w_j / W, the weight of this micro-batch as a share of the mini-batch's
   */
  microBatch(kind: Kind, size: number, all: number, piece: AnyBatch | null, share: number): Tensors | null {
    const run = () => this.#owners.during(() => this.#microBatch(kind, size, all, piece, share))
    return trains(kind.mode) ? run() : evaluating(this.model, run)
  }

  /** A micro-batch without values, for a plan. */
  rehearseMicroBatch(kind: Kind, size: number, all: number): Tensors | null {
    for (const buffer of this.#buffers) buffer.moved = false
    Object.assign(this.device.step, { firstSample: this.rangeStart, call: 0 })
    return this.microBatch(kind, size, all, null, 1)
  }

  /** Make the totals that layers need beside a micro-batch. @throws BudgetExceededError  they do not fit */
  makeTotals(kind: Kind, size: number, all: number): void {
    if (!trains(kind.mode) || !this.model.modules().some(movesLate)) return
    rehearse(this.device, () => this.rehearseMicroBatch(kind, size, all))
    if (!this.totals.complete) this.totals.makeMissing()
  }

  #microBatch({ mode, shape }: Kind, size: number, all: number, piece: AnyBatch | null, share: number): Tensors | null {
    return scope(this.device, () => {
      const x = placeAll(this.device, size, shape.input, piece?.inputs)
      if (mode === 'predict') return noGrad(this.device, () => this.#forward(mode, x))
      const target = placeAll(this.device, size, shape.target, piece?.targets)
      const weights = shape.weighted ? new SampleWeights(place(this.device, [size], piece?.weights)) : undefined
      const before = this.device.step.firstSample - this.rangeStart
      const isJoint = this.isCoupled && size < all
      if (mode === 'evaluate') {
        return noGrad(this.device, () => {
          const output = this.#forward(mode, x)
          if (isJoint) this.joint.send(output, size, before)
          else {
            const loss = this.#lossOf(output, target, weights)
            counting(this.device, share, () => this.#addLoss(loss, share))
          }
          return output
        })
      }
      const forward = () => this.totals.during({ samples: size, before, all }, () => this.#forward(mode, x))
      // The inner scopes end the forward's tensors before the backward; the tape keeps what gradients need.
      if (isJoint) {
        const surrogate = scope(this.device, () => this.joint.surrogate(forward(), size, before))
        backward(checkLearns(surrogate))
        return null
      }
      let ofModel: ReadonlySet<object> = new Set()
      const loss = scope(this.device, () => {
        const output = forward()
        ofModel = new Set(tapeOf(this.device))
        return this.#lossOf(output, target, weights)
      })
      backwardByShare(checkLearns(loss), share, this.totals.coupleSamples ? ofModel : null)
      counting(this.device, share, () => this.#addLoss(loss, share))
      return null
    })
  }

  /**
   * The loss of a whole mini-batch from the outputs of all micro-batches, and its gradient: Note [Joint loss].
   * @param batch  null for a plan
   */
  jointLoss({ mode, shape }: Kind, outputs: Outputs, all: number, batch: AnyBatch | null): void {
    scope(this.device, () => {
      const gathered = this.joint.gathered(outputs, all)
      const target = placeAll(this.device, all, shape.target, batch?.targets)
      const weights = shape.weighted ? new SampleWeights(place(this.device, [all], batch?.weights)) : undefined
      if (mode === 'evaluate') {
        noGrad(this.device, () => this.#addLoss(this.#lossOf(gathered, target, weights), 1))
        return
      }
      for (const [, output] of membersOf(gathered, isTensor)) requireGrad(output)
      const loss = checkLearns(scope(this.device, () => this.#lossOf(gathered, target, weights)))
      backward(loss)
      this.#addLoss(loss, 1)
      this.joint.sendGradients(gathered)
    })
  }

  /**
   * The end of a gather: move the buffers that move once for each mini-batch, and measure the norm of the summed gradient.
   * @param samples  of the mini-batch
   */
  end(samples: number): void {
    this.totals.end(samples)
    this.device.op = 'gradient norm'
    this.optimizer.measureNorm()
    this.norms?.measure()
  }

  /** Measure the norm of the gradient of the first micro-batch. It stays on the device, so that no micro-batch waits for it. */
  measurePart(): void {
    this.device.op = 'gradient norm'
    if (this.#partNorm) this.optimizer.measureNorm(this.#partNorm)
  }

  /**
   * The results of a gather. All reads are started before one is awaited.
   * @param part  was the norm of the first micro-batch measured?
   */
  async readMeasured(part: boolean): Promise<{ loss: number; gradNorm: number; partNorm: number | null }> {
    const ofPart = part && this.#partNorm ? this.optimizer.gradNorm(this.#partNorm) : null
    const [loss, gradNorm, partNorm] = await Promise.all([this.readLoss(), this.optimizer.gradNorm(), ofPart])
    return { loss, gradNorm, partNorm }
  }

  /** The optimizer's updates, then the shadows into the buffers: all or none. @param ready  see Device.commit */
  commit(rateFactor = 1, ready?: () => void): void {
    const updates = this.#updates(rateFactor)
    this.device.op = 'commit'
    this.device.commit(updates, ready)
  }

  #updates(rateFactor: number): Update[] {
    const copies = this.#buffers.flatMap(({ value, shadow }): Update[] =>
      shadow
        ? [
            {
              kernel: 'blend',
              parameters: { size: value.size, a: 0, b: 1 },
              targets: [value.storage('commit')],
              inputs: [shadow.storage('commit')],
            },
          ]
        : [],
    )
    return [...userCode('a schedule', () => this.optimizer.updates(rateFactor)), ...copies]
  }

  /** The loss of the mini-batch so far. */
  async readLoss(): Promise<number> {
    const [sum, rest] = await this.loss.data()
    return sum + rest
  }

  dispose(): void {
    this.loss.dispose()
    this.#partNorm?.dispose()
    this.norms?.dispose()
    this.totals.dispose()
    this.#releaseShadows()
  }

  #releaseShadows(): void {
    for (const buffer of this.#shadowed.splice(0)) buffer.releaseShadow()
  }

  #forward(mode: Mode, inputs: Tensors): Tensors {
    const given = isTensor(inputs)
      ? ''
      : `it was called with ${showShapes(mapMembers(inputs, isTensor, ({ shape }) => shape))}`
    const forward = () => asForward(this.device, () => this.model.forward(...argumentsOf(inputs)))
    const output: unknown = userCode('the model', forward, given)
    checkTensors(output, this.device)
    this.outputs = outputsOf(mode, inputs, output)
    return output
  }

  #lossOf(output: Tensors, target: Tensors, weights: SampleWeights | undefined): Tensor {
    const loss = userCode('the loss', () => this.lossFunction(output, target, weights ? { weights } : undefined))
    checkTensor('the loss', loss, this.device, 'one tensor')
    weights?.checkUsed()
    if (loss.size !== 1) throw new ShapeError(`the loss has shape ${showShape(loss.shape)}; it must be one number`)
    return loss
  }

  #addLoss(loss: Tensor, share: number): void {
    this.device.op = 'loss'
    this.device.update({
      kernel: 'addExactly',
      parameters: { factor: share },
      targets: [this.loss.storage('loss')],
      inputs: [loss.storage('loss')],
    })
  }

  #copy(from: Tensor, to: Tensor): void {
    const parameters = { shape: [from.size], strides: [1], offset: 0 }
    this.device.run('stridedCopy', parameters, [from.storage('reset')], [to.storage('reset')])
  }
}
