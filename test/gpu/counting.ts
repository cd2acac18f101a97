/** A WebGL2 context that counts the textures and buffers made on it, by any code. */

/** Bytes of a texel, by internal format. */
const TEXEL_BYTES = new Map([
  [0x822e, 4], // R32F
  [0x8230, 8], // RG32F
  [0x8814, 16], // RGBA32F
])

export interface Account {
  /** of textures made and not deleted */
  textureBytes: number
  textures: number
  /** of buffers made and not deleted */
  bufferBytes: number
  programs: number
  framebuffers: number
}

/** Count on this context from now on. */
export function counting(gl: WebGL2RenderingContext): Account {
  const account: Account = { textureBytes: 0, textures: 0, bufferBytes: 0, programs: 0, framebuffers: 0 }
  const bytes = new Map<WebGLTexture | WebGLBuffer, number>()
  const boundTextures = new Map<number, WebGLTexture | null>()
  const boundBuffers = new Map<number, WebGLBuffer | null>()
  let unit: number = gl.TEXTURE0

  /** Let `after` see every call of a method. */
  function watch<Name extends keyof WebGL2RenderingContext>(
    name: Name,
    after: (args: readonly unknown[], result: unknown) => void,
  ): void {
    const method: unknown = gl[name]
    if (typeof method !== 'function') throw new Error(`this context has no ${name}`)
    Object.defineProperty(gl, name, {
      configurable: true,
      value: (...args: unknown[]): unknown => {
        const result: unknown = method.apply(gl, args)
        after(args, result)
        return result
      },
    })
  }
  const texture = (value: unknown) => value as WebGLTexture
  const number = (value: unknown) => value as number

  function setTexture(size: number | undefined): void {
    const bound = boundTextures.get(unit)
    if (!bound || size === undefined || Number.isNaN(size)) throw new Error('a texture of unknown size')
    account.textureBytes += size - (bytes.get(bound) ?? 0)
    bytes.set(bound, size)
  }

  watch('activeTexture', ([which]) => {
    unit = number(which)
  })
  watch('bindTexture', ([, which]) => boundTextures.set(unit, texture(which)))
  watch('createTexture', () => account.textures++)
  watch('deleteTexture', ([which]) => {
    if (!which) return
    account.textures--
    account.textureBytes -= bytes.get(texture(which)) ?? 0
    bytes.delete(texture(which))
  })
  watch('texStorage2D', ([, , format, width, height]) =>
    setTexture((TEXEL_BYTES.get(number(format)) ?? Number.NaN) * number(width) * number(height)),
  )
  watch('texImage2D', ([, , format, width, height]) =>
    setTexture((TEXEL_BYTES.get(number(format)) ?? Number.NaN) * number(width) * number(height)),
  )
  watch('bindBuffer', ([target, which]) => boundBuffers.set(number(target), which as WebGLBuffer))
  watch('bufferData', ([target, size]) => {
    const bound = boundBuffers.get(number(target))
    if (!bound || typeof size !== 'number') throw new Error('a buffer of unknown size')
    account.bufferBytes += size - (bytes.get(bound) ?? 0)
    bytes.set(bound, size)
  })
  watch('deleteBuffer', ([which]) => {
    if (!which) return
    account.bufferBytes -= bytes.get(which as WebGLBuffer) ?? 0
    bytes.delete(which as WebGLBuffer)
  })
  watch('createProgram', () => account.programs++)
  watch('deleteProgram', () => account.programs--)
  watch('createFramebuffer', () => account.framebuffers++)
  watch('deleteFramebuffer', () => account.framebuffers--)
  return account
}
