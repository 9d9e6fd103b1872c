/**
 * The public names of langevin, floor by floor. Everything here runs in Node and in a page. Parts that run only in one
 * of them (plots, the command, the playground) are not exported here.
 */

// The engine: backends, threads, scopes, gradients
export { type GradcheckOptions, gradcheck } from './autograd/gradcheck.ts';
export type { Differentiable } from './autograd/op.ts';
export { noGrad, scope, type TapeNode } from './autograd/tape.ts';
export type { Shape, Variable } from './autograd/variable.ts';
export {
  type Backend,
  type BackendName,
  backend,
  type Convolutions,
  type FloatArray,
  setBackend,
  setConvolutions,
  setNumerics,
  setThreads,
  type ThreadsOptions,
} from './backend/backend.ts';
// Model files
export {
  type Checkpoint,
  type CheckpointInfo,
  type ConvertOptions,
  convertCheckpoint,
  decodeCheckpoint,
  type EncodeCheckpointOptions,
  encodeCheckpoint,
  loadCheckpoint,
  restoreParameters,
  saveCheckpoint,
  type TrainingState,
} from './checkpoint/checkpoint.ts';
export { tensorsDigest } from './checkpoint/digest.ts';
export type { TensorData } from './checkpoint/dtype.ts';
export type { FlatMap, FlatMaps } from './checkpoint/flat-maps.ts';
export { describeSafetensors, type SafetensorsDescription } from './checkpoint/inspect.ts';
export type { ModelDtype } from './checkpoint/model-dtype.ts';
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type StoredTensor,
} from './checkpoint/safetensors.ts';
// Data
export {
  createDataset,
  type Dataset,
  type DatasetFields,
  type PictureShape,
  permutation,
  split,
  subset,
  type TrainTest,
  take,
} from './data/dataset.ts';
export type { DownloadProgress } from './data/download.ts';
export { decodeIdx, encodeIdx, type IdxArray } from './data/idx.ts';
export {
  type Batch,
  type BatchOf,
  DataLoader,
  type LoaderOptions,
  type LoaderPosition,
  type Transform,
} from './data/loader.ts';
export { loadIdxFolder, loadMnist, type MnistOptions } from './data/mnist.ts';
export { decodeNpy, type NpyArray, type NpyType } from './data/npy.ts';
export { balancedWeights } from './data/order.ts';
export { loadOwnPictures } from './data/own-data.ts';
export type { OwnPictures, OwnPicturesOptions } from './data/own-pictures.ts';
export {
  caption,
  type StrokeAttributes,
  type StrokeSample,
  type StrokeSet,
  strokeDigit,
  strokeDigits,
} from './data/strokes.ts';
export { loadStrokes, type StrokesOptions } from './data/strokes-set.ts';
export { TensorDataset } from './data/tensor-dataset.ts';
export { TOY_SETS, type ToyOptions, type ToySet, toySet } from './data/toy.ts';
export {
  affineSample,
  flip,
  type RandomAffineOptions,
  randomAffine,
  rotate,
  shift,
} from './data/transforms.ts';
// Diffusion: schedules, objectives, samplers, guidance, likelihoods, closed forms
export * as diffusion from './diffusion/index.ts';
// Errors
export {
  DivergenceError,
  FileError,
  FormatError,
  LangevinError,
  LifetimeError,
  OutOfMemoryError,
  ShapeError,
  ValueError,
} from './errors.ts';
// Pictures
export { toBytes } from './image/bytes.ts';
export { encodeGif, type GifOptions } from './image/gif.ts';
export {
  type BatchGridOptions,
  type Cell,
  cellsOf,
  type PictureGridOptions,
  pictureGrid,
  pictureGridFromBatch,
} from './image/grid.ts';
export { type DecodePngOptions, decodePng, encodePng, type Picture } from './image/png.ts';
// Models
export type { GreyCuts, GreyKind } from './models/cuts.ts';
export type { Edit } from './models/edit.ts';
export {
  type ClassFigures,
  type Classification,
  classification,
  confusionMatrix,
  type Mistake,
} from './models/evaluation/classification.ts';
export {
  type ClassificationScore,
  type ClassificationScoreOptions,
  classificationScore,
} from './models/evaluation/classification-score.ts';
export { type AgainstReal, type Evaluation, evaluatePictures } from './models/evaluation/evaluate.ts';
export { type JudgedPictures, judgedOf } from './models/evaluation/judged.ts';
export {
  type DiffusionLikelihood,
  diffusionLikelihood,
  type LikelihoodModel,
} from './models/evaluation/likelihood.ts';
export {
  densityCoverage,
  frechetDistance,
  nearestNeighbours,
  type Points,
  precisionRecall,
} from './models/evaluation/metrics.ts';
export { pictureStatistics, STATISTICS } from './models/evaluation/picture-statistics.ts';
export {
  type GenuinePicture,
  type SuspectSample,
  type TwoSampleOptions,
  type TwoSampleTest,
  twoSampleTest,
} from './models/evaluation/two-sample.ts';
export type { NetworkVerdict } from './models/evaluation/two-sample-network.ts';
export type {
  MeanAndDeviation,
  PlainVerdict,
  StatisticFigures,
} from './models/evaluation/two-sample-plain.ts';
export { type Proportion, proportion } from './models/evaluation/wilson.ts';
export { type ImportedWeights, importWeights } from './models/import.ts';
export {
  covarianceOf,
  type LectureNoise,
  lectureGaussianBest,
  lectureLinearBest,
  lectureNoise,
  lecturePointsBest,
  lectureZeroLoss,
} from './models/lecture/analysis.ts';
export {
  type LectureLossOptions,
  type LectureModel,
  LectureNetwork,
  lectureLoss,
  lectureOf,
  lectureSchedule,
} from './models/lecture/lecture.ts';
export type { CaptionLayers } from './models/networks/caption-layers.ts';
export { Classifier } from './models/networks/classifier.ts';
export type { ConvBlock } from './models/networks/conv-block.ts';
export { ConvClassifier } from './models/networks/conv-classifier.ts';
export { ConvDenoiser, type ConvDenoiserOptions } from './models/networks/conv-denoiser.ts';
export {
  Denoiser,
  type DenoiserOptions,
  type DenoiserSizes,
} from './models/networks/denoiser.ts';
export {
  DiffusionMlp,
  type DiffusionMlpBlock,
  type DiffusionMlpOptions,
  type DiffusionMlpSizes,
} from './models/networks/diffusion-mlp.ts';
export {
  type Condition,
  DiffusionNetwork,
  type DiffusionSizes,
} from './models/networks/diffusion-network.ts';
export {
  NoiseClassifier,
  type NoiseClassifierSettings,
  noiseClassifierOf,
  noisedAccuracy,
} from './models/networks/noise-classifier.ts';
export {
  accuracy,
  type Classified,
  type ClassifierOptions,
  type ClassifierSizes,
  classify,
  PictureClassifier,
} from './models/networks/picture-classifier.ts';
export { PictureDenoiser } from './models/networks/picture-denoiser.ts';
export type { PixelAttention } from './models/networks/pixel-attention.ts';
export { classifierOf, loadDenoiser } from './models/networks/registry.ts';
export type {
  Captions,
  EncodedText,
  TextEncoder,
  TextLayer,
  TextSizes,
} from './models/networks/text-encoder.ts';
export {
  UNet,
  type UNetBlock,
  type UNetOptions,
  type UNetSizes,
} from './models/networks/unet.ts';
export { type AnyModel, loadModel, openModel } from './models/open.ts';
export { DiffusionPipeline, diffusionOf, loadDiffusion, type ProcessSettings } from './models/pipeline.ts';
export type { Preparation } from './models/prepare.ts';
export { type ExportPytorchOptions, exportPytorch, type PytorchFile } from './models/pytorch/export.ts';
export type { ExportData } from './models/pytorch/run.ts';
export {
  type ClassifierGuidance,
  labelsInTurn,
  type PicturesStep,
  type SampleOptions,
  sampleDiffusion,
  samplePictures,
} from './models/sample.ts';
export type { OwnSampling } from './models/sampling-defaults.ts';
// Training
export { spreadTones, type Tones } from './models/tones.ts';
export type { PlaneData } from './models/toy/plane-data.ts';
export {
  compareScores,
  type PlaneNetwork,
  type ScoreComparison,
  ToyDiffusion,
  toyMixture,
} from './models/toy/toy.ts';
export {
  type ClassifierRecipe,
  classifierTrainer,
  resumeClassifier,
  trainClassifier,
} from './models/training/classifier.ts';
export type { ClassifierSettings } from './models/training/cross-entropy.ts';
export {
  addNoise,
  type DenoiserRecipe,
  type DenoiserSettings,
  denoiserTrainer,
  resumeDenoiser,
  type TrainDenoiserOptions,
  testDenoiser,
  trainDenoiser,
} from './models/training/denoiser.ts';
export {
  DIFFUSION_SETTINGS,
  type DiffusionRecipe,
  type DiffusionSettings,
  diffusionTrainer,
  resumeDiffusion,
} from './models/training/diffusion.ts';
export {
  DISTILL_SETTINGS,
  type DistillRecipe,
  type DistillSettings,
  distillTrainer,
  resumeDistill,
  type TeacherNotes,
  teacherSampling,
} from './models/training/distill.ts';
export type { BatchEvent, EpochEvent, TrainEvent } from './models/training/events.ts';
export type { History } from './models/training/history.ts';
export { runInWorker, serveWorker, type WorkerPort } from './models/training/in-worker.ts';
export {
  LECTURE_SETTINGS,
  type LectureRecipe,
  type LectureSettings,
  lectureTrainer,
  resumeLecture,
  type TrainLectureOptions,
  trainLecture,
} from './models/training/lecture.ts';
export { Trainer, train } from './models/training/loop.ts';
export { trainNoiseClassifier } from './models/training/noise-classifier.ts';
export type { IntervalBatch, PathBlock, Paths, TeacherSampling } from './models/training/paths.ts';
export type { Progress, Recipe, Source, TrainOptions } from './models/training/recipe.ts';
export {
  type EncodeOptions,
  encodeRun,
  type ResumeOptions,
  restoreRun,
} from './models/training/resume.ts';
export type { TallyState } from './models/training/tally.ts';
export { type ToyRecipe, type ToySettings, toyTrainer, trainToy } from './models/training/toy.ts';
// Layers and optimisers
export { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh } from './nn/activation.ts';
export { MultiheadAttention, type MultiheadAttentionOptions } from './nn/attention.ts';
export { BatchNorm2d, type BatchNorm2dOptions } from './nn/batch-norm.ts';
export { Conv2d, type Conv2dLayerOptions } from './nn/conv.ts';
export { ConvTranspose2d, type ConvTranspose2dLayerOptions } from './nn/conv-transpose.ts';
export { Dropout } from './nn/dropout.ts';
export { Embedding } from './nn/embedding.ts';
export { Flatten } from './nn/flatten.ts';
export {
  type DropoutOptions,
  dropout,
  type GroupNormOptions,
  groupNorm,
  type LayerNormOptions,
  layerNorm,
  type NormActivation,
  type NormalizedShape,
  type RmsNormOptions,
  rmsNorm,
} from './nn/functional.ts';
export { type ActivationHook, hookActivations } from './nn/hooks.ts';
export { Identity } from './nn/identity.ts';
export { Linear, type LinearOptions } from './nn/linear.ts';
export {
  type BceWithLogitsOptions,
  bceWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type HuberLossOptions,
  huberLoss,
  l1Loss,
} from './nn/loss.ts';
export { BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, L1Loss, Loss, MSELoss } from './nn/loss-modules.ts';
export { Layer, Module, type StateDict } from './nn/module.ts';
export {
  GroupNorm,
  type GroupNormLayerOptions,
  LayerNorm,
  type LayerNormLayerOptions,
  type NormOptions,
  RMSNorm,
} from './nn/norm.ts';
export { oneHot } from './nn/one-hot.ts';
export { AvgPool2d, MaxPool2d, PixelShuffle, PixelUnshuffle, Upsample } from './nn/pool.ts';
export { Sequential } from './nn/sequential.ts';
export { type Summary, type SummaryRow, summary } from './nn/summary.ts';
export { TimeEmbedding, type TimeEmbeddingOptions, timestepEmbedding } from './nn/time-embedding.ts';
export { UpsampleConv2d, type UpsampleConv2dLayerOptions } from './nn/upsample-conv.ts';
export { Adam, type AdamOptions, type AdamState, AdamW } from './optim/adam.ts';
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from './optim/clip.ts';
export { Ema, type EmaOptions } from './optim/ema.ts';
export {
  type FindLearningRateOptions,
  findLearningRate,
  type LearningRateCurve,
} from './optim/lr-finder.ts';
export {
  constantLr,
  cosineLr,
  exponentialLr,
  type LrSchedule,
  linearLr,
  polynomialLr,
  sequenceLr,
  stepLr,
  warmupLr,
} from './optim/lr-schedule.ts';
export { Optimizer, type ParameterState } from './optim/optimizer.ts';
export { RMSprop, type RMSpropOptions, type RMSpropState } from './optim/rmsprop.ts';
export { SGD, type SgdOptions, type SgdState } from './optim/sgd.ts';
// Random numbers
export { manualSeed, Rng, type RngState, rand, randn, type Seed } from './random/rng.ts';
// Stochastic differential equations
export * as sde from './sde/index.ts';
// Tensors
export {
  type AttentionMaskOptions,
  type AttentionOptions,
  scaledDotProductAttention,
} from './tensor/attention.ts';
export {
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  convTranspose2d,
  type Pair,
  type UpsampleConv2dOptions,
  upsampleConv2d,
} from './tensor/conv.ts';
export {
  arange,
  empty,
  eye,
  full,
  linspace,
  ones,
  type TensorOptions,
  tensor,
  zeros,
} from './tensor/create.ts';
export { type CustomFunction, type CustomOp, type CustomPass, customOp } from './tensor/custom-op.ts';
export { einsum } from './tensor/einsum.ts';
export type { Nested } from './tensor/format.ts';
export { cat, linear, mse, stack, where } from './tensor/functions.ts';
export type { Indices, TopK } from './tensor/indexing.ts';
export {
  type AvgPool2dOptions,
  avgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  pixelShuffle,
  pixelUnshuffle,
  type UpsampleOptions,
  upsample,
} from './tensor/pool.ts';
export type { LossOptions, Reduction } from './tensor/reduction.ts';
export type { Axes, VarianceOptions } from './tensor/statistics.ts';
export { type MatmulOptions, type Operand, type ReduceOptions, Tensor } from './tensor/tensor.ts';
export { VERSION } from './version.ts';
