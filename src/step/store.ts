/**
 * The store: values that wait between the passes of a step, for every micro-batch (Note [Between passes] in levels.ts).
 *
 * It is one block. On a device whose memory has addresses, it is a block of the device, and kernels read and write stored
 * values in it. Elsewhere, or if it has a budget of its own, it is memory of the host, and values are copied.
 */
import type { Floats } from '../../kernels/kernels.js'
import type { Device } from '../device/device.js'
import { forget } from '../device/promise.js'
import type { Storage } from '../device/storage.js'
import type { Block } from '../memory/allocator.js'
import { arrange } from '../memory/arrange.js'
import type { Stretch } from './kept.js'

/** A stretch of passes in which a value of a micro-batch is stored, and its bytes in the store. */
export interface StoredLife extends Stretch {
  readonly bytes: number
}

/** The stored values of all micro-batches of one size. */
interface Area {
  /** the number of the first micro-batch, and how many there are */
  readonly from: number
  readonly count: number
  /** where the values of all micro-batches lie side by side, in each stretch */
  readonly places: readonly (StoredLife & { readonly address: number })[]
}

/** The places of all stored values. */
export class StoreLayout {
  readonly bytes: number
  readonly #areas: readonly Area[]

  /** @param parts  the micro-batches of each size, and the values that each of them stores */
  constructor(parts: readonly { readonly count: number; readonly lives: readonly StoredLife[] }[]) {
    let [end, from] = [0, 0]
    this.#areas = parts.map(({ count, lives }) => {
      const { addresses, endBytes } = arrange(
        lives.map((life) => ({ ...life, bytes: count * life.bytes })),
        [],
      )
      const begin = end
      const places = lives.map((life, i) => ({ ...life, address: begin + addresses[i] }))
      end += endBytes
      from += count
      return { from: from - count, count, places }
    })
    this.bytes = end
  }

  /** @param piece  the number of the micro-batch */
  placeOf(value: number, piece: number, level: number): { address: number; bytes: number } {
    const area = this.#areas.find(({ from, count }) => piece < from + count)
    const place = area?.places.find((life) => life.value === value && life.birth <= level && level <= life.death)
    if (!area || !place) throw new RangeError(`value ${value} of micro-batch ${piece} is not stored in pass ${level}`)
    return { address: place.address + (piece - area.from) * place.bytes, bytes: place.bytes }
  }
}

/** The stored values of one micro-batch. */
export interface StoredValues {
  /** Let the value be in the store. */
  place(storage: Storage, value: number): void
  load(storage: Storage, value: number): void
  save(storage: Storage, value: number): void
}

/** A store while a step runs. */
export interface Store {
  valuesOf(piece: number, level: number): StoredValues
  /** Resolves when everything is saved. */
  saved(): Promise<void>
  close(): void
}

/**
 * The store of a device. It keeps the memory of the host from step to step, because new memory costs more time than copies.
 */
export class StoreKeeper {
  #memory: Floats | null = null

  /** @throws BudgetExceededError  it does not fit */
  open(device: Device, { layout, onHost }: { layout: StoreLayout; onHost: boolean }): Store {
    if (!onHost) return storeOnDevice(device, layout)
    const length = Math.ceil(layout.bytes / device.elementBytes)
    if (this.#memory?.length !== length) {
      this.#memory = device.elementBytes === 4 ? new Float32Array(length) : new Float64Array(length)
    }
    return storeOnHost(device, layout, this.#memory)
  }
}

/** @throws BudgetExceededError  it does not fit */
function storeOnDevice({ allocator }: Device, layout: StoreLayout): Store {
  const whole = allocator.alloc(layout.bytes, 'store', 'store')
  return {
    valuesOf: (piece, level) => ({
      place(storage, value) {
        const { address, bytes } = layout.placeOf(value, piece, level)
        const block: Block = { ...whole, address: whole.address + address, bytes, requestedBytes: storage.bytes }
        storage.place(block)
      },
      load() {},
      save() {},
    }),
    saved: async () => {},
    close: () => allocator.free(whole),
  }
}

function storeOnHost(device: Device, layout: StoreLayout, whole: Floats): Store {
  let pending: Promise<void>[] = []
  return {
    valuesOf(piece, level) {
      const of = (storage: Storage, value: number): Floats => {
        const from = layout.placeOf(value, piece, level).address / device.elementBytes
        return whole.subarray(from, from + storage.size)
      }
      return {
        place() {},
        load: (storage, value) => device.upload(storage, of(storage, value)),
        save(storage, value) {
          const copied = device.copyOut(storage, of(storage, value))
          if (!copied) return
          // nobody waits for it if the step fails before
          forget(copied)
          pending.push(copied)
        },
      }
    },
    async saved() {
      const before = pending
      pending = []
      await Promise.all(before)
    },
    close() {},
  }
}
