/** Lose a context; in Node, where that cannot be done, make it look lost. */
export function lose(gl: WebGL2RenderingContext): void {
  const extension = gl.getExtension('WEBGL_lose_context')
  if (extension) {
    extension.loseContext()
    return
  }
  // the behaviour of a lost context: calls do nothing, and return null
  for (let object: object = gl; object !== Object.prototype; object = Object.getPrototypeOf(object)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      if (typeof value === 'function') Object.defineProperty(gl, name, { configurable: true, value: () => null })
    }
  }
  Object.assign(gl, { isContextLost: () => true, getError: () => gl.NO_ERROR })
}
