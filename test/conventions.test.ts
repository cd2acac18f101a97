/**
 * Values that depend on conventions: ties, kinks, variances, padding, class losses, statistics. All numbers come from
 * PyTorch, in float64: the name of a case is the expression, and the gradients are those of (y * c).sum(), by
 *   python3 -c "import torch; x = torch.tensor([...], dtype=torch.float64, requires_grad=True); ..."
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backward } from '../src/autograd/backward.js'
import { openDevice } from '../src/device/open.js'
import { ops } from '../src/ops/table.js'
import { scope } from '../src/step/scope.js'
import { requireGrad, standingTensor, tensor } from '../src/tensor/create.js'
import type { NestedArray, Tensor } from '../src/tensor/tensor.js'
import { fc } from './property.js'
import { CONVENTION_FLOAT32, LITERAL } from './tolerances.js'
import { variants } from './variants.js'

const reference = await openDevice('reference', { memory: '1MiB' })
/** The module with fused multiply-add, the one without, and plain loops: as many as this platform has. */
const cpus = await Promise.all(
  ([...variants, 'none'] as const).map(
    async (simd) =>
      [`cpu, simd ${simd}`, await openDevice('cpu', { memory: '1MiB', simd }), CONVENTION_FLOAT32] as const,
  ),
)

interface Case {
  name: string
  inputs: NestedArray[]
  run(...inputs: Tensor[]): Tensor
  y: number[]
  gradients: number[][]
  /** default all 1 */
  c?: number[]
  /**
   * for gradients that are differences of larger numbers: the largest of those numbers, to which a rounding is relative
   */
  magnitude?: number
}

const LOGITS = [
  [1, 2, 0.5],
  [0.25, -1, 0],
  [3, 1, -2],
  [0, 0, 1],
]
/** p and q of the squared errors. */
const PREDICTIONS = [
  [1, 2],
  [0, -1],
]
const VALUES = [
  [0, 2.5],
  [1, 1],
]
const IMAGE = [
  [
    [
      [1, 2, 2],
      [3, 3, 0],
      [1, 1, 1],
    ],
  ],
]
const GROUPS = [
  [
    [
      [1, 2, 0],
      [3, -1, 4],
    ],
    [
      [2, 0, 1],
      [1, 1, -2],
    ],
  ],
]
/** queries, keys and values of one head */
const HEAD = [
  [
    [
      [1, 0.5],
      [-1, 2],
      [0, 1],
    ],
  ],
  [
    [
      [0.5, 1],
      [1, -1],
      [2, 0.25],
    ],
  ],
  [
    [
      [1, 2],
      [0, -1],
      [3, 0.5],
    ],
  ],
]
/** The gradient of a score is scale p (dp - sum of dp p), where dp = c v^T has numbers up to 14.5, as has the sum. */
const HEAD_TERM = 14.5
const constant = (x: Tensor, values: NestedArray): Tensor => tensor(x.device, values)

