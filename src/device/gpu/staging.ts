/**
 * Values between host and textures, through memory of fixed size that the plan counts.
 *
 * A texture is uploaded in bands of whole rows. A read is queued into a pixel pack buffer, and its values are taken when
 * the GPU has written them, so the program does not wait in between. All such buffers together have READ_BYTES. A read
 * that finds too few bytes left is synchronous; so is every read on a platform without such buffers (the package gl of
 * Node).
 */
import { check } from './context.js'
import { READ_BYTES, UPLOAD_BYTES } from './gpu-kind.js'
import type { Texture } from './gpujs.js'

export class Staging {
  readonly #band = new Float32Array(UPLOAD_BYTES / 4)
  readonly #framebuffer: WebGLFramebuffer
  /** bytes of the buffers that wait for the GPU */
  #readingBytes = 0

  readonly #hasPackBuffers: boolean

  constructor(readonly gl: WebGL2RenderingContext) {
    this.#framebuffer = gl.createFramebuffer()
    const buffer = packBuffer(gl, 4)
    this.#hasPackBuffers = gl.getError() === gl.NO_ERROR
    if (this.#hasPackBuffers) gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    gl.deleteBuffer(buffer)
  }

  /** Write data[i] * scale, and zeros up to the end of the last row. */
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
   * Read the first `size` values, as they are at the time of the call.
   * @throws DeviceLostError  the values are gone
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

  /** Wait until the buffer is written, and take its values. */
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

/** Make a buffer, and let the next readPixels write to it. */
function packBuffer(gl: WebGL2RenderingContext, bytes: number): WebGLBuffer {
  const buffer = gl.createBuffer()
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer)
  gl.bufferData(gl.PIXEL_PACK_BUFFER, bytes, gl.STREAM_READ)
  return buffer
}

/** Wait until the GPU has done everything that was queued before this call. */
async function passed(gl: WebGL2RenderingContext): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
  check(gl, 'reading values')
  if (!fence) return
  // without a flush the fence may never leave the queue
  gl.flush()
  const begun = performance.now()
  try {
    while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) await pause(performance.now() - begun)
  } finally {
    gl.deleteSync(fence)
  }
}

/** After this long, ask less often: to ask all the time would take a core away from a software GPU. */
const SHORT_WAIT_MS = 2
/** The length of a pause as a share of the time waited so far, which bounds how late the end is noticed. */
const LATE = 1 / 16

/** Let other tasks run. A timer takes milliseconds, a message less. */
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
