/**
 * Builds the sandbox, a copy of the project in which Stryker has put all mutants side by side, each behind a switch.
 * Types are not checked: they do not fit the instrumented sources, and the real build has checked them. The WebAssembly
 * of the kernels is copied with the rest; no mutant changes it.
 */
import { execSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'

execSync('tsc --noCheck --declaration false && node kernels/keep.mjs', { stdio: 'inherit' })

// everything except uvu is found in the node_modules of the project, which contains the sandbox
const assertions = import.meta.resolve('uvu/assert')
const exports = { '.': './uvu.mjs', './assert': './assert.mjs' }
mkdirSync('node_modules/uvu', { recursive: true })
cpSync('test/mutants/uvu.mjs', 'node_modules/uvu/uvu.mjs')
writeFileSync('node_modules/uvu/assert.mjs', `export * from '${assertions}'\n`)
writeFileSync('node_modules/uvu/package.json', JSON.stringify({ name: 'uvu', type: 'module', exports }))