const cases: Case[] = [
  { name: 'x.amax()', inputs: [[1, 3, 3, 2]], run: (x) => ops.max(x), y: [3], gradients: [[0, 0.5, 0.5, 0]] },
  {
    name: 'torch.maximum(a, b)',
    inputs: [
      [1, 2],
      [1, 5],
    ],
    run: ops.maximum,
    y: [1, 5],
    gradients: [
      [0.5, 0],
      [0.5, 1],
    ],
  },
  { name: 'x.abs()', inputs: [[-1, 0, 2]], run: ops.abs, y: [1, 0, 2], gradients: [[-1, 0, 1]] },
  { name: 'x.relu()', inputs: [[-1, 0, 2]], run: ops.relu, y: [0, 0, 2], gradients: [[0, 0, 1]] },
  {
    name: 'F.leaky_relu(x, 0.1)',
    inputs: [[-1, 0, 2]],
    run: (x) => ops.leakyRelu(x, 0.1),
    y: [-0.1, 0, 2],
    gradients: [[0.1, 0.1, 1]],
  },
  {
    name: 'x.clamp(-0.5, 1)',
    inputs: [[-1, -0.5, 0, 1, 2]],
    run: (x) => ops.clamp(x, -0.5, 1),
    y: [-0.5, -0.5, 0, 1, 1],
    gradients: [[0, 1, 1, 1, 0]],
  },
  { name: 'x.pow(0)', inputs: [[0, 2]], run: (x) => ops.pow(x, 0), y: [1, 1], gradients: [[0, 0]] },
  { name: 'x.pow(2)', inputs: [[0, 4]], run: (x) => ops.pow(x, 2), y: [0, 16], gradients: [[0, 8]] },
  {
    name: 'F.gelu(x)',
    inputs: [[-2, -0.5, 0, 1, 3]],
    run: (x) => ops.gelu(x),
    y: [-0.04550026389635842, -0.15426876936299344, 0, 0.841344746068543, 2.99595030590511],
    gradients: [[-0.08523180107819692, 0.13250487534383712, 0.5, 1.0833154705876864, 1.011945647204184]],
  },
  {
    name: 'F.silu(x)',
    inputs: [[-2, 0, 1]],
    run: ops.silu,
    y: [-0.2384058440442351, 0, 0.7310585786300049],
    gradients: [[-0.09078424878489547, 0.5, 0.9276705118714869]],
  },
  {
    name: 'F.softplus(x)',
    inputs: [[-2, 0, 1]],
    run: ops.softplus,
    y: [0.1269280110429725, Math.LN2, 1.3132616875182228],
    gradients: [[0.11920292202211755, 0.5, 0.7310585786300049]],
  },
  {
    name: 'x.var(1)',
    inputs: [
      [
        [1, 2, 4],
        [0, 0, 3],
      ],
    ],
    run: (x) => ops.variance(x, { axes: 1 }),
    y: [7 / 3, 3],
    gradients: [[-4 / 3, -1 / 3, 5 / 3, -1, -1, 2]],
  },
  {
    name: 'x.var(1, unbiased=False)',
    inputs: [
      [
        [1, 2, 4],
        [0, 0, 3],
      ],
    ],
    run: (x) => ops.variance(x, { axes: 1, correction: 0 }),
    y: [14 / 9, 2],
    gradients: [[-8 / 9, -2 / 9, 10 / 9, -2 / 3, -2 / 3, 4 / 3]],
  },
  {
    name: 'x.softmax(0)',
    inputs: [
      [
        [1, 2, 4],
        [0, 0, 3],
      ],
    ],
    run: (x) => ops.softmax(x, 0),
    c: [1, 2, 3, -1, 0, 1],
    y: [
      0.7310585786300049, 0.8807970779778823, 0.7310585786300049, 0.2689414213699951, 0.11920292202211755,
      0.2689414213699951,
    ],
    gradients: [
      [
        0.3932238664829637, 0.20998717080701323, 0.39322386648296354, -0.3932238664829637, -0.20998717080701298,
        -0.39322386648296376,
      ],
    ],
  },
  {
    name: 'x.log_softmax(-1)',
    inputs: [[[1, 2, 4]]],
    run: (x) => ops.logSoftmax(x),
    c: [1, 2, 3],
    y: [-3.1698460195562856, -2.1698460195562856, -0.16984601955628567],
    gradients: [[0.7479396031956037, 1.3148288036924332, -2.0627684068880368]],
  },
  {
    name: 'F.max_pool2d(x, 2, 1)',
    inputs: [IMAGE],
    run: (x) => ops.maxPool2d(x, { kernel: 2, stride: 1 }),
    y: [3, 3, 3, 3],
    gradients: [[0, 0, 0, 2, 2, 0, 0, 0, 0]],
  },
  {
    name: 'F.max_pool2d(x, 2, 2, 1)',
    inputs: [IMAGE],
    run: (x) => ops.maxPool2d(x, { kernel: 2, padding: 1 }),
    y: [1, 2, 3, 3],
    gradients: [[1, 1, 0, 1, 1, 0, 0, 0, 0]],
  },
  {
    name: 'F.avg_pool2d(x, 2, 2, 1)',
    inputs: [IMAGE],
    run: (x) => ops.averagePool2d(x, { kernel: 2, padding: 1 }),
    y: [0.25, 1, 1, 1.25],
    gradients: [new Array(9).fill(0.25)],
  },
  {
    name: 'F.avg_pool2d(x, 2, 2, 1, count_include_pad=False)',
    inputs: [IMAGE],
    run: (x) => ops.averagePool2d(x, { kernel: 2, padding: 1, countPadding: false }),
    y: [1, 2, 2, 1.25],
    gradients: [[1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.25, 0.25]],
  },
  {
    name: 'F.conv2d(x, w, b, stride=(1, 2), padding=1, dilation=2, groups=2)',
    inputs: [GROUPS, [[[[1, 2]]], [[[-1, 0.5]]]], [0.5, -1]],
    run: (x, w, b) => ops.conv2d(x, w, b, { stride: [1, 2], padding: 1, dilation: 2, groups: 2 }),
    y: [0.5, 0.5, 4.5, 2.5, -1.5, -0.5, 0.5, 0.5, -1, -1, -1, -1, -0.5, -2, -1, -1],
    gradients: [
      [0, 3, 0, 0, 3, 0, 0, -0.5, 0, 0, -0.5, 0],
      [1, 1, 1, 1],
      [8, 8],
    ],
  },
  {
    // x, w, b in float64 and c = torch.arange(30).reshape(y.shape); (y * c).sum().backward()
    name: 'F.conv_transpose2d(x, w, b, stride=2, padding=(0, 1), output_padding=(1, 0), groups=2)',
    inputs: [
      [
        [
          [
            [1, 2],
            [3, -1],
          ],
          [
            [2, 0],
            [1, 1],
          ],
        ],
      ],
      [
        [
          [
            [1, 2, 0],
            [0, -1, 3],
          ],
        ],
        [
          [
            [-1, 0.5, 1],
            [2, 1, 0],
          ],
        ],
      ],
      [0.5, -1],
    ],
    run: (x, w, b) => ops.convTranspose2d(x, w, b, { stride: 2, padding: [0, 1], outputPadding: [1, 0], groups: 2 }),
    c: Array.from({ length: 30 }, (_, i) => i),
    y: [
      2.5, 2.5, 4.5, -0.5, 3.5, -1.5, 6.5, -0.5, -1.5, -2.5, 9.5, 1.5, 0.5, 0.5, 0.5, 0, 1, -1, 1, -1, -1, -0.5, -1,
      -0.5, 0, 1, 0, -1, -1, -1,
    ],
    gradients: [
      [9, 0, 33, 12, 41.5, 50.5, 56.5, 65.5],
      [-5, 14, 22, -2, 29, 34, 22, 74, 54, 25, 86, 63],
      [105, 330],
    ],
  },
  {
    // c = torch.arange(6).reshape(y.shape); causal: mask = torch.triu(torch.full((3, 3), -inf), 1)
    name: 'torch.softmax(q @ k.transpose(-2, -1) / 2 ** 0.5 + mask, -1) @ v, causal',
    magnitude: HEAD_TERM,
    inputs: HEAD,
    run: (q, k, v) => ops.scaledDotProductAttention(q, k, v, { causal: true }),
    c: [0, 1, 2, 3, 4, 5],
    y: [1.0, 2.0, 0.9601505126430412, 1.8804515379291236, 1.5097956302575775, 1.1198787251813034],
    gradients: [
      [0.0, 0.0, -0.14880233581962185, 0.595209343278488, 0.1941881550767357, 2.635912217472639],
      [-0.29760467163924403, 1.5068958284696186, 0.29760467163924387, -2.156927226141921, 0.0, 0.6500313976723017],
      [
        4.104270481370106, 6.610413358034153, 0.6106584969811324, 0.7832478649048948, 1.2850710216487622,
        1.6063387770609527,
      ],
    ],
  },
  {
    // mask = torch.tensor([[0, -inf, 0.5]]), which needs a gradient too
    name: 'torch.softmax(q @ k.transpose(-2, -1) / 2 ** 0.5 + mask, -1) @ v, mask',
    magnitude: HEAD_TERM,
    inputs: [...HEAD, [[0, -Infinity, 0.5]]],
    run: (q, k, v, mask) => ops.scaledDotProductAttention(q, k, v, { mask }),
    c: [0, 1, 2, 3, 4, 5],
    y: [
      2.5701516887628566, 0.8223862334278569, 1.3300457183223613, 1.752465711258229, 1.9848361194928588,
      1.2613729103803553,
    ],
    gradients: [
      [
        -0.2684505910132312, 0.13422529550661574, -0.07307434964997409, 0.0365371748249875, 0.13255203501367668,
        -0.06627601750683726,
      ],
      [0.1302508275755044, 0.09854797319526028, 0.0, 0.0, -0.13025082757550466, -0.09854797319525863],
      [3.70028204269192, 5.25776527940288, 0.0, 0.0, 2.2997179573080797, 3.7422347205971187],
      [0.1970215448920536, 0.0, -0.1970215448920517],
    ],
  },
  {
    name: 'F.embedding([2, 0, 2], e)',
    inputs: [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    run: (e) => ops.embedding(e, constant(e, [2, 0, 2])),
    y: [5, 6, 1, 2, 5, 6],
    gradients: [[1, 1, 0, 0, 2, 2]],
  },
  {
    name: 'F.cross_entropy(x, [2, 0, -100, 1])',
    inputs: [LOGITS],
    run: (x) => ops.crossEntropy(x, constant(x, [2, 0, -100, 1])),
    y: [1.4136972313671192],
    gradients: [
      [
        0.07707463254071634, 0.20951057307058746, -0.28658520561130385, -0.17193671649740067, 0.04624090492050082,
        0.12569581157689982, 0, 0, 0, 0.07064718587236181, -0.2626861474609715, 0.1920389615886097,
      ],
    ],
  },
  {
    name: 'F.cross_entropy(x, [2, 0, -100, 1], label_smoothing=0.1)',
    inputs: [LOGITS],
    run: (x) => ops.crossEntropy(x, constant(x, [2, 0, -100, 1]), { labelSmoothing: 0.1 }),
    y: [1.3970305647004526],
    gradients: [
      [
        0.06596352142960522, 0.19839946195947636, -0.26436298338908165, -0.14971449427517844, 0.035129793809389714,
        0.11458470046578874, 0, 0, 0, 0.05953607476125071, -0.2404639252387493, 0.18092785047749863,
      ],
    ],
  },
  {
    name: 'F.cross_entropy(x, [2, 0, 1, 0], ignore_index=0)',
    inputs: [LOGITS],
    run: (x) => ops.crossEntropy(x, constant(x, [2, 0, 1, 0]), { ignoreIndex: 0 }),
    y: [2.0486070089177604],
    gradients: [
      [
        0.11561194881107452, 0.3142658596058812, -0.4298778084169558, 0, 0, 0, 0.4378002975315438, -0.4407501727324952,
        0.00294987520095139, 0, 0, 0,
      ],
    ],
  },
  {
    name: '(w * F.cross_entropy(x, [2, 0, 1, 0], reduction="none")).sum() / w.sum(), w = [1, 2, 4, 0.5]',
    inputs: [LOGITS],
    run: (x) => ops.crossEntropy(x, constant(x, [2, 0, 1, 0]), { weights: constant(x, [1, 2, 4, 0.5]) }),
    y: [1.696270462414266],
    gradients: [
      [
        0.03082985301628654, 0.083804229228235, -0.11463408224452154, -0.13754937319792054, 0.03699272393640066,
        0.10055664926151986, 0.46698698403364675, -0.4701335175813282, 0.0031465335476814826, -0.052537229492194304,
        0.014129437174472362, 0.03840779231772194,
      ],
    ],
  },
  {
    name: 'F.cross_entropy(x, [[0, 1], [1, -100]])',
    inputs: [
      [
        [
          [1, 2],
          [0, -1],
        ],
        [
          [0.5, 0.5],
          [3, 0],
        ],
      ],
    ],
    run: (x) =>
      ops.crossEntropy(
        x,
        constant(x, [
          [0, 1],
          [1, -100],
        ]),
      ),
    y: [1.1469129244615048],
    gradients: [
      [
        -0.08964714045666503, 0.3175247089408111, 0.08964714045666503, -0.31752470894081103, 0.025286060007081182, 0,
        -0.025286060007081147, 0,
      ],
    ],
  },
  {
    name: 'cross entropy of nothing is 0, where PyTorch gives NaN',
    inputs: [LOGITS],
    run: (x) => ops.crossEntropy(x, constant(x, [-100, -100, -100, -100])),
    y: [0],
    gradients: [new Array(12).fill(0)],
  },
  {
    name: 'F.mse_loss(p, q)',
    inputs: [PREDICTIONS],
    run: (p) => ops.mse(p, constant(p, VALUES)),
    y: [1.5625],
    gradients: [[0.5, -0.25, -0.5, -1]],
  },
  {
    name: '(w * ((p - q) ** 2).mean(1)).sum() / w.sum(), w = [3, 1]',
    inputs: [PREDICTIONS],
    run: (p) => ops.mse(p, constant(p, VALUES), { weights: constant(p, [3, 1]) }),
    y: [1.09375],
    gradients: [[0.75, -0.375, -0.25, -0.5]],
  },
  {
    name: 'F.binary_cross_entropy_with_logits(p, q)',
    inputs: [[1, -2, 40]],
    run: (p) => ops.bceWithLogits(p, constant(p, [0, 1, 0.25])),
    y: [11.1467298995204],
    gradients: [[0.2436861928766683, -0.2935990259926275, 0.25]],
  },
  {
    name: 'F.layer_norm(x, [3], g, b)',
    inputs: [[[1, 2, 4]], [1, 2, 3], [0, 1, -1]],
    run: (x, g, b) => ops.layerNorm(x, g, b),
    c: [1, -1, 2],
    y: [-1.069041531450298, 0.46547923427485083, 3.0089057429386155],
    gradients: [
      [1.6035485524441158, -2.4053468819460018, 0.8017983295018873],
      [-1.069041531450298, 0.2672603828625746, 2.6726038286257436],
      [1, -1, 2],
    ],
  },
  {
    name: 'F.group_norm(x, 2, g, b)',
    inputs: [[[[[1]], [[3]], [[2]], [[-2]]]], [1, 2, 3, 0.5], [0, 1, -1, 2]],
    run: (x, g, b) => ops.groupNorm(x, 2, g, b),
    c: [1, 2, -1, 3],
    y: [-0.9999950000374997, 2.9999900000749995, 1.9999962500070314, 1.5000006249988282],
    gradients: [
      [-1.4999775002744187e-5, 1.4999775002522142e-5, -2.812489453107858e-6, 2.812489453052347e-6],
      [-0.9999950000374997, 1.9999900000749995, -0.9999987500023437, -2.9999962500070314],
      [1, 2, -1, 3],
    ],
  },
  {
    name: 'F.batch_norm(x, None, None, g, b, True)',
    inputs: [
      [
        [[[1, 2]], [[0, 5]]],
        [[[4, -1]], [[2, 2]]],
      ],
      [2, 0.5],
      [1, -1],
    ],
    run: (x, g, b) => ops.batchNorm2d(x, g, b),
    c: [1, 2, -1, 3, 0, 1, 2, -2],
    y: [
      0.4453006571577188, 1.554699342842281, -1.6301250493819295, -0.22984716186653048, 3.7734967142114058,
      -1.7734967142114058, -1.0700138943757698, -1.0700138943757698,
    ],
    gradients: [
      [
        -0.08533809785851137, 1.1947367835430738, 0.09884151700145306, 0.065897419778055, -0.6827081963920054,
        -0.4266904892925569, 0.4777416866164056, -0.6424806233959136,
      ],
      [-1.1093986856845623, 5.881167127564676],
      [4, 2],
    ],
  },
  {
    name: 'F.batch_norm(x, [0.5, 1], [1, 2], None, None, False)',
    inputs: [[[[[1, 2]], [[0, 5]]]]],
    run: (x) =>
      ops.batchNorm2d(x, null, null, { frozen: { mean: constant(x, [0.5, 1]), variance: constant(x, [1, 2]) } }),
    y: [0.4999975000187499, 1.4999925000562495, -0.7071050134262237, 2.8284200537048947],
    gradients: [[0.9999950000374997, 0.9999950000374997, 0.7071050134262237, 0.7071050134262237]],
  },
]

/** @param tolerance  relative to the value, or to `magnitude` where that is larger */
function assertClose(
  actual: ArrayLike<number>,
  expected: readonly number[],
  tolerance: number,
  what: string,
  magnitude = 1,
): void {
  assert.is(actual.length, expected.length, what)
  expected.forEach((value, i) => {
    const close = Math.abs(actual[i] - value) <= tolerance * Math.max(magnitude, Math.abs(value))
    assert.ok(close, `${what}: element ${i} is ${actual[i]}, PyTorch has ${value}`)
  })
}

for (const [label, device, tolerance] of [['reference', reference, LITERAL] as const, ...cpus]) {
  for (const { name, inputs, run, y, gradients, c, magnitude } of cases) {
    test(`${label}: ${name}`, async () => {
      const leaves = inputs.map((values) => requireGrad(tensor(device, values)))
      const result = scope(device, () => {
        const output = run(...leaves)
        const weights = tensor(device, c ?? new Array(output.size).fill(1), [output.size])
        backward(ops.sum(ops.mul(ops.reshape(output, [-1]), weights)))
        return output
      })
      assertClose(await result.data(), y, tolerance, 'y')
      for (const [i, { grad }] of leaves.entries())
        assertClose((await grad?.data()) ?? [], gradients[i], tolerance, `gradient ${i}`, magnitude)
      for (const tensor of [result, ...leaves, ...leaves.map(({ grad }) => grad)]) tensor?.dispose()
    })
  }
}

const side = (most: number, least = 0): fc.Arbitrary<number> => fc.integer({ min: least, max: most })
const pair = (most: number, least = 0): fc.Arbitrary<[number, number]> => fc.tuple(side(most, least), side(most, least))

test('conv2d: padding, dilation, stride and groups equal their definitions by simpler ops', async () => {
  const windows = fc.record({
    kernel: pair(3, 1),
    stride: pair(3, 1),
    padding: pair(2),
    dilation: pair(3, 1),
    groups: side(2, 1),
    extra: pair(3),
  })
  await fc.assert(
    fc.asyncProperty(windows, async ({ kernel, stride, padding, dilation, groups, extra }) => {
      const extent = kernel.map((size, i) => dilation[i] * (size - 1) + 1)
      const [height, width] = extent.map((size, i) => Math.max(1, size - 2 * padding[i]) + extra[i])
      const ramp = (...shape: number[]): Tensor => {
        const size = shape.reduce((product, dim) => product * dim, 1)
        return tensor(
          reference,
          Float64Array.from({ length: size }, (_, i) => ((i * 5) % 13) - 6),
          shape,
        )
      }
      const [y, dense] = scope(reference, () => {
        const x = ramp(2, 2 * groups, height, width)
        const w = ramp(3 * groups, 2, kernel[0], kernel[1])
        const y = ops.conv2d(x, w, null, { stride, padding, dilation, groups })
        const padded = ops.pad(x, [
          [0, 0],
          [0, 0],
          [padding[0], padding[0]],
          [padding[1], padding[1]],
        ])
        const outputs = Array.from({ length: groups }, (_, g) => {
          const part = ops.slice(w, [3 * g], [3 * (g + 1)])
          return ops.conv2d(ops.slice(padded, [0, 2 * g], [2, 2 * (g + 1)]), spread(part, dilation))
        })
        return [y, ops.concat(outputs, 1)]
      })
      const [, , rows, columns] = dense.shape
      const picked = (await dense.data()).filter((_, i) => {
        return (Math.floor(i / columns) % rows) % stride[0] === 0 && (i % columns) % stride[1] === 0
      })
      assert.equal(y.shape, [2, 3 * groups, Math.ceil(rows / stride[0]), Math.ceil(columns / stride[1])])
      assert.equal(await y.data(), picked)
      y.dispose()
      dense.dispose()
    }),
    { seed: 5, numRuns: 100 },
  )
})

/** The kernel with dilation - 1 zeros between its taps. */
function spread(w: Tensor, [gapY, gapX]: readonly number[]): Tensor {
  const [outs, ins, height, width] = w.shape
  const column = ops.reshape(w, [outs, ins, height, 1, width, 1])
  const wide = ops.pad(column, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, gapY - 1],
    [0, 0],
    [0, gapX - 1],
  ])
  const grid = ops.reshape(wide, [outs, ins, height * gapY, width * gapX])
  return ops.slice(grid, [], [outs, ins, gapY * (height - 1) + 1, gapX * (width - 1) + 1])
}

