/** Batched matrix product: tiles/product.ts. */
import type { GpuKernel } from './machine/kernel.js'
import { PRODUCT_PROGRAMS, productWorkspaces, runProduct } from './tiles/product.js'

export const matmul: GpuKernel<'matmul'> = {
  programs: PRODUCT_PROGRAMS,
  workspaces: productWorkspaces,
  run: (gpu, p, inputs, [y], workspaces) => runProduct(gpu, p, inputs, y, workspaces),
}
