/**
 * The engine: BullMQ queues the jobs, gives a job of a worker that is gone to another, and lets each worker take one at a time.
 * Bytes lie in Redis beside the queue. All keys begin with `{sluice:NAME}`, so that they are in one slot of a Redis Cluster.
 */
import { randomUUID } from 'node:crypto'
import type { BullMq, Client, Queue } from './peers.js'
import { bullmq, connected } from './peers.js'
import { type Given, type Handle, type Hub, KEYS, type Line, MOST_TRIES, type WorkerStatus } from './transport.js'

export interface EngineOptions {
  /** 'redis://HOST:PORT', or 'rediss://USER:PASSWORD@HOST:PORT' for TLS */
  readonly redis: string
  /** of the training; coordinator and workers with the same name work together. Default 'training' */
  readonly name?: string
  /** a job whose worker has not been heard of for so long is given to another; default 30,000 */
  readonly patienceMs?: number
}

const QUEUE = 'ranges'
/** Bytes that nobody has dropped, such as those of a coordinator that was killed, are gone after this. */
const SECONDS_KEPT = 24 * 3600
/** A worker that has not told of itself for so long is gone. */
const SECONDS_THERE = 15

const prefixOf = ({ name = 'training' }: EngineOptions): string => `{sluice:${name}}`

/** KEYS turn, its taken ranges, arrived result, where it goes, arrivals, counts; ARGV turn, range, seconds. */
const GIVE = `
local drop = function(why) redis.call('DEL', KEYS[3]); redis.call('HINCRBY', KEYS[6], why, 1); return why end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return drop('late') end
if redis.call('SADD', KEYS[2], ARGV[2]) == 0 then return drop('doubled') end
redis.call('EXPIRE', KEYS[2], ARGV[3])
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[4]) end
redis.call('RPUSH', KEYS[5], ARGV[2])
redis.call('EXPIRE', KEYS[5], ARGV[3])
return 'taken'`

/** KEYS session, turn; ARGV session, turn. */
const OPEN = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1`

/** KEYS turn; ARGV turn. */
const CLOSE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`

/** KEYS times, statuses; ARGV id, status. */
const TELL = `
redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1])
return redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])`

/** KEYS times, statuses; ARGV seconds. Forgets workers that have not told of themselves for so long. */
const FORGET = `
local before = redis.call('TIME')[1] - ARGV[1]
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before)) do redis.call('HDEL', KEYS[2], id) end
return redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', before)`

/** What both sides have. */
abstract class Side {
  constructor(
    readonly client: Client,
    readonly prefix: string,
  ) {}

  protected key(name: string): string {
    return `${this.prefix}:${name}`
  }

  protected blob(key: string): string {
    return this.key(`blob:${key}`)
  }

  async get(key: string, maxBytes: number): Promise<Uint8Array | null> {
    const bytes = await this.client.getrangeBuffer(this.blob(key), 0, maxBytes)
    return bytes.length === 0 ? null : bytes
  }
}

class RedisHub extends Side implements Hub {
  readonly #blocked: Client
  readonly #queue: Queue

  constructor(client: Client, prefix: string, { Queue }: BullMq) {
    super(client, prefix)
    this.#blocked = client.duplicate()
    this.#blocked.on('error', () => {})
    // events are for watchers, of which there are none
    this.#queue = new Queue(QUEUE, { connection: client, prefix, streams: { events: { maxLen: 100 } } })
    this.#queue.on('error', () => {})
  }

  async begin(description: string): Promise<number> {
    const session = await this.client.incr(this.key('session'))
    await this.client.del(this.key('turn'))
    await this.#queue.obliterate({ force: true })
    for (const part of ['blob', 'turn']) {
      let cursor = '0'
      do {
        const [next, keys] = await this.client.scan(cursor, 'MATCH', `${this.key(part)}:*`)
        if (keys.length > 0) await this.client.del(...keys)
        cursor = next
      } while (cursor !== '0')
    }
    await this.client.set(this.key('description'), description)
    return session
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.client.set(this.blob(key), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 'EX', SECONDS_KEPT)
  }

  async drop(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.client.del(...keys.map((key) => this.blob(key)))
  }

  async open(session: number, turn: string): Promise<boolean> {
    return (await this.client.eval(OPEN, 2, this.key('session'), this.key('turn'), session, turn)) === 1
  }

  async close(turn: string): Promise<void> {
    const isOurs = (await this.client.eval(CLOSE, 1, this.key('turn'), turn)) === 1
    await this.client.del(this.key(`turn:${turn}:taken`), this.key(`turn:${turn}:arrived`))
    if (isOurs) await this.#queue.drain(true)
  }

  async reopen(turn: string, range: number): Promise<void> {
    await this.client.srem(this.key(`turn:${turn}:taken`), range)
  }

