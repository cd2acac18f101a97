/** `sluice serve-train`: a training whose gradients workers compute; `sluice work` is one of them. */
import { parseArgs } from 'node:util'
import { type ClusterStatus, serve } from '../cluster/index.js'
import { formatBytes, parseBytes } from '../memory/bytes.js'
import type { FitOptions } from '../stream/options.js'
import { JOB_OPTIONS, KEEP } from './flags.js'
import type { Command } from './io.js'
import { TEXT } from './keep.js'
import { describeExamples, describeOptions, type Options, parseOptions, reading, UsageError, whole } from './options.js'
import { type Cluster, trainWith } from './train.js'

export const ENGINE = {
  redis: {
    type: 'string',
    value: 'URL',
    help: 'redis://HOST:PORT, or rediss://USER:PASSWORD@HOST with TLS (REDIS_URL)',
  },
  name: {
    type: 'string',
    default: 'training',
    value: 'NAME',
    help: 'of the training: coordinator and workers share it',
  },
} as const

const CLUSTER = {
  ...ENGINE,
  smallest: {
    type: 'string',
    value: 'SIZE',
    help: 'budget of the smallest worker, for which ranges are planned (--memory)',
  },
  range: { type: 'string', value: 'N', help: 'samples of a job (one micro-batch)' },
  send: { type: 'boolean', help: 'samples travel with the jobs, and workers need no data' },
} as const

const EXAMPLES = {
  'sluice serve-train --redis redis://localhost --checkpoint run.safetensors': 'the coordinator',
  'sluice work --redis redis://localhost --memory 2MiB': 'a worker, on this machine or another',
} as const

const { help: HELP, ...OPTIONS } = JOB_OPTIONS

/** How often to look at the workers. */
const LOOK_MS = 1000

export const serveTrain: Command = {
  name: 'serve-train',
  summary: 'train, with gradients that workers compute (see work)',
  help: () =>
    `Usage: sluice serve-train --redis URL [options]

Trains as sluice train does, with the same options, but the gradients are computed by workers: any number of
sluice work, each under its own budget. The result does not depend on them, to the bit. --memory is what this
process takes, which keeps the model, updates and evaluates it. Needs bullmq and ioredis (npm install bullmq ioredis).

${describeOptions({ ...CLUSTER, ...OPTIONS, ...KEEP, help: HELP })}

${describeExamples(EXAMPLES)}
`,
  async run(args, io) {
    const { own, rest } = taken(args, CLUSTER)
    const { values } = parseOptions('serve-train', own, CLUSTER)
    const smallest =
      values.smallest === undefined ? undefined : reading('--smallest', () => parseBytes(values.smallest ?? ''))
    const range = values.range === undefined ? undefined : whole('--range', values.range, 1)
    return trainWith(rest, io, serveTrain.help(), async (streamer, { flags }): Promise<Cluster> => {
      const description = JSON.stringify({ [TEXT]: JSON.stringify(flags) })
      const coordinator = await serve({ streamer, ...engineOf(values), description })
      let status: ClusterStatus = await coordinator.status()
      const timer = setInterval(() => {
        coordinator.status().then(
          (now) => {
            status = now
          },
          () => {},
        )
      }, LOOK_MS)
      return {
        fit: (source, options: FitOptions) =>
          coordinator.fit(source, { ...options, range, smallest, send: values.send }),
        told: () => told(status),
        fields: () => status,
        async close() {
          clearInterval(timer)
          await coordinator.close()
        },
      }
    })
  },
}

function told({ workers, inFlight, sentBytes, receivedBytes }: ClusterStatus): string[] {
  const count = workers.length === 1 ? '1 worker' : `${workers.length} workers`
  return [count, `${inFlight} in flight`, `${formatBytes(sentBytes)} out, ${formatBytes(receivedBytes)} in`]
}

/** @throws UsageError  no address of a Redis server */
export function engineOf({ redis = process.env.REDIS_URL, name }: { redis?: string; name: string }) {
  if (redis) return { redis, name }
  throw new UsageError('give the address of a Redis server: --redis redis://HOST:PORT, or REDIS_URL in the environment')
}

/** The arguments that give some of these options, and the rest. */
function taken(args: readonly string[], options: Options): { own: string[]; rest: string[] } {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const at = new Set<number>()
  for (const token of tokens) {
    if (token.kind !== 'option' || !(token.name in options)) continue
    at.add(token.index)
    if (token.value !== undefined && !token.inlineValue) at.add(token.index + 1)
  }
  return { own: args.filter((_, i) => at.has(i)), rest: args.filter((_, i) => !at.has(i)) }
}
