/**
 * Values between host and textures, through memory of fixed size that the plan counts.
 *
 * A texture is uploaded in bands of whole rows. A read is taken at once, into a pixel pack buffer, and handed over when
 * the GPU has got that far: nobody waits in between. There is one such buffer. A read that finds it taken, or too
 * small, waits on the spot.
 */
import { check } from './context.js'
import { READ_BYTES, UPLOAD_BYTES } from './gpu-kind.js'
import type { Texture } from './gpujs.js'

export class Staging {
  readonly #band = new Float32Array(UPLOAD_BYTES / 4)
  readonly #buffer: WebGLBuffer
  readonly #framebuffer: WebGLFramebuffer
  #taken = false

  constructor(readonly gl: WebGL2RenderingContext) {
    this.#framebuffer = gl.createFramebuffer()
    this.#buffer = gl.createBuffer()
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer)
    gl.bufferData(gl.PIXEL_PACK_BUFFER, READ_BYTES, gl.STREAM_READ)
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
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
    const later = !this.#taken && values.byteLength <= READ_BYTES
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer)
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
    if (later) {
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer)
      gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, 0)
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    } else {
      gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, values)
    }
    // an attached texture would outlive its deletion
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, null, 0)
    if (later) await this.#collect(values)
    check(gl, 'reading values')
    return values.subarray(0, size)
  }

  close(): void {
    this.gl.deleteBuffer(this.#buffer)
    this.gl.deleteFramebuffer(this.#framebuffer)
  }

  /** Wait until the buffer is written, and take what it holds. */
  async #collect(values: Float32Array): Promise<void> {
    const { gl } = this
    this.#taken = true
    try {
      await passed(gl)
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer)
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, values)
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null)
    } finally {
      this.#taken = false
    }
  }
}

/** The GPU has done all that was asked of it before this call. */
async function passed(gl: WebGL2RenderingContext): Promise<void> {
  const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
  check(gl, 'reading values')
  if (!fence) return
  // what is only queued is never passed
  gl.flush()
  try {
    while (gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED) await nextTask()
  } finally {
    gl.deleteSync(fence)
  }
}

/** Let everything else run. A timer would make us wait for milliseconds, a message does not. */
function nextTask(): Promise<void> {
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
