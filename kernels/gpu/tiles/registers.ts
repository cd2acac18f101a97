/**
 * GLSL of programs that keep a tile of 4 x 4 values in registers: rows s0 to s3, which go to four planes (planes.ts).
 * Eight texels serve 64 multiplications. The user of a tile supplies the multiplications.
 */

/** GLSL of four places at equal distances. */
export const fourFrom = (first: string, step: string): readonly string[] => [
  first,
  `${first} + ${step}`,
  `${first} + 2.0 * ${step}`,
  `${first} + 3.0 * ${step}`,
]

/** Adds the running sums to t0 to t3, and begins again with 0: Note [Long sums] in index.ts. */
export const END_BLOCK = 't0 += s0; t1 += s1; t2 += s2; t3 += s3; s0 = s1 = s2 = s3 = vec4(0.0);'

/**
 * What a row s of the tile adds for its own texel p: the dot products of p with v0 to v3, or their combination with
 * weights p.
 */
type Growth = 'DOTS' | 'COMBINATION'

/** Adds to every row of the tile, from four texels that all rows share and one texel of the row. */
export const addRows = (growth: Growth, shared: readonly string[], own: readonly string[]): string => `
    ${shared.map((texel, r) => `vec4 v${r} = ${texel};`).join(' ')}
    vec4 p;
    ${own.map((texel, r) => `p = ${texel}; ${growth}(s${r}, p);`).join('\n    ')}`

/** Adds the outer products of texels p and q, pair by pair. */
export const addOuterProducts = (p: readonly string[], q: readonly string[]): string => `
    ${p.map((texel, r) => `vec4 p${r} = ${texel};`).join(' ')}
    ${q.map((texel, r) => `vec4 q${r} = ${texel};`).join(' ')}
    ${p.map((_, r) => `OUTER(p${r}, q${r});`).join(' ')}`

/**
 * `planes` of a Program.
 * @param reads  names: for each X a macro X(i), which reads texel i of the argument `x`
 * @param sums   adds to s0 to s3, or t0 to t3, for texel i of the planes
 */
export const registers = (reads: readonly string[], sums: string): string => `
${reads.map((x) => `#define ${x.toUpperCase()}(i) texelAt(user_${x}, width_${x}, inverse_${x}, i)`).join('\n')}
#define DOTS(s, p) s += vec4(dot(p, v0), dot(p, v1), dot(p, v2), dot(p, v3))
#define COMBINATION(s, p) s += p.x * v0 + p.y * v1 + p.z * v2 + p.w * v3
#define OUTER(p, q) s0 += p.x * q; s1 += p.y * q; s2 += p.z * q; s3 += p.w * q
void planes(float i, out vec4 s0, out vec4 s1, out vec4 s2, out vec4 s3) {
  ${reads.map((x) => `float width_${x} = float(user_${x}Size.x); vec2 inverse_${x} = intBitsToFloat(user_${x}Dim.xy);`).join('\n  ')}
  s0 = s1 = s2 = s3 = vec4(0.0);
  vec4 t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  ${sums}
  s0 += t0;
  s1 += t1;
  s2 += t2;
  s3 += t3;
}`
