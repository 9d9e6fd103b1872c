/**
 * The settings of all recipes and figures, each with its option, kind, default and meaning. The library takes its
 * defaults from these tables, the command its options, and a page its fields. `commandLine` (command-line.ts) writes
 * the command line for given settings. All tables are in one file, because they share settings and RECIPES lists them.
 */
import { BACKENDS, CONVOLUTIONS, NUMERICS } from '../backend/backend.ts';
import { MODEL_DTYPES } from '../checkpoint/model-dtype.ts';
import { COLOURS, DEFAULT_SIZE, MOST_SIZE, OWN_DEFAULTS } from '../data/own-pictures.ts';
import { TOY_SETS } from '../data/toy.ts';
import { LOSS_WEIGHTINGS, TIME_SAMPLINGS, type TimeSamplingName } from '../diffusion/objective.ts';
import { PREDICTIONS, type Prediction } from '../diffusion/prediction.ts';
import { PROCESSES } from '../sde/processes/index.ts';
import { SOLVERS } from '../sde/solvers/index.ts';
import { EXPORT_FORMATS } from './export-formats.ts';
import { MOST_NOISED, NOISING_PROCESSES } from './figures/noising.ts';
import { SHOWN_SCHEDULES } from './figures/schedules.ts';
import type { DiffusionMlpSizes } from './networks/diffusion-mlp.ts';
import type { UNetSizes } from './networks/unet.ts';
import { TRAINING_SCHEDULES, type TrainingSchedule } from './pipeline.ts';
import { OWN_SAMPLING_TABLE, PICTURE_SAMPLERS } from './sampling-defaults.ts';
import {
  assignments,
  choice,
  choices,
  count,
  countFrom,
  counts,
  countTo,
  decay,
  flag,
  inRange,
  notNegative,
  positive,
  type Settings,
  share,
  text,
} from './setting.ts';

const seconds = positive(
  'seconds',
  null,
  'Train for at most this many seconds. The learning rate decreases until then.',
  { placeholder: 's' },
);
const seed = text('seed', '0', 'The random seed: any text or number. The same seed gives the same bits.');
const batchSize = (n: number) => count('batch-size', n, 'The number of pictures in one training step.');
const lr = (rate: number, meaning = 'The learning rate of Adam.') => positive('lr', rate, meaning);
const epochs = (n: number) => count('epochs', n, 'The number of passes over the training data.');

/** The data set. */
export const DATA_TABLE = {
  data: text(
    'data',
    'strokes',
    'The data set: strokes (digits drawn by langevin), mnist, or your own pictures: a folder of PNG files, with a subfolder for each class or none, a folder with IDX files, or an .npy or .npz file.',
  ),
  dataDir: text('data-dir', null, 'The folder with the four files of MNIST.', {
    placeholder: 'folder',
    defaultText: 'the folder in LANGEVIN_MNIST, else the cache, else a download',
  }),
  size: countTo(MOST_SIZE)(
    'size',
    null,
    'The side of your own pictures in pixels. Others are scaled by area averaging. If they are not square, they get black bars.',
    { defaultText: `their own size if all are equal and small, else ${DEFAULT_SIZE}` },
  ),
  colour: choice(COLOURS)(
    'colour',
    null,
    'The colours of your own pictures. keep gives three channels if any picture has colour, else one.',
    { defaultText: OWN_DEFAULTS.colour },
  ),
  testShare: inRange({ expected: 'a number above 0 and below 1', holds: (x) => x > 0 && x < 1 })(
    'test-share',
    null,
    'The share of your own pictures that is for the test, if they have no test set.',
    { defaultText: String(OWN_DEFAULTS.testShare) },
  ),
  limit: count('limit', null, 'Use only the first n training pictures and the first n test pictures.'),
} as const satisfies Settings;

/** The data set, for commands with a trained model. The default is the model's training data. */
const MODEL_DATA = {
  ...DATA_TABLE,
  data: text('data', null, DATA_TABLE.data.meaning, {
    defaultText: "the model's training data, else strokes",
  }),
} as const satisfies Settings;

