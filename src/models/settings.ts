/**
 * The settings of every recipe and figure: for each its option, kind, default and meaning. The library takes its
 * defaults from here, the command its options, and a page its fields. `commandLine` (command-line.ts) turns settings
 * back into the line that makes the same thing. All tables are in one file, because they share settings, and because
 * RECIPES lists them.
 */
import { BACKENDS, NUMERICS } from '../backend/backend.ts';
import { MODEL_DTYPES } from '../checkpoint/model-dtype.ts';
import { TOY_SETS } from '../data/toy.ts';
import { LOSS_WEIGHTINGS, TIME_SAMPLINGS, type TimeSamplingName } from '../diffusion/objective.ts';
import { PREDICTIONS, type Prediction } from '../diffusion/prediction.ts';
import { PROCESSES } from '../sde/processes/index.ts';
import { SOLVERS } from '../sde/solvers/index.ts';
import { EXPORT_FORMATS } from './export.ts';
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
  notNegative,
  positive,
  type Settings,
  share,
  text,
} from './setting.ts';

const seconds = positive(
  'seconds',
  null,
  'End after this many seconds of training. The learning rate falls by then.',
  { placeholder: 's' },
);
const seed = text('seed', '0', 'Any text or number. The same seed gives the same bits.');
const batchSize = (n: number) => count('batch-size', n, 'The number of pictures in a training step.');
const lr = (rate: number, meaning = 'The learning rate of Adam.') => positive('lr', rate, meaning);
const epochs = (n: number) => count('epochs', n, 'Passes over the training data.');

/** Which pictures. */
export const DATA_TABLE = {
  data: text('data', 'strokes', 'strokes (drawn by langevin), mnist, or a folder with IDX files.'),
  dataDir: text('data-dir', null, 'The folder with the four files of MNIST.', {
    placeholder: 'folder',
    defaultText: 'LANGEVIN_MNIST, else the cache, else a download',
  }),
  limit: count('limit', null, 'Use only the first n pictures for training, and n for testing.'),
} as const satisfies Settings;

/** The same where a model brings its data along. */
const MODEL_DATA = {
  ...DATA_TABLE,
  data: text('data', null, DATA_TABLE.data.meaning, { defaultText: "the model's own, else strokes" }),
} as const satisfies Settings;

/** What computes. */
export const ENGINE_TABLE = {
  backend: choice(BACKENDS)(
    'backend',
    'wasm',
    'wasm, or reference: plain TypeScript in float64, which is slow.',
  ),
  threads: count('threads', null, 'Threads of the wasm backend. Results do not depend on them.', {
    defaultText: 'all cores',
  }),
  numerics: choice(NUMERICS)(
    'numerics',
    'strict',
    'strict gives the same bits everywhere. relaxed is faster. auto is relaxed where the engine has it.',
  ),
} as const satisfies Settings;

/** Epochs over `strokes`, of which there are a sixth as many pictures as of MNIST. */
const STROKES_EPOCHS = 15;

/** The networks of `train denoiser`. */
export const DENOISER_NETWORKS = ['mlp', 'conv'] as const;
export type DenoiserNetworkName = (typeof DENOISER_NETWORKS)[number];

/** The lecture's denoiser. */
export const DENOISER_TABLE = {
  model: choice(DENOISER_NETWORKS)('model', 'mlp', "The network: the lecture's MLP, or a convolutional one."),
  epochs: count('epochs', 10, 'Passes over the training data.', {
    defaultWhen: { setting: 'data', is: 'strokes', default: STROKES_EPOCHS },
    defaultText: `${STROKES_EPOCHS} for strokes, else 10`,
  }),
  batchSize: batchSize(64),
  lr: lr(1e-3),
  noise: notNegative('noise', 0.5, 'Standard deviation of the noise. Pixels are from 0 to 1.'),
  seed,
} as const satisfies Settings;

