/** Redis, a coordinator and workers as processes, for the tests and measurements of this folder. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** bullmq and ioredis are here, and not beside the library */
export const ENV = { ...process.env, NODE_PATH: join(HERE, 'node_modules'), FORCE_COLOR: undefined, NO_COLOR: '1' }

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** A redis-server with an append-only file in a folder of its own. */
export class Redis {
  static async start(options = []) {
    const redis = new Redis()
    redis.dir = mkdtempSync(join(tmpdir(), 'sluice-redis-'))
    redis.port = await freePort()
    redis.options = options
    await redis.run()
    return redis
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`
  }

  async run() {
    const args = ['--port', this.port, '--bind', '127.0.0.1', '--dir', this.dir, '--save', '', '--appendonly', 'yes']
    this.process = spawn('redis-server', [...args.map(String), ...this.options], { stdio: 'ignore' })
    this.process.on('error', () => {})
    for (let i = 0; i < 100; i++) {
      await sleep(50)
      if ((await this.ask('PING')) === 'PONG') return
    }
    throw Error('redis-server did not start: apt-get install redis-server')
  }

  /** The answer of redis-cli. */
  ask(...words) {
    return new Promise((resolve) => {
      const child = spawn('redis-cli', ['-p', String(this.port), ...words.map(String)], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      let text = ''
      child.stdout.on('data', (chunk) => {
        text += chunk
      })
      child.on('error', () => resolve(''))
      child.on('close', () => resolve(text.trim()))
    })
  }

  async number(name) {
    return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await this.ask('INFO'))?.[1])
  }

  async kill(signal = 'SIGTERM') {
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill(signal)
    await ended
  }

  async restart(signal) {
    await this.kill(signal)
    await this.run()
  }

  async end() {
    await this.kill('SIGKILL')
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** A process that prints a JSON object on each line. */
export class Child {
  constructor(file, options) {
    this.events = []
    this.errors = ''
    const args = file.endsWith('.mjs') ? [join(HERE, file), JSON.stringify(options)] : [file, ...options]
    this.process = spawn(process.execPath, ['--expose-gc', ...args], { env: ENV, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stderr.on('data', (chunk) => {
      this.errors += chunk
    })
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line))
      this.onEvent?.(this.events.at(-1))
    })
    this.ended = new Promise((resolve) => this.process.once('close', (code, signal) => resolve(code ?? signal)))
  }

  kill(signal) {
    this.process.kill(signal)
    return this.ended
  }

  of(event) {
    return this.events.filter((each) => each.event === event)
  }

  /** Wait until this event has come so often. */
  async until(event, count = 1) {
    let isOver = false
    this.ended.then(() => {
      isOver = true
    })
    while (this.of(event).length < count) {
      if (isOver) throw Error(`it ended before ${event} ${count}: ${this.errors}`)
      await sleep(20)
    }
    return this.of(event).at(-1)
  }
}

export const work = (redis, options) => new Child('worker.mjs', { redis: redis.url, patienceMs: 2000, ...options })
export const serve = (redis, options) => new Child('coordinator.mjs', { redis: redis.url, ...options })
