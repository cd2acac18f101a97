/** A contest in a page: Sluice's gpu device and, where the page has it as `tf`, TensorFlow.js on WebGL take turns. */
import { openDevice } from '../../dist/src/index.js'
import * as sluice from './peers/sluice-steps.mjs'
import * as tfjs from './peers/tfjs-steps.mjs'

/** How long a turn lasts, so that waiting for its end is small beside it. */
const TURN_MS = 60
const WARM_UP_STEPS = 4
const KEPT_LOSSES = 4

/** A player who has warmed up. */
class Player {
  turns = []
  losses = []

  constructor(version, gl, { step, probe }) {
    this.version = version
    this.gl = gl
    this.step = step
    this.probe = probe
  }

  /** Milliseconds a step, from nothing to do until nothing is left to do. */
  async play(steps) {
    const started = performance.now()
    for (let i = 0; i < steps; i++) {
      const loss = await this.step()
      if (typeof loss === 'number' && this.losses.length < KEPT_LOSSES) this.losses.push(loss)
    }
    drain(this.gl)
    return (performance.now() - started) / steps
  }

  async result() {
    const { version, turns, losses, probe } = this
    return { version, turns, losses, probe: await probe?.() }
  }
}

const pixels = new WeakMap()

/** Wait until a context has done all that it was asked for: `finish` does not wait in a page, a read of a pixel does. */
function drain(gl) {
  if (!pixels.has(gl)) pixels.set(gl, pixelOf(gl))
  const before = gl.getParameter(gl.FRAMEBUFFER_BINDING)
  gl.bindFramebuffer(gl.FRAMEBUFFER, pixels.get(gl))
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4))
  gl.bindFramebuffer(gl.FRAMEBUFFER, before)
}

/** A framebuffer of one pixel. */
function pixelOf(gl) {
  const framebuffer = gl.createFramebuffer()
  const renderbuffer = gl.createRenderbuffer()
  gl.bindRenderbuffer(gl.RENDERBUFFER, renderbuffer)
  gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, 1, 1)
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
  gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, renderbuffer)
  return framebuffer
}

async function openSluice(workload) {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2', { alpha: false, depth: false, antialias: false })
  const device = await openDevice('gpu', { memory: '512MiB', context: gl })
  return { device, player: new Player('', gl, sluice.make(device, workload)) }
}

/** @returns the player, or why there is none */
async function openTfjs(workload) {
  const { tf } = globalThis
  if (!tf) return 'not loaded'
  await tf.setBackend('webgl')
  await tf.ready()
  if (tf.getBackend() !== 'webgl') return 'its WebGL backend does not start here'
  const { gl } = tf.backend().gpgpu
  return new Player(tf.version['tfjs-core'], gl, tfjs.make(tf, workload))
}

/** `pairs` turns each; who begins changes. */
export async function contest(workload, pairs) {
  const { device, player: own } = await openSluice(workload)
  const other = await openTfjs(workload)
  const players = other instanceof Player ? [own, other] : [own]
  let slowest = 0
  for (const player of players) {
    await player.play(WARM_UP_STEPS)
    slowest = Math.max(slowest, await player.play(1))
  }
  const repeats = Math.max(1, Math.min(100, Math.round(TURN_MS / slowest)))
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? players : [...players].reverse()
    for (const player of order) player.turns.push(await player.play(repeats))
  }
  const result = { renderer: device.renderer, repeats, sluice: await own.result() }
  return other instanceof Player ? { ...result, tfjs: await other.result() } : { ...result, absent: other }
}
