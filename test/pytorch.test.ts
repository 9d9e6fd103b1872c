/**
 * Models that travel to PyTorch and back. Exported networks are compared with ours in one run of Python: forward pass,
 * gradients, loss, samples and three steps of Adam, as |ours - theirs| / |theirs|. Without torch these tests are skipped.
 * The tests of files and of the import need no Python.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import {
  type Checkpoint,
  convertCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
} from '../src/checkpoint/checkpoint.ts';
import { channelsFirst } from '../src/checkpoint/layout.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../src/checkpoint/safetensors.ts';
import { createDataset, type TrainTest } from '../src/data/dataset.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { Objective } from '../src/diffusion/objective.ts';
import { createSampler } from '../src/diffusion/samplers/index.ts';
import { runSampler } from '../src/diffusion/samplers/sampler.ts';
import { FormatError, ValueError } from '../src/errors.ts';
import { decodePng } from '../src/image/png.ts';
import { EXPORTERS } from '../src/models/export.ts';
import { importWeights } from '../src/models/import.ts';
import { type LectureNetwork, lectureLoss } from '../src/models/lecture/lecture.ts';
import type { Classifier } from '../src/models/networks/classifier.ts';
import type { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { openModel } from '../src/models/open.ts';
import { DiffusionPipeline, diffusionInfo, diffusionOf } from '../src/models/pipeline.ts';
import { exportPytorch } from '../src/models/pytorch/export.ts';
import { TORCH_KINDS } from '../src/models/pytorch/kinds.ts';
import { guidedPredictor, samplePictures } from '../src/models/sample.ts';
import type { OwnSampling } from '../src/models/sampling-defaults.ts';
import { resumeClassifier } from '../src/models/training/classifier.ts';
import { resumeDenoiser } from '../src/models/training/denoiser.ts';
import { DIFFUSION_SETTINGS, diffusionTrainer, resumeDiffusion } from '../src/models/training/diffusion.ts';
import { resumeLecture } from '../src/models/training/lecture.ts';
import type { Trainer } from '../src/models/training/loop.ts';
import { warmCosineLr } from '../src/models/training/rates.ts';
import { encodeRun } from '../src/models/training/resume.ts';
import { crossEntropy } from '../src/nn/loss.ts';
import type { Module } from '../src/nn/module.ts';
import { Adam } from '../src/optim/adam.ts';
import { clipGradNorm } from '../src/optim/clip.ts';
import { Ema } from '../src/optim/ema.ts';
import { cosineLr } from '../src/optim/lr-schedule.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import { mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused, uniforms } from './helpers.ts';
import {
  type Case,
  EXPORT_CASES,
  errorOf,
  FLOW,
  fileOf,
  SETTINGS,
  shape,
  stored,
  storedOf,
} from './helpers-exports.ts';
import { trainFor } from './helpers-training.ts';
import { suite } from './suite.ts';
import { findPython } from './torch/python.ts';

const BATCH = 3;
const kindOf = ({ kind }: Checkpoint) => TORCH_KINDS.get(kind)!;
const flattenedOf = ({ checkpoint }: Case) =>
  kindOf(checkpoint).flatMaps({ channels: 1, ...checkpoint.sizes });

/** Tensors with the names and shapes of the parameters, in the layouts of PyTorch. */
function inTorch(given: Case, parameters: Map<string, StoredTensor>): Map<string, StoredTensor> {
  const bytes = convertCheckpoint(
    { ...given.checkpoint, parameters },
    { dtype: 'float32', flattened: flattenedOf(given) },
  );
  return decodeSafetensors(bytes).tensors;
}

/** What langevin computes for a case, in the layouts of PyTorch. */
interface Ours {
  readonly values: Map<string, StoredTensor>;
  readonly stepped: Map<string, StoredTensor>;
}