test('pooling: padding equals an explicit pad', async () => {
  const windows = fc.record({ kernel: pair(4, 1), stride: pair(3, 1), half: pair(2), extra: pair(4) })
  await fc.assert(
    fc.asyncProperty(windows, async ({ kernel, stride, half, extra }) => {
      const padding = [Math.min(half[0], kernel[0] >> 1), Math.min(half[1], kernel[1] >> 1)] as const
      const [height, width] = kernel.map((size, i) => size + extra[i])
      const pairs = scope(reference, () => {
        const x = tensor(
          reference,
          Float64Array.from({ length: 2 * height * width }, (_, i) => ((i * 7) % 11) - 8),
          [1, 2, height, width],
        )
        const padded = (value: number): Tensor => {
          return ops.pad(
            x,
            [
              [0, 0],
              [0, 0],
              [padding[0], padding[0]],
              [padding[1], padding[1]],
            ],
            value,
          )
        }
        return [
          [ops.maxPool2d(x, { kernel, stride, padding }), ops.maxPool2d(padded(-Infinity), { kernel, stride })],
          [ops.averagePool2d(x, { kernel, stride, padding }), ops.averagePool2d(padded(0), { kernel, stride })],
        ]
      })
      for (const [seen, wanted] of pairs) {
        assert.equal(
          seen.shape.slice(2),
          [height, width].map((size, i) => Math.floor((size + 2 * padding[i] - kernel[i]) / stride[i]) + 1),
        )
        assert.equal(await seen.data(), await wanted.data())
        seen.dispose()
        wanted.dispose()
      }
    }),
    { seed: 6, numRuns: 100 },
  )
})

