/**
 * The process of a peer, as the bench uses it: it runs a few steps at a time, and is stopped in between.
 *
 * A signal stops the process when it has answered, and another continues it before the next request. Otherwise
 * PyTorch's waiting threads, which spin as long as OpenMP is told to, would take a core from the process that is
 * measured next.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** The length of a turn, long compared with a tick of the clock, a signal and a cold cache. */
const TURN_MS = 60
/**
 * The warm-up, in which code is compiled and threads are started: at least this many steps and this long, but not
 * longer than LONGEST_WARM_UP_MS.
 */
const WARM_UP_STEPS = 5
const SHORTEST_WARM_UP_MS = 300
const LONGEST_WARM_UP_MS = 3000
/**
 * If steps are shorter than this, each turn begins with an untimed step that refills the caches after another process
 * has run.
 */
const REFILL_BELOW_MS = 250

/** After this silence a peer is taken to hang: the longest known step takes twenty seconds. */
const LONGEST_SILENCE_MS = 180_000

/** The time, in milliseconds, for which the threads of a process have had a core; on Linux. */
function cpuMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1e6
}

/** The running processes, which the bench ends when it ends: a stopped process would stay forever. */
const running = new Set()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) process.on(signal, () => process.exit(code))

export class Player {
  /** the reason why the player does not take part, or null */
  absent = null
  version = ''
  setting = {}
  /** one figure for each turn: the median of its steps */
  turns = []
  minMs = Infinity
  losses = []
  probe = null
  #process = null
  #lines = null
  #complaint = ''
  #turn = { untimed: 0, timed: 1 }

  /** @param onCpu  count the time on a core, instead of the time on the clock */
  constructor(name, threads, onCpu = false) {
    this.name = name
    this.threads = threads
    this.onCpu = onCpu
  }

  /** Starts the process and warms it up; afterwards it is stopped, or `absent` has the reason why it does not run. */
  async start([file, ...words], environment = {}) {
    this.#process = spawn(file, words, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] })
    running.add(this.#process)
    this.#process.on('error', (error) => this.#hear(error.message))
    this.#process.stderr.on('data', (chunk) => this.#hear(`${chunk}`))
    // the end of its output tells that the process has ended
    this.#process.stdin.on('error', () => {})
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
    const hello = await this.#listen()
    if (!hello) return
    this.version = hello.version
    const started = performance.now()
    let stepMs = 0
    for (let steps = 0, ms = 0; ms < LONGEST_WARM_UP_MS; steps++, ms = performance.now() - started) {
      if (steps >= WARM_UP_STEPS && ms > SHORTEST_WARM_UP_MS) break
      const answer = await this.#ask({ untimed: 0, timed: 1 })
      if (!answer) return
      stepMs = answer.ms[0]
    }
    this.#turn = {
      untimed: stepMs < REFILL_BELOW_MS ? 1 : 0,
      timed: Math.max(1, Math.min(100, Math.round(TURN_MS / stepMs))),
    }
  }

  /** One turn; its figure is added to `turns`. */
  async play() {
    const { untimed, timed } = this.#turn
    if (this.onCpu) await this.#ask({ untimed, timed: 0 })
    const before = this.onCpu ? cpuMs(this.#process.pid) : 0
    const answer = await this.#ask(this.onCpu ? { untimed: 0, timed } : this.#turn)
    if (!answer) throw new Error(`${this.name} ended in the middle: ${this.absent}`)
    const ms = this.onCpu ? [(cpuMs(this.#process.pid) - before) / timed] : answer.ms
    this.turns.push(median(ms))
    this.minMs = Math.min(this.minMs, ...ms)
  }

  end() {
    this.#process?.kill('SIGKILL')
    running.delete(this.#process)
  }

  async #ask(order) {
    this.#process.kill('SIGCONT')
    this.#process.stdin.write(`${JSON.stringify(order)}\n`)
    const answer = await this.#listen()
    this.#process.kill('SIGSTOP')
    if (answer) Object.assign(this, { losses: answer.losses, probe: answer.probe })
    return answer
  }

  async #listen() {
    const hangs = setTimeout(() => {
      this.#hear(`error: no answer in ${LONGEST_SILENCE_MS / 1000} seconds`)
      this.end()
    }, LONGEST_SILENCE_MS)
    const { value, done } = await this.#lines.next()
    clearTimeout(hangs)
    const message = done ? { absent: this.#lastWords() } : JSON.parse(value)
    if (message.absent === undefined) return message
    this.absent = message.absent
    this.end()
    return null
  }

  #hear(text) {
    this.#complaint = (this.#complaint + text).slice(-8000)
  }

  #lastWords() {
    const lines = this.#complaint.split('\n').filter((line) => line.trim() !== '')
    return (
      lines.find((line) => /error/i.test(line))?.trim() ?? lines.at(-1)?.trim() ?? 'its process ended without a word'
    )
  }
}

export function median(values) {
  return quantile(values, 0.5)
}

/** A quantile of values, by linear interpolation. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const low = Math.floor(at)
  return sorted[low] + (sorted[Math.ceil(at)] - sorted[low]) * (at - low)
}
