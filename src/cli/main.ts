/** The `sluice` program: a process around run.ts. */
import { EXIT, type Io } from './io.js'
import { coloured, type Paint, plain } from './paint.js'
import { run } from './run.js'

/** Ctrl-C, and what `kill`, systemd and container runtimes send first. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

// A reader that closes the pipe (`| head`) wants no more output and no message. Other errors, such as a full disk, are
// reported. In both cases the process ends, because nobody would read the rest.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') io.err(`sluice: standard output: ${error.message}\n`)
  process.exit(EXIT.failed)
})
// A message has no other place to go, but the exit code still reports the failure.
process.stderr.on('error', () => {})

/** Node knows NO_COLOR, FORCE_COLOR and TERM. */
const paintFor = (stream: NodeJS.WriteStream): Paint => (stream.hasColors?.() ? coloured : plain)

/** What ended the training. */
let ended: NodeJS.Signals | null = null

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTTY: process.stdout.isTTY ?? false,
  get columns() {
    return process.stdout.columns || 80
  },
  paint: paintFor(process.stdout),
  paintErr: paintFor(process.stderr),
  async interruptible(fn) {
    const controller = new AbortController()
    // the next signal finds no handler, so it kills the process
    const off = (): void => {
      for (const signal of SIGNALS) process.off(signal, abort)
    }
    const abort = (signal: NodeJS.Signals): void => {
      ended = signal
      off()
      controller.abort()
    }
    for (const signal of SIGNALS) process.on(signal, abort)
    try {
      return await fn(controller.signal)
    } finally {
      off()
    }
  },
}

const code = await run(process.argv.slice(2), io)
process.exitCode = code === EXIT.interrupted && ended === 'SIGTERM' ? EXIT.terminated : code
