/**
 * Wrong arguments of public functions. An unknown option is refused with the nearest known one. Names match in upper
 * and lower case. Each mistake gives one line, in an error class of langevin.
 */
import * as assert from 'uvu/assert';
import { PictureCollector } from '../src/data/own-pictures.ts';
import * as langevin from '../src/index.ts';
import { suite } from './suite.ts';

const { diffusion, sde, tensor, Rng } = langevin;
const rng = new Rng(0);
const point = () => tensor([[0.5, -0.5]]);
const tokens = () => langevin.zeros([1, 2, 2]);
const picture4 = () => tensor([[[[1]]]]);
const weights = () => [tensor([1, 2], { requiresGrad: true })];
const schedule = diffusion.createSchedule('linear', 50);
const eps = diffusion.predictor('eps', (x) => x);
const start = () => sde.startAt(1, 1);
const strokes = langevin.loadStrokes({ train: 4, test: 4 });
const network = () => new langevin.DiffusionMlp({ hidden: 2, inner: 2, depth: 1, condition: 2, rng });
const pipeline = () =>
  new langevin.DiffusionPipeline(network(), { schedule: 'cosine', steps: 10, predicts: 'x0' });
const guided = { classes: 1, predicts: 'eps', predict: (x: langevin.Tensor) => x } as const;
const classifier = () => new langevin.Classifier({ height: 28, width: 28, classes: 10 }, rng);
const picture = langevin.pictureGrid([[[0.5]]], { height: 1, width: 1 });
const settings = { ...langevin.DIFFUSION_SETTINGS, epochs: 1, batchSize: 2 };
const trainer = () => langevin.diffusionTrainer(pipeline(), strokes, settings);

const student = () =>
  langevin.distillTrainer(pipeline(), pipeline(), {
    ...langevin.DISTILL_SETTINGS,
    ...{ student: 1, teacherSteps: 2, paths: 2, epochs: 1, batchSize: 2 },
  });

const lectureFile = () => {
  const run = langevin.lectureTrainer(new langevin.LectureNetwork(784, 2), { ...strokes, epochs: 1 });
  return langevin.decodeCheckpoint(langevin.encodeRun(run, { resumable: true }));
};

