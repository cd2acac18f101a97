/**
 * Where a WebGL2 context comes from: the user, a page or worker, or in Node the package `gl`.
 */
import { ArgumentError } from '../../memory/errors.js'
import { DeviceError, DeviceLostError } from '../errors.js'

/** The package that Node needs: https://www.npmjs.com/package/gl. Only this version has WebGL2. */
const NODE_GL = 'gl@9.0.0-rc.10'

/**
 * A context that can draw to float32 textures.
 * @throws ArgumentError    `given` is not a WebGL2 context
 * @throws DeviceLostError  the context is lost
 * @throws DeviceError      WebGL2 is missing here; the message says how to get it
 */
export async function openContext(given?: WebGL2RenderingContext): Promise<WebGL2RenderingContext> {
  if (given && !isWebGL2(given)) {
    throw new ArgumentError("context is not a WebGL2 context: give canvas.getContext('webgl2'), or leave it out")
  }
  const gl = given ?? (await newContext())
  checkLost(gl, 'opening the device')
  if (!gl.getExtension('EXT_color_buffer_float')) {
    throw new DeviceError(
      'the gpu device needs EXT_color_buffer_float, to draw to float32 textures, which this platform lacks',
    )
  }
  return gl
}

/**
 * Looks for a method instead of a class: contexts of other windows, and of the package gl, have classes of their own.
 */
const isWebGL2 = (context: object): boolean => 'texStorage2D' in context

/**
 * Frees what a context holds at once: a page can have only about 16 contexts, and the garbage collector may come late.
 */
export function loseContext(gl: WebGL2RenderingContext): void {
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  // only the package gl has this extension
  const stackgl: { destroy(): void } | null = gl.getExtension('STACKGL_destroy_context')
  stackgl?.destroy()
}

async function newContext(): Promise<WebGL2RenderingContext> {
  if (typeof OffscreenCanvas === 'undefined' && typeof document === 'undefined') await shimNode()
  const canvas = typeof OffscreenCanvas === 'undefined' ? document.createElement('canvas') : new OffscreenCanvas(1, 1)
  const gl = canvas.getContext('webgl2', { alpha: false, depth: false, antialias: false })
  if (!gl) throw new DeviceError('the gpu device needs WebGL2, which this platform lacks')
  return gl
}

/**
 * All contexts of the package gl, even closed ones. They are kept because Node 24.21 and 26 may abort when the garbage
 * collector frees one (node_object_wrap.h removes a hook, possibly after the JavaScript environment has gone).
 */
const contextsOfNode: unknown[] = []

type CreateGl = (width: number, height: number, options: object) => WebGL2RenderingContext | null

/** Give Node, which has no canvas, the part of a canvas that gpu.js and this file use. */
async function shimNode(): Promise<void> {
  const createGl = await nodeGl()
  const create = () => {
    const gl = createGl(1, 1, { createWebGL2Context: true, alpha: false, depth: false, antialias: false })
    contextsOfNode.push(gl)
    return gl
  }
  const probe = create()
  if (!probe) {
    throw new DeviceError(
      `the gpu device found the package gl, but it gives no WebGL2: it needs version ${NODE_GL} and an X display ` +
        '(without one: xvfb-run -a node ..., on Debian from the packages xvfb libgl1-mesa-dri libx11-6 libxext6)',
    )
  }
  class Canvas {
    width = 1
    height = 1
    getContext(type: string): WebGL2RenderingContext | null {
      return type === 'webgl2' ? create() : null
    }
  }
  Object.assign(globalThis, { OffscreenCanvas: Canvas, WebGL2RenderingContext: probe.constructor })
}

async function nodeGl(): Promise<CreateGl> {
  const module: { default?: unknown } = await import('gl').catch((cause: unknown) => {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    throw new DeviceError(isAbsent ? MISSING : `the gpu device found the package gl, but it does not load: ${cause}`, {
      cause,
    })
  })
  if (isCreateGl(module.default)) return module.default
  throw new DeviceError(MISSING)
}

const MISSING = `the gpu device needs WebGL2: a browser, or in Node the package gl and an X display: npm install ${NODE_GL}`

const isCreateGl = (value: unknown): value is CreateGl => typeof value === 'function'

/**
 * Unlike `check`, this does not ask the GPU and costs nothing.
 * @throws DeviceLostError  the context is gone
 */
export function checkLost(gl: WebGL2RenderingContext, what: string): void {
  if (!gl.isContextLost()) return
  throw new DeviceLostError(`${what}: the context of the gpu device is lost, with all values on it.`)
}

/**
 * gpu.js and WebGL do not report failures: their results are zeros. So the error code is read here.
 * @throws DeviceLostError  the context is gone
 * @throws DeviceError      the driver refused something since the last check
 */
export function check(gl: WebGL2RenderingContext, what: string): void {
  const code = gl.getError()
  checkLost(gl, what)
  if (code === gl.NO_ERROR) return
  const why = code === gl.OUT_OF_MEMORY ? 'the GPU is out of memory: give a smaller budget' : `WebGL error ${code}`
  throw new DeviceError(`${what}: ${why}`)
}