/** The tensor engine. */
export const ENGINE_TABLE = {
  backend: choice(BACKENDS)(
    'backend',
    'wasm',
    'What computes: wasm is fast. reference is plain TypeScript in float64, and slow.',
  ),
  threads: count('threads', null, 'The number of threads of the wasm backend. It does not change results.', {
    defaultText: 'all cores',
  }),
  numerics: choice(NUMERICS)(
    'numerics',
    'strict',
    'strict gives the same bits on every machine. relaxed is faster. auto is relaxed if the engine supports it.',
  ),
  convolutions: choice(CONVOLUTIONS)(
    'convolutions',
    'standard',
    'The tiles of 3x3 convolutions with many channels. fast has larger tiles: fewer products, and three to four times the error.',
  ),
} as const satisfies Settings;

/** The number of epochs for `strokes`, which has a sixth as many pictures as MNIST. */
const STROKES_EPOCHS = 15;

/** The networks of `train denoiser`. */
export const DENOISER_NETWORKS = ['mlp', 'conv'] as const;
export type DenoiserNetworkName = (typeof DENOISER_NETWORKS)[number];

/** The lecture's denoiser. */
export const DENOISER_TABLE = {
  model: choice(DENOISER_NETWORKS)('model', 'mlp', "The network: the lecture's MLP, or a convolutional one."),
  epochs: count('epochs', 10, 'The number of passes over the training data.', {
    defaultWhen: { setting: 'data', is: 'strokes', default: STROKES_EPOCHS },
    defaultText: `${STROKES_EPOCHS} for strokes, else 10`,
  }),
  batchSize: batchSize(64),
  lr: lr(1e-3),
  noise: notNegative('noise', 0.5, 'The standard deviation of the noise. Pixels are from 0 to 1.'),
  seed,
} as const satisfies Settings;

/** The lecture's diffusion model, as on its slides. */
export const LECTURE_TABLE = {
  epochs: epochs(10),
  batchSize: batchSize(64),
  lr: lr(1e-3),
  seed,
} as const satisfies Settings;

/** The networks of `train classifier`. */
export const CLASSIFIER_NETWORKS = ['conv', 'mlp'] as const;
export type ClassifierNetworkName = (typeof CLASSIFIER_NETWORKS)[number];

/** A classifier of clean pictures. */
export const CLASSIFIER_TABLE = {
  model: choice(CLASSIFIER_NETWORKS)('model', 'conv', 'The network: convolutional, or an MLP.'),
  epochs: count('epochs', null, 'The number of passes over the training data.', {
    defaultText: '8 for MNIST, 13 with mlp; more for smaller data sets',
  }),
  batchSize: count('batch-size', 64, 'The number of pictures in one training step.', {
    defaultWhen: { setting: 'model', is: 'mlp', default: 128 },
    defaultText: '64; 128 for mlp',
  }),
  lr: positive('lr', 3e-3, 'The largest learning rate of Adam.', {
    defaultWhen: { setting: 'model', is: 'mlp', default: 1e-3 },
    defaultText: '0.003; 0.001 for mlp',
  }),
  seconds,
  seed,
} as const satisfies Settings;

/** The MLPs of `train diffusion`. The data set determines the sizes of pictures and the number of classes. */
export const DIFFUSION_MLPS = {
  mlp: {},
  'mlp-small': { hidden: 256, inner: 256, condition: 64 },
  'mlp-tiny': { hidden: 32, inner: 32, depth: 1, condition: 16 },
} as const satisfies Record<string, Partial<DiffusionMlpSizes>>;
/** The U-Nets of `train diffusion`. */
export const DIFFUSION_UNETS = {
  unet: {},
  'unet-small': { hidden: 32, condition: 128 },
  'unet-tiny': { hidden: 32, fine: 8, heads: 2, condition: 32 },
} as const satisfies Record<string, Partial<UNetSizes>>;
/** The networks of `train diffusion`. */
export type DiffusionNetworkName = keyof typeof DIFFUSION_MLPS | keyof typeof DIFFUSION_UNETS;
const UNET_NAMES = Object.keys(DIFFUSION_UNETS);
const DIFFUSION_NETWORKS = [...Object.keys(DIFFUSION_MLPS), ...UNET_NAMES] as DiffusionNetworkName[];