test('NaN: max and maxPool2d pass it on, and argmax points at it', async () => {
  const x = tensor(reference, [
    [
      [
        [1, Number.NaN],
        [5, 2],
      ],
    ],
  ])
  assert.equal(await ops.max(x).item(), Number.NaN)
  assert.equal(await ops.maxPool2d(x, { kernel: 2 }).item(), Number.NaN)
  assert.is(await ops.argmax(x).item(), 1)
  assert.is(await ops.argmax(tensor(reference, [1, 5, 5])).item(), 1, 'of equal values, the first')
})

test('batchNorm2d moves running statistics by momentum, the variance unbiased', async () => {
  // F.batch_norm(x, rm, rv, None, None, True, 0.1) with rm = [0.5, 1], rv = [1, 2]
  const running = {
    mean: standingTensor(reference, [2], 'buffer', () => [0.5, 1]),
    variance: standingTensor(reference, [2], 'buffer', () => [1, 2]),
    momentum: 0.1,
  }
  const x = tensor(reference, [
    [[[1, 2]], [[0, 5]]],
    [[[4, -1]], [[2, 2]]],
  ])
  scope(reference, () => ops.batchNorm2d(x, null, null, { running })).dispose()
  assertClose(await running.mean.data(), [0.6, 1.125], LITERAL, 'mean')
  assertClose(await running.variance.data(), [4 / 3, 2.225], LITERAL, 'variance')
  assert.throws(
    () => ops.batchNorm2d(x, null, null, { running: { ...running, momentum: 2 } }),
    /batchNorm2d: momentum 2/,
  )
  assert.throws(
    () => ops.batchNorm2d(x, null, null, { running, frozen: running }),
    /batchNorm2d: give frozen statistics, or running/,
  )
  assert.throws(() => ops.batchNorm2d(tensor(reference, [[[[1]], [[2]]]])), /batchNorm2d: .*no variance/)
  const narrow = { ...running, mean: tensor(reference, [1]) }
  assert.throws(() => ops.batchNorm2d(x, null, null, { running: narrow }), /batchNorm2d: .*\[2, 2, 1, 2\].*\[1\]/)
})

