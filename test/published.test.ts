/**
 * Models for somebody else: the export, what a model says of its own sampling, and the published models, which the built
 * command takes by name. Each published file is held against its card, and the first 20 steps of its recipe are trained
 * again.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
} from '../src/checkpoint/checkpoint.ts';
import { tensorsDigest } from '../src/checkpoint/digest.ts';
import { type Options, UsageError } from '../src/cli/options/arguments.ts';
import { namedSampling, readSampling } from '../src/cli/options/sampling.ts';
import { sampleFileName } from '../src/cli/results/sample-files.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { FormatError, ValueError } from '../src/errors.ts';
import { runToEnd } from '../src/generators.ts';
import { EXPORTERS } from '../src/models/export.ts';
import { matchGreys } from '../src/models/match-greys.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import {
  DiffusionPipeline,
  diffusionInfo,
  diffusionOf,
  type ProcessSettings,
} from '../src/models/pipeline.ts';
import { samplePictures } from '../src/models/sample.ts';
import type { OwnSampling } from '../src/models/sampling-defaults.ts';
import { DIFFUSION_SETTINGS, diffusionTrainer } from '../src/models/training/diffusion.ts';
import { encodeRun } from '../src/models/training/resume.ts';
import { Rng } from '../src/random/rng.ts';
import { failed, inFolder, langevin, npmRun, ok, ROOT, TRAIN_TINY as TRAIN } from './dist.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const PROCESS: ProcessSettings = { schedule: 'cosine', steps: 30, predicts: 'x0' };
const OWN: OwnSampling = { sampler: 'heun', steps: 3, guidance: 1.5, guidanceAbove: 0 };
const SIZES = { height: 28, width: 28, channels: 1, hidden: 8, inner: 8, depth: 1, condition: 4 };

/** A small model whose parameters, also those that begin at 0, are all drawn. */
function pipeline(sampling: OwnSampling = {}, classes = 10, process = PROCESS): DiffusionPipeline {
  const network = new DiffusionMlp({ ...SIZES, classes, rng: new Rng(1) });
  const rng = new Rng(2);
  for (const p of network.parameters()) rng.uniformInto(p, -0.3, 0.3);
  return new DiffusionPipeline(network, process, sampling);
}

/** The file of a model that says this of its sampling, read again. */
function fileSaying(sampling: unknown, classes = 10): Checkpoint {
  const model = pipeline({}, classes);
  const { settings, ...info } = diffusionInfo(model);
  const bytes = encodeCheckpoint(model.network, { ...info, settings: { ...settings, sampling } });
  return decodeCheckpoint(bytes, 'a.st');
}

/** The file of a run that can go on, after one step. */
function runFile(): Checkpoint {
  const data = loadStrokes({ train: 8, test: 4 });
  const settings = { ...DIFFUSION_SETTINGS, ...PROCESS, epochs: 1, batchSize: 8 };
  const trainer = diffusionTrainer(pipeline(), data, settings);
  for (const _ of trainer.run()) void _;
  const notes = { data: { data: 'mnist', dataDir: '/home/me/mnist', limit: 8 } };
  const bytes = encodeRun(trainer, { resumable: true, notes });
  trainer.dispose();
  return decodeCheckpoint(bytes, 'run.st');
}

