/**
 * The textures behind an allocator's blocks: made, deleted and exchanged on the context itself.
 *
 * Only the driver's error code tells whether there was memory for a texture, and asking for the code waits until the
 * GPU has done everything in its queue. So the code is asked for only when the textures together are larger than ever
 * before, which happens in the first steps of a training. A failure that this misses is reported by the next read.
 */
import { sidesOf, type Textures } from '../../memory/texture-allocator.js'
import { check } from './context.js'

interface Made {
  readonly texture: WebGLTexture
  readonly texels: number
}

export class ContextTextures implements Textures {
  readonly #made = new Map<number, Made>()
  #totalTexels = 0
  /** the largest number of texels that the driver is known to have had room for */
  #mostTexels = 0

  constructor(readonly gl: WebGL2RenderingContext) {}

  create(address: number, bytes: number): void {
    const { gl } = this
    const [width, height] = sidesOf(bytes)
    const texture = gl.createTexture()
    gl.activeTexture(gl.TEXTURE0)
    gl.bindTexture(gl.TEXTURE_2D, texture)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE)
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE)
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height)
    const texels = width * height
    if (this.#totalTexels + texels > this.#mostTexels) {
      try {
        check(gl, `a texture of ${width} x ${height} texels`)
      } catch (error) {
        gl.deleteTexture(texture)
        throw error
      }
      this.#mostTexels = this.#totalTexels + texels
    }
    this.#made.set(address, { texture, texels })
    this.#totalTexels += texels
  }

  delete(address: number): void {
    const { texture, texels } = this.#find(address)
    this.gl.deleteTexture(texture)
    this.#made.delete(address)
    this.#totalTexels -= texels
  }

  of(address: number): WebGLTexture {
    return this.#find(address).texture
  }

  /** Exchange the textures of two blocks, which must have one size. */
  exchange(a: number, b: number): void {
    const made = this.#find(a)
    this.#made.set(a, this.#find(b))
    this.#made.set(b, made)
  }

  close(): void {
    for (const { texture } of this.#made.values()) this.gl.deleteTexture(texture)
    this.#made.clear()
  }

  #find(address: number): Made {
    const made = this.#made.get(address)
    if (!made) throw new RangeError(`there is no texture ${address}`)
    return made
  }
}
