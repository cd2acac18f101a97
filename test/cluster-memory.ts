/** The engine of a cluster, in memory: what BullMQ and Redis do for it, and the faults that they may have. */
import { type Given, type Handle, type Hub, KEYS, type Line, type WorkerStatus } from '../src/cluster/transport.js'

interface Waiting {
  readonly id: string
  readonly json: string
  tries: number
}

/** Faults; each is asked with the number of the act. */
export interface Faults {
  /** a job is delivered, and its worker is as if killed: what it does is lost, and the job comes again */
  kills?(act: number): boolean
  /** a result is given twice */
  doubles?(act: number): boolean
  /** a job is lost */
  loses?(act: number): boolean
  /** changes a result on its way */
  changes?(bytes: Uint8Array, act: number, turn: string, range: number): Uint8Array
}

export class MemoryEngine implements Hub {
  readonly blobs = new Map<string, Uint8Array>()
  readonly told = new Map<string, WorkerStatus>()
  readonly tally: Record<string, number> = { late: 0, doubled: 0 }
  text: string | null = null
  acts = 0
  #session = 0
  #turn = ''
  readonly #taken = new Set<string>()
  #jobs: Waiting[] = []
  readonly #active = new Set<Waiting>()
  #wake: (() => void)[] = []

  constructor(readonly faults: Faults = {}) {}

  async begin(description: string): Promise<number> {
    this.text = description
    this.#jobs = []
    this.#turn = ''
    this.blobs.clear()
    return ++this.#session
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.blobs.set(key, bytes.slice())
  }

  async get(key: string, maxBytes: number): Promise<Uint8Array | null> {
    return this.blobs.get(key)?.slice(0, maxBytes + 1) ?? null
  }

  async drop(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.blobs.delete(key)
  }

  async open(session: number, turn: string): Promise<boolean> {
    if (session !== this.#session) return false
    this.#turn = turn
    return true
  }

  async close(turn: string): Promise<void> {
    if (this.#turn !== turn) return
    this.#turn = ''
    this.#taken.clear()
    this.#jobs = []
    for (const key of this.blobs.keys()) if (!key.startsWith('values:')) this.blobs.delete(key)
  }

  async reopen(turn: string, range: number): Promise<void> {
    this.#taken.delete(`${turn}.${range}`)
  }

  async send(id: string, job: object): Promise<void> {
    if (this.faults.loses?.(this.acts++)) return
    this.#jobs.push({ id, json: JSON.stringify(job), tries: 0 })
    this.#ring()
  }

  async isPending(id: string): Promise<boolean> {
    return [...this.#jobs, ...this.#active].some((job) => job.id === id)
  }

  wait(_turn: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  async counts(): Promise<Readonly<Record<string, number>>> {
    return this.tally
  }

  async workers(): Promise<readonly WorkerStatus[]> {
    return [...this.told.values()]
  }

  async end(): Promise<void> {}

  give(turn: string, range: number, bytes: Uint8Array): Given {
    const key = `${turn}.${range}`
    const given = this.#turn !== turn ? 'late' : this.#taken.has(key) ? 'doubled' : 'taken'
    if (given === 'taken') {
      this.#taken.add(key)
      this.blobs.set(KEYS.result(turn, range), this.faults.changes?.(bytes, this.acts++, turn, range) ?? bytes)
    } else this.tally[given]++
    this.#ring()
    return given
  }

  /** A side for a worker. */
  line(): Line {
    let isDead = false
    return {
      description: async () => this.text,
      get: (key, maxBytes) => this.get(key, maxBytes),
      give: async (turn, range, bytes) => {
        if (isDead) return 'late'
        if (this.faults.doubles?.(this.acts++)) this.give(turn, range, bytes)
        return this.give(turn, range, bytes)
      },
      tell: async (status) => void this.told.set(status.id, status),
      work: async (handle: Handle, signal: AbortSignal) => {
        while (!signal.aborted) {
          const job = this.#jobs.shift()
          if (!job) {
            await this.wait('', 20)
            continue
          }
          this.#active.add(job)
          isDead = this.faults.kills?.(this.acts++) ?? false
          let outcome: 'done' | 'back' | 'failed' = 'failed'
          try {
            outcome = await handle(JSON.parse(job.json), job.tries)
          } catch {
            job.tries++
          }
          this.#active.delete(job)
          if (isDead || outcome !== 'done') this.#jobs.push(job)
          isDead = false
          if (outcome === 'back') await new Promise((resolve) => setTimeout(resolve, 1))
        }
      },
      end: async () => {},
    }
  }

  #ring(): void {
    for (const resolve of this.#wake.splice(0)) resolve()
  }
}
