/**
 * Compares Sluice with other libraries on the fixed workloads; Sluice and a peer take turns.
 *
 *   npm ci --prefix test/bench && npm run --prefix test/bench bench -- [OPTIONS] [WORKLOAD...]
 *
 *   --json            one JSON line for each peer and number of threads instead of a table
 *   --peers A,B       default all; those that cannot run are named with the reason
 *   --threads 1,2     default
 *   --pairs 25        turns of each player; a slow contest ends after --seconds 60, but not before 3 turns
 *   --cpu             compare the time on a core, not the time on the clock: for one thread on a busy machine with Linux
 *   --write FILE      default results.json: machine, versions, and all lines
 *
 * SLUICE_NODE: another Node binary for Sluice. The exit code is 1 if the results of a peer differ from the others.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { contest, ratio, spread, sweep } from './contest.mjs'
import { PEERS } from './roster.mjs'
import { printTable } from './table.mjs'
import { expectedProbe, gflops, KNOWN_LOSSES, LOSS_TOLERANCE, MICRO_BATCHES, SWEEPS, WORKLOADS } from './workloads.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    peers: { type: 'string', default: Object.keys(PEERS).join() },
    threads: { type: 'string', default: '1,2' },
    pairs: { type: 'string', default: '25' },
    seconds: { type: 'string', default: '60' },
    cpu: { type: 'boolean', default: false },
    write: { type: 'string', default: new URL('results.json', import.meta.url).pathname },
  },
})
const workloads = positionals.length > 0 ? positionals : WORKLOADS
const peers = values.peers.split(',').filter((name) => name !== 'sluice')
const options = {
  threads: values.threads.split(',').map(Number),
  pairs: Number(values.pairs),
  seconds: Number(values.seconds),
  onCpu: values.cpu,
}
for (const [kind, names, known] of [
  ['workload', workloads, WORKLOADS],
  ['peer', peers, Object.keys(PEERS)],
]) {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) fail(`there is no ${kind} ${unknown}: ${known.join(', ')}`)
}
if (!existsSync(new URL('../../dist/src/index.js', import.meta.url))) fail('build the library first: npm ci')

function fail(message) {
  console.error(message)
  process.exit(2)
}

const round = (value, digits) => value && Number(value.toFixed(digits))
const rounded = (record, digits) =>
  Object.fromEntries(Object.entries(record).map(([key, x]) => [key, round(x, digits)]))

/** The figures of a player, whose turns may come from several contests. */
function line(workload, player, turns = player.turns, minMs = player.minMs) {
  const { name, threads, absent, version, setting, losses, microBatch } = player
  const who = { peer: name, workload, threads, ...(microBatch && { microBatch }) }
  if (absent) return { ...who, absent }
  const { median: ms, q1, q3 } = spread(turns)
  return {
    ...who,
    ...{ median_ms: round(ms, 3), min_ms: round(minMs, 3), q1_ms: round(q1, 3), q3_ms: round(q3, 3) },
    ...{ turns: turns.length, gflops: round(gflops(workload, ms), 2) },
    losses: losses.map((loss) => round(loss, 5)),
    version,
    ...(Object.keys(setting).length > 0 && { setting }),
  }
}

/** What is wrong with the results of a player. */
function wrong(workload, player, reference) {
  if (player.absent) return []
  const where = `${player.name}, ${workload}, ${player.threads} threads`
  const expected = KNOWN_LOSSES[workload] ?? reference?.losses ?? []
  const errors = player.losses.flatMap((loss, i) =>
    Math.abs(loss - expected[i]) <= LOSS_TOLERANCE ? [] : [`${where}: loss ${i + 1} is ${loss}, not ${expected[i]}`],
  )
  if (/^(matmul|conv\d)/.test(workload)) {
    const { value, tolerance } = expectedProbe(workload)
    if (!(Math.abs(player.probe - value) <= tolerance)) errors.push(`${where}: ${player.probe} instead of ${value}`)
  }
  return errors
}

async function compare(workload) {
  const contests = []
  for (const peer of peers) contests.push(await contest(workload, peer, options))
  // Sluice runs even if no peer does
  if (!contests.some((players) => players.some((p) => p.name === 'sluice' && p.turns.length > 0)))
    contests.push(await contest(workload, null, options))
  const all = contests.flat()
  const reference = all.find((player) => player.losses.length > 0)
  errors.push(...all.flatMap((player) => wrong(workload, player, reference)))
  const own = options.threads.map((threads) => {
    const same = all.filter((player) => player.name === 'sluice' && player.threads === threads)
    const played = same.filter((player) => player.turns.length > 0)
    if (played.length === 0) return line(workload, same[0])
    const turns = played.flatMap((player) => player.turns)
    return line(workload, played[0], turns, Math.min(...played.map(({ minMs }) => minMs)))
  })
  const others = contests.flatMap((players) => {
    const sluices = players.filter((player) => player.name === 'sluice' && player.turns.length > 0)
    return players
      .filter((player) => player.name !== 'sluice')
      .map((player) => ({
        ...line(workload, player),
        ...(!player.absent && {
          timesSluice: Object.fromEntries(sluices.map((own) => [own.threads, rounded(ratio(player, own), 3)])),
        }),
      }))
  })
  return [...own, ...others]
}

async function compareMicroBatches(workload) {
  const players = await sweep(workload, MICRO_BATCHES, options)
  const reference = players.find((player) => player.losses.length > 0)
  errors.push(...players.flatMap((player) => wrong(workload, player, reference)))
  return players.map((player) => {
    const whole = players.find((other) => other.threads === player.threads && other.microBatch === MICRO_BATCHES.at(-1))
    const said = line(workload, player)
    return player.absent ? said : { ...said, timesWholeBatch: rounded(ratio(player, whole), 3) }
  })
}

const errors = []
const lines = []
const machine = {
  date: new Date().toISOString(),
  cpu: cpus()[0].model,
  cores: availableParallelism(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  loadBefore: loadavg()[0],
}
for (const workload of workloads) {
  const found = SWEEPS.includes(workload) ? await compareMicroBatches(workload) : await compare(workload)
  lines.push(...found)
  if (values.json) for (const one of found) console.log(JSON.stringify(one))
  else printTable(workload, found)
}
machine.loadAfter = loadavg()[0]
if (!values.json)
  console.log(`\n${machine.date}, ${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore.toFixed(1)} before`)
writeFileSync(values.write, `${JSON.stringify({ machine, lines, errors }, null, 1)}\n`)
for (const error of errors) console.error(`wrong: ${error}`)
process.exit(errors.length > 0 ? 1 : 0)
