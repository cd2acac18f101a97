/**
 * Two-dimensional cross-correlation and its two gradients: the definition, one sum for each result.
 * convolutionTiled.ts is what runs, and a test holds the two together.
 *
 * Output (oy, ox) meets input (iy, ix) at tap (ky, kx) where iy = oy strideY - padY + ky dilationY, and likewise
 * along x. Each kernel below solves that for the two it does not loop over. An output channel sees the
 * channels / groups input channels of its own group. Not here: the gradient of the bias, which is a `reduce` of dy.
 */
import type { Kernels } from '../kernels.js'

/**
 * x [batch, channels, height, width], w [outChannels, channels / groups, kernelHeight, kernelWidth],
 * bias? [outChannels] -> y [batch, outChannels, outHeight, outWidth]
 */
export const convolution: Kernels['convolution'] = (p, [x, w, bias], [y]) => {
  const groupChannels = p.channels / p.groups
  const groupOut = p.outChannels / p.groups
  let out = 0
  for (let n = 0; n < p.batch; n++) {
    for (let o = 0; o < p.outChannels; o++) {
      const firstChannel = Math.floor(o / groupOut) * groupChannels
      for (let oy = 0; oy < p.outHeight; oy++) {
        for (let ox = 0; ox < p.outWidth; ox++) {
          let sum = p.bias ? bias[o] : 0
          for (let c = 0; c < groupChannels; c++) {
            for (let ky = 0; ky < p.kernelHeight; ky++) {
              const iy = oy * p.strideY - p.padY + ky * p.dilationY
              if (iy < 0 || iy >= p.height) continue
              for (let kx = 0; kx < p.kernelWidth; kx++) {
                const ix = ox * p.strideX - p.padX + kx * p.dilationX
                if (ix < 0 || ix >= p.width) continue
                sum +=
                  x[((n * p.channels + firstChannel + c) * p.height + iy) * p.width + ix] *
                  w[((o * groupChannels + c) * p.kernelHeight + ky) * p.kernelWidth + kx]
              }
            }
          }
          y[out++] = sum
        }
      }
    }
  }
}

/** dy, w, bias? [channels] -> dx, all else shaped as above */
export const convolutionInputGradient: Kernels['convolutionInputGradient'] = (p, [dy, w, bias], [dx]) => {
  const groupChannels = p.channels / p.groups
  const groupOut = p.outChannels / p.groups
  let at = 0
  for (let n = 0; n < p.batch; n++) {
    for (let ch = 0; ch < p.channels; ch++) {
      const c = ch % groupChannels
      const firstOut = Math.floor(ch / groupChannels) * groupOut
      for (let iy = 0; iy < p.height; iy++) {
        for (let ix = 0; ix < p.width; ix++) {
          let sum = p.bias ? bias[ch] : 0
          for (let o = firstOut; o < firstOut + groupOut; o++) {
            for (let ky = 0; ky < p.kernelHeight; ky++) {
              const oy = (iy + p.padY - ky * p.dilationY) / p.strideY
              if (!Number.isInteger(oy) || oy < 0 || oy >= p.outHeight) continue
              for (let kx = 0; kx < p.kernelWidth; kx++) {
                const ox = (ix + p.padX - kx * p.dilationX) / p.strideX
                if (!Number.isInteger(ox) || ox < 0 || ox >= p.outWidth) continue
                sum +=
                  dy[((n * p.outChannels + o) * p.outHeight + oy) * p.outWidth + ox] *
                  w[((o * groupChannels + c) * p.kernelHeight + ky) * p.kernelWidth + kx]
              }
            }
          }
          dx[at++] = sum
        }
      }
    }
  }
}

/** dy, x -> dw, all shaped as above */
export const convolutionWeightGradient: Kernels['convolutionWeightGradient'] = (p, [dy, x], [dw]) => {
  const groupChannels = p.channels / p.groups
  const groupOut = p.outChannels / p.groups
  let at = 0
  for (let o = 0; o < p.outChannels; o++) {
    const firstChannel = Math.floor(o / groupOut) * groupChannels
    for (let c = 0; c < groupChannels; c++) {
      for (let ky = 0; ky < p.kernelHeight; ky++) {
        for (let kx = 0; kx < p.kernelWidth; kx++) {
          let sum = 0
          for (let n = 0; n < p.batch; n++) {
            for (let oy = 0; oy < p.outHeight; oy++) {
              const iy = oy * p.strideY - p.padY + ky * p.dilationY
              if (iy < 0 || iy >= p.height) continue
              for (let ox = 0; ox < p.outWidth; ox++) {
                const ix = ox * p.strideX - p.padX + kx * p.dilationX
                if (ix < 0 || ix >= p.width) continue
                sum +=
                  dy[((n * p.outChannels + o) * p.outHeight + oy) * p.outWidth + ox] *
                  x[((n * p.channels + firstChannel + c) * p.height + iy) * p.width + ix]
              }
            }
          }
          dw[at] = (p.accumulate ? dw[at] : 0) + sum
          at++
        }
      }
    }
  }
}
