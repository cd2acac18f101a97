/**
 * A peer's side of the conversation: one process, one workload, alive until its input ends.
 *
 *   first line out   { version }, or { absent: why }
 *   a line in        { untimed, timed }: how many steps to run
 *   a line out       { ms: [one for each timed step], losses: [the first four of all], probe }
 */
import { createInterface } from 'node:readline'
import { Absent } from './absent.mjs'

const KEPT_LOSSES = 4

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

/**
 * @param describe  () => version
 * @param make      (workload) => { step, probe? }: step runs one step to its end and returns the loss, if there is one;
 *                  probe returns the element of the last result that is compared (PROBE in workloads.mjs)
 */
export async function serve(describe, make) {
  // messages of libraries must not get between the lines
  console.log = console.info = console.warn = console.error
  try {
    const { step, probe } = await make(process.argv[2])
    const losses = []
    const run = async () => {
      const loss = await step()
      if (loss !== undefined && losses.length < KEPT_LOSSES) losses.push(loss)
    }
    say({ version: await describe() })
    for await (const line of createInterface({ input: process.stdin })) {
      const { untimed, timed } = JSON.parse(line)
      for (let i = 0; i < untimed; i++) await run()
      const ms = []
      for (let i = 0; i < timed; i++) {
        const started = performance.now()
        await run()
        ms.push(performance.now() - started)
      }
      say({ ms, losses, probe: await probe?.() })
    }
  } catch (error) {
    say({ absent: String(error?.message ?? error).split('\n')[0], broken: !(error instanceof Absent) })
  }
  process.exit(0)
}