  async send(id: string, job: object): Promise<void> {
    const backoff = { type: 'fixed', delay: 100 }
    const options = { jobId: id, attempts: MOST_TRIES, backoff, removeOnComplete: true, removeOnFail: true }
    await this.#queue.add('range', job, options)
  }

  async isPending(id: string): Promise<boolean> {
    return !['unknown', 'completed', 'failed'].includes(await this.#queue.getJobState(id))
  }

  async wait(turn: string, ms: number): Promise<void> {
    await this.#blocked.blpop(this.key(`turn:${turn}:arrived`), ms / 1000)
  }

  async counts(): Promise<Readonly<Record<string, number>>> {
    const counts = await this.client.hgetall(this.key('counts'))
    return Object.fromEntries(['late', 'doubled'].map((name) => [name, Number(counts[name] ?? 0)]))
  }

  async workers(): Promise<readonly WorkerStatus[]> {
    await this.client.eval(FORGET, 2, this.key('times'), this.key('workers'), SECONDS_THERE)
    const all = Object.values(await this.client.hgetall(this.key('workers')))
    return all.flatMap((json) => statusIn(json) ?? [])
  }

  async end(): Promise<void> {
    this.#blocked.disconnect()
    await within(this.#queue.close())
    this.client.disconnect()
  }
}

/** What a worker says of itself; null: it is not that. */
function statusIn(json: string): WorkerStatus | null {
  try {
    const { id, ...counts }: Record<string, unknown> = JSON.parse(json)
    const names = ['budgetBytes', 'ranges', 'samples', 'peakBytes', 'mismatches', 'time']
    if (typeof id !== 'string' || !names.every((name) => Number.isFinite(counts[name]))) return null
    const { budgetBytes, ranges, samples, peakBytes, mismatches, time } = counts as unknown as WorkerStatus
    return { id: id.slice(0, 100), budgetBytes, ranges, samples, peakBytes, mismatches, time }
  } catch {
    return null
  }
}

class RedisLine extends Side implements Line {
  readonly #bullmq: BullMq
  readonly #patienceMs: number

  constructor(client: Client, prefix: string, bullmq: BullMq, patienceMs: number) {
    super(client, prefix)
    this.#bullmq = bullmq
    this.#patienceMs = patienceMs
  }

  description(): Promise<string | null> {
    return this.client.get(this.key('description'))
  }

  async give(turn: string, range: number, bytes: Uint8Array): Promise<Given> {
    const coming = this.key(`coming:${randomUUID()}`)
    await this.client.set(coming, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 'EX', SECONDS_KEPT)
    const [taken, arrived] = ['taken', 'arrived'].map((name) => this.key(`turn:${turn}:${name}`))
    const to = this.blob(KEYS.result(turn, range))
    const keys = [this.key('turn'), taken, coming, to, arrived, this.key('counts')]
    return (await this.client.eval(GIVE, keys.length, ...keys, turn, range, SECONDS_KEPT)) as Given
  }

  async tell(status: WorkerStatus): Promise<void> {
    await this.client.eval(TELL, 2, this.key('times'), this.key('workers'), status.id, JSON.stringify(status))
  }

  async work(handle: Handle, signal: AbortSignal): Promise<void> {
    const { Worker, DelayedError } = this.#bullmq
    const settings = {
      connection: this.client,
      prefix: this.prefix,
      lockDuration: this.#patienceMs,
      stalledInterval: this.#patienceMs / 2,
      // a job is never given up because workers die
      maxStalledCount: 2 ** 31 - 1,
      runRetryDelay: 500,
    }
    const worker = new Worker(
      QUEUE,
      async (job, token) => {
        if ((await handle(job.data, job.attemptsMade)) === 'done') return
        await job.moveToDelayed(Date.now() + 100, token)
        throw new DelayedError()
      },
      settings,
    )
    // the connection comes back, and a job whose turn is over is gone
    worker.on('error', () => {})
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await within(worker.close())
  }

  async end(): Promise<void> {
    this.client.disconnect()
  }
}

/** Wait for `promise`, but not for long: where Redis does not answer, nothing is lost by leaving. */
function within(promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 5000)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    promise.then(done, done)
  })
}

/** @throws ClusterError  bullmq or ioredis is not installed, or Redis does not answer */
export async function hubOf(options: EngineOptions): Promise<Hub> {
  const engine = bullmq()
  return new RedisHub(await connected(options.redis), prefixOf(options), engine)
}

/** @throws ClusterError  likewise */
export async function lineOf(options: EngineOptions): Promise<Line> {
  const engine = bullmq()
  return new RedisLine(await connected(options.redis), prefixOf(options), engine, options.patienceMs ?? 30_000)
}
