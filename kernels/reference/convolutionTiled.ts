/**
 * The sums of convolution.ts, about ten times as fast; the shapes are there.
 *
 * Each loop nest computes 2 x 4 results at once, so that six loads feed eight multiply-adds: 2 samples by
 * 4 channels at one position for y and dx, 2 by 4 channels at one tap for dw. The innermost loop is a long one
 * (channels, or a row of outputs), so what must be asked of each tap is asked seldom: does it fall into the
 * padding? Nothing is copied (no im2col). At an edge the last index stands in for the missing, as in matmulTiled.ts.
 */
import type { Kernels } from '../kernels.js'

/** x, w, bias? -> y */
export const convolution: Kernels['convolution'] = (p, [x, w, bias], [y]) => {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = p
  const { strideY, strideX, padY, padX, dilationY, dilationX, groups } = p
  const groupChannels = channels / groups
  const groupOut = outChannels / groups
  const plane = height * width
  const outPlane = outHeight * outWidth
  const taps = kernelHeight * kernelWidth
  const filter = groupChannels * taps
  for (let group = 0; group < groups; group++) {
    const lastOut = (group + 1) * groupOut - 1
    for (let o0 = group * groupOut; o0 <= lastOut; o0 += 4) {
      const o1 = Math.min(o0 + 1, lastOut)
      const o2 = Math.min(o0 + 2, lastOut)
      const o3 = Math.min(o0 + 3, lastOut)
      const w0 = o0 * filter
      const w1 = o1 * filter
      const w2 = o2 * filter
      const w3 = o3 * filter
      for (let n0 = 0; n0 < batch; n0 += 2) {
        const n1 = Math.min(n0 + 1, batch - 1)
        const x0 = (n0 * channels + group * groupChannels) * plane
        const x1 = (n1 * channels + group * groupChannels) * plane
        for (let oy = 0; oy < outHeight; oy++) {
          for (let ox = 0; ox < outWidth; ox++) {
            let s00 = 0
            let s01 = 0
            let s02 = 0
            let s03 = 0
            let s10 = 0
            let s11 = 0
            let s12 = 0
            let s13 = 0
            if (p.bias) {
              s00 = s10 = bias[o0]
              s01 = s11 = bias[o1]
              s02 = s12 = bias[o2]
              s03 = s13 = bias[o3]
            }
            for (let ky = 0; ky < kernelHeight; ky++) {
              const iy = oy * strideY - padY + ky * dilationY
              if (iy < 0 || iy >= height) continue
              for (let kx = 0; kx < kernelWidth; kx++) {
                const ix = ox * strideX - padX + kx * dilationX
                if (ix < 0 || ix >= width) continue
                let i = iy * width + ix
                let t = ky * kernelWidth + kx
                for (let c = 0; c < groupChannels; c++, i += plane, t += taps) {
                  const u0 = x[x0 + i]
                  const u1 = x[x1 + i]
                  const v0 = w[w0 + t]
                  const v1 = w[w1 + t]
                  const v2 = w[w2 + t]
                  const v3 = w[w3 + t]
                  s00 += u0 * v0
                  s01 += u0 * v1
                  s02 += u0 * v2
                  s03 += u0 * v3
                  s10 += u1 * v0
                  s11 += u1 * v1
                  s12 += u1 * v2
                  s13 += u1 * v3
                }
              }
            }
            const y0 = n0 * outChannels * outPlane + oy * outWidth + ox
            const y1 = n1 * outChannels * outPlane + oy * outWidth + ox
            y[y0 + o0 * outPlane] = s00
            y[y0 + o1 * outPlane] = s01
            y[y0 + o2 * outPlane] = s02
            y[y0 + o3 * outPlane] = s03
            y[y1 + o0 * outPlane] = s10
            y[y1 + o1 * outPlane] = s11
            y[y1 + o2 * outPlane] = s12
            y[y1 + o3 * outPlane] = s13
          }
        }
      }
    }
  }
}

