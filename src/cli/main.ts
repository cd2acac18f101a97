#!/usr/bin/env node
/** The `sluice` program: a process around run.ts. */
import type { Io } from './io.js'
import { run } from './run.js'

const controller = new AbortController()
// Once: the first Ctrl-C asks for an end, the second finds no handler and kills.
process.once('SIGINT', () => controller.abort())

// A reader that closes the pipe (`| head`) has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(1)
  throw error
})

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTTY: process.stdout.isTTY ?? false,
  get columns() {
    return process.stdout.columns || 80
  },
  signal: controller.signal,
}

process.exitCode = await run(process.argv.slice(2), io)
