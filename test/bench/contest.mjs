/** Players take turns, round after round. Only turns of the same round are compared. */

import { median, Player, quantile } from './player.mjs'
import { PEERS } from './roster.mjs'

/** The smallest number of rounds, even in a slow contest. */
const FEWEST_ROUNDS = 3
/** The turns of each setting before the best one is chosen. */
const TRIAL_TURNS = 7

/** Each player in turn, `pairs` times, or fewer if that takes longer than `seconds`. */
async function playRounds(players, { pairs, seconds }) {
  const started = performance.now()
  for (let round = 0; round < pairs; round++) {
    if (round >= FEWEST_ROUNDS && performance.now() - started > seconds * 1000) break
    for (const player of players) await player.play()
  }
}

/** A peer's player, in its best setting, or absent. */
export async function enlist(name, workload, threads, onCpu) {
  const { command, environment, settings = [{}], limit = [Infinity, ''] } = PEERS[name]
  const [most, why] = limit
  if (threads > most) return Object.assign(new Player(name, threads, onCpu), { absent: why })
  const candidates = []
  for (const setting of settings) {
    const player = Object.assign(new Player(name, threads, onCpu), { setting })
    await player.start(command(workload, `${threads}`), { ...environment?.(threads), ...setting })
    if (player.absent) {
      for (const other of candidates) other.end()
      return player
    }
    candidates.push(player)
  }
  if (candidates.length === 1) return candidates[0]
  await playRounds(candidates, { pairs: TRIAL_TURNS, seconds: Infinity })
  const [best, ...others] = candidates.sort((a, b) => median(a.turns) - median(b.turns))
  for (const other of others) other.end()
  best.turns = []
  best.minMs = Infinity
  return best
}

/**
 * A peer against Sluice: Sluice with one thread, the peer with one, Sluice with two, the peer with two, and again.
 * @returns  all players; their processes have ended
 */
export async function contest(workload, peer, { threads, onCpu, ...limits }) {
  const players = []
  for (const count of threads)
    for (const name of peer ? ['sluice', peer] : ['sluice']) players.push(await enlist(name, workload, count, onCpu))
  const present = players.filter((player) => !player.absent)
  // if the peer is absent there is nothing to compare
  if (!peer || present.some((player) => player.name === peer)) await playRounds(present, limits)
  for (const player of present) player.end()
  return players
}

/** Sluice alone, with several sizes of micro-batches. */
export async function sweep(workload, sizes, { threads, onCpu, ...limits }) {
  const players = []
  for (const count of threads)
    for (const size of sizes)
      players.push(Object.assign(await enlist('sluice', `${workload}/${size}`, count, onCpu), { microBatch: size }))
  const present = players.filter((player) => !player.absent)
  await playRounds(present, limits)
  for (const player of present) player.end()
  return players
}

export const spread = (values) => ({
  median: median(values),
  q1: quantile(values, 0.25),
  q3: quantile(values, 0.75),
})

/** The time of `player` divided by the time of `base`, round by round. */
export function ratio(player, base) {
  return { ...spread(player.turns.map((ms, round) => ms / base.turns[round])), pairs: player.turns.length }
}