/** Calls with an unknown option of the given name, and the name that the error suggests. */
type Wrong = (options: never) => unknown;
const sized = (o: object) => ({ height: 1, width: 1, ...o });
const first = (run: Generator<unknown> | Iterator<unknown>) => run.next();
const UNKNOWN: Readonly<Record<string, readonly [Wrong, string, string]>> = {
  gradcheck: [(o) => langevin.gradcheck((x) => x, [point()], o), 'Step', 'step'],
  setThreads: [(o) => langevin.setThreads(1, o), 'worker_url', 'workerUrl'],
  exportPytorch: [(o) => langevin.exportPytorch({} as never, o), 'Dtype', 'dtype'],
  tensor: [(o) => tensor([1], o), 'requires_grad', 'requiresGrad'],
  empty: [(o) => langevin.empty([1], o), 'requireGrad', 'requiresGrad'],
  full: [(o) => langevin.full([1], 1, o), 'requiresgrad', 'requiresGrad'],
  zeros: [(o) => langevin.zeros([1], o), 'requiresgrad', 'requiresGrad'],
  ones: [(o) => langevin.ones([1], o), 'requiresgrad', 'requiresGrad'],
  backward: [(o) => weights()[0].sum().backward(null, o), 'retain_graph', 'retainGraph'],
  sum: [(o) => point().sum(1, o), 'keepdim', 'keepDims'],
  mean: [(o) => point().mean(1, o), 'keepdims', 'keepDims'],
  max: [(o) => point().max(1, o), 'keepdims', 'keepDims'],
  matmul: [(o) => point().matmul(point(), o), 'bt', 'bT'],
  var: [(o) => point().var(1, o), 'unbiased', 'correction'],
  std: [(o) => point().std(1, o), 'Correction', 'correction'],
  norm: [(o) => point().norm(2, 1, o), 'keepdim', 'keepDims'],
  topk: [(o) => point().topk(1, 1, o), 'Largest', 'largest'],
  crossEntropy: [(o) => langevin.crossEntropy(point(), [0], o), 'label_smoothing', 'labelSmoothing'],
  bceWithLogits: [(o) => langevin.bceWithLogits(point(), point(), o), 'pos_weight', 'posWeight'],
  mse: [(o) => langevin.mse(point(), point(), o), 'Reduction', 'reduction'],
  MSELoss: [(o) => new langevin.MSELoss(o), 'Reduction', 'reduction'],
  l1Loss: [(o) => langevin.l1Loss(point(), point(), o), 'Reduction', 'reduction'],
  huberLoss: [(o) => langevin.huberLoss(point(), point(), o), 'Delta', 'delta'],
  dropout: [(o) => langevin.dropout(point(), 0.5, o), 'train', 'training'],
  layerNorm: [(o) => langevin.layerNorm(point(), 2, o), 'epsilon', 'eps'],
  rmsNorm: [(o) => langevin.rmsNorm(point(), 2, o), 'epsilon', 'eps'],
  groupNorm: [(o) => langevin.groupNorm(point(), 2, o), 'Activation', 'activation'],
  GroupNorm: [(o) => new langevin.GroupNorm(1, 2, o), 'epsilon', 'eps'],
  MultiheadAttention: [(o) => new langevin.MultiheadAttention(2, 1, o), 'k_dim', 'kdim'],
  scaledDotProductAttention: [
    (o) => langevin.scaledDotProductAttention(tokens(), tokens(), tokens(), o),
    'attn_mask',
    'mask',
  ],
  Dropout: [(o) => new langevin.Dropout(0.5, o), 'Rng', 'rng'],
  Embedding: [(o) => new langevin.Embedding(2, 2, o), 'Rng', 'rng'],
  LayerNorm: [(o) => new langevin.LayerNorm(2, o), 'elementwise_affine', 'affine'],
  RMSNorm: [(o) => new langevin.RMSNorm(2, o), 'EPS', 'eps'],
  customOp: [
    (o) => langevin.customOp({ name: 'a', forward: ([x]) => x, backward: (dy) => [dy], ...(o as object) }),
    'save',
    'saves',
  ],
  conv2d: [(o) => langevin.conv2d(picture4(), picture4(), null, o), 'Stride', 'stride'],
  Conv2d: [(o) => new langevin.Conv2d(1, 1, 3, o), 'dilations', 'dilation'],
  Linear: [(o) => new langevin.Linear(1, 1, o), 'Bias', 'bias'],
  TimeEmbedding: [(o) => new langevin.TimeEmbedding(2, 2, o), 'scales', 'scale'],
  Adam: [(o) => new langevin.Adam(weights(), o), 'learningRate', 'lr'],
  AdamW: [(o) => new langevin.AdamW(weights(), o), 'weight_decay', 'weightDecay'],
  SGD: [(o) => new langevin.SGD(weights(), o), 'learning_rate', 'lr'],
  RMSprop: [(o) => new langevin.RMSprop(weights(), o), 'centred', 'centered'],
  clipGradNorm: [(o) => langevin.clipGradNorm(weights(), 1, o), 'norm_type', 'normType'],
  findLearningRate: [
    (o) => {
      const p = weights();
      return langevin.findLearningRate(new langevin.SGD(p), () => p[0].sum(), o);
    },
    'smooth',
    'smoothing',
  ],
  Ema: [(o) => new langevin.Ema(network(), o), 'warmUp', 'warmup'],
  linearLr: [(o) => langevin.linearLr(1, 0, o), 'step', 'steps'],
  stepLr: [(o) => langevin.stepLr(1, o), 'Every', 'every'],
  exponentialLr: [(o) => langevin.exponentialLr(1, o), 'Gamma', 'gamma'],
  cosineLr: [(o) => langevin.cosineLr(1, o), 'ends', 'end'],
  polynomialLr: [(o) => langevin.polynomialLr(1, o), 'powers', 'power'],
  warmupLr: [(o) => langevin.warmupLr(1, langevin.constantLr(1), o), 'form', 'from'],
  DataLoader: [(o) => new langevin.DataLoader(strokes.train, o), 'batchsize', 'batchSize'],
  randomAffine: [(o) => langevin.randomAffine(langevin.zeros([1, 2, 2, 1]), rng, o), 'degree', 'degrees'],
  loadStrokes: [(o) => langevin.loadStrokes(o), 'tests', 'test'],
  strokeDigits: [(o) => langevin.strokeDigits(0, 1, o), 'digits', 'digit'],
  BatchNorm2d: [(o) => new langevin.BatchNorm2d(1, o), 'track_running_stats', 'trackRunningStats'],
  convTranspose2d: [
    (o) => langevin.convTranspose2d(picture4(), picture4(), null, o),
    'output_padding',
    'outputPadding',
  ],
  ConvTranspose2d: [(o) => new langevin.ConvTranspose2d(1, 1, 1, o), 'Stride', 'stride'],
  upsampleConv2d: [
    (o) => langevin.upsampleConv2d(picture4(), picture4(), null, o),
    'Activation',
    'activation',
  ],
  UpsampleConv2d: [(o) => new langevin.UpsampleConv2d(1, 1, o), 'Bias', 'bias'],
  maxPool2d: [(o) => langevin.maxPool2d(picture4(), 1, o), 'strides', 'stride'],
  MaxPool2d: [(o) => new langevin.MaxPool2d(1, o), 'Padding', 'padding'],
  avgPool2d: [(o) => langevin.avgPool2d(picture4(), 1, o), 'count_include_pad', 'countIncludePad'],
  AvgPool2d: [(o) => new langevin.AvgPool2d(1, o), 'Stride', 'stride'],
  upsample: [(o) => langevin.upsample(picture4(), o), 'scale_factor', 'scaleFactor'],
  Upsample: [(o) => new langevin.Upsample(o), 'scalefactor', 'scaleFactor'],
  loadMnist: [(o) => langevin.loadMnist(o), 'datadir', 'dataDir'],
  PictureCollector: [(o) => new PictureCollector('x', o), 'sizes', 'size'],
  toySet: [(o) => langevin.toySet('moons', 1, rng, o), 'Noise', 'noise'],
  encodeGif: [(o) => langevin.encodeGif([picture], o), 'lastdelay', 'lastDelay'],
  pictureGrid: [(o) => langevin.pictureGrid([[[0.5]]], sized(o)), 'row_labels', 'rowLabels'],
  pictureGridFromBatch: [(o) => langevin.pictureGridFromBatch([0.5], sized(o)), 'column', 'columns'],
  cellsOf: [(o) => langevin.cellsOf([0.5], sized(o)), 'counts', 'count'],
  decodePng: [(o) => langevin.decodePng(langevin.encodePng(picture), o), 'maxpixels', 'maxPixels'],
  Denoiser: [(o) => new langevin.Denoiser(o), 'Hidden', 'hidden'],
  DiffusionMlp: [(o) => new langevin.DiffusionMlp(o), 'Depth', 'depth'],
  UNet: [(o) => new langevin.UNet(o), 'Heads', 'heads'],
  encodeCheckpoint: [(o) => langevin.encodeCheckpoint(network(), o), 'setting', 'settings'],
  convertCheckpoint: [(o) => langevin.convertCheckpoint(lectureFile(), o), 'Dtype', 'dtype'],
  samplePictures: [(o) => langevin.samplePictures(pipeline(), o), 'guidance_scale', 'guidance'],
  sampleDiffusion: [(o) => first(langevin.sampleDiffusion(pipeline(), o)), 'clip', 'threshold'],
  lectureLoss: [(o) => langevin.lectureLoss((x) => x, point(), rng, o), 'Carry', 'carry'],
  lectureNoise: [(o) => langevin.lectureNoise(o), 'schedules', 'schedule'],
  trainLecture: [
    (o) => first(langevin.trainLecture(new langevin.LectureNetwork(784, 2), o)),
    'epoch',
    'epochs',
  ],
  resumeDenoiser: [
    (o) => langevin.resumeDenoiser(lectureFile(), strokes, o),
    'limit_seconds',
    'limitSeconds',
  ],
  lectureTrainer: [
    (o) => langevin.lectureTrainer(new langevin.LectureNetwork(784, 2), o),
    'batch_size',
    'batchSize',
  ],
  Trainer: [
    (o) => {
      const { recipe, source } = trainer();
      return new langevin.Trainer(recipe, source, o);
    },
    'limitseconds',
    'limitSeconds',
  ],
  trainToy: [(o) => first(langevin.trainToy('moons', o)), 'batch_size', 'batchSize'],
  trainClassifier: [
    (o) => first(langevin.trainClassifier(classifier(), strokes, { seed: 0, ...(o as object) } as never)),
    'batchsize',
    'batchSize',
  ],
  denoiserTrainer: [(o) => langevin.denoiserTrainer(new langevin.Denoiser(), o), 'batch_size', 'batchSize'],
  toyTrainer: [(o) => langevin.toyTrainer('moons', o), 'learning_rate', 'lr'],
  resumeLecture: [(o) => langevin.resumeLecture(null as never, strokes, o), 'epoch', 'epochs'],
  Classifier: [(o) => new langevin.Classifier(o), 'Heights', 'height'],
  ConvDenoiser: [(o) => new langevin.ConvDenoiser(o), 'Heights', 'height'],
  ConvClassifier: [(o) => new langevin.ConvClassifier(o), 'Heights', 'height'],
  resumeClassifier: [(o) => langevin.resumeClassifier(null as never, strokes, o), 'epoch', 'epochs'],
  NoiseClassifier: [
    (o) => new langevin.NoiseClassifier(o, { schedule: 'cosine', steps: 10 }),
    'Classes',
    'classes',
  ],
  trainDenoiser: [(o) => first(langevin.trainDenoiser(new langevin.Denoiser(), o)), 'learningRate', 'lr'],
  diffusionTrainer: [
    (o) => langevin.diffusionTrainer(pipeline(), strokes, { ...settings, ...(o as object) }),
    'label_dropout',
    'labelDropout',
  ],
  encodeRun: [(o) => langevin.encodeRun(trainer(), o), 'note', 'notes'],
  resumeDiffusion: [
    (o) =>
      langevin.resumeDiffusion(
        langevin.decodeCheckpoint(langevin.encodeRun(trainer(), { resumable: true })),
        strokes,
        o,
      ),
    'epoch',
    'epochs',
  ],
  distillTrainer: [
    (o) =>
      langevin.distillTrainer(pipeline(), pipeline(), { ...langevin.DISTILL_SETTINGS, ...(o as object) }),
    'teacherStep',
    'teacherSteps',
  ],
  resumeDistill: [
    (o) =>
      langevin.resumeDistill(
        langevin.decodeCheckpoint(langevin.encodeRun(student(), { resumable: true })),
        pipeline(),
        o,
      ),
    'epoch',
    'epochs',
  ],
  namedBetas: [(o) => diffusion.namedBetas('linear', 50, o), 'maxbeta', 'maxBeta'],
  createSchedule: [(o) => diffusion.createSchedule('linear', 50, o), 'zeroTerminalSNR', 'zeroTerminalSnr'],
  fromBetas: [(o) => diffusion.DiscreteSchedule.fromBetas([0.1, 0.2], o), 'timeSteps', 'timesteps'],
  fromAlphaBars: [(o) => diffusion.DiscreteSchedule.fromAlphaBars([0.9, 0.2], o), 'Name', 'name'],
  fromSigmas: [(o) => diffusion.DiscreteSchedule.fromSigmas([1, 2], o), 'Scaling', 'scaling'],
  continuousSchedule: [(o) => diffusion.continuousSchedule('vp', o), 'betamin', 'betaMin'],
  spacedLevels: [(o) => diffusion.spacedLevels(schedule, o), 'num_inference_steps', 'steps'],
  repaint: [
    (o) => diffusion.repaint('ddim', {}, { known: point(), mask: point(), ...(o as object) }),
    'resample',
    'resamples',
  ],
  edmLoss: [(o) => diffusion.edmLoss((x) => x, point(), rng, o), 'sigma_data', 'sigmaData'],
  classifierFree: [(o) => diffusion.classifierFree(guided, [null], o), 'scales', 'scale'],
  classifierGuided: [
    (o) => diffusion.classifierGuided(eps, schedule, (x) => x.sum(1), o),
    'parameter',
    'parameters',
  ],
  hybridLoss: [(o) => diffusion.hybridLoss((x) => x, schedule, point(), rng, o), 'Lambda', 'lambda'],
  odeLikelihood: [(o) => diffusion.odeLikelihood(eps, schedule, point(), o), 'divergance', 'divergence'],
  Objective: [(o) => new diffusion.Objective(schedule, o), 'loss_weighting', 'lossWeighting'],
  variationalBound: [(o) => diffusion.variationalBound(eps, schedule, point(), rng, o), 'term', 'terms'],
  solve: [(o) => sde.solve(sde.gbm(), sde.exact, start(), o), 'step', 'steps'],
  integrate: [(o) => first(sde.integrate(sde.gbm(), sde.exact, start(), o)), 'Path', 'path'],
  solveAdaptive: [(o) => sde.solveAdaptive(sde.gbm(), sde.milstein, start(), o), 'Rtol', 'rtol'],
  BrownianPath: [(o) => new sde.BrownianPath(rng, [1], o), 'areas', 'area'],
  measureOrder: [(o) => sde.measureOrder(sde.exact, 'diagonal', 'strong', o), 'path', 'paths'],
  measureOrders: [(o) => first(sde.measureOrders([], o)), 'batch', 'batches'],
  gbm: [(o) => sde.gbm(o), 'Mu', 'mu'],
};

