/** Finds the command, runs it, and turns what it throws into messages and an exit code. */
import { readFileSync } from 'node:fs'
import { BudgetExceededError } from '../memory/allocator.js'
import { SluiceError } from '../memory/errors.js'
import { nearest } from '../memory/nearest.js'
import { DoesNotFitError, InterruptedError, StoreExceededError } from '../stream/errors.js'
import { devices } from './devices.js'
import { gradcheck } from './gradcheck.js'
import { type Command, EXIT, emit, type Io } from './io.js'
import { UsageError } from './options.js'
import { plan } from './plan.js'
import { plot } from './plot.js'
import { predict } from './predict.js'
import { serveTrain } from './serve.js'
import { train } from './train.js'
import { verify } from './verify.js'
import { weights } from './weights.js'
import { work } from './work.js'

const COMMANDS: readonly Command[] = [train, plan, plot, predict, weights, verify, gradcheck, devices, serveTrain, work]
const NAMES = [...COMMANDS.map(({ name }) => name), 'help']

/**
 * @param args  the arguments after `sluice`
 * @returns the exit code; never rejects
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(args, io)
  } catch (error) {
    return explain(error, args, io)
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<number> {
  if (name === undefined) {
    io.err(overview())
    return EXIT.usage
  }
  if (name === '--version') {
    io.out(`${version()}\n`)
    return EXIT.done
  }
  if (name === 'help' || name === '--help') {
    io.out(rest.length > 0 ? find(rest[0]).help() : overview())
    return EXIT.done
  }
  return find(name).run(rest, io)
}

function find(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name)
  if (command) return command
  throw new UsageError(`there is no command '${name}'; the nearest is ${nearest(name, NAMES)}`)
}

function overview(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`)
  return `Usage: sluice COMMAND [options]

Trains with large mini-batches under a hard byte budget.

${lines.join('\n')}
  help        this text, or the text of a command

sluice COMMAND --help says more; sluice --version says which version this is.
`
}

function version(): string {
  const file: { version: string } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  return file.version
}

/** A message for people on standard error; with --json the same for programs on standard output. */
function explain(error: unknown, args: readonly string[], io: Io): number {
  const ours = error instanceof SluiceError
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  if (args.includes('--json')) {
    const minimumBudgetBytes = error instanceof DoesNotFitError ? error.minimumBudgetBytes : undefined
    const minimumStoreBytes = error instanceof StoreExceededError ? error.neededBytes : undefined
    emit(io, 'error', { name, message, minimumBudgetBytes, minimumStoreBytes })
  }
  const known = COMMANDS.find((command) => command.name === args[0])
  io.err(`${io.paintErr('red', 'sluice:')} ${ours ? message : (stack ?? message)}\n`)
  if (error instanceof UsageError) {
    io.err(`Usage: sluice ${known?.name ?? 'COMMAND'} [options]; see sluice ${known ? `${known.name} ` : ''}--help\n`)
    return EXIT.usage
  }
  if (error instanceof InterruptedError) return EXIT.interrupted
  return isTooLarge(error) ? EXIT.doesNotFit : EXIT.failed
}

const isTooLarge = (error: unknown): boolean =>
  [DoesNotFitError, StoreExceededError, BudgetExceededError].some((kind) => error instanceof kind)