/** Another default for U-Nets. The help shows it after the default for MLPs. */
const forUnets = <V extends string | number>(value: V, forMlps: V) => ({
  defaultWhen: { setting: 'model', is: UNET_NAMES, default: value },
  defaultText: `${forMlps}; ${value} for U-Nets`,
});

/** The tones of a diffusion model: the numbers that represent the greys. */
export const TONES = ['linear', 'spread'] as const;
export type TonesName = (typeof TONES)[number];

/** Whether a diffusion model learns the variance of a step. */
export const VARIANCES = ['fixed', 'learned'] as const;

/** The conditions of a diffusion model. */
export const CONDITIONS = ['label', 'caption', 'none'] as const;

/** A diffusion model. */
export const DIFFUSION_TABLE = {
  model: choice(DIFFUSION_NETWORKS)('model', 'mlp', 'The network: an MLP or a U-Net.'),
  schedule: choice(TRAINING_SCHEDULES)(
    'schedule',
    'cosine',
    'The noise schedule.',
    forUnets<TrainingSchedule>('flow', 'cosine'),
  ),
  steps: countFrom(2)(
    'steps',
    1000,
    'The number of time steps T of the schedule. vp, sub-vp and flow have continuous time.',
  ),
  predicts: choice(PREDICTIONS)(
    'predict',
    'x0',
    'What the network predicts. edm: the target of EDM. A U-Net then has a scaled input. Use it with --times log-normal.',
    forUnets<Prediction>('flow', 'x0'),
  ),
  times: choice(TIME_SAMPLINGS)(
    'times',
    'uniform',
    'The distribution of the training times. logit-normal draws times in the middle more often. log-normal is from EDM.',
    forUnets<TimeSamplingName>('logit-normal', 'uniform'),
  ),
  lossWeighting: choice(LOSS_WEIGHTINGS)('loss-weighting', 'simple', 'The weight of each time in the loss.', {
    alias: 'weight',
  }),
  variance: choice(VARIANCES)(
    'variance',
    'fixed',
    'The variance of a step of the sampler ddpm. learned needs a U-Net, a schedule with steps and linear tones. It trains with the hybrid loss.',
  ),
  condition: choice(CONDITIONS)(
    'condition',
    'label',
    'The condition of the network. caption: words, such as "a thin slanted three". It needs a U-Net and pictures of digits.',
  ),
  tones: choice(TONES)(
    'tones',
    'linear',
    'The numbers that represent the greys. spread gives frequent greys a larger range.',
    forUnets<TonesName>('spread', 'linear'),
  ),
  epochs: count('epochs', 60, 'The number of passes over the training data.', forUnets(12, 60)),
  batchSize: batchSize(128),
  lr: lr(1e-3, 'The learning rate of Adam after its warm-up.'),
  finalLr: share('final-lr', 0.02, 'The learning rate at the end, as a fraction of --lr.', forUnets(0, 0.02)),
  beta2: decay('beta2', 0.999, "The decay rate of Adam's mean of squared gradients.", forUnets(0.99, 0.999)),
  clip: notNegative(
    'clip',
    0,
    'The largest norm of the gradient. A gradient with a larger norm is scaled down. 0 turns this off.',
    forUnets(1, 0),
  ),
  ema: decay(
    'ema',
    0.999,
    "The decay rate of the moving average of the network's weights, used for sampling.",
  ),
  labelDropout: share(
    'label-dropout',
    0.1,
    'The fraction of labels or captions that training hides. Guidance needs more than 0. 1 hides all.',
    { alias: 'guidance-dropout' },
  ),
  seconds,
  seed,
} as const satisfies Settings;