const SAMPLER_MAKERS = [
  diffusion.annealedLangevin,
  diffusion.ddim,
  diffusion.ddimInversion,
  diffusion.ddpm,
  diffusion.dpmSolver2M,
  diffusion.dpmSolver2S,
  diffusion.dpmSolverSde2M,
  diffusion.edm,
  diffusion.euler,
  diffusion.heun,
  diffusion.predictorCorrector,
  diffusion.uniPc,
];

/** Typical mistakes and their error messages. */
const WRONG: readonly (readonly [() => unknown, RegExp])[] = [
  [() => langevin.randn(2 as never, 3 as never), /^randn: expected a shape such as \[2,3\], got 2$/],
  [() => langevin.rand([2], 3 as never), /^rand: expected a generator such as new Rng\(0\), got 3$/],
  [() => tensor([1, 2]).slice(0 as never, 1 as never), /^slice: expected corners such as \[0, 2\], got 0$/],
  [
    () => new langevin.Adam(new langevin.Linear(1, 1) as never),
    /^Adam: expected an array of tensors such as model\.parameters\(\), got a Linear$/,
  ],
  [() => new langevin.SGD([1] as never), /^SGD: expected an array of tensors .*, got 1$/],
  [
    () => first(diffusion.createSampler('ddim').sample(eps, schedule, point(), undefined as never)),
    /^ddim: expected a generator such as new Rng\(0\), got nothing$/,
  ],
  [
    () => langevin.timestepEmbedding([1], 4, { flip: true } as never),
    /^time embedding: expected a longest period > 0, got an object \{ flip \}$/,
  ],
  [
    () => sde.expressionSde({ drift: 'x' } as never, '1'),
    /^expression: expected a formula such as "0\.1\*x", got an object \{ drift \}$/,
  ],
  [() => new langevin.Adam(weights(), 0.1 as never), /^Adam: expected an object of options, got 0\.1$/],
  [
    () => new langevin.Linear(1, 1, new langevin.ReLU() as never),
    /^Linear: expected an object of options, got a ReLU$/,
  ],
  [
    () => diffusion.createSampler('ddim', { threshold: { kind: 'dynamic', quantil: 0.5 } as never }),
    /^threshold: dynamic: expected options kind, quantile, most, got "quantil"\. Did you mean "quantile"\?$/,
  ],
];