suite('published: export and sampling', (test) => {
  test('an export holds the averages that sample, rounded to halves, the digest, and no folder of this machine', async () => {
    const run = runFile();
    const options = { name: 'digits', dtype: 'float16', sampling: OWN } as const;
    const { files, digest } = await EXPORTERS.langevin(run, options);
    assert.equal(
      files.map(({ name, what }) => [name, what]),
      [['digits.safetensors', 'the model in float16']],
    );
    const [{ bytes }] = files;
    assert.is(await tensorsDigest(bytes), digest);
    const read = decodeCheckpoint(bytes);
    assert.equal([read.digest, read.training], [digest, undefined]);
    assert.equal([...read.parameters.keys()], [...run.parameters.keys()]);
    for (const [name, { data }] of run.parameters) {
      const halves = read.parameters.get(name)!.data as Float32Array;
      // Half a unit in the last of 11 bits, and half of the least half where they are subnormal.
      const wrong = [...(data as Float32Array)].findIndex(
        (x, i) => Math.abs(x - halves[i]) > Math.max(2 ** -11 * Math.abs(x), 2 ** -25),
      );
      assert.is(wrong, -1, `${name}: ${data[wrong]} became ${halves[wrong]}`);
    }
    const { data, sampling, ...settings } = read.settings!;
    assert.equal(data, { data: 'mnist', limit: 8 });
    assert.equal(sampling, OWN);
    const { data: _, ...before } = run.settings!;
    assert.equal(settings, before, 'all else is as it was');
    assert.equal(diffusionOf(read).sampling, OWN);
  });

  test('in float32 the numbers are those of the run, and nothing is said of sampling where nothing is known', async () => {
    const run = runFile();
    const { files } = await EXPORTERS.langevin(run, { name: 'a', dtype: 'float32', sampling: {} });
    const read = decodeCheckpoint(files[0].bytes);
    assert.equal([...read.parameters], [...run.parameters]);
    assert.not('sampling' in read.settings!);
  });

  test('a file whose tensors are not those of its digest is refused when it is read', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'a.safetensors');
      const { files } = await EXPORTERS.langevin(runFile(), { name: 'a', dtype: 'float16', sampling: {} });
      writeFileSync(path, files[0].bytes);
      await loadCheckpoint(path);
      const damaged = files[0].bytes.slice();
      damaged[damaged.length - 1] ^= 1;
      writeFileSync(path, damaged);
      const error = await loadCheckpoint(path).catch((error: unknown) => error);
      assert.instance(error, FormatError);
      assert.match((error as Error).message, /a\.safetensors: expected tensors of the digest .* is damaged$/);
    }));

  test('matched cuts give the samples of a model the greys of its data, and are the same for the same seed', async () => {
    const { train } = loadStrokes({ train: 100, test: 1 });
    const model = pipeline();
    const options = { labels: Array.from({ length: 100 }, (_, i) => i % 10), ...OWN, seed: 'greys' };
    const greys = runToEnd(matchGreys(model, train, options));
    assert.equal(runToEnd(matchGreys(model, train, options)), greys);
    const { files } = await EXPORTERS.langevin(runFile(), {
      name: 'a',
      dtype: 'float32',
      sampling: {},
      greys,
    });
    const read = diffusionOf(decodeCheckpoint(files[0].bytes));
    assert.equal(read.settings.cuts, greys.cuts);
    assert.equal(read.settings.kinds ?? [], greys.kinds);
    const matched = samplePictures(new DiffusionPipeline(model.network, { ...PROCESS, ...greys }), options);
    const share = (values: ArrayLike<number>, most: number) =>
      Array.from(values).filter((value) => value <= most).length / values.length;
    for (const grey of [0, 40, 128, 254]) {
      const [made, real] = [share(matched, (grey + 0.5) / 255), share(train.images, grey)];
      assert.ok(Math.abs(made - real) < 0.01, `${grey}: ${made} for ${real}`);
    }
  });

  test('a model samples as its file says, where nobody says otherwise', () => {
    const [own, plain] = [pipeline(OWN), pipeline()];
    const labels = [3, 1];
    const explicit = {
      labels,
      seed: 's',
      sampler: 'heun',
      steps: 3,
      guidance: 1.5,
      guidanceAbove: 0,
    } as const;
    assert.equal(samplePictures(own, { labels, seed: 's' }), samplePictures(plain, explicit));
    assert.not.equal(
      samplePictures(own, { labels, seed: 's' }),
      samplePictures(plain, { labels, seed: 's' }),
    );
    assert.equal(
      samplePictures(own, { ...explicit, guidance: 3 }),
      samplePictures(plain, { ...explicit, guidance: 3 }),
    );
    // The model's three steps are Heun's.
    const { guidance, guidanceAbove } = explicit;
    const euler = { labels, sampler: 'euler', guidance, guidanceAbove } as const;
    assert.equal(samplePictures(own, euler), samplePictures(plain, { ...euler, steps: 30 }));
  });

  test('the command samples by its options, else by the model, else by the defaults', () => {
    const [own, plain] = [pipeline(OWN), pipeline()];
    const read = (model: DiffusionPipeline, options: Options = {}) => readSampling(options, model);
    const rest = { guidanceBelow: 0, classifierGuidance: 0, prepare: 'none', seed: '0' };
    assert.equal(read(own), { ...OWN, ...rest });
    assert.is(read(pipeline({ guidanceBelow: 9 })).guidanceBelow, 9);
    assert.is(read(pipeline({ guidanceBelow: 9 }), { guidanceBelow: '0' }).guidanceBelow, 0);
    assert.equal(read(plain), { sampler: 'ddim', steps: 30, guidance: 2, guidanceAbove: 1, ...rest });
    assert.equal(read(own, { guidance: '4', steps: '7' }), { ...OWN, ...rest, guidance: 4, steps: 7 });
    assert.equal(read(own, { sampler: 'heun' }), read(own));
    assert.equal(read(own, { sampler: 'ddpm' }), { ...OWN, ...rest, sampler: 'ddpm', steps: 30 });
    assert.is(read(own, { classifierGuidance: '3' }).guidance, 0);
    assert.is(read(pipeline({ prepare: 'mnist' })).prepare, 'mnist');
    assert.is(read(pipeline({ steps: 4 }, 0)).guidance, 1);
    refused(() => read(own, { steps: '31' }), UsageError, /--steps: expected at most the 30 .*, got 31/);
    const nameFor = (model: DiffusionPipeline, options: Options = {}) =>
      sampleFileName(namedSampling(read(model, options), model));
    assert.is(nameFor(own), 'samples-heun-steps-3-guidance-1.5-guidance-above-0-seed-0');
    assert.is(nameFor(own, { guidance: '2' }), 'samples-heun-steps-3-guidance-above-0-seed-0');
    assert.is(nameFor(plain), 'samples-ddim-steps-30-seed-0');
    assert.is(nameFor(pipeline({}, 0, { ...PROCESS, steps: 50 })), 'samples-ddim-seed-0');
  });

  test('what a file says of sampling is held against what there is, before it is used', () => {
    assert.equal(diffusionOf(fileSaying({ steps: 3, later: [1] })).sampling, { steps: 3 });
    const wrong: readonly (readonly [sampling: unknown, message: RegExp, classes?: number])[] = [
      ['heun', /^a\.st: settings: sampling: expected an object, got "heun"$/],
      [[], /sampling: expected an object, got a list$/],
      [{ sampler: 'huen' }, /expected sampler to be one of .*, got "huen"\. Did you mean "heun"\?$/],
      [{ sampler: 'ddim-inversion' }, /expected sampler to be one of/],
      [{ sampler: { toString: 'ddim' } }, /expected sampler to be one of .*, got an object$/],
      [{ steps: 0 }, /expected steps to be a whole number >= 1, got 0$/],
      [{ steps: 2.5 }, /expected steps to be a whole number >= 1, got 2\.5$/],
      [{ steps: '3' }, /expected steps to be a whole number >= 1, got "3"$/],
      [{ steps: 31 }, /^a\.st: sampling: expected at most 30 steps, got 31$/],
      [{ prepare: 'mnits' }, /expected prepare to be one of none, mnist, got "mnits"\. Did you mean/],
      [{ guidance: -1 }, /expected guidance to be a number >= 0, got -1$/],
      [{ guidance: null }, /expected guidance to be a number >= 0, got null$/],
      [{ guidanceAbove: [1] }, /expected guidanceAbove to be a number >= 0, got a list$/],
      [{ guidance: 2 }, /^a\.st: sampling: expected guidance 1 of a model without labels, got 2$/, 0],
    ];
    for (const [sampling, message, classes] of wrong) {
      refused(() => diffusionOf(fileSaying(sampling, classes)), FormatError, message);
    }
    // JSON has no infinity, but a number that is too large becomes one.
    const settings = JSON.parse(
      '{ "schedule": "flow", "steps": 30, "predicts": "x0", "sampling": { "guidance": 1e999 } }',
    );
    refused(
      () => diffusionOf({ ...fileSaying({}), settings }),
      FormatError,
      /expected guidance to be a number >= 0, got Infinity$/,
    );
    const flow = { ...PROCESS, schedule: 'flow' } as const;
    refused(
      () => pipeline({ steps: 1e9 }, 10, flow),
      ValueError,
      /expected at most 1000 steps, got 1000000000$/,
    );
  });
});

