/**
 * Two-dimensional cross-correlation and its two gradients, one sum for each result.
 *
 * Output (oy, ox) meets input (iy, ix) at tap (ky, kx) where iy = oy strideY - padY + ky dilationY, and likewise
 * along x. Each kernel below solves these equations for the indices that it does not loop over. An output channel sees
 * the channels / groups input channels of its own group. Not here: the gradient of the bias, which is a `reduce` of dy.
 */
import type { Kernels } from '../kernels.js'

/**
 * x [batch, channels, height, width], w [outChannels, channels / groups, kernelHeight, kernelWidth],
 * bias? [outChannels] -> y [batch, outChannels, outHeight, outWidth]
 */
export const convolution: Kernels['convolution'] = (p, [x, w, bias], [y]) => {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = p
  const { strideY, strideX, padY, padX, dilationY, dilationX, groups } = p
  const groupChannels = channels / groups
  const groupOut = outChannels / groups
  let out = 0
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outChannels; o++) {
      const firstChannel = Math.floor(o / groupOut) * groupChannels
      for (let oy = 0; oy < outHeight; oy++) {
        for (let ox = 0; ox < outWidth; ox++) {
          let sum = p.bias ? bias[o] : 0
          for (let ky = 0; ky < kernelHeight; ky++) {
            const iy = oy * strideY - padY + ky * dilationY
            if (iy < 0 || iy >= height) continue
            for (let kx = 0; kx < kernelWidth; kx++) {
              const ix = ox * strideX - padX + kx * dilationX
              if (ix < 0 || ix >= width) continue
              for (let c = 0; c < groupChannels; c++) {
                sum +=
                  x[((n * channels + firstChannel + c) * height + iy) * width + ix] *
                  w[((o * groupChannels + c) * kernelHeight + ky) * kernelWidth + kx]
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
  const { batch, channels, height, width, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = p
  const { strideY, strideX, padY, padX, dilationY, dilationX, groups } = p
  const groupChannels = channels / groups
  const groupOut = outChannels / groups
  let at = 0
  for (let n = 0; n < batch; n++) {
    for (let ch = 0; ch < channels; ch++) {
      const c = ch % groupChannels
      const firstOut = Math.floor(ch / groupChannels) * groupOut
      for (let iy = 0; iy < height; iy++) {
        for (let ix = 0; ix < width; ix++) {
          let sum = p.bias ? bias[ch] : 0
          for (let ky = 0; ky < kernelHeight; ky++) {
            const oy = (iy + padY - ky * dilationY) / strideY
            if (!Number.isInteger(oy) || oy < 0 || oy >= outHeight) continue
            for (let kx = 0; kx < kernelWidth; kx++) {
              const ox = (ix + padX - kx * dilationX) / strideX
              if (!Number.isInteger(ox) || ox < 0 || ox >= outWidth) continue
              for (let o = firstOut; o < firstOut + groupOut; o++) {
                sum +=
                  dy[((n * outChannels + o) * outHeight + oy) * outWidth + ox] *
                  w[((o * groupChannels + c) * kernelHeight + ky) * kernelWidth + kx]
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
  const { batch, channels, height, width, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = p
  const { strideY, strideX, padY, padX, dilationY, dilationX, groups } = p
  const groupChannels = channels / groups
  const groupOut = outChannels / groups
  let at = 0
  for (let o = 0; o < outChannels; o++) {
    const firstChannel = Math.floor(o / groupOut) * groupChannels
    for (let c = 0; c < groupChannels; c++) {
      for (let ky = 0; ky < kernelHeight; ky++) {
        for (let kx = 0; kx < kernelWidth; kx++) {
          let sum = p.accumulate ? dw[at] : 0
          for (let n = 0; n < batch; n++) {
            for (let oy = 0; oy < outHeight; oy++) {
              const iy = oy * strideY - padY + ky * dilationY
              if (iy < 0 || iy >= height) continue
              const rowY = ((n * outChannels + o) * outHeight + oy) * outWidth
              const rowX = ((n * channels + firstChannel + c) * height + iy) * width
              for (let ox = 0; ox < outWidth; ox++) {
                const ix = ox * strideX - padX + kx * dilationX
                if (ix >= 0 && ix < width) sum += dy[rowY + ox] * x[rowX + ix]
              }
            }
          }
          dw[at++] = sum
        }
      }
    }
  }
}