function errorOf(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

suite('arguments', (test) => {
  for (const [name, [call, option, nearest]] of Object.entries(UNKNOWN)) {
    test(`${name} refuses the option "${option}", and suggests "${nearest}"`, () => {
      const error = errorOf(() => call({ [option]: undefined } as never));
      assert.instance(error, langevin.ValueError, error.message);
      assert.match(error.message, `got "${option}". Did you mean "${nearest}"?`);
      assert.not.match(error.message, '\n');
    });
  }

  test('every sampler refuses an unknown option, and has `threshold` for clipping', () => {
    for (const name of diffusion.SAMPLERS) {
      const error = errorOf(() => diffusion.createSampler(name, { clip: true } as never));
      assert.instance(error, langevin.ValueError);
      assert.match(error.message, 'got "clip". Did you mean "threshold"?');
    }
  });

  test('every function and class with options is in the table above', () => {
    const names = [langevin, diffusion, sde].flatMap((room) =>
      Object.entries(room)
        .filter(([, value]) => typeof value === 'function' && /withDefaults/.test(String(value)))
        .map(([name]) => name),
    );
    assert.ok(names.length > 40, `${names.length} were found`);
    // Samplers are tested by name above. For these two classes every method with options has its own line.
    const samplers = SAMPLER_MAKERS.map((make) => make.name);
    const known = [...Object.keys(UNKNOWN), ...samplers, 'Tensor', 'DiscreteSchedule'];
    const missing = names.filter((name) => !known.includes(name));
    assert.equal(missing, []);
  });

  test('names match in any case', () => {
    assert.is(diffusion.createSampler('DDIM' as 'ddim').name, 'ddim');
    assert.is(diffusion.createSchedule('Cosine' as 'cosine', 10).name, 'cosine');
    assert.is(diffusion.continuousSchedule('VP' as 'vp').name, 'vp');
    assert.is(diffusion.predictor('EPS' as 'eps', (x) => x).predicts, 'eps');
    assert.is(
      new diffusion.Objective(schedule, { lossWeighting: 'Min-SNR' as 'min-snr' }).lossWeighting,
      'min-snr',
    );
    assert.is(diffusion.spacedLevels(schedule, { spacing: 'Karras' as 'karras', steps: 3 }).length, 4);
    assert.is(sde.processNamed('OU').definition.name, 'ou');
    assert.is(sde.solverNamed('Euler-Maruyama').name, 'euler-maruyama');
    assert.equal(langevin.toySet('Moons' as 'moons', 2, rng).shape, [2, 2]);
    const { settings: known } = new langevin.DiffusionPipeline(network(), {
      schedule: 'COSINE' as 'cosine',
      steps: 10,
      predicts: 'X0' as 'x0',
    });
    assert.equal(known, { schedule: 'cosine', steps: 10, predicts: 'x0' });
    const before = langevin.backend().name;
    langevin.setBackend('Reference' as 'reference');
    assert.is(langevin.backend().name, 'reference');
    langevin.setBackend(before);
    langevin.setNumerics('STRICT' as 'strict');
  });

  test('an option that is undefined takes its default', () => {
    assert.is(new langevin.Adam(weights(), { lr: undefined } as never).lr, 1e-3);
  });

  test('each mistake gets one clear line', () => {
    for (const [body, message] of WRONG) {
      const error = errorOf(body);
      assert.instance(error, langevin.LangevinError, String(error.stack));
      assert.match(error.message, message);
    }
  });

  test('an error of saveCheckpoint states the order of its arguments', async () => {
    const info = { kind: 'x', sizes: {} };
    for (const [words, message] of [
      [
        [new langevin.Linear(1, 1), 'file', info],
        /^saveCheckpoint: expected a path, a model and its info, got a Linear first$/,
      ],
      [['file', info, network()], /^checkpoint: expected a model, got an object \{ kind, sizes \}$/],
      [['file', network(), {}], /^checkpoint: expected a kind, got nothing$/],
    ] as const) {
      const error = await langevin.saveCheckpoint(...(words as unknown as [string, never, never])).then(
        () => null,
        (reason: Error) => reason,
      );
      assert.instance(error, langevin.ValueError);
      assert.match(error!.message, message);
    }
  });
});