/** The sampling from a trained diffusion model. */
export const SAMPLING_TABLE = {
  model: text(
    'model',
    'out/diffusion',
    'The model: a file, a folder of results, or the name of a published model such as mnist-unet. A file or folder has priority.',
    { placeholder: 'path' },
  ),
  ...OWN_SAMPLING_TABLE,
  classifierGuidance: notNegative(
    'classifier-guidance',
    0,
    'The scale of guidance by a classifier of noisy pictures. It is trained once on --data. 0 turns it off.',
  ),
  seed,
} as const satisfies Settings;

const ofTeacher = { defaultText: "the teacher's own" };

/** The distillation of a diffusion model to a student of a few steps. */
export const DISTILL_TABLE = {
  model: text(
    'model',
    'out/diffusion',
    'The teacher: a file, a folder of results, or the name of a published model. A student can be the teacher of another with fewer steps.',
    { placeholder: 'path' },
  ),
  student: countTo(8)('steps', 4, 'The number of steps in which the student samples.'),
  teacherSteps: countFrom(2)(
    'teacher-steps',
    null,
    "The number of steps in which the teacher samples, by Heun's method. A multiple of --steps.",
    { defaultText: '8; for a student, its own' },
  ),
  guidance: notNegative(
    'guidance',
    null,
    'The scale of classifier-free guidance. The student learns it.',
    ofTeacher,
  ),
  guidanceAbove: notNegative('guidance-above', null, OWN_SAMPLING_TABLE.guidanceAbove.meaning, ofTeacher),
  guidanceBelow: notNegative('guidance-below', null, OWN_SAMPLING_TABLE.guidanceBelow.meaning, ofTeacher),
  paths: count('paths', 2000, 'The number of paths from noise to data that the teacher samples.'),
  epochs: count('epochs', 14, 'The number of passes over the paths.'),
  batchSize: batchSize(128),
  lr: lr(1e-3, 'The learning rate of Adam after its warm-up.'),
  ema: decay('ema', 0.98, "The decay rate of the moving average of the network's weights."),
  seconds,
  seed,
} as const satisfies Settings;

/** The default of `--strength` without a mask. */
export const STRENGTH = 0.5;

/** The pictures to sample. */
export const SAMPLE_TABLE = {
  count: count('count', 100, 'The number of pictures.'),
  label: counts('label', null, 'The class to sample, or several classes, such as 3,1,4.', {
    defaultText: 'all classes in turn',
  }),
  caption: text(
    'caption',
    null,
    'What to draw, in words, for a model with captions: "a thin slanted three". | separates several captions.',
    { defaultText: 'each digit in turn' },
  ),
  attention: flag(
    'attention',
    'Also draw which words each region of the pictures attends to, for the first picture of each caption.',
  ),
  gif: flag('gif', 'Also write a GIF animation from noise to the pictures.'),
  from: text(
    'from',
    null,
    "Start from this PNG picture, and not from pure noise. It must have the model's size. --prepare is then none by default.",
    {
      placeholder: 'file',
    },
  ),
  strength: share(
    'strength',
    null,
    'How much noise is added to the picture of --from. 0 adds none and returns the picture. 1 starts from pure noise.',
    { defaultText: `${STRENGTH}; 1 with --inpaint` },
  ),
  inpaint: text(
    'inpaint',
    null,
    'A mask: sample new pixels where this PNG picture is white, and keep the other pixels of --from.',
    { placeholder: 'file' },
  ),
  resamples: count(
    'resamples',
    10,
    'How often inpainting repeats each step. With more repeats the new pixels fit the others better.',
  ),
} as const satisfies Settings;

