/** Bundles the page: static files that any server can have. `node docs/lab/build.mjs [folder]`, by default docs/lab/dist. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const OWN = here('dist')

/** @returns the folder of the page */
export async function build(outdir = OWN) {
  if (outdir === OWN) rmSync(outdir, { recursive: true, force: true })
  mkdirSync(outdir, { recursive: true })
  await bundle({
    entryPoints: [here('src/page.tsx'), here('src/worker.ts'), here('src/style.css')],
    alias: { sluice: here('../../dist/src/index.js') },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    // names of classes stay: errors and layers are told by them
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
    outdir,
  })
  copyFileSync(here('index.html'), join(outdir, 'index.html'))
  return outdir
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build(process.argv[2])