/** The inputs of a case for PyTorch, and our results. */
function compute(given: Case): {
  readonly inputs: Map<string, StoredTensor>;
  readonly texts: Record<string, string>;
  readonly ours: Ours;
} {
  const { checkpoint, picture } = given;
  const { channelsLast = false, task } = kindOf(checkpoint);
  const model = openModel(checkpoint) as never as DiffusionPipeline & Module;
  const module = task === 'diffusion' ? model.network : (model as Module);
  const size = [BATCH, ...picture];
  const n = size.reduce((a, b) => a * b);
  const pictures = (name: string, lo = -1) => uniforms(name, n, lo, 1);
  const swap = (x: StoredTensor) => (channelsLast ? x : channelsFirst(x));
  const inputs = new Map([['x', swap(stored(size, pictures('x', task === 'diffusion' ? -1 : 0)))]]);
  const values = new Map<string, StoredTensor>();
  const labels = [2, 0, 1];
  const texts: Record<string, string> = {};
  scope(() => {
    const x = tensor(pictures('x', task === 'diffusion' ? -1 : 0), size, { requiresGrad: true });
    const times = [12.5, 400, 999];
    let y: Tensor;
    let loss: () => Tensor;
    const eps = tensor(pictures('eps'), size);
    if (task === 'diffusion') {
      const known = model.classes > 0 ? labels.map((label, i) => (i === 1 ? null : label)) : undefined;
      y = model.network.forward(x, times, known ? { labels: known } : {});
      inputs.set('t', stored([BATCH], Float64Array.from(times)));
      if (known)
        inputs.set(
          'labels',
          stored(
            [BATCH],
            Float32Array.from(known, (label) => label ?? -1),
          ),
        );
      loss = () => diffusionValues(model, known, given, { inputs, values, texts });
    } else if (task === 'classifier') {
      y = (module as Classifier).forward(x);
      inputs.set('labels', stored([BATCH], Float32Array.from(labels)));
      const labelSmoothing = checkpoint.kind === 'conv-classifier' ? 0.05 : 0;
      loss = () => crossEntropy((module as Classifier).forward(x.detach()), labels, { labelSmoothing });
    } else if (task === 'denoiser') {
      y = (module as Denoiser).forward(x);
      inputs.set('eps', swap(storedOf(eps)));
      loss = () => mse((module as Denoiser).forward(x.detach().add(eps.mul(0.4))), x.detach());
    } else {
      y = (module as LectureNetwork).at(x, 0.3);
      inputs.set('s', stored([1], Float32Array.of(0.3)));
      const draws = Array.from({ length: 4 }, (_, i) => pictures(`draw ${i}`));
      inputs.set('eps', stored([4, ...size], Float32Array.from(draws.flatMap((draw) => [...draw]))));
      loss = () => {
        const fixed = { normalInto: (to: Tensor) => filled(to, draws.shift()!) } as unknown as Rng;
        return lectureLoss((z, s) => (module as LectureNetwork).at(z, s), x.detach(), fixed, {
          schedule: [0, 0.3, 1],
          carry: true,
        });
      };
    }
    const dy = uniforms('dy', y.size);
    const asMap = (z: StoredTensor) => (z.shape.length === 4 ? swap(z) : z);
    inputs.set('dy', asMap(stored([...y.shape], dy)));
    y.backward(tensor(dy, y.shape));
    values.set('y', asMap(storedOf(y)));
    values.set('dx', swap(storedOf(x.grad as Tensor)));
    const gradients = new Map(
      module.namedParameters().map(([name, p]) => [name, storedOf(p.grad as Tensor)]),
    );
    for (const [name, gradient] of inTorch(given, gradients)) values.set(`grad.${name}`, gradient);
    values.set('loss', storedOf(loss().reshape(1)));
  });
  const stepped = steppedRun(given, module, inputs);
  module.dispose();
  return { inputs, texts, ours: { values, stepped } };
}

function filled(to: Tensor, values: Float32Array): Tensor {
  to.set(values);
  return to;
}

