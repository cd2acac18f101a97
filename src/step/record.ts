/**
 * A step as data: the actions of a program, noted but not yet done.
 *
 * While a function is recorded, everything that it does to its device goes to a list (Note [One door] in device.ts): each
 * kernel, upload and update is an instruction, and each piece of memory that it asks for is a value without a place.
 * Ops, autograd and modules know nothing of it. The list tells when each value lives (pass.ts), and `run` executes it.
 */
import type { Floats } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import { RehearsalError } from '../device/errors.js'
import { type Instruction, placeOf, type Sink, type Whereabouts } from '../device/instruction.js'
import { forget, isPromise } from '../device/promise.js'
import { Storage } from '../device/storage.js'
import type { Category } from '../memory/allocator.js'
import { useMasks } from './masks.js'

export class Recording<T = unknown> implements Sink {
  readonly list = this
  readonly values: Storage[] = []
  readonly instructions: Instruction[] = []
  /** what the recorded function returned */
  result!: T
  readonly #freed: Storage[] = []
  readonly #undos: (() => void)[] = []

  /** @param hasValues  false: shapes only, to plan */
  constructor(readonly hasValues: boolean) {}

  alloc(size: number, bytes: number, category: Category): Storage {
    const value = new Storage(size, bytes, category, this, this.values.length)
    this.values.push(value)
    return value
  }

  /**
   * A value's life is known from the instructions that touch it, so only standing storage is noted: it is freed when
   * the list has run.
   */
  free(storage: Storage): void {
    if (storage.list !== this) this.#freed.push(storage)
  }

  unlessDone(undo: () => void): void {
    this.#undos.push(undo)
  }

  /** @throws RehearsalError  a plan has no values */
  read(storage: Storage, { op, module }: Whereabouts, fetch: (placed: Storage) => Promise<Floats>): Promise<Floats> {
    if (!this.hasValues) {
      throw new RehearsalError(
        `a value was read in a step that is recorded before it runs, after ${placeOf(`'${op}'`, { module })}: ` +
          'read after the step instead',
      )
    }
    const promise = new Promise<Floats>((resolve, reject) => {
      this.unlessDone(() => reject(new RehearsalError('a value was read in a scope that did not run to its end')))
      const perform = ([placed]: readonly Storage[]) => fetch(placed).then(resolve, reject)
      this.perform({
        ...{ op, module, name: 'read', parameters: {}, reads: [storage], writes: [], changes: false, workspaces: [] },
        perform,
      })
    })
    // a caller that awaits the promise gets the error; if nobody does, it is not an unhandled rejection
    forget(promise)
    return promise
  }

  perform(instruction: Instruction): void {
    this.instructions.push(instruction)
  }

  /**
   * The list has run: results that are still held become ordinary tensors, and the storage noted by `free` is freed.
   */
  done(device: Device): void {
    for (const value of this.values) if (value.references > 0) value.list = null
    for (const storage of this.#freed) device.allocator.free(storage.leave())
  }

  /** The list will not run, or has failed: undo what the recording has changed. */
  undo(): void {
    for (const undo of this.#undos.splice(0).reverse()) undo()
  }
}

/**
 * Record what `fn` does, to be run.
 * @throws RehearsalError  fn returned a Promise, or something is being recorded already
 */
export const record = <T>(device: Device, fn: () => T): Recording<T> => into(new Recording<T>(true), device, fn)

/**
 * Record what `fn` would do, on shapes alone. Leaves no trace.
 * @throws RehearsalError  as `record`, or fn reads a value
 */
export const rehearse = <T>(device: Device, fn: () => T): Recording<T> => into(new Recording<T>(false), device, fn)

function into<T>(recording: Recording<T>, device: Device, fn: () => T): Recording<T> {
  if (device.list) throw new RehearsalError('a step is being recorded already: recordings do not nest')
  const { call } = device.step
  recording.unlessDone(() => {
    device.step.call = call
  })
  try {
    recording.result = device.through(recording, fn)
    useMasks(device, recording)
    if (!recording.hasValues) recording.undo()
  } catch (error) {
    recording.undo()
    throw error
  }
  if (!isPromise(recording.result)) return recording
  recording.undo()
  forget(recording.result)
  throw new RehearsalError('the recorded function returned a Promise: it must be synchronous, without await')
}

/**
 * Record that a value is sent out.
 * @param total  a total that stands for all that is sent: see Storage.isTotal
 * @param send   gets the value when the recording reaches this point
 */
export function sendOut(device: Device, value: Storage, total: Storage, send: (placed: Storage) => void): void {
  const { op, module } = device
  recordingOf(device).perform({
    ...{ op, module, name: 'send', parameters: {}, reads: [value], writes: [total], changes: true, workspaces: [] },
    perform: ([placed]) => send(placed),
  })
}

/** Record that a value is brought in, when the total is complete. @param bring  writes it */
export function bringIn(device: Device, total: Storage, value: Storage, bring: (placed: Storage) => void): void {
  const { op, module } = device
  recordingOf(device).perform({
    ...{ op, module, name: 'bring', parameters: {}, reads: [total], writes: [value], changes: false, workspaces: [] },
    perform: (_, [placed]) => bring(placed),
  })
}

/** Record the memory that `fn` takes, but not its kernels: no value changes. */
export function withoutKernels(device: Device, fn: () => void): void {
  const list = recordingOf(device)
  const from = list.instructions.length
  fn()
  for (let i = from; i < list.instructions.length; i++) list.instructions[i] = { ...list.instructions[i], perform() {} }
}

/**
 * Record `fn`, but until it calls its argument no kernel runs: every value becomes 0 instead, and standing memory stays as it
 * is.
 */
export function zerosAtFirst(device: Device, fn: (kernelsFromHere: () => void) => void): void {
  const list = recordingOf(device)
  const from = list.instructions.length
  let end = Infinity
  fn(() => {
    end = Math.min(end, list.instructions.length)
  })
  end = Math.min(end, list.instructions.length)
  for (let i = from; i < end; i++) list.instructions[i] = zeroed(device, list, list.instructions[i])
}

function zeroed(device: Device, list: Recording, instruction: Instruction): Instruction {
  const fills = instruction.writes.map((value) => {
    if (value.list !== list) return undefined
    device.run('fill', { size: value.size, value: 0 }, [], [value])
    return list.instructions.pop()
  })
  return { ...instruction, perform: (_, writes) => fills.forEach((fill, j) => fill?.perform([], [writes[j]], [])) }
}

function recordingOf({ list }: Device): Recording {
  if (list instanceof Recording) return list
  throw new RehearsalError('nothing is being recorded')
}
