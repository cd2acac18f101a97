/**
 * Changes a fragment shader of gpu.js before it is compiled: it then finds its texels faster, and can draw four outputs at
 * once.
 *
 * gpu.js divides integers, twice for the texel that it computes and twice for each that it reads; on SwiftShader that is
 * half the time of an elementwise kernel. Indices here are below 2^24, which floats hold exactly, so a product with the
 * rounded inverse of the width, at most 2048, finds the right row: the product is off by less than 2^-12, and the middle of
 * a texel is at least that far from the end of its row. `texture` is used because it is 1.5 times as fast there as
 * `texelFetch`.
 */
import type { ProgramText } from '../../../kernels/gpu/index.js'
import { DeviceError } from '../errors.js'

type Replacement = readonly [generated: string, own: string]

/** For an argument x gpu.js declares x, xSize and xDim. Here xDim starts with the bits of 1 / width and 1 / height. */
const READ = 'vec4 getVec4FromSampler2D(sampler2D tex, ivec2 texSize, ivec3 texDim, int z, int y, int x) {'
const TEXELS: readonly Replacement[] = [
  [
    `${READ}
  return getImage2D(tex, texSize, texDim, z, y, x);
}`,
    `vec4 texelAt(sampler2D x, float width, vec2 inverse, float i) {
  float row = floor((i + 0.5) * inverse.x);
  return texture(x, (vec2(i - row * width, row) + 0.5) * inverse);
}
${READ}
  return texelAt(tex, float(texSize.x), intBitsToFloat(texDim.xy), float(x));
}`,
  ],
  [
    'index = int(vTexCoord.s * float(uTexSize.x)) + int(vTexCoord.t * float(uTexSize.y)) * uTexSize.x;',
    'index = int(gl_FragCoord.x) + int(gl_FragCoord.y) * uTexSize.x;',
  ],
  ['threadId = indexTo3D(index, uOutputDim);', 'threadId = ivec3(index, 0, 0);'],
]

/** Run `planes` of the program in place of its `source`. */
const FOUR_TARGETS: readonly Replacement[] = [
  ['out vec4 data0;', [0, 1, 2, 3].map((i) => `layout(location = ${i}) out vec4 data${i};`).join('\n')],
  ['  kernel();\n  data0 = kernelResult;', '  planes(float(index), data0, data1, data2, data3);'],
]
/** The same, but draws one output: the one whose number is the first argument. */
const ONE_TARGET: readonly Replacement[] = [
  [
    '  kernel();\n  data0 = kernelResult;',
    `  vec4 plane0, plane1, plane2, plane3;
  planes(float(index), plane0, plane1, plane2, plane3);
  data0 = user_plane < 2.0 ? (user_plane < 1.0 ? plane0 : plane1) : user_plane < 3.0 ? plane2 : plane3;`,
  ],
]

/** The changed shader. @throws DeviceError  gpu.js wrote other text, so it is not the expected version */
export function improved(shader: string, { planes }: ProgramText, hasFourTargets: boolean): string {
  const main: Replacement = ['void main(void) {', `${planes}\nvoid main(void) {`]
  const replacements = planes ? [...TEXELS, main, ...(hasFourTargets ? FOUR_TARGETS : ONE_TARGET)] : TEXELS
  return replacements.reduce((text, [generated, own]) => {
    if (!text.includes(generated)) throw new DeviceError('what is installed as gpu.js writes other shaders than known')
    return text.replace(generated, own)
  }, shader)
}

const bits = new DataView(new ArrayBuffer(4))

/** The float32 nearest to 1 / side, as its bits. */
export function inverseBits(side: number): number {
  bits.setFloat32(0, 1 / side)
  return bits.getInt32(0)
}
