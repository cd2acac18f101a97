/** The input and output of a command: main.ts passes those of the process, and tests pass their own. */

import type { Paint } from './paint.js'

export interface Io {
  /** standard output, as it is: no newline is added */
  out(text: string): void
  /** standard error; no newline is added */
  err(text: string): void
  /** is standard output a terminal that can redraw a line? */
  isTTY: boolean
  /** its width */
  columns: number
  /** colours text for standard output, where that is a terminal with colours */
  paint: Paint
  /** the same for standard error */
  paintErr: Paint
  /**
   * Run `fn`, a training. While it runs the first Ctrl-C, or SIGTERM, aborts its signal and a second one kills the process.
   * At all other times every one kills, so that a long computation can be stopped.
   */
  interruptible<T>(fn: (signal: AbortSignal) => Promise<T>): Promise<T>
}

export const EXIT = { done: 0, failed: 1, usage: 2, doesNotFit: 3, interrupted: 130, terminated: 143 } as const

export interface Command {
  readonly name: string
  /** the description in the list of commands */
  readonly summary: string
  /** the text of `sluice NAME --help` */
  help(): string
  /** @returns the exit code; what it throws becomes one in run.ts */
  run(args: readonly string[], io: Io): Promise<number>
}

/** One line of `--json`. A number that JSON cannot express is null. */
export function emit(io: Pick<Io, 'out'>, event: string, fields: object): void {
  io.out(`${JSON.stringify({ event, ...fields })}\n`)
}