/** dy, w, bias? -> dx */
export const convolutionInputGradient: Kernels['convolutionInputGradient'] = (p, [dy, w, bias], [dx]) => {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = p
  const { strideY, strideX, padY, padX, dilationY, dilationX, groups } = p
  const groupChannels = channels / groups
  const groupOut = outChannels / groups
  const plane = height * width
  const outPlane = outHeight * outWidth
  const taps = kernelHeight * kernelWidth
  const filter = groupChannels * taps
  for (let group = 0; group < groups; group++) {
    const firstOut = group * groupOut
    const lastChannel = groupChannels - 1
    for (let c0 = 0; c0 < groupChannels; c0 += 4) {
      const c1 = Math.min(c0 + 1, lastChannel)
      const c2 = Math.min(c0 + 2, lastChannel)
      const c3 = Math.min(c0 + 3, lastChannel)
      const w0 = firstOut * filter + c0 * taps
      const w1 = firstOut * filter + c1 * taps
      const w2 = firstOut * filter + c2 * taps
      const w3 = firstOut * filter + c3 * taps
      for (let n0 = 0; n0 < batch; n0 += 2) {
        const n1 = Math.min(n0 + 1, batch - 1)
        const dy0 = (n0 * outChannels + firstOut) * outPlane
        const dy1 = (n1 * outChannels + firstOut) * outPlane
        for (let iy = 0; iy < height; iy++) {
          for (let ix = 0; ix < width; ix++) {
            let s00 = 0
            let s01 = 0
            let s02 = 0
            let s03 = 0
            let s10 = 0
            let s11 = 0
            let s12 = 0
            let s13 = 0
            if (p.bias) {
              const first = group * groupChannels
              s00 = s10 = bias[first + c0]
              s01 = s11 = bias[first + c1]
              s02 = s12 = bias[first + c2]
              s03 = s13 = bias[first + c3]
            }
            for (let ky = 0; ky < kernelHeight; ky++) {
              const down = iy + padY - ky * dilationY
              if (down < 0 || down % strideY !== 0) continue
              const oy = down / strideY
              if (oy >= outHeight) continue
              for (let kx = 0; kx < kernelWidth; kx++) {
                const right = ix + padX - kx * dilationX
                if (right < 0 || right % strideX !== 0) continue
                const ox = right / strideX
                if (ox >= outWidth) continue
                let i = oy * outWidth + ox
                let t = ky * kernelWidth + kx
                for (let o = 0; o < groupOut; o++, i += outPlane, t += filter) {
                  const u0 = dy[dy0 + i]
                  const u1 = dy[dy1 + i]
                  const v0 = w[w0 + t]
                  const v1 = w[w1 + t]
                  const v2 = w[w2 + t]
                  const v3 = w[w3 + t]
                  s00 += u0 * v0
                  s01 += u0 * v1
                  s02 += u0 * v2
                  s03 += u0 * v3
                  s10 += u1 * v0
                  s11 += u1 * v1
                  s12 += u1 * v2
                  s13 += u1 * v3
                }
              }
            }
            const dx0 = (n0 * channels + group * groupChannels) * plane + iy * width + ix
            const dx1 = (n1 * channels + group * groupChannels) * plane + iy * width + ix
            dx[dx0 + c0 * plane] = s00
            dx[dx0 + c1 * plane] = s01
            dx[dx0 + c2 * plane] = s02
            dx[dx0 + c3 * plane] = s03
            dx[dx1 + c0 * plane] = s10
            dx[dx1 + c1 * plane] = s11
            dx[dx1 + c2 * plane] = s12
            dx[dx1 + c3 * plane] = s13
          }
        }
      }
    }
  }
}

/** The outputs of one axis whose tap lies on the image, 0 <= start + out stride < size, are first .. end - 1. */
const firstOutput = (start: number, stride: number) => (start < 0 ? Math.ceil(-start / stride) : 0)
const endOutput = (start: number, stride: number, size: number, outSize: number) =>
  Math.min(outSize, Math.ceil((size - start) / stride))