/** The lecture's diffusion model, as its slides have it. */
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
  epochs: count('epochs', null, 'Passes over the training data.', {
    defaultText: '8 for MNIST, 13 with mlp; more for fewer pictures',
  }),
  batchSize: count('batch-size', 64, 'The number of pictures in a training step.', {
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

/** The MLPs of `train diffusion` by name. Pictures and classes come from the data. */
export const DIFFUSION_MLPS = {
  mlp: {},
  'mlp-small': { hidden: 256, inner: 256, condition: 64 },
  'mlp-tiny': { hidden: 32, inner: 32, depth: 1, condition: 16 },
} as const satisfies Record<string, Partial<DiffusionMlpSizes>>;
/** Its U-Nets. */
export const DIFFUSION_UNETS = {
  unet: {},
  'unet-small': { hidden: 32, condition: 128 },
  'unet-tiny': { hidden: 32, fine: 8, heads: 2, condition: 32 },
} as const satisfies Record<string, Partial<UNetSizes>>;
/** The networks of `train diffusion`. */
export type DiffusionNetworkName = keyof typeof DIFFUSION_MLPS | keyof typeof DIFFUSION_UNETS;
const UNET_NAMES = Object.keys(DIFFUSION_UNETS);
const DIFFUSION_NETWORKS = [...Object.keys(DIFFUSION_MLPS), ...UNET_NAMES] as DiffusionNetworkName[];

/** Another default for the U-Nets. The help names it beside `otherwise`, the MLPs'. */
const forUnets = <V extends string | number>(value: V, otherwise: V) => ({
  defaultWhen: { setting: 'model', is: UNET_NAMES, default: value },
  defaultText: `${otherwise}; ${value} for U-Nets`,
});

/** The tones of a diffusion model. */
export const TONES = ['linear', 'spread'] as const;
export type TonesName = (typeof TONES)[number];

/** Whether a diffusion model learns the variance of a step. */
export const VARIANCES = ['fixed', 'learned'] as const;

/** A diffusion model. */
export const DIFFUSION_TABLE = {
  model: choice(DIFFUSION_NETWORKS)('model', 'mlp', 'The network: an MLP or a U-Net.'),
  schedule: choice(TRAINING_SCHEDULES)(
    'schedule',
    'cosine',
    'The noise schedule.',
    forUnets<TrainingSchedule>('flow', 'cosine'),
  ),
  steps: countFrom(2)('steps', 1000, 'Time steps T of the schedule. vp, sub-vp and flow have none.'),
  predicts: choice(PREDICTIONS)(
    'predict',
    'x0',
    'What the network predicts. edm: the target of EDM. A U-Net then has a scaled input. Use it with --times log-normal.',
    forUnets<Prediction>('flow', 'x0'),
  ),
  times: choice(TIME_SAMPLINGS)(
    'times',
    'uniform',
    'How the times of a batch are drawn. logit-normal draws the middle ones more often. log-normal is that of EDM.',
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
  tones: choice(TONES)(
    'tones',
    'linear',
    'What stands for the greys. spread gives the frequent greys of the data more room.',
    forUnets<TonesName>('spread', 'linear'),
  ),
  epochs: count('epochs', 60, 'Passes over the training data.', forUnets(12, 60)),
  batchSize: batchSize(128),
  lr: lr(1e-3, 'The learning rate of Adam after its warm-up.'),
  finalLr: share('final-lr', 0.02, 'The learning rate at the end, as a share of --lr.', forUnets(0, 0.02)),
  beta2: decay('beta2', 0.999, "Decay of Adam's mean of squared gradients.", forUnets(0.99, 0.999)),
  clip: notNegative(
    'clip',
    0,
    'The largest norm of the gradient. A larger one is scaled down. 0 scales none.',
    forUnets(1, 0),
  ),
  ema: decay('ema', 0.999, 'Decay of the moving average of the network. The average samples.'),
  labelDropout: share(
    'label-dropout',
    0.1,
    'The share of labels that training hides. Guidance needs some. 1 trains without labels.',
    { alias: 'guidance-dropout' },
  ),
  seconds,
  seed,
} as const satisfies Settings;

/** How a trained diffusion model samples. */
export const SAMPLING_TABLE = {
  model: text(
    'model',
    'out/diffusion',
    'A file, a folder of results, or the name of a published model. A file or folder of that name comes first.',
    { placeholder: 'path' },
  ),
  ...OWN_SAMPLING_TABLE,
  classifierGuidance: notNegative(
    'classifier-guidance',
    0,
    'Scale of guidance by a classifier of noisy pictures. It is trained once on --data. 0 uses none.',
  ),
  seed,
} as const satisfies Settings;

/** How far a picture that is given without a mask goes into noise. */
export const STRENGTH = 0.5;

/** Pictures of a diffusion model. */
export const SAMPLE_TABLE = {
  count: count('count', 100, 'How many pictures.'),
  label: counts('label', null, 'The class to sample, or several as in 3,1,4.', {
    defaultText: 'all in turn',
  }),
  gif: flag('gif', 'Also draw how the pictures grow out of noise.'),
  from: text(
    'from',
    null,
    "Begin with this PNG, a picture of the model's size, and not with noise alone. --prepare is none then by default.",
    {
      placeholder: 'file',
    },
  ),
  strength: share(
    'strength',
    null,
    'How far the picture of --from goes into noise. 0 gives it back, 1 is noise alone.',
    { defaultText: `${STRENGTH}; 1 with --inpaint` },
  ),
  inpaint: text(
    'inpaint',
    null,
    'Make new what is white in this PNG, a mask, and keep the other pixels of --from.',
    { placeholder: 'file' },
  ),
  resamples: count(
    'resamples',
    10,
    'How often inpainting makes each step. More of them fit the new part to the rest.',
  ),
} as const satisfies Settings;

/** The pictures that are judged. */
export const EVALUATE_TABLE = {
  samples: text(
    'samples',
    null,
    'Judge the pictures in this .npy instead: see sample --save. --seed is of the tests.',
    {
      placeholder: 'file',
    },
  ),
  count: countFrom(100)('count', 1000, 'How many pictures to judge.', {
    defaultText: '1000; all of --samples',
  }),
  judge: text(
    'judge',
    'conv',
    'The classifier that judges: conv or mlp, which is trained once on --data, or the file or folder of a trained one.',
    { placeholder: 'name' },
  ),
  twoSample: flag(
    'two-sample',
    'Train three classifiers to separate the pictures from real training pictures.',
  ),
  score: flag('score', 'Train a classifier on the pictures alone, and test it on real ones.'),
  quiz: flag('quiz', 'Also draw a sheet of samples and real pictures in random order, and write its key.'),
} as const satisfies Settings;

/** A trained model as a file for somebody else. */
export const EXPORT_TABLE = {
  model: SAMPLING_TABLE.model,
  to: choice(EXPORT_FORMATS)(
    'to',
    'langevin',
    'The format. langevin is a safetensors file, which PyTorch reads too.',
  ),
  dtype: choice(MODEL_DTYPES)(
    'dtype',
    'float16',
    'The type of the numbers. float16 takes half of the bytes.',
  ),
  name: text('name', null, 'The name of the file, without its ending.', {
    defaultText: "the model's own",
  }),
  matchGreys: countFrom(100)(
    'match-greys',
    null,
    'Draw n pictures of a diffusion model, and set the cuts between greys, for each kind of picture, so that they have the greys of the training data.',
    { defaultText: "the model's own cuts" },
  ),
  seed,
} as const satisfies Settings;

/** Paths of a stochastic differential equation. */
export const SDE_TABLE = {
  process: choice(PROCESSES.map(({ definition }) => definition.name))(
    'process',
    null,
    'A process by name: see --list.',
    {
      argument: true,
    },
  ),
  drift: text('drift', null, 'Your own equation: a(x, t), as in "theta*(mu - x)".', {
    placeholder: 'expression',
  }),
  diffusion: text('diffusion', null, 'With --drift: b(x, t), as in "sigma*sqrt(x)".', {
    placeholder: 'expression',
  }),
  set: assignments('set', null, 'Parameters, as in --set mu=0.05,sigma=0.2.'),
  paths: count('paths', 1000, 'How many paths. The first 30 are drawn one by one.'),
  steps: count('steps', 1000, 'Steps of a path.'),
  time: positive('time', null, 'The time at the end.', {
    placeholder: 't',
    defaultText: "the process's own: see --list",
  }),
  solver: choice(SOLVERS.map(({ name }) => name))('solver', 'euler-maruyama', 'The solver: see --list.'),
  twin: flag('twin', 'Also draw the solution without noise, dx = a(x, t) dt.'),
  seed,
} as const satisfies Settings;

/** Measured orders of convergence. */
export const SDE_ORDERS_TABLE = {
  solver: choice(SOLVERS.map(({ name }) => name))('solver', null, 'Only this solver.', {
    defaultText: 'all',
  }),
  paths: count('paths', null, 'Paths of each measurement.', { defaultText: 'as many as the order needs' }),
  seed: text('seed', 'orders', seed.meaning),
} as const satisfies Settings;

/** Pictures on their way into noise. */
export const NOISE_TABLE = {
  process: choice([...NOISING_PROCESSES, 'all'])(
    'process',
    'all',
    'The process. all draws each picture by brownian, vp and ve.',
  ),
  pictures: countTo(MOST_NOISED)('pictures', 4, 'How many pictures of the data set, one a row and process.', {
    defaultWhen: { setting: 'process', is: 'all', default: 1 },
    defaultText: '4; 1 for all',
  }),
  steps: count('steps', 480, 'Steps from picture to noise.'),
  seed,
} as const satisfies Settings;

/** Noise schedules side by side. */
export const SCHEDULES_TABLE = {
  schedule: choices(SHOWN_SCHEDULES)(
    'schedule',
    ['linear', 'cosine', 'sigmoid', 'flow', 've'],
    'The schedules.',
  ),
  steps: countFrom(2)('steps', 1000, 'Time steps T of the schedules that have some.'),
  zeroSnr: flag('zero-snr', 'Also draw those with steps rescaled, so that the last level is pure noise.'),
} as const satisfies Settings;

/** Diffusion in the plane. */
export const TOY_TABLE = {
  set: choice([...TOY_SETS, 'all'])('set', 'all', 'The set of points.', { argument: true }),
  sampler: choice(PICTURE_SAMPLERS)('sampler', 'ddim', 'The sampler.'),
  steps: count('steps', 50, 'Steps of the sampler.'),
  trainSteps: count('train-steps', 3000, 'Steps of training, each on fresh points.'),
  batchSize: count('batch-size', 128, 'The number of points in a training step.'),
  lr: lr(6e-3),
  seed,
} as const satisfies Settings;

/** The tour. */
export const TOUR_TABLE = {
  data: DATA_TABLE.data,
  dataDir: DATA_TABLE.dataDir,
  seconds: positive('seconds', 75, 'Seconds of training the diffusion model. The rest takes less.', {
    placeholder: 's',
  }),
  seed,
} as const satisfies Settings;

/** The tables of each command that makes something, by their titles in its help. */
export const RECIPES = {
  tour: { Tour: TOUR_TABLE, Engine: ENGINE_TABLE },
  'train denoiser': { Data: DATA_TABLE, Training: DENOISER_TABLE, Engine: ENGINE_TABLE },
  'train lecture': { Data: DATA_TABLE, Training: LECTURE_TABLE, Engine: ENGINE_TABLE },
  'train classifier': { Data: DATA_TABLE, Training: CLASSIFIER_TABLE, Engine: ENGINE_TABLE },
  'train diffusion': { Data: DATA_TABLE, Training: DIFFUSION_TABLE, Engine: ENGINE_TABLE },
  sample: { Pictures: SAMPLE_TABLE, Sampling: SAMPLING_TABLE, Data: MODEL_DATA, Engine: ENGINE_TABLE },
  evaluate: { Pictures: EVALUATE_TABLE, Sampling: SAMPLING_TABLE, Data: MODEL_DATA, Engine: ENGINE_TABLE },
  export: {
    Export: EXPORT_TABLE,
    'Sampling that the file says': OWN_SAMPLING_TABLE,
    'Data for --match-greys': MODEL_DATA,
    Engine: ENGINE_TABLE,
  },
  sde: { Equation: SDE_TABLE, Engine: ENGINE_TABLE },
  'sde orders': { Measurement: SDE_ORDERS_TABLE, Engine: ENGINE_TABLE },
  noise: { Data: DATA_TABLE, Noise: NOISE_TABLE, Engine: ENGINE_TABLE },
  schedules: { Schedules: SCHEDULES_TABLE },
  toy: { Toy: TOY_TABLE, Engine: ENGINE_TABLE },
} as const satisfies Record<string, Readonly<Record<string, Settings>>>;
export type RecipeName = keyof typeof RECIPES;
