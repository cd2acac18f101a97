/** Every GPU kernel on the GPU. */
import { test } from 'uvu'
import { testKernels } from './kernels.js'
import { onGpu } from './on-gpu.js'

testKernels(await onGpu())

test.run()