/** The evaluation of sampled pictures. */
export const EVALUATE_TABLE = {
  samples: text(
    'samples',
    null,
    'Judge the pictures of this .npy file, which sample --save writes. No model is used, and --seed is the seed of the tests.',
    {
      placeholder: 'file',
    },
  ),
  count: countFrom(100)('count', 1000, 'The number of pictures to judge.', {
    defaultText: '1000; with --samples, all of the file',
  }),
  judge: text(
    'judge',
    'conv',
    'The classifier that judges. conv and mlp are trained once on --data. A path selects a trained classifier.',
    { placeholder: 'name' },
  ),
  twoSample: flag(
    'two-sample',
    'Train three classifiers to distinguish the samples from real training pictures.',
  ),
  score: flag('score', 'Train a classifier on the samples only, and test it on real pictures.'),
  quiz: flag('quiz', 'Also draw samples and real pictures in random order, and write the answers to a file.'),
} as const satisfies Settings;

/** The export of a trained model. */
export const EXPORT_TABLE = {
  model: SAMPLING_TABLE.model,
  to: choice(EXPORT_FORMATS)(
    'to',
    'langevin',
    'The format. langevin is a safetensors file, which PyTorch can also read. pytorch is a folder with the network as a PyTorch module, its weights, and scripts that sample and train. onnx is one file with the network, for ONNX Runtime and similar programs.',
  ),
  dtype: choice(MODEL_DTYPES)(
    'dtype',
    'float16',
    'The type of the numbers. float16 needs half the bytes of float32.',
    {
      defaultWhen: { setting: 'to', is: ['pytorch', 'onnx'], default: 'float32' },
      defaultText: 'float16; float32 for pytorch and onnx',
    },
  ),
  examples: count(
    'examples',
    null,
    'With --to pytorch: also write the first n training pictures and their labels, for train.py.',
    { defaultText: 'all pictures with --data, else none' },
  ),
  name: text('name', null, 'The name of the file, without its ending.', {
    defaultText: "the name of the model's file",
  }),
  matchGreys: countFrom(100)(
    'match-greys',
    null,
    'Sample n pictures, and choose the thresholds between greys so that each grey is as frequent as in the training data. Each kind of picture gets its own thresholds.',
    { defaultText: "the thresholds of the model's file" },
  ),
  seed,
} as const satisfies Settings;

/** A stochastic differential equation, and its paths. */
export const SDE_TABLE = {
  process: choice(PROCESSES.map(({ definition }) => definition.name))(
    'process',
    null,
    'The name of a process. --list describes all of them.',
    {
      argument: true,
    },
  ),
  drift: text('drift', null, 'For your own equation: the drift a(x, t), such as "theta*(mu - x)".', {
    placeholder: 'expression',
  }),
  diffusion: text('diffusion', null, 'With --drift: the diffusion b(x, t), such as "sigma*sqrt(x)".', {
    placeholder: 'expression',
  }),
  set: assignments('set', null, 'Values of parameters, such as mu=0.05,sigma=0.2.'),
  paths: count('paths', 1000, 'The number of paths. The first 30 are drawn as lines.'),
  steps: count('steps', 1000, 'The number of steps of each path.'),
  time: positive('time', null, 'The end time.', {
    placeholder: 't',
    defaultText: 'the end time of the process in --list',
  }),
  solver: choice(SOLVERS.map(({ name }) => name))(
    'solver',
    'euler-maruyama',
    'The solver. --list has the orders of all solvers.',
  ),
  twin: flag('twin', 'Also draw the solution without noise, dx = a(x, t) dt.'),
  seed,
} as const satisfies Settings;

/** The measurement of orders of convergence. */
export const SDE_ORDERS_TABLE = {
  solver: choice(SOLVERS.map(({ name }) => name))('solver', null, 'Measure only this solver.', {
    defaultText: 'all solvers',
  }),
  paths: count('paths', null, 'The number of paths of each measurement.', {
    defaultText: 'as many as each order needs',
  }),
  seed: text('seed', 'orders', seed.meaning),
} as const satisfies Settings;

