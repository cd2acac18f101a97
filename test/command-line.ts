/** The command line in tests: in this process with its output caught, or as a process of its own. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EXIT, type Io } from '../src/cli/io.js'
import { plain } from '../src/cli/paint.js'
import { run } from '../src/cli/run.js'
import { CHILD_ENV } from './child-env.js'

export interface Outcome {
  code: number
  out: string
  err: string
}

/** A line of `--json`. */
export interface Event {
  event: string
  [field: string]: unknown
}

/** Arguments in a list, or with a space between any two. */
type Arguments = string | readonly string[]
const listOf = (args: Arguments): readonly string[] =>
  typeof args !== 'string' ? args : args === '' ? [] : args.split(' ')

interface Options extends Partial<Io> {
  /** what Ctrl-C does in a process */
  signal?: AbortSignal
}

/** Runs a command in this process. */
export async function sluice(args: Arguments, { signal, ...options }: Options = {}): Promise<Outcome> {
  const outcome = { code: -1, out: '', err: '' }
  outcome.code = await run(listOf(args), {
    isTTY: false,
    columns: 80,
    paint: plain,
    paintErr: plain,
    interruptible: (fn) => fn(signal ?? new AbortController().signal),
    ...options,
    out: (text) => {
      outcome.out += text
      options.out?.(text)
    },
    err: (text) => {
      outcome.err += text
      options.err?.(text)
    },
  })
  return outcome
}

/** The lines of `--json`. */
export const eventsIn = (text: string): Event[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The events of a command, which must succeed. */
export async function eventsOf(args: Arguments): Promise<Event[]> {
  const { code, out, err } = await sluice([...listOf(args), '--json'])
  assert.is(code, EXIT.done, err)
  assert.is(err, '')
  return eventsIn(out)
}

export const named = (all: readonly Event[], name: string): Event[] => all.filter(({ event }) => event === name)

/** A field of an event that is a number. */
export const number = (event: Event, field: string): number => {
  const value = event[field]
  assert.type(value, 'number', `${event.event}.${field}`)
  return Number(value)
}

export const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  out: string
  err: string
}

/** The program itself, in a process of its own that runs `before` first. */
export function start(args: Arguments, stdio: StdioOptions = 'pipe', before = '') {
  const preload = before === '' ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before)}`]
  const child: ChildProcess = spawn(process.execPath, [...preload, MAIN, ...listOf(args)], {
    env: CHILD_ENV,
    stdio,
  })
  const shown = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown.out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    shown.err += text
  })
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, ...shown }))
  return { child, ended }
}

/** A folder that is there for the tests of one file, and a path in it. */
export function scratch(name: string): { folder: string; at: (file: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), `sluice-${name}-`))
  test.after(() => rmSync(folder, { recursive: true }))
  return { folder, at: (file) => join(folder, file) }
}
