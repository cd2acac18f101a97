/**
 * Lets the library find this folder's `gl`, WebGL2 for Node. The library's own folder has an empty package of that name,
 * because what gpu.js would install there is a WebGL1 that takes minutes to compile.
 *
 *   npm ci --prefix test/gpu && npm run test:gpu
 */
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'

const gl = pathToFileURL(createRequire(import.meta.url).resolve('gl')).href
const hook = `export const resolve = (name, context, next) =>
  name === 'gl' ? { url: ${JSON.stringify(gl)}, format: 'commonjs', shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
