/** bullmq and ioredis, which are optional peers, as far as they are used here. */
import { createRequire } from 'node:module'
import { reasonOf } from '../memory/errors.js'
import { ClusterError } from './errors.js'

/** A connection to Redis. */
export interface Client {
  on(event: 'error', listener: (error: Error) => void): unknown
  connect(): Promise<void>
  disconnect(): void
  duplicate(): Client
  get(key: string): Promise<string | null>
  getrangeBuffer(key: string, start: number, end: number): Promise<Uint8Array>
  set(key: string, value: string | Uint8Array, ...more: (string | number)[]): Promise<unknown>
  incr(key: string): Promise<number>
  del(...keys: string[]): Promise<number>
  srem(key: string, member: number): Promise<number>
  hgetall(key: string): Promise<Record<string, string>>
  blpop(key: string, seconds: number): Promise<unknown>
  scan(cursor: string, match: 'MATCH', pattern: string): Promise<[cursor: string, keys: string[]]>
  eval(script: string, keys: number, ...more: (string | number)[]): Promise<unknown>
}

export interface Job {
  readonly data: unknown
  readonly attemptsMade: number
  moveToDelayed(time: number, token?: string): Promise<void>
}

interface Closable {
  on(event: 'error', listener: (error: Error) => void): unknown
  close(): Promise<void>
}

export interface Queue extends Closable {
  add(name: string, data: object, options: object): Promise<unknown>
  drain(delayed: boolean): Promise<void>
  obliterate(options: { force: boolean }): Promise<void>
  getJobState(id: string): Promise<string>
}

export interface BullMq {
  Queue: new (name: string, options: object) => Queue
  Worker: new (name: string, handle: (job: Job, token?: string) => Promise<void>, options: object) => Closable
  DelayedError: new () => Error
}

type Redis = new (url: string, options: object) => Client

const required = createRequire(import.meta.url)

function peer<T>(name: string): T {
  try {
    return required(name)
  } catch (cause) {
    throw new ClusterError(`sluice/cluster needs ${name}, which is not installed: npm install bullmq ioredis`, {
      cause,
    })
  }
}

/** @throws ClusterError  it is not installed */
export const bullmq = (): BullMq => peer<BullMq>('bullmq')

/**
 * A connection, which is made anew whenever it is lost.
 * @throws ClusterError  ioredis is not installed; the server does not answer or lets nobody in. Names no password
 */
export async function connected(url: string): Promise<Client> {
  const { Redis } = peer<{ Redis: Redis }>('ioredis')
  let last = ''
  const { host, where } = placeIn(url)
  const client = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(50 * times, 1000),
  })
  client.on('error', (error) => {
    last = reasonOf(error)
  })
  const timer = setTimeout(() => client.disconnect(), PATIENCE_MS)
  try {
    await client.connect()
    await client.get('')
    return client
  } catch (cause) {
    client.disconnect()
    throw new ClusterError(`Redis at ${host}${where} does not answer: ${last || reasonOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** How long the first connection may take. */
const PATIENCE_MS = 10_000

/** @throws ClusterError  not the address of a Redis server */
function placeIn(url: string): { host: string; where: string } {
  try {
    const { protocol, hostname, port } = new URL(url)
    if (protocol === 'redis:' || protocol === 'rediss:') return { host: hostname, where: `:${port || 6379}` }
  } catch {}
  throw new ClusterError(
    'the address of Redis is not one: write redis://HOST:PORT, or rediss://USER:PASSWORD@HOST for TLS',
  )
}
