/**
 * The players of a page. Each opens a backend and returns the step of a workload on it, its probe (see serve.mjs), and
 * `drain`, which waits until the GPU has finished all work.
 */
import { openDevice } from '../../dist/src/index.js'
import { Absent } from './absent.mjs'
import * as jaxSteps from './peers/jax-steps.mjs'
import * as sluiceSteps from './peers/sluice-steps.mjs'
import * as tfjsSteps from './peers/tfjs-steps.mjs'

const TFJS = './node_modules/@tensorflow/tfjs/dist/tf.min.js'
const TFJS_WEBGPU = './node_modules/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js'
const JAX = './node_modules/@jax-js/jax/dist/index.js'

/** A wait for WebGL: in a page `finish` does not wait, but a read of a pixel does. */
function pixelOf(gl) {
  const framebuffer = gl.createFramebuffer()
  const renderbuffer = gl.createRenderbuffer()
  gl.bindRenderbuffer(gl.RENDERBUFFER, renderbuffer)
  gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, 1, 1)
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
  gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, renderbuffer)
  gl.bindFramebuffer(gl.FRAMEBUFFER, null)
  return () => {
    const before = gl.getParameter(gl.FRAMEBUFFER_BINDING)
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4))
    gl.bindFramebuffer(gl.FRAMEBUFFER, before)
  }
}

async function sluice(workload) {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2', { alpha: false, depth: false, antialias: false })
  const device = await openDevice('gpu', { memory: '512MiB', context: gl })
  return { ...sluiceSteps.make(device, workload), drain: pixelOf(gl), renderer: device.renderer }
}

/** @returns tfjs on a backend; its script defines the global `tf` */
async function loadTfjs(backend) {
  await import(TFJS)
  if (backend === 'webgpu') await import(TFJS_WEBGPU)
  const { tf } = globalThis
  await tf.setBackend(backend)
  await tf.ready()
  if (tf.getBackend() !== backend) throw new Absent(`its ${backend} backend does not start here`)
  return tf
}

async function tfjsWebgl(workload) {
  const tf = await loadTfjs('webgl')
  return { ...tfjsSteps.make(tf, workload), drain: pixelOf(tf.backend().gpgpu.gl) }
}

/** tfjs on WebGPU collects the commands of several kernels before it submits them to the queue. */
async function tfjsWebgpu(workload) {
  const tf = await loadTfjs('webgpu')
  const backend = tf.backend()
  const drain = () => {
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    backend.submitQueue()
    return backend.device.queue.onSubmittedWorkDone()
  }
  return { ...tfjsSteps.make(tf, workload), drain }
}

async function loadJax(backend) {
  const jax = await import(JAX)
  const there = await jax.init(backend)
  if (!there.includes(backend)) throw new Absent(`its ${backend} backend does not start here`)
  jax.defaultDevice(backend)
  return jax
}

/**
 * jax-js refuses a WebGL that the CPU draws, so it is given a context. It computes only what is read, and its
 * asynchronous read polls every 5 ms; to read one value synchronously costs less. A function made by jit is computed as
 * a whole, so a read of the loss computes the new parameters too.
 */
async function jaxWebgl(workload) {
  const { getContext } = OffscreenCanvas.prototype
  let gl = null
  OffscreenCanvas.prototype.getContext = function (type, options) {
    gl = getContext.call(this, type, { ...options, failIfMajorPerformanceCaveat: false })
    return gl
  }
  const jax = await loadJax('webgl')
  OffscreenCanvas.prototype.getContext = getContext
  const compute = (array) => array.ref.reshape([-1]).slice(0).dataSync()
  const read = (loss) => loss.js()
  return { ...jaxSteps.make(jax, workload, { compute, read }), drain: pixelOf(gl) }
}

/** jax-js on WebGPU gives the buffer of a result without waiting for its values. */
async function jaxWebgpu(workload) {
  const jax = await loadJax('webgpu')
  const compute = (array) => array.ref.gpuBufferSync()
  const read = (loss) => loss.jsAsync()
  const drain = () => jax.getWebGPUDevice().queue.onSubmittedWorkDone()
  return { ...jaxSteps.make(jax, workload, { compute, read }), drain }
}

export const OPEN = {
  sluice,
  'tfjs-webgl': tfjsWebgl,
  'tfjs-webgpu': tfjsWebgpu,
  'jax-webgl': jaxWebgl,
  'jax-webgpu': jaxWebgpu,
}
