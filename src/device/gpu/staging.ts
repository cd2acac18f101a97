/**
 * Values between host and textures, through memory of fixed size that the plan counts.
 *
 * A texture is uploaded in bands of whole rows. A read is taken at once, into a pixel pack buffer, and handed over when
 * the GPU has got that far: nobody waits in between. All such buffers together have READ_BYTES; a read that finds too
 * little of them left waits on the spot, and so do all where there are no such buffers (the package gl of Node).
 */
import { check } from './context.js'
import { READ_BYTES, UPLOAD_BYTES } from './gpu-kind.js'
import type { Texture } from './gpujs.js'

export class Staging {
  readonly #band = new Float32Array(UPLOAD_BYTES / 4)
  readonly #framebuffer: WebGLFramebuffer
  /** of buffers that wait for the GPU */
  #readingBytes = 0

  readonly #hasPackBuffers: boolean

  constructor(readonly gl: WebGL2RenderingContext) {
    this.#framebuffer = gl.createFramebuffer()
    const buffer = packBuffer(gl, 4)
    this.#hasPackBuffers = gl.getError() === gl.NO_ERROR
    if (this.#hasPackBuffers) gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    gl.deleteBuffer(buffer)
  }

  /** data[i] * scale, and zeros up to the end of the last row. */
  upload({ texture, width, texels }: Texture, data: ArrayLike<number>, scale: number): void {
    const { gl } = this
    const band = this.#band
    const height = Math.ceil(texels / width)
    const rows = Math.floor(band.length / (4 * width))
    gl.activeTexture(gl.TEXTURE0)
    gl.bindTexture(gl.TEXTURE_2D, texture)
    for (let row = 0; row < height; row += rows) {
      const count = Math.min(rows, height - row)
      const start = 4 * width * row
      const length = 4 * width * count
      for (let i = 0; i < length; i++) band[i] = start + i < data.length ? data[start + i] * scale : 0
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, width, count, gl.RGBA, gl.FLOAT, band)
    }
  }

  /**
   * The first `size` values, as they are at the time of the call.
   * @throws DeviceLostError  they are gone
   */
  async read({ texture, width, texels }: Texture, size: number): Promise<Float32Array> {
    const { gl } = this
    const height = Math.ceil(texels / width)
    const values = new Float32Array(4 * width * height)
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer)
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
    const later = this.#hasPackBuffers && this.#readingBytes + values.byteLength <= READ_BYTES
    const buffer = later ? packBuffer(gl, values.byteLength) : null
    if (buffer) gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, 0)
    else gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, values)
    if (buffer) gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    // an attached texture would outlive its deletion
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, null, 0)
    if (buffer) await this.#collect(buffer, values)
    check(gl, 'reading values')
    return values.subarray(0, size)
  }

  close(): void {
    this.gl.deleteFramebuffer(this.#framebuffer)
  }

  /** Wait until the buffer is written, and take what it holds. */
  async #collect(buffer: WebGLBuffer, values: Float32Array): Promise<void> {
    const { gl } = this
    this.#readingBytes += values.byteLength
    try {
      await passed(gl)
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer)
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, values)
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    } finally {
      gl.deleteBuffer(buffer)
      this.#readingBytes -= values.byteLength
    }
  }
}

/** A buffer that the next readPixels writes to. */
function packBuffer(gl: WebGL2RenderingContext, bytes: number): WebGLBuffer {
  const buffer = gl.createBuffer()
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer)
  gl.bufferData(gl.PIXEL_PACK_BUFFER, bytes, gl.STREAM_READ)
  return buffer
}

/** The GPU has done all that was asked of it before this call. */
async function passed(gl: WebGL2RenderingContext): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
  check(gl, 'reading values')
  if (!fence) return
  // what is only queued is never passed
  gl.flush()
  const begun = performance.now()
  try {
    while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) await pause(performance.now() - begun)
  } finally {
    gl.deleteSync(fence)
  }
}

/** Asking again at once is for short waits: who asks all the time takes a core from a GPU that is software. */
const SHORT_WAIT_MS = 2
/** Of the time waited so far, which a wait may become longer by. */
const LATE = 1 / 16

/** Let everything else run. A timer takes milliseconds, a message does not. */
function pause(waitedMs: number): Promise<void> {
  if (waitedMs > SHORT_WAIT_MS) return new Promise((resolve) => setTimeout(resolve, waitedMs * LATE))
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve))
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
