/** When the driver is asked whether it had room for a texture, and the state after a refusal. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeviceError } from '../src/device/errors.js'
import { ContextTextures } from '../src/device/gpu/textures.js'

const OUT_OF_MEMORY = 0x0505

/** A context with room for textures of at most `texels`. It counts how often it is asked. */
class SmallContext {
  readonly NO_ERROR = 0
  readonly OUT_OF_MEMORY = OUT_OF_MEMORY
  asked = 0
  textures = 0
  #error = 0

  constructor(readonly texels: number) {}

  createTexture(): object {
    this.textures++
    return {}
  }
  deleteTexture(): void {
    this.textures--
  }
  texStorage2D(_target: number, _levels: number, _format: number, width: number, height: number): void {
    if (width * height > this.texels) this.#error = OUT_OF_MEMORY
  }
  getError(): number {
    this.asked++
    const error = this.#error
    this.#error = 0
    return error
  }
  isContextLost(): boolean {
    return false
  }
  activeTexture(): void {}
  bindTexture(): void {}
  texParameteri(): void {}
}

test('the driver is asked only when all textures together become larger than ever before', () => {
  const context = new SmallContext(100)
  const textures = new ContextTextures(context as unknown as WebGL2RenderingContext)
  textures.create(1, 16 * 10 * 2)
  textures.create(2, 16 * 10 * 3)
  assert.is(context.asked, 2)
  textures.delete(1)
  textures.create(3, 16 * 5 * 4)
  textures.delete(2)
  textures.create(4, 16 * 10 * 2)
  assert.is(context.asked, 2, 'never more than 50 texels')
  textures.create(5, 16 * 11)
  assert.is(context.asked, 3, '51 texels')
})

test('a texture that the driver refuses does not exist, and can be requested again', () => {
  const context = new SmallContext(100)
  const textures = new ContextTextures(context as unknown as WebGL2RenderingContext)
  textures.create(1, 16 * 10 * 2)
  for (const asked of [2, 3]) {
    assert.throws(
      () => textures.create(2, 16 * 101),
      (error: unknown) =>
        error instanceof DeviceError && /101 x 1 texels: the GPU is out of memory/.test(error.message),
    )
    assert.equal([context.asked, context.textures], [asked, 1])
    assert.throws(() => textures.of(2), RangeError)
  }
})

test.run()