/** dy, x -> dw */
export const convolutionWeightGradient: Kernels['convolutionWeightGradient'] = (p, [dy, x], [dw]) => {
  const { batch, channels, height, width, outChannels, outHeight, outWidth, kernelHeight, kernelWidth } = p
  const { strideY, strideX, padY, padX, dilationY, dilationX, groups, accumulate } = p
  const groupChannels = channels / groups
  const groupOut = outChannels / groups
  const plane = height * width
  const outPlane = outHeight * outWidth
  const taps = kernelHeight * kernelWidth
  const filter = groupChannels * taps
  for (let group = 0; group < groups; group++) {
    const lastOut = (group + 1) * groupOut - 1
    for (let o0 = group * groupOut; o0 <= lastOut; o0 += 4) {
      const o1 = Math.min(o0 + 1, lastOut)
      const o2 = Math.min(o0 + 2, lastOut)
      const o3 = Math.min(o0 + 3, lastOut)
      for (let c0 = 0; c0 < groupChannels; c0 += 2) {
        const c1 = Math.min(c0 + 1, groupChannels - 1)
        const x0 = (group * groupChannels + c0) * plane
        const x1 = (group * groupChannels + c1) * plane
        for (let ky = 0; ky < kernelHeight; ky++) {
          const top = ky * dilationY - padY
          const oy0 = firstOutput(top, strideY)
          const oy1 = endOutput(top, strideY, height, outHeight)
          for (let kx = 0; kx < kernelWidth; kx++) {
            const left = kx * dilationX - padX
            const ox0 = firstOutput(left, strideX)
            const ox1 = endOutput(left, strideX, width, outWidth)
            const dw0 = c0 * taps + ky * kernelWidth + kx
            const dw1 = c1 * taps + ky * kernelWidth + kx

            let s00 = 0
            let s01 = 0
            let s02 = 0
            let s03 = 0
            let s10 = 0
            let s11 = 0
            let s12 = 0
            let s13 = 0
            if (accumulate) {
              s00 = dw[dw0 + o0 * filter]
              s01 = dw[dw0 + o1 * filter]
              s02 = dw[dw0 + o2 * filter]
              s03 = dw[dw0 + o3 * filter]
              s10 = dw[dw1 + o0 * filter]
              s11 = dw[dw1 + o1 * filter]
              s12 = dw[dw1 + o2 * filter]
              s13 = dw[dw1 + o3 * filter]
            }
            for (let n = 0; n < batch; n++) {
              const dy0 = (n * outChannels + o0) * outPlane
              const dy1 = (n * outChannels + o1) * outPlane
              const dy2 = (n * outChannels + o2) * outPlane
              const dy3 = (n * outChannels + o3) * outPlane
              for (let oy = oy0; oy < oy1; oy++) {
                let i = n * channels * plane + (top + oy * strideY) * width + left + ox0 * strideX
                let j = oy * outWidth + ox0
                for (let ox = ox0; ox < ox1; ox++, j++, i += strideX) {
                  const u0 = x[x0 + i]
                  const u1 = x[x1 + i]
                  const v0 = dy[dy0 + j]
                  const v1 = dy[dy1 + j]
                  const v2 = dy[dy2 + j]
                  const v3 = dy[dy3 + j]
                  s00 += u0 * v0
                  s01 += u0 * v1
                  s02 += u0 * v2
                  s03 += u0 * v3
                  s10 += u1 * v0
                  s11 += u1 * v1
                  s12 += u1 * v2
                  s13 += u1 * v3
                }
              }
            }
            dw[dw0 + o0 * filter] = s00
            dw[dw0 + o1 * filter] = s01
            dw[dw0 + o2 * filter] = s02
            dw[dw0 + o3 * filter] = s03
            dw[dw1 + o0 * filter] = s10
            dw[dw1 + o1 * filter] = s11
            dw[dw1 + o2 * filter] = s12
            dw[dw1 + o3 * filter] = s13
          }
        }
      }
    }
  }
}
