/**
 * Lets the library find the package `gl` of this folder, WebGL2 for Node. The library's own folder has an empty package
 * of that name, because gpu.js would install a WebGL1 there that takes minutes to compile.
 *
 *   npm ci --prefix test/gpu && npm run test:gpu
 */
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'

const gl = pathToFileURL(createRequire(import.meta.url).resolve('gl')).href
const hook = `export const resolve = (name, context, next) =>
  name === 'gl' ? { url: ${JSON.stringify(gl)}, format: 'commonjs', shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
