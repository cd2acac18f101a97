/** The `sluice` program: a process around run.ts. */
import { EXIT, type Io } from './io.js'
import { run } from './run.js'

// A reader that closes the pipe (`| head`) wants no more output and no message. Other errors, such as a full disk, are
// reported. In both cases the process ends, because nobody would read the rest.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') io.err(`sluice: standard output: ${error.message}\n`)
  process.exit(EXIT.failed)
})
// A message has no other place to go, but the exit code still reports the failure.
process.stderr.on('error', () => {})

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTTY: process.stdout.isTTY ?? false,
  get columns() {
    return process.stdout.columns || 80
  },
  async interruptible(fn) {
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    // `once`: the second Ctrl-C finds no handler, so it kills the process.
    process.once('SIGINT', abort)
    try {
      return await fn(controller.signal)
    } finally {
      process.off('SIGINT', abort)
    }
  },
}

process.exitCode = await run(process.argv.slice(2), io)
