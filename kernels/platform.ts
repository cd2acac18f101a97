/**
 * Names of the platform in the declarations of this package. A program may be compiled without the types of a page or of
 * Node, with `lib: ['es2022']`: then these empty interfaces are all that is known of such an object. Where the types are
 * there (lib dom, esnext.disposable, @types/node), the interfaces merge with them and add nothing.
 */
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
  interface AbortSignal {}
  interface WebGL2RenderingContext {}
  interface WebGLBuffer {}
  interface WebGLFramebuffer {}
  interface WebGLProgram {}
  interface WebGLTexture {}
  namespace WebAssembly {
    interface Memory {}
    interface Module {}
  }
}

export {}
