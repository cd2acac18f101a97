/** A plan as a file: all its promises, as plain JSON. The format: plan-format.ts. A verifier: src/verify. */
import type { Device } from '../device/device.js'
import type { Block } from '../memory/allocator.js'
import { type Pass, repeatsOf } from '../step/pass.js'
import type { Passes, Split } from './plan.js'
import type { PlanFile, PlannedPass } from './plan-format.js'

/** @param blocks  the blocks that were live on the device when the plan was made */
export function planFile(device: Device, split: Split, passes: Passes, blocks: readonly Block[]): PlanFile {
  const { reset, joint, noise, norm, commit, store } = passes
  const addressed = reset.addresses !== null
  const { mode, batch, microBatch, extraTime, budgetBytes, heldBytes, parts, plannedPeakBytes } = split
  return {
    format: 'sluice plan',
    version: 1,
    device: device.kind,
    addressed,
    mode,
    batch,
    microBatch,
    extraTime,
    noise: noise !== undefined,
    budgetBytes: Number.isFinite(budgetBytes) ? budgetBytes : null,
    standing: {
      bytes: heldBytes,
      blocks: blocks.map(({ address, bytes, category }) => ({ address: addressed ? address : null, bytes, category })),
    },
    store: store && { address: passes.parts[0][0].storeAddress, bytes: store.bytes, onDevice: !store.onHost },
    passes: [
      plannedPass('reset', reset),
      ...parts.flatMap(({ size, count }, i) =>
        (passes.parts[i] ?? []).map((pass, level) => plannedPass('micro-batch', pass, count, size, level)),
      ),
      ...(joint ? [plannedPass('joint', joint.pass)] : []),
      ...(noise ? [plannedPass('noise', noise)] : []),
      ...(norm ? [plannedPass('norm', norm)] : []),
      ...(commit ? [plannedPass('commit', commit)] : []),
    ],
    peakBytes: plannedPeakBytes,
  }
}

function plannedPass(name: PlannedPass['name'], pass: Pass, count = 1, samples = 0, level = 0): PlannedPass {
  const { instructions, turns, lives, addresses, peakBytes } = pass
  const again = repeatsOf(turns)
  const numbers = new Map(lives.map(({ value }, i) => [value, i]))
  return {
    name,
    count,
    samples,
    level,
    peakBytes,
    turns: turns.map(({ instruction, operands, transfer }, i) => {
      const { op, name, module } = instructions[instruction]
      const kernel = transfer?.what ?? name
      return { op, kernel, module, again: again[i], operands: operands.map((value) => numbers.get(value) ?? null) }
    }),
    blocks: lives.map(({ birth, death, bytes, category, op, module }, i) => ({
      birth,
      death: death === Infinity ? null : death,
      address: addresses ? addresses[i] : null,
      bytes,
      category,
      op,
      module,
    })),
  }
}