/** The loss of a diffusion model at given times, and samples from given noise. */
function diffusionValues(
  model: DiffusionPipeline,
  known: readonly (number | null)[] | undefined,
  { checkpoint, picture }: Case,
  {
    inputs,
    values,
    texts,
  }: { inputs: Map<string, StoredTensor>; values: Map<string, StoredTensor>; texts: Record<string, string> },
): Tensor {
  const size = [BATCH, ...picture];
  const n = size.reduce((a, b) => a * b);
  const [x0, noise] = [uniforms('x0', n), uniforms('eps', n, -2, 2)];
  const { schedule } = model;
  const at = schedule.times ? [0, 17, schedule.times.length - 1] : [0.001, 0.4, 0.9];
  for (const [name, data] of [
    ['x0', x0],
    ['eps', noise],
  ] as const) {
    inputs.set(name, channelsFirst(stored(size, data)));
  }
  inputs.set('times', stored([BATCH], Float64Array.from(at)));
  const bytes = Float32Array.from(x0, (value) => Math.round((value + 1) * 127.5));
  inputs.set('bytes', channelsFirst(stored(size, bytes)));
  values.set(
    'encoded',
    channelsFirst(
      storedOf(
        model.encode(
          tensor(
            bytes.map((byte) => byte / 255),
            size,
          ),
        ),
      ),
    ),
  );
  const { sampler, steps, guidance } = model.sampling as Required<OwnSampling>;
  Object.assign(texts, { sampler, steps: String(steps), guidance: String(guidance) });
  const range = { guidance, guidanceAbove: 0.25, guidanceBelow: 9, classifier: undefined };
  const predictor = guidedPredictor(model, known ?? Array(BATCH).fill(null), range);
  const levels = model.settings.student ? studentLevels(model) : { steps };
  const run = createSampler(sampler, { threshold: 'clip', ...levels });
  const end = runSampler(run.sample(predictor, schedule, tensor(noise, size), new Rng(0)));
  values.set('drawn', channelsFirst(storedOf(end)));
  end.dispose();
  const { predicts, lossWeighting } = checkpoint.settings as never as typeof DIFFUSION_SETTINGS;
  const objective = new Objective(schedule, { predicts, lossWeighting });
  return objective.lossAt(
    (x, t) => model.predictEach(x, t, known),
    tensor(x0, size),
    at,
    tensor(noise, size),
  );
}

/** The levels of a student on the flow: equal steps of time. */
const studentLevels = ({ schedule, settings: { student = 1 } }: DiffusionPipeline) => ({
  levels: [
    ...Array.from({ length: student }, (_, i) => schedule.level(1 - i / student)),
    { t: schedule.tMin, alpha: 1, sigma: 0 },
  ],
});

/** Three steps of Adam and of the average with given gradients. The result has the names of a file of langevin. */
function steppedRun(
  given: Case,
  module: Module,
  inputs: Map<string, StoredTensor>,
): Map<string, StoredTensor> {
  const { checkpoint } = given;
  const { settings = {}, kind } = checkpoint;
  const { beta2 = 0.999, clip = 0, finalLr = 0, ema: decay } = settings as Record<string, number>;
  const { lr } = SETTINGS;
  const isConv = kind === 'conv-classifier';
  const isDiffusion = kindOf(checkpoint).task === 'diffusion';
  const adam = new Adam(module.parameters(), { betas: [0.9, beta2] });
  const ema = isDiffusion || isConv ? new Ema(module, { decay: isConv ? 0.998 : decay }) : null;
  const rate =
    isDiffusion || isConv
      ? warmCosineLr(lr, 40, finalLr * lr)
      : kind === 'classifier'
        ? cosineLr(lr, { steps: 40 })
        : () => lr;
  const named = module.namedParameters();
  const gradients = new Map(
    named.map(([name, p]) => [name, stored([...p.shape], uniforms(`g ${name}`, p.size))]),
  );
  for (const [name, gradient] of inTorch(given, gradients)) inputs.set(`g.${name}`, gradient);
  for (let step = 0; step < 3; step++) {
    scope(() => {
      adam.zeroGrad();
      for (const [name, p] of named) {
        p.mul(tensor(gradients.get(name)!.data as Float32Array, p.shape))
          .sum()
          .backward();
      }
      if (clip > 0) clipGradNorm(module.parameters(), clip);
      adam.lr = rate(step + 1);
      adam.step();
      ema?.update();
    });
  }
  const averages = ema?.stateDict();
  const result = new Map<string, StoredTensor>();
  for (const [i, [name, p]] of named.entries()) {
    result.set(name, storedOf(averages?.get(name) ?? p));
    if (ema) result.set(`training.parameter.${name}`, storedOf(p));
    result.set(`training.m.${name}`, storedOf(adam.state[i].m));
    result.set(`training.v.${name}`, storedOf(adam.state[i].v));
  }
  ema?.dispose();
  return result;
}