/** Pictures that become noise. */
export const NOISE_TABLE = {
  process: choice([...NOISING_PROCESSES, 'all'])(
    'process',
    'all',
    'The process. all applies brownian, vp and ve to each picture.',
  ),
  pictures: countTo(MOST_NOISED)('pictures', 4, 'The number of pictures. Each has one row per process.', {
    defaultWhen: { setting: 'process', is: 'all', default: 1 },
    defaultText: '4; 1 for all',
  }),
  steps: count('steps', 480, 'The number of steps from the picture to noise.'),
  seed,
} as const satisfies Settings;

/** The plots of noise schedules. */
export const SCHEDULES_TABLE = {
  schedule: choices(SHOWN_SCHEDULES)(
    'schedule',
    ['linear', 'cosine', 'sigmoid', 'flow', 've'],
    'The schedules to plot.',
  ),
  steps: countFrom(2)('steps', 1000, 'The number of time steps T, for schedules with discrete time.'),
  zeroSnr: flag(
    'zero-snr',
    'Also plot the discrete schedules after a rescaling that makes the last level pure noise.',
  ),
} as const satisfies Settings;

/** Diffusion of points in the plane. */
export const TOY_TABLE = {
  set: choice([...TOY_SETS, 'all'])('set', 'all', 'The set of points.', { argument: true }),
  sampler: choice(PICTURE_SAMPLERS)('sampler', 'ddim', 'The sampler.'),
  steps: count('steps', 50, 'The number of steps of the sampler.'),
  trainSteps: count('train-steps', 3000, 'The number of training steps. Each step has new points.'),
  batchSize: count('batch-size', 128, 'The number of points in one training step.'),
  lr: lr(6e-3),
  seed,
} as const satisfies Settings;

/** The tour. */
export const TOUR_TABLE = {
  data: DATA_TABLE.data,
  dataDir: DATA_TABLE.dataDir,
  seconds: positive(
    'seconds',
    75,
    'The training time of the diffusion model in seconds. The rest of the tour takes less time.',
    { placeholder: 's' },
  ),
  seed,
} as const satisfies Settings;

/** The tables of settings of each command, by their titles in its help. */
export const RECIPES = {
  tour: { Tour: TOUR_TABLE, Engine: ENGINE_TABLE },
  'train denoiser': { Data: DATA_TABLE, Training: DENOISER_TABLE, Engine: ENGINE_TABLE },
  'train lecture': { Data: DATA_TABLE, Training: LECTURE_TABLE, Engine: ENGINE_TABLE },
  'train classifier': { Data: DATA_TABLE, Training: CLASSIFIER_TABLE, Engine: ENGINE_TABLE },
  'train diffusion': { Data: DATA_TABLE, Training: DIFFUSION_TABLE, Engine: ENGINE_TABLE },
  distill: { Distillation: DISTILL_TABLE, Engine: ENGINE_TABLE },
  sample: { Pictures: SAMPLE_TABLE, Sampling: SAMPLING_TABLE, Data: MODEL_DATA, Engine: ENGINE_TABLE },
  evaluate: { Pictures: EVALUATE_TABLE, Sampling: SAMPLING_TABLE, Data: MODEL_DATA, Engine: ENGINE_TABLE },
  export: {
    Export: EXPORT_TABLE,
    'Sampling defaults for the file': OWN_SAMPLING_TABLE,
    'Data for --match-greys and --to pytorch': MODEL_DATA,
    Engine: ENGINE_TABLE,
  },
  sde: { Equation: SDE_TABLE, Engine: ENGINE_TABLE },
  'sde orders': { Measurement: SDE_ORDERS_TABLE, Engine: ENGINE_TABLE },
  noise: { Data: DATA_TABLE, Noise: NOISE_TABLE, Engine: ENGINE_TABLE },
  schedules: { Schedules: SCHEDULES_TABLE },
  toy: { Toy: TOY_TABLE, Engine: ENGINE_TABLE },
} as const satisfies Record<string, Readonly<Record<string, Settings>>>;
export type RecipeName = keyof typeof RECIPES;
