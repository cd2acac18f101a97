/** Sizes of convolution and pooling. */

/** Windows over images of height x width. */
export interface Windows {
  height: number
  width: number
  outHeight: number
  outWidth: number
  kernelHeight: number
  kernelWidth: number
  strideY: number
  strideX: number
  padY: number
  padX: number
  /** distance of the numbers in a window; 1 in averagePool */
  dilationY: number
  dilationX: number
}

/** Two-dimensional cross-correlation, NCHW and OIHW. `channels` and `outChannels` count all groups. */
export interface Convolution extends Windows {
  batch: number
  channels: number
  outChannels: number
  groups: number
}

/** Windows over `planes` = N * C images. Padding never wins a max. */
export interface Pooling extends Windows {
  planes: number
}
