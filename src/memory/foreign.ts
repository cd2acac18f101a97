/** What an option is called elsewhere: in PyTorch, numpy and other libraries, and by habit. */
import { editsBetween, nearest } from './nearest.js'

/** Foreign names in small letters without underscores, and ours: the first of ours that a function knows is meant. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  // reductions, shapes
  axis: ['axes'],
  dim: ['axes'],
  dims: ['axes'],
  ddof: ['correction'],
  unbiased: ['correction'],
  // convolution, pooling
  kernelsize: ['kernel'],
  poolsize: ['kernel'],
  pad: ['padding'],
  dilationrate: ['dilation'],
  countincludepad: ['countPadding'],
  // norms, attention, dropout
  epsilon: ['eps'],
  elementwiseaffine: ['affine'],
  iscausal: ['causal'],
  attnmask: ['mask'],
  dropoutp: ['dropout'],
  p: ['rate', 'dropout'],
  nhead: ['heads'],
  numheads: ['heads'],
  dimfeedforward: ['feedForward'],
  normfirst: ['preNorm'],
  // losses
  weight: ['weights'],
  sampleweight: ['weights'],
  // optimizers, schedules
  lr: ['learningRate'],
  maxnorm: ['clipNorm'],
  gradclip: ['clipNorm'],
  clip: ['clipNorm'],
  rho: ['alpha'],
  params: ['parameters'],
  etamin: ['floor'],
  tmax: ['steps'],
  stepsize: ['every'],
  gamma: ['factor'],
  // models
  numclasses: ['classes'],
  hiddensize: ['width'],
  dmodel: ['width'],
  vocab: ['vocabulary'],
  vocabsize: ['vocabulary'],
  blocksize: ['context'],
  sequencelength: ['context'],
  numlayers: ['layers'],
  depth: ['layers'],
  // data, training
  x: ['inputs', 'images'],
  y: ['targets', 'labels'],
  labels: ['targets'],
  images: ['inputs'],
  batchsize: ['batch'],
  minibatch: ['batch'],
  validation: ['evaluate'],
  validationdata: ['evaluate'],
  criterion: ['loss'],
  lossfn: ['loss'],
  net: ['model'],
  optim: ['optimizer'],
  budget: ['memory'],
  numthreads: ['threads'],
  workers: ['threads'],
}

/** Names are alike if at most this share of their letters differs. */
const ALIKE = 0.4

/** The known name that is meant by `name`, or null if none is like it. */
export function foreignName(name: string, known: readonly string[]): string | null {
  const plain = (text: string): string => text.toLowerCase().replaceAll('_', '')
  const key = plain(name)
  const ours = Object.hasOwn(OURS, key) ? OURS[key].find((meant) => known.includes(meant)) : undefined
  if (ours) return ours
  if (known.length === 0) return null
  const best = nearest(key, known.map(plain))
  if (editsBetween(key, best) > ALIKE * Math.max(key.length, best.length)) return null
  return known.find((each) => plain(each) === best) ?? null
}