npmRun('build:node');

/** A copy of the package in `folder`, as npm installs it; its program. */
function installed(folder: string): string {
  const to = join(folder, 'package');
  cpSync(join(ROOT, 'dist', 'chunks'), join(to, 'dist', 'chunks'), { recursive: true });
  for (const file of ['package.json', join('dist', 'cli.js')]) cpSync(join(ROOT, file), join(to, file));
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'), 'junction');
  mkdirSync(join(to, 'dist', 'published'));
  return join(to, 'dist', 'cli.js');
}

suite('published: the command', (test) => {
  test('export writes a model that the command takes by its name, and that samples by itself as it was told', () =>
    inFolder(async (folder) => {
      const cli = installed(folder);
      const published = join(folder, 'package', 'dist', 'published');
      await ok([...TRAIN, '--epochs', '5', '--lr', '0.02', '--ema', '0', '--quiet', '--out', 'm'], folder);
      const words = [
        'export',
        '--model',
        'm',
        '--dtype',
        'float16',
        '--name',
        'tiny-mlp',
        '--out',
        published,
      ];
      const stdout = await ok([...words, '--sampler', 'heun', '--steps', '3', '--guidance', '1.5'], folder);
      const path = join(published, 'tiny-mlp.safetensors');
      const bytes = readFileSync(path);
      const digest = await tensorsDigest(new Uint8Array(bytes));
      assert.match(stdout, /^model +m\/model\.safetensors: diffusion-mlp, [\d,]+ parameters$/m);
      assert.match(stdout, new RegExp(`^size +${bytes.length.toLocaleString('en')} bytes$`, 'm'));
      assert.match(stdout, new RegExp(`^digest +${digest}$`, 'm'));
      assert.ok(bytes.length < 0.6 * readFileSync(join(folder, 'm', 'model.safetensors')).length);

      const sample = ['sample', '--count', '4', '--threads', '1', '--quiet'];
      mkdirSync(join(folder, 'empty'));
      await ok([...sample, '--model', 'tiny-mlp'], join(folder, 'empty'), cli);
      const file = 'samples-heun-steps-3-guidance-1.5-count-4-seed-0.png';
      const out = join(folder, 'empty', 'out', 'tiny-mlp');
      assert.equal(readdirSync(out), [file]);
      const options = ['--sampler', 'heun', '--steps', '3', '--guidance', '1.5', '--out', 'p'];
      await ok([...sample, '--model', path, ...options], folder);
      assert.equal(readFileSync(join(out, file)), readFileSync(join(folder, 'p', file)));

      // A name goes on as a file does.
      const again = [
        'export',
        '--model',
        'tiny-mlp',
        '--dtype',
        'float32',
        '--sampler',
        'euler',
        '--out',
        'q',
      ];
      await ok([...again, '--quiet'], folder, cli);
      const { settings } = await loadCheckpoint(join(folder, 'q', 'tiny-mlp.safetensors'));
      assert.equal(settings!.sampling, { sampler: 'euler', guidance: 1.5 }, 'the steps were those of Heun');

      // What lies there comes first.
      cpSync(join(folder, 'm'), join(folder, 'empty', 'tiny-mlp'), { recursive: true });
      await ok([...sample, '--model', 'tiny-mlp', '--steps', '2'], join(folder, 'empty'), cli);
      assert.ok(existsSync(join(folder, 'empty', 'tiny-mlp', 'samples-ddim-steps-2-count-4-seed-0.png')));
    }));

  test('an unknown name, a damaged file, and an export that cannot be are refused in a line', () =>
    inFolder(async (folder) => {
      const cli = installed(folder);
      const published = join(folder, 'package', 'dist', 'published');
      await ok([...TRAIN, '--epochs', '1', '--quiet', '--out', 'm'], folder);
      await ok(['train', 'denoiser', '--limit', '20', '--epochs', '1', '--quiet', '--out', 'd'], folder);
      await ok(['export', '--model', 'm', '--name', 'tiny-mlp', '--out', published, '--quiet'], folder);
      const run = async (words: readonly string[], code: number, message: RegExp) =>
        failed(await langevin([...words, '--quiet'], folder, () => {}, cli), code, message);
      await run(
        ['sample', '--model', 'tiny-mpl'],
        1,
        /cannot read tiny-mpl: no such file, folder or published model\. Did you mean "tiny-mlp"\?/,
      );
      await run(
        ['evaluate', '--model', 'x/y.st'],
        1,
        /select one with --model: a file, a folder, tiny-mlp$/m,
      );
      await run(['export', '--model', 'tiny'], 1, /cannot read tiny: no such file/);
      const path = join(published, 'tiny-mlp.safetensors');
      const bytes = readFileSync(path);
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(path, bytes);
      for (const command of ['sample', 'evaluate', 'export']) {
        await run([command, '--model', 'tiny-mlp'], 1, /tiny-mlp\.safetensors: .*; the file is damaged$/m);
      }
      writeFileSync(path, bytes.subarray(0, 3000));
      await run(['sample', '--model', 'tiny-mlp'], 1, /tiny-mlp\.safetensors: /);
      const refuse = (words: readonly string[], message: RegExp) => run(['export', ...words], 2, message);
      await refuse(
        ['--model', 'm', '--to', 'onyx'],
        /--to: expected langevin, pytorch, onnx, got "onyx".*"onnx"/,
      );
      await refuse(['--model', 'm', '--dtype', 'floats16'], /--dtype: .*Did you mean "float16"\?/);
      await refuse(['--model', 'm', '--name', '../a'], /--name: expected letters, .*, got "\.\.\/a"/);
      await refuse(['--model', 'm', '--steps', '1001'], /--steps: expected at most the 1000 /);
      await refuse(
        ['--model', 'd', '--steps', '3'],
        /--steps: expected a diffusion model, got a model "denoiser"/,
      );
      await refuse(['--model', 'm', '--out', 'm'], /--name: expected a file other than the model's own/);
      assert.not(existsSync(join(folder, 'out')), 'no folder is left');
      await refuse(
        ['--model', 'd', '--match-greys', '100'],
        /--match-greys: expected a diffusion model, got a model/,
      );
      await refuse(['--model', 'm', '--match-greys', '5'], /--match-greys: expected a whole number >= 100/);
      await ok(
        ['export', '--model', 'm', '--match-greys', '100', '--steps', '2', '--out', 'c', '--quiet'],
        folder,
      );
      const matched = await loadCheckpoint(join(folder, 'c', 'model.safetensors'));
      assert.is((matched.settings!.cuts as number[]).length, 255);
      await ok(['export', '--model', 'd', '--quiet'], folder);
      assert.equal(readdirSync(join(folder, 'out', 'export')), ['model.safetensors']);
    }));
});
