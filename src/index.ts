/**
 * Sluice: a tensor and autograd engine that streams large mini-batches through a hard byte budget.
 *
 * Namespaces: `nn` modules, `optim` optimizers and schedules, `models`, `data`, `metrics`. Everything else is exported by name.
 */
import './ops/chain.js'

export type { Defined, Floats, KernelName, KernelParameters, Numbers, UserKernel } from '../kernels/kernels.js'
export type { SimdVariant } from '../kernels/simd/index.js'
export { backward, zeroGrad } from './autograd/backward.js'
export { type CheckOptions, checkGradient, type GradientCheck, type InputCheck } from './autograd/gradcheck.js'
export type { AnyBatch, AnyDataset, AnySource, Batch, DataSource, Dataset, LazyDataset } from './data/index.js'
export * as data from './data/index.js'
export { Device } from './device/device.js'
export {
  DeviceError,
  DeviceLostError,
  PlanMismatchError,
  RehearsalError,
  TensorTooLargeError,
} from './device/errors.js'
export type { GpuDevice } from './device/gpu/gpu-device.js'
export type { GpuApi, GpuKindDevice } from './device/gpu/gpu-kind.js'
export type { DeviceOptions, HeapKind } from './device/heap-kind.js'
export type { Instruction, Planned, Sink, Update, Whereabouts } from './device/instruction.js'
export { DEVICE_KINDS, type DeviceKind, type OpenOptions, openDevice, openVirtualDevice } from './device/open.js'
export type { StepContext } from './device/seed.js'
export type { Slot } from './device/slot.js'
export type { Storage } from './device/storage.js'
export {
  type Dtype,
  type Elements,
  FileError,
  load,
  parseSafetensors,
  type ReadOptions,
  type Safetensors,
  SafetensorsError,
  type SavedTensor,
  type SaveOptions,
  save,
  toSafetensors,
} from './io/index.js'
export {
  type Allocator,
  type Block,
  BudgetExceededError,
  type BytesByCategory,
  CATEGORIES,
  type Category,
  type MemoryStats,
} from './memory/allocator.js'
export type { Arrangement, Life } from './memory/arrange.js'
export { type ByteSize, formatBytes, parseBytes } from './memory/bytes.js'
export { AllocatorError, ArgumentError, SluiceError } from './memory/errors.js'
export { HeapAllocator } from './memory/heap.js'
export { describeMemory } from './memory/report.js'
export type { TextureAllocator, Textures } from './memory/texture-allocator.js'
export { drawTimeline, type Section, type TimelineOptions, type TimelinePoint } from './memory/timeline.js'
export * as models from './models/index.js'
export * as nn from './nn/index.js'
export { type AnyModule, Buffer, type BufferOptions, Module, Parameter } from './nn/index.js'
export type { CallTotals, MovesLate, Totals } from './nn/mini-batch.js'
export { cumsum, gather, prod } from './ops/along.js'
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention.js'
export { type BatchNormOptions, batchNorm2d, frozenBatchNorm2d } from './ops/batch-norm.js'
export type { MergedStatistics, RunningStatistics, Statistics } from './ops/batch-statistics.js'
export * from './ops/binary.js'
export type { CrossEntropyOptions } from './ops/class-options.js'
export { type ConvolutionOptions, conv2d } from './ops/conv.js'
export { convTranspose2d, type TransposedConvolutionOptions } from './ops/conv-transpose.js'
export { type ContrastiveOptions, contrastive, type TripletOptions, triplet } from './ops/coupled-loss.js'
export {
  type CrossEntropyFunctionOptions,
  type CrossEntropyLossOptions,
  crossEntropy,
  crossEntropyLoss,
} from './ops/cross-entropy.js'
export type { BackwardCall, Call, ForwardCall, Gradient, Op, Saved, Target } from './ops/declaration.js'
export {
  type Chosen,
  type DefinedGradient,
  type DefinedKernel,
  type DefinedOp,
  DefinedOpError,
  defineOp,
  type OpDefinition,
  type OptionValues,
} from './ops/define.js'
export { dropout } from './ops/dropout.js'
export { einsum } from './ops/einsum.js'
export { embedding } from './ops/embedding.js'
export * from './ops/extremes.js'
export type { GeluOptions } from './ops/gelu-options.js'
export {
  type Head,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  linearCrossEntropyLoss,
} from './ops/linear-cross-entropy.js'
export { logSumExp } from './ops/log-sum-exp.js'
export type { AnyLoss, Loss, LossOptions } from './ops/loss.js'
export type { ReducingLossOptions, Reduction } from './ops/loss-reduction.js'
export { bceWithLogitsLoss, diceLoss, huberLoss, klDivergence, l1, nll, type ReducingLoss } from './ops/losses.js'
export { linear, type MatmulOptions, matmul } from './ops/matmul.js'
export { broadcastTo, concat, flatten, pad, permute, reshape, slice } from './ops/movement.js'
export { groupNorm, layerNorm, type NormOptions } from './ops/norm.js'
export type { OpFunction } from './ops/op.js'
export type { Operand } from './ops/operand.js'
export { bceWithLogits, mse } from './ops/point-loss.js'
export { type AveragePoolOptions, averagePool2d, type MaxPoolOptions, maxPool2d, type PoolOptions } from './ops/pool.js'
export { rand, randn } from './ops/random.js'
export * from './ops/reduce.js'
export type { Axes, BesideAxes, ReduceOptions } from './ops/reduction.js'
export { adaptiveAveragePool2d, type UpsampleOptions, upsample } from './ops/resize.js'
export type { Domain, Sample } from './ops/sample.js'
export { logSoftmax, softmax } from './ops/softmax.js'
export { type Ops, ops } from './ops/table.js'
export { noGrad } from './ops/tape.js'
export { topk } from './ops/topk.js'
export * from './ops/unary.js'
export { std, type VarianceOptions, variance } from './ops/variance.js'
export * from './ops/views.js'
export { where } from './ops/where.js'
export type { Sides } from './ops/window.js'
export * as optim from './optim/index.js'
export type { Schedule, Turn } from './step/again.js'
export type { Stretch } from './step/kept.js'
export { type ModuleBytes, type Pass, planOf, type ValueLife } from './step/pass.js'
export { scope } from './step/scope.js'
export type { StoredLife, StoreLayout } from './step/store.js'
export {
  checkpointToSafetensors,
  type LoadedCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from './stream/checkpoint-file.js'
export type { Growth } from './stream/cursor.js'
export {
  BusyError,
  DoesNotFitError,
  EmptyBatchError,
  InterruptedError,
  ModelError,
  NonFiniteError,
  NotSeparableError,
  OutputShapeError,
  StoreExceededError,
} from './stream/errors.js'
export type { Trial } from './stream/fastest.js'
export type { Mode } from './stream/kind.js'
export { largestThatFits } from './stream/largest.js'
export * as metrics from './stream/metrics.js'
export type { GradientNoise, NoiseSum } from './stream/noise.js'
export type { Committed, GrowingBatch, RateRule } from './stream/options.js'
export type {
  FrontierPoint,
  Knob,
  Largest,
  Measured,
  MicroBatchOption,
  Part,
  Plan,
  PlannedJoint,
  PlannedStore,
  Split,
} from './stream/plan.js'
export type { PlanFile, PlannedBlock, PlannedPass, PlannedTurn, StandingBlock } from './stream/plan-format.js'
export { checkSeparable, type Separability } from './stream/separable.js'
export {
  type Checkpoint,
  type Cursor,
  type Elsewhere,
  type EpochResult,
  type EvaluateOptions,
  type Evaluation,
  type FitOptions,
  type Gradients,
  type Metric,
  type Metrics,
  type Place,
  type PlanOptions,
  type PredictOptions,
  type Range,
  type RangeResult,
  type Recompute,
  type SavedCheckpoint,
  type StepElsewhere,
  type StepOptions,
  type StepResult,
  Streamer,
  type StreamerOptions,
  type Training,
  type Unlearned,
} from './stream/streamer.js'
export { arange } from './tensor/arange.js'
export { type CreateOptions, fromHost, full, ones, requireGrad, tensor, type Values, zeros } from './tensor/create.js'
export { DeviceMismatchError, DisposedError, ScopeError, ShapeError, StateError } from './tensor/errors.js'
export type { HostArray, HostData } from './tensor/host.js'
export { keep, liveTensors } from './tensor/scope.js'
export { type Shape, sizeOf } from './tensor/shape.js'
export type { Arrays, Like, Shapes, Structure, Tensors } from './tensor/structure.js'
export { type NestedArray, type NestedNumbers, type Producer, Tensor } from './tensor/tensor.js'
export { InvalidPlanError, verifyPlan } from './verify/verify.js'
