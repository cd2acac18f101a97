/** Kernels that users have written, as functions of the place of a value. */
import type { GpuKernel } from './machine/kernel.js'
import { eachValue, type Program } from './machine/program.js'

export const defined: GpuKernel<'defined'> = {
  programs: [],
  run(gpu, { kernel, numbers }, inputs, [y]) {
    gpu.run(programOf(kernel.gpu ?? '', inputs.length, Object.keys(numbers)), [...inputs, ...Object.values(numbers)], y)
  },
}

/**
 * Each number is an argument of its own: a program reads `p.beta` as `p_beta`. The name of a program is its text, so
 * programs with the same name are the same.
 */
function programOf(text: string, inputs: number, names: readonly string[]): Program {
  const parameters = text.slice(text.indexOf('(') + 1, text.indexOf(')')).split(', ')
  const [p] = parameters.splice(1 + inputs)
  const all = [...parameters, ...names.map((name) => `${p}_${name}`)].join(', ')
  const body = text.slice(text.indexOf(')')).replace(new RegExp(`\\b${p}\\.(\\w+)`, 'g'), `${p}_$1`)
  const source = `function value(${all}${body}`
  const kinds = [...new Array<'texels'>(inputs).fill('texels'), ...names.map(() => 'number' as const)]
  return eachValue(`defined: ${source}`, source, kinds)
}