test('dropout: a mini-batch of more than 2^32 elements repeats no mask, nor does attention', async () => {
  const ones = new Float64Array(64).fill(1)
  const dropped = async (firstSample: number): Promise<string> => {
    Object.assign(reference.step, { seed: 5, step: 9, call: 0, firstSample })
    return String(await ops.dropout(tensor(reference, ones, [1, 64]), 0.5).data())
  }
  const samples = [0, 1, 2 ** 26, 2 ** 26 + 1, 2 ** 27, 2 ** 32]
  assert.is(new Set(await Promise.all(samples.map(dropped))).size, samples.length)

  const zeros = tensor(reference, new Float64Array(2 * 16), [1, 2, 16, 1])
  const attended = async (firstSample: number): Promise<string> => {
    Object.assign(reference.step, { seed: 5, step: 9, call: 0, firstSample })
    const y = ops.scaledDotProductAttention(zeros, zeros, ops.add(zeros, 1), { dropout: 0.5 })
    return String(await y.data())
  }
  assert.is.not(await attended(0), await attended(2 ** 32 / (2 * 16 * 16)))
})

test('dropout: a call that would repeat a mask is refused', () => {
  const x = tensor(reference, [[1, 2]])
  Object.assign(reference.step, { seed: 5, step: 9, call: 2047, firstSample: 2 ** 31 })
  ops.dropout(x, 0.5)
  assert.throws(() => ops.dropout(x, 0.5), /dropout: .* beyond 2\^32 for the first 2048 draws/)
  Object.assign(reference.step, { call: 5000, firstSample: 2 ** 31 - 1 })
  ops.dropout(x, 0.5)
  Object.assign(reference.step, { call: 0, firstSample: 2 ** 52 })
  assert.throws(() => ops.dropout(x, 0.5), /2\^53/)
  Object.assign(reference.step, { call: 0, firstSample: 0 })
})

test('dropout: the mask depends on position and step, not on the split of the mini-batch', async () => {
  const values = Array.from({ length: 8 * 3 }, (_, i) => i + 1)
  const part = async (first: number, count: number): Promise<number[]> => {
    Object.assign(reference.step, { seed: 5, step: 9, call: 2, firstSample: first })
    const y = ops.dropout(tensor(reference, values.slice(first * 3, (first + count) * 3), [count, 3]), 0.25)
    assert.is(reference.step.call, 3, 'the next dropout of the forward has another mask')
    return Array.from(await y.data())
  }
  const whole = await part(0, 8)
  whole.forEach((value, i) => assert.ok(value === 0 || Math.abs(value - values[i] / 0.75) < 1e-12))
  assert.ok(whole.includes(0) && whole.some((value) => value > 0))
  assert.equal([...(await part(0, 3)), ...(await part(3, 1)), ...(await part(4, 4))], whole)
  const x = tensor(reference, [1, 2])
  const same = ops.dropout(x, 0)
  x.dispose()
  assert.equal(await same.array(), [1, 2], 'at rate 0 a view, which outlives x')
})

test.run()