const BOUNDS: readonly (readonly [RegExp, number])[] = [
  [/^(y|encoded)$/, 1e-5],
  [/^loss$/, 1e-5],
  [/^(dx|grad\..*)$/, 1e-4],
  [/^drawn$/, 1e-4],
];

const folder = mkdtempSync(join(tmpdir(), 'langevin-pytorch-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const folderOf = (name: string) => join(folder, name.replaceAll(/\W+/g, '-'));

async function writeExport(to: string, checkpoint: Checkpoint, more: object = {}): Promise<void> {
  const { files } = await EXPORTERS.pytorch(checkpoint, {
    name: '',
    dtype: 'float32',
    sampling: {},
    ...more,
  });
  mkdirSync(to, { recursive: true });
  for (const { name, bytes } of files) writeFileSync(join(to, name), bytes);
}

/** Eight pictures for a case, with labels. */
function dataFor({ picture }: Case): TrainTest {
  const size = picture.reduce((a, b) => a * b);
  const set = (name: string) =>
    createDataset({
      ...shape(picture),
      ...{ name, classes: 3, labels: Uint8Array.of(0, 1, 2, 0, 1, 2, 0, 1) },
      images: Uint8Array.from(uniforms(name, 8 * size, 0, 255.9)),
    });
  return { train: set('drawn train'), test: set('drawn test') };
}
const isStudent = ({ settings }: Checkpoint) => settings!.student !== undefined;

const python = findPython();
const ours = new Map<string, Ours>();
for (const [name, given] of Object.entries(EXPORT_CASES)) {
  const data = isStudent(given.checkpoint) ? undefined : { ...dataFor(given), notes: { data: 'drawn' } };
  await writeExport(folderOf(name), given.checkpoint, { data });
  if (python === null) continue;
  const { inputs, texts, ours: own } = compute(given);
  ours.set(name, own);
  writeFileSync(join(folderOf(name), 'inputs.safetensors'), encodeSafetensors(inputs, texts));
}
if (python !== null) {
  const words = [resolve('test/torch/exported.py'), ...Object.keys(EXPORT_CASES).map(folderOf)];
  const { status, stderr } = spawnSync(python, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${python} ended with status ${status}: ${stderr}`);
}
const read = (name: string, file: string) =>
  new Uint8Array(readFileSync(join(folderOf(name), `${file}.safetensors`)));

/** Asserts that two models have the same bits. */
function assertSame(a: Checkpoint['parameters'], b: Checkpoint['parameters']): void {
  assert.equal([...a.keys()].sort(), [...b.keys()].sort());
  for (const [name, { shape, data }] of a) {
    assert.equal([name, b.get(name)!.shape], [name, shape]);
    // A digest, because the difference of two long texts takes minutes to print.
    const bits = (x: StoredTensor['data']) =>
      createHash('sha256')
        .update(new Uint8Array(Float32Array.from(x as Float32Array).buffer))
        .digest('hex');
    assert.is(bits(b.get(name)!.data), bits(data), name);
  }
}

suite('pytorch', (test) => {
  for (const [name, { checkpoint }] of Object.entries(EXPORT_CASES)) {
    test.when(
      python !== null,
      `${name}: forward pass, gradients, loss and samples agree with PyTorch`,
      () => {
        const { tensors } = decodeSafetensors(read(name, 'results'));
        const { values } = ours.get(name)!;
        assert.ok(values.size > 5);
        for (const [key, value] of values) {
          if (key === 'loss' && isStudent(checkpoint)) continue;
          const bound = BOUNDS.find(([names]) => names.test(key))![1];
          const error = errorOf(value, tensors.get(key)!);
          assert.ok(error <= bound, `${key}: ${error}`);
        }
      },
    );

    // A student has no train.py.
    const hasTraining = !isStudent(checkpoint);
    if (hasTraining)
      test.when(
        python !== null,
        `${name}: three steps of train.py are those of Adam and of the average`,
        () => {
          const file = decodeCheckpoint(read(name, 'stepped'), name);
          const { stepped } = ours.get(name)!;
          for (const [key, value] of stepped) {
            const own = key.replace(/^training\./, '');
            const got = key === own ? file.parameters.get(key) : file.training!.tensors.get(own);
            const error = errorOf(value, got!);
            assert.ok(error <= 1e-6, `${key}: ${error}`);
          }
          assert.is(file.training!.progress.step, 3);
          assert.equal(file.training!.progress.position, { epoch: 0, batch: 3 });
          assert.is(file.settings!.epochs, 10);
        },
      );

    test.when(
      python !== null,
      `${name}: from langevin to PyTorch and back, the weights have the same bits`,
      () => {
        const back = importWeights(read(name, 'state'), 'state', checkpoint);
        assertSame(back.checkpoint.parameters, checkpoint.parameters);
        assert.equal(back.ignored, []);
      },
    );

    if (hasTraining)
      test.when(python !== null, `${name}: a run goes from train.py on here`, () => {
        const file = decodeCheckpoint(read(name, 'trained'), name);
        const { progress } = file.training!;
        assert.equal([progress.step, progress.position], [2, { epoch: 0, batch: 2 }]);
        const data = dataFor(EXPORT_CASES[name]);
        const { task } = kindOf(checkpoint);
        const run =
          task === 'diffusion'
            ? resumeDiffusion(file, data)
            : task === 'denoiser'
              ? resumeDenoiser(file, data)
              : task === 'lecture'
                ? resumeLecture(file, data)
                : resumeClassifier(file, data);
        const [[epoch, batch, loss]] = trainFor(run as Trainer, 1);
        assert.equal([epoch, batch, Number.isFinite(loss)], [1, 3, true]);
        run.dispose();
        if (task !== 'diffusion') return;
        const png = decodePng(new Uint8Array(readFileSync(join(folderOf(name), 'samples.png'))));
        assert.equal(
          [png.width, png.height],
          [10 * EXPORT_CASES[name].picture[1], EXPORT_CASES[name].picture[0]],
        );
      });

    test(`${name}: weights.safetensors is a file of langevin with the same bits`, () => {
      const file = decodeCheckpoint(read(name, 'weights'), name);
      assertSame(file.parameters, checkpoint.parameters);
      assertSame(
        importWeights(read(name, 'weights'), 'weights', checkpoint).checkpoint.parameters,
        file.parameters,
      );
    });
  }

  test.when(python !== null, 'samples become the bytes that langevin decodes', () => {
    for (const [name, { checkpoint, picture }] of Object.entries(EXPORT_CASES)) {
      if (kindOf(checkpoint).task !== 'diffusion') continue;
      const { tensors } = decodeSafetensors(read(name, 'results'));
      const model = diffusionOf(checkpoint);
      const last = (x: StoredTensor) => {
        const [b, c, h, w] = x.shape;
        return Float64Array.from({ length: x.data.length }, (_, i) => {
          const [k, p] = [i % c, Math.floor(i / c)];
          const [row, of] = [p % (h * w), Math.floor(p / (h * w))];
          return x.data[(of * c + k) * h * w + row] as number;
        }).subarray(0, b * c * h * w);
      };
      const expected = model.decode(last(tensors.get('drawn')!));
      const got = last(tensors.get('pictures')!);
      const limit = model.settings.tones || model.settings.cuts ? 1e-6 : 0.501;
      const off = [...got].filter((byte, i) => Math.abs(byte - expected[i] * 255) > limit).length;
      assert.ok(off === 0, `${name}: ${off} of ${got.length}, ${picture}`);
      model.network.dispose();
    }
  });

  const [denoiser] = [EXPORT_CASES.denoiser.checkpoint];
  const tensorsOf = (name: string) => {
    const { tensors } = decodeSafetensors(read(name, 'weights'));
    return new Map([...tensors].filter(([key]) => !key.startsWith('training.')));
  };

  test('weights in float16 and bfloat16 are imported, and names may have a common prefix', () => {
    const own = tensorsOf('denoiser');
    const half = [...own].map(([name, x]) => [`module.${name}`, { ...x, dtype: 'F16' }] as const);
    const extra = ['module.unused', stored([1], Float32Array.of(1))] as const;
    const { checkpoint, dtypes, ignored } = importWeights(encodeSafetensors([...half, extra]), 'a', denoiser);
    assert.equal([dtypes, ignored], [['F16'], ['module.unused']]);
    assert.ok(
      Math.abs(
        (checkpoint.parameters.get('encoder.0.weight')!.data[0] as number) -
          (denoiser.parameters.get('encoder.0.weight')!.data[0] as number),
      ) < 1e-4,
    );
    // bfloat16 is the upper half of a float32. The writer does not write it, so the type in the header is changed.
    const upper = [...own].map(([name, { shape, data }]): [string, StoredTensor] => {
      const bits = new Uint32Array((data as Float32Array).buffer, data.byteOffset, data.length);
      return [name, { dtype: 'U16', shape, data: Uint16Array.from(bits, (word) => word >>> 16) }];
    });
    const text = Buffer.from(encodeSafetensors(upper)).toString('latin1').replaceAll('"U16"', '"BF16"');
    const length = Buffer.from(text, 'latin1').readBigUInt64LE(0) + BigInt(upper.length);
    const bytes = new Uint8Array(Buffer.from(text, 'latin1'));
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    const brain = importWeights(bytes, 'b', denoiser).checkpoint.parameters.get('encoder.0.weight')!;
    const exact = denoiser.parameters.get('encoder.0.weight')!;
    for (const [i, x] of (brain.data as Float32Array).entries()) {
      assert.ok(Math.abs(x - (exact.data[i] as number)) <= 2 ** -7 * Math.abs(exact.data[i] as number));
    }
  });

  test('a wrong architecture, missing tensors, NaN and a pickle are refused in one line', () => {
    const refuse = (bytes: Uint8Array, message: RegExp) =>
      refused(() => importWeights(bytes, 'w.safetensors', denoiser), FormatError, message);
    const own = tensorsOf('denoiser');
    const { data, shape } = own.get('decoder.2.bias')!;
    const changed = (x: StoredTensor) => encodeSafetensors(new Map([...own, ['decoder.2.bias', x]]));
    refuse(
      encodeSafetensors(decodeSafetensors(read('lecture', 'weights')).tensors),
      /^w\.safetensors: expected the weights of the model denoiser, a "denoiser", got 0 of its 8 tensors: no "encoder\.0\.weight" of shape \[8,30\]/,
    );
    refuse(read('lecture', 'weights'), /^w\.safetensors: expected a model "denoiser", got "lecture"$/);
    refuse(
      encodeSafetensors([...own].filter(([name]) => name !== 'decoder.2.bias')),
      /got 7 of its 8 tensors: no "decoder\.2\.bias" of shape \[30\]/,
    );
    refuse(
      changed(
        stored(
          shape,
          (data as Float32Array).map((x, i) => (i === 3 ? Number.NaN : x)),
        ),
      ),
      /decoder\.2\.bias: expected finite numbers, got NaN$/,
    );
    refuse(
      changed(stored([3], new Float32Array(3))),
      /expected decoder\.2\.bias of shape \[30\] for the model denoiser, got \[3\]$/,
    );
    refuse(
      changed({ dtype: 'I32', shape: [30], data: new Int32Array(30) }),
      /decoder\.2\.bias: expected floats, got I32$/,
    );
    for (const begin of [
      [0x50, 0x4b, 3, 4],
      [0x80, 2, 0x8a, 10],
    ]) {
      const pickle = new Uint8Array(200).fill(0x6c);
      pickle.set(begin);
      refuse(pickle, /^w\.safetensors: expected a safetensors file, got a pickle; /);
    }
  });

  test('metadata with wrong flattened maps are refused', () => {
    const { tensors, metadata } = decodeSafetensors(read('classifier', 'weights'));
    const withMaps = (flattened: string) =>
      encodeSafetensors(tensors, { ...Object.fromEntries(metadata), flattened, digest: '' });
    for (const [maps, message] of [
      ['[]', /expected metadata "flattened" to be an object, got a list/],
      [
        '{"first.weight":[1,6,4]}',
        /"flattened": expected an axis and three sizes for "first\.weight", got a list/,
      ],
      ['{"first.weight":[1,6,4,0]}', /expected an axis and three sizes/],
      [
        '{"first.weight":[1,6,4,4]}',
        /first\.weight: expected axis 1 with the 6x4x4 numbers of a map, got shape \[800,72\]/,
      ],
      ['{"first.weight":[7,6,4,3]}', /first\.weight: expected axis 7 /],
    ] as const) {
      refused(() => decodeCheckpoint(withMaps(maps), 'a'), FormatError, message);
    }
  });

  test('models with a learnt variance, with captions, and of noised pictures are refused in one line', async () => {
    const sizes = { height: 4, width: 4, classes: 0, hidden: 32, fine: 4, heads: 1, condition: 4 };
    const process = { schedule: 'cosine', steps: 10, predicts: 'eps' } as const;
    const unet = (more: object) => {
      const network = new UNet({ ...sizes, ...more });
      return fileOf(network, diffusionInfo(new DiffusionPipeline(network, process)), [4, 4, 1]).checkpoint;
    };
    for (const [checkpoint, message] of [
      [
        unet({ variances: 1 }),
        /^pytorch: expected a model with a fixed variance, got one with a learnt variance$/,
      ],
      [
        unet({ words: 9, tokens: 4, text: 8 }),
        /^pytorch: expected a model without captions, got one with captions$/,
      ],
      [
        { ...unet({}), kind: 'noise-classifier' },
        /^pytorch: expected a model of denoiser, .*, got noise-classifier$/,
      ],
    ] as const) {
      const options = { name: '', dtype: 'float32', sampling: {} } as const;
      const error = await EXPORTERS.pytorch(checkpoint, options).catch((reason: Error) => reason);
      assert.instance(error, ValueError);
      assert.match((error as Error).message, message);
    }
  });

  test('a program exports and imports by exportPytorch and importWeights, without the path of its data', async () => {
    const settings = { ...denoiser.settings, data: { data: 'mnist', dataDir: '/home/me' } };
    const mine = { ...denoiser, settings };
    const { files, digest } = await exportPytorch(mine);
    const names = files.map(({ name }) => name);
    assert.equal(names.sort(), ['model.py', 'sample.py', 'train.py', 'weights.safetensors']);
    const { bytes } = files.find(({ name }) => name === 'weights.safetensors')!;
    const file = decodeCheckpoint(bytes, 'weights');
    assert.equal(file.settings!.data, { data: 'mnist' });
    assert.is(file.digest, digest);
    assertSame(importWeights(bytes, 'weights', denoiser).checkpoint.parameters, denoiser.parameters);
    const data = dataFor(EXPORT_CASES.denoiser);
    const half = await exportPytorch(mine, { dtype: 'float16', data });
    assert.ok(half.files.some(({ name }) => name === 'pictures.npy'));
    for (const [options, message] of [
      [{ dtyp: 'float16' }, /^exportPytorch: expected options dtype, data, got "dtyp"/],
      [{ dtype: 'float64' }, /^dtype: expected float32 or float16, got "float64"/],
    ] as const) {
      refused(() => exportPytorch(mine, options as never), ValueError, message);
    }
  });

  test('an export of a run on the same data goes on with its state, and on other data with a new run', async () => {
    const data = loadStrokes({ train: 12, test: 4 });
    const network = new DiffusionMlp({ hidden: 4, inner: 4, depth: 1, condition: 4 });
    const pipeline = new DiffusionPipeline(network, FLOW);
    const trainer = diffusionTrainer(pipeline, data, {
      ...DIFFUSION_SETTINGS,
      ...FLOW,
      epochs: 2,
      batchSize: 4,
    });
    trainFor(trainer, 2);
    const checkpoint = decodeCheckpoint(encodeRun(trainer, { resumable: true }), 'run');
    trainer.dispose();
    for (const [set, step] of [
      [data, 2],
      [loadStrokes({ train: 8, test: 4 }), 0],
    ] as const) {
      const to = folderOf(`run of ${set.train.length}`);
      await writeExport(to, checkpoint, {
        data: { ...set, notes: { data: 'strokes', limit: set.train.length } },
      });
      const file = decodeCheckpoint(new Uint8Array(readFileSync(join(to, 'weights.safetensors'))), 'w');
      assertSame(file.parameters, checkpoint.parameters);
      assert.is(file.training!.progress.step, step);
      assert.equal(file.settings!.data, { data: 'strokes', limit: set.train.length });
      if (step > 0) assertSame(file.training!.tensors, checkpoint.training!.tensors);
      const resumed = resumeDiffusion(file, set);
      trainFor(resumed, 1);
      resumed.dispose();
    }
  });

  test.when(
    python !== null,
    'two processes of torchrun train an exported U-Net, and the result samples and trains here',
    async () => {
      const data = loadStrokes({ train: 48, test: 10 });
      const network = new UNet({ hidden: 32, fine: 8, heads: 2, condition: 32 });
      const process = { schedule: 'flow', steps: 1000, predicts: 'flow' } as const;
      const settings = { ...DIFFUSION_SETTINGS, ...process, epochs: 8, batchSize: 16, lr: 2e-3, ema: 0.9 };
      const info = diffusionInfo(new DiffusionPipeline(network, process), settings);
      const checkpoint = decodeCheckpoint(encodeCheckpoint(network, info), 'unet');
      const to = folderOf('torchrun');
      await writeExport(to, checkpoint, { data: { ...data, notes: { data: 'strokes', limit: 48 } } });
      const words = [
        '-m',
        'torch.distributed.run',
        ...['--rdzv_backend', 'c10d', '--rdzv_endpoint', 'localhost:0'],
        '--nproc_per_node',
        '2',
        '--redirects',
        '1',
        '--tee',
        '1',
        '--log_dir',
        'log',
        'train.py',
      ];
      const env = { ...globalThis.process.env, OMP_NUM_THREADS: '1' };
      const { status, stdout, stderr } = spawnSync(python!, words, { cwd: to, env, encoding: 'utf8' });
      assert.is(status, 0, stderr);
      const losses = [...stdout.matchAll(/loss (\S+)/g)].map(([, loss]) => Number(loss));
      assert.is(losses.length, 8, stdout);
      assert.ok(losses[7] < 0.8 * losses[0], stdout);
      const file = decodeCheckpoint(new Uint8Array(readFileSync(join(to, 'trained.safetensors'))), 'trained');
      assert.is(file.training!.progress.step, 24);
      const model = diffusionOf(file);
      const pictures = samplePictures(model, { labels: [3, 7], steps: 2 });
      assert.ok(pictures.length === 2 * 784 && pictures.every(Number.isFinite));
      model.network.dispose();
      const resumed = resumeDiffusion(file, data, { epochs: 9 });
      const [[, , loss]] = trainFor(resumed, 1);
      assert.ok((loss as number) < losses[0], `${loss} after ${losses}`);
      resumed.dispose();
    },
  );
});
