/** A contest in a page: Sluice's gpu device and a peer take turns. */
import { OPEN } from './gpu-players.mjs'

/** The length of a turn, long compared with the wait for its end. */
const TURN_MS = 60
const WARM_UP_STEPS = 4
const KEPT_LOSSES = 4
/** The smallest number of pairs, even in a slow contest. */
const FEWEST_PAIRS = 3

class Player {
  turns = []
  losses = []
  repeats = 1

  constructor({ step, probe, drain }) {
    this.step = step
    this.probe = probe
    this.drain = drain
  }

  /** @returns milliseconds a step, from an idle GPU to an idle GPU */
  async play(steps) {
    const started = performance.now()
    for (let i = 0; i < steps; i++) {
      const loss = await this.step()
      if (typeof loss === 'number' && this.losses.length < KEPT_LOSSES) this.losses.push(loss)
    }
    await this.drain()
    return (performance.now() - started) / steps
  }

  /** Compile everything, and find how many steps make a turn. */
  async warmUp() {
    await this.play(WARM_UP_STEPS)
    this.repeats = Math.max(1, Math.min(100, Math.round(TURN_MS / (await this.play(1)))))
    return this
  }

  async turn() {
    this.turns.push(await this.play(this.repeats))
  }

  async result() {
    const { turns, losses, probe } = this
    return { turns, losses, probe: await probe?.() }
  }
}

/** A peer that fails is absent, for the reason that its error names. Sluice must not fail. */
async function enlist(workload, peer) {
  try {
    return await new Player(await OPEN[peer](workload)).warmUp()
  } catch (error) {
    return { absent: String(error?.message ?? error).split('\n')[0] }
  }
}

/** `pairs` turns each, or fewer if that takes longer than `seconds`. The two take turns in beginning a pair. */
export async function contest(workload, peer, { pairs, seconds }) {
  const { renderer, ...opened } = await OPEN.sluice(workload)
  const own = await new Player(opened).warmUp()
  const other = await enlist(workload, peer)
  if (other.absent) return { renderer, absent: other.absent }
  const started = performance.now()
  for (let pair = 0; pair < pairs; pair++) {
    if (pair >= FEWEST_PAIRS && performance.now() - started > seconds * 1000) break
    for (const player of pair % 2 === 0 ? [own, other] : [other, own]) await player.turn()
  }
  return { renderer, own: await own.result(), other: await other.result() }
}
