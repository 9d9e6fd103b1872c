/**
 * Malicious model files: small files whose metadata state sizes and counts that their tensors do not have. Each is
 * refused in one line with the file's name, before a model is created. Valid files open by their kind.
 */
import * as assert from 'uvu/assert';
import { backend } from '../src/backend/backend.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { encodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { FormatError } from '../src/errors.ts';
import { LectureNetwork } from '../src/models/lecture/lecture.ts';
import { Classifier } from '../src/models/networks/classifier.ts';
import { ConvClassifier } from '../src/models/networks/conv-classifier.ts';
import { ConvDenoiser } from '../src/models/networks/conv-denoiser.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { NoiseClassifier } from '../src/models/networks/noise-classifier.ts';
import { type AnyModel, openModel } from '../src/models/open.ts';
import { DiffusionPipeline, diffusionOf } from '../src/models/pipeline.ts';
import type { Module } from '../src/nn/module.ts';
import { Rng } from '../src/random/rng.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const PICTURES = { height: 2, width: 3, channels: 1 };
const MLP = { ...PICTURES, classes: 2, hidden: 4, inner: 3, depth: 2, condition: 4 };
const PROCESS = { schedule: 'cosine', steps: 10, predicts: 'x0' } as const;

interface Case {
  readonly model: Module;
  readonly sizes: Readonly<Record<string, number>>;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A small model of each kind, and the metadata of its file. */
const MODELS: Readonly<Record<string, Case>> = {
  denoiser: {
    model: new Denoiser({ inputs: 6, hidden: 4, code: 3, rng: new Rng(1) }),
    sizes: { inputs: 6, hidden: 4, code: 3 },
  },
  'conv-denoiser': { model: new ConvDenoiser(PICTURES, new Rng(1)), sizes: PICTURES },
  lecture: { model: new LectureNetwork(6, 4, new Rng(1)), sizes: { dimension: 6, hidden: 4 } },
  classifier: {
    model: new Classifier({ ...PICTURES, classes: 2 }, new Rng(1)),
    sizes: { ...PICTURES, classes: 2 },
  },
  'conv-classifier': {
    model: new ConvClassifier({ ...PICTURES, classes: 2 }, new Rng(1)),
    sizes: { ...PICTURES, classes: 2 },
  },
  'noise-classifier': {
    model: new NoiseClassifier({ ...PICTURES, classes: 2 }, { schedule: 'cosine', steps: 10 }, new Rng(1)),
    sizes: { ...PICTURES, classes: 2 },
    settings: PROCESS,
  },
  'diffusion-mlp': { model: new DiffusionMlp({ ...MLP, rng: new Rng(1) }), sizes: MLP, settings: PROCESS },
};

const file = (kind: string, { model, sizes, settings }: Case) =>
  encodeCheckpoint(model, { kind, sizes, ...(settings ? { settings } : {}) });

/** A file with the tensors of a kind and changed metadata. undefined removes an entry. */
function lying(kind: string, change: Readonly<Record<string, string | undefined>>): Uint8Array {
  const { model, sizes, settings } = MODELS[kind];
  const { parameters } = decodeCheckpoint(file(kind, MODELS[kind]));
  const metadata = {
    model: kind,
    sizes: JSON.stringify(sizes),
    ...(settings ? { settings: JSON.stringify(settings) } : {}),
    ...change,
  };
  assert.is(parameters.size, model.stateDict().size);
  return encodeSafetensors(
    [...parameters],
    Object.fromEntries(
      Object.entries(metadata).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  );
}

/** Asserts a refusal without delay and memory. A model of the stated sizes would take seconds or gigabytes. */
function refusedAtOnce(bytes: Uint8Array, message: RegExp): void {
  const used = backend().heap.usedBytes;
  const started = performance.now();
  refused(() => openModel(decodeCheckpoint(bytes, 'a.st')), FormatError, message);
  const ms = performance.now() - started;
  assert.ok(ms < 5000, `${message}: ${ms} ms`);
  assert.is(backend().heap.usedBytes, used, `${message}: memory`);
}

const moduleOf = (model: AnyModel): Module => (model instanceof DiffusionPipeline ? model.network : model);

suite('model files', (test) => {
  test('a model of any kind is opened by the kind in its file', () => {
    for (const [kind, made] of Object.entries(MODELS)) {
      const opened = openModel(decodeCheckpoint(file(kind, made)));
      const module = moduleOf(opened);
      assert.is(module.constructor, made.model.constructor, kind);
      const values = (m: Module) => [...m.stateDict()].map(([name, p]) => [name, ...p.toTypedArray()]);
      assert.equal(values(module), values(made.model), kind);
    }
    const pipeline = openModel(decodeCheckpoint(file('diffusion-mlp', MODELS['diffusion-mlp'])));
    assert.equal((pipeline as DiffusionPipeline).settings, PROCESS);
  });

  test('an unknown kind is refused with the list of kinds, and sampling accepts diffusion networks only', () => {
    const unknown = lying('denoiser', { model: 'constructor' });
    refusedAtOnce(unknown, /^a\.st: expected a model "denoiser" or .* or "unet", got "constructor"$/);
    const other = decodeCheckpoint(file('lecture', MODELS.lecture), 'a.st');
    refused(
      () => diffusionOf(other),
      FormatError,
      'a.st: expected a model "diffusion-mlp" or "unet", got "lecture"',
    );
  });

  test('files of version 0.1.0 do not have channels: their pictures are grey', () => {
    for (const kind of ['classifier', 'noise-classifier', 'diffusion-mlp']) {
      const { channels, ...sizes } = MODELS[kind].sizes;
      assert.is(channels, 1);
      const opened = moduleOf(openModel(decodeCheckpoint(lying(kind, { sizes: JSON.stringify(sizes) }))));
      assert.equal((opened as Classifier).sizes, MODELS[kind].sizes, kind);
    }
  });

  for (const [kind, { sizes }] of Object.entries(MODELS)) {
    test(`${kind}: every size is checked against its limits and the tensors before the model is created`, () => {
      for (const name of Object.keys(sizes)) {
        for (const size of [20_000, 1e9, 2 ** 53 - 1, sizes[name] + 1]) {
          const bytes = lying(kind, { sizes: JSON.stringify({ ...sizes, [name]: size }) });
          refusedAtOnce(
            bytes,
            /^a\.st: (sizes: expected \w+ to be a whole number from|expected a tensor ".*" of shape)/,
          );
        }
        for (const size of [0, -1, 0.5, null, '4', [4], {}]) {
          const bytes = lying(kind, { sizes: JSON.stringify({ ...sizes, [name]: size }) });
          refusedAtOnce(bytes, /^a\.st: expected metadata "sizes" with whole numbers >= 1, got /);
        }
      }
    });
  }

  for (const kind of ['noise-classifier', 'diffusion-mlp']) {
    test(`${kind}: the process is checked against its limits before a schedule is created`, () => {
      const wrong: [object | null | string | undefined, RegExp][] = [
        [
          { ...PROCESS, steps: 1e9 },
          /settings: expected steps to be a whole number from 1 to 100000, got 1000000000$/,
        ],
        [{ ...PROCESS, steps: -1 }, /expected steps .*, got -1$/],
        [{ ...PROCESS, steps: 'many' }, /expected steps .*, got "many"$/],
        [{ ...PROCESS, steps: null }, /expected steps .*, got null$/],
        [{ ...PROCESS, schedule: undefined }, /expected schedule to be one of linear, .*, got nothing$/],
        [{ ...PROCESS, schedule: 'cosin' }, /got "cosin"\. Did you mean "cosine"\?$/],
        [{ ...PROCESS, schedule: { name: 'cosine' } }, /expected schedule .*, got an object$/],
        [{ ...PROCESS, schedule: 'x'.repeat(500_000) }, /expected schedule .*, got "x{40}"…$/],
        [null, /^a\.st: expected metadata "settings" to be an object, got null$/],
        [[], /^a\.st: expected metadata "settings" to be an object, got a list$/],
        ['cosine', /^a\.st: expected metadata "settings" to be an object, got "cosine"$/],
        [undefined, /^a\.st: settings: expected an object, got nothing$/],
      ];
      for (const [settings, message] of wrong) {
        refusedAtOnce(lying(kind, { settings: JSON.stringify(settings) }), message);
      }
      const noNumber = JSON.stringify({ ...PROCESS, steps: 0 }).replace('"steps":0', '"steps":1e999');
      refusedAtOnce(lying(kind, { settings: noNumber }), /expected steps .*, got Infinity$/);
      refusedAtOnce(lying(kind, { settings: '{"steps":NaN}' }), /expected metadata "settings" to be JSON/);
    });
  }

  test('the prediction of a file must be a known kind', () => {
    const settings = JSON.stringify({ ...PROCESS, predicts: 'noise' });
    refusedAtOnce(
      lying('diffusion-mlp', { settings }),
      /expected predicts to be one of eps, .*, got "noise"$/,
    );
  });

  test('names, seeds and counters of a wrong type or length are refused in one line', () => {
    const long = 'x'.repeat(2_000_000);
    const wrong: [Readonly<Record<string, string>>, RegExp][] = [
      [{ model: long }, /^a\.st: metadata "model": expected at most 1000 characters, got 2000000$/],
      [{ model: 'a\nb' }, /^a\.st: expected a model .*, got "a\\nb"$/],
      [{ langevin: long }, /^a\.st: metadata "langevin": expected at most 1000 characters/],
      [{ numerics: long }, /^a\.st: metadata "numerics": expected at most 1000 characters/],
      [{ sizes: long }, /^a\.st: metadata "sizes": expected at most 1000000 characters, got 2000000$/],
      [{ sizes: 'null' }, /^a\.st: expected metadata "sizes" to be an object, got null$/],
      [{ sizes: '"big"' }, /^a\.st: expected metadata "sizes" to be an object, got "big"$/],
      [{ settings: '['.repeat(900_000) }, /^a\.st: expected metadata "settings" to be JSON, got "\[+"…$/],
      [
        { settings: '['.repeat(400_000) + ']'.repeat(400_000) },
        /^a\.st: expected metadata "settings" to be /,
      ],
      [{ seed: 'null' }, /^a\.st: expected metadata "seed" to be a number or .*, got null$/],
      [{ seed: '1e999' }, /^a\.st: expected metadata "seed" .*, got Infinity$/],
      [{ seed: JSON.stringify('x'.repeat(5000)) }, /^a\.st: expected metadata "seed" .*, got "x{40}"…$/],
      [{ training: '7' }, /^a\.st: expected metadata "training" to be an object, got 7$/],
    ];
    for (const [change, message] of wrong) refusedAtOnce(lying('denoiser', change), message);
  });

  test('tensors with very long names or line breaks in them are refused for any sizes', () => {
    const { parameters } = decodeCheckpoint(file('denoiser', MODELS.denoiser));
    const [[, first]] = parameters;
    for (const name of ['w'.repeat(1_000_000), 'encoder.0\nweight']) {
      const bytes = encodeSafetensors([...parameters, [name, first]], {
        model: 'denoiser',
        sizes: JSON.stringify(MODELS.denoiser.sizes),
      });
      refusedAtOnce(bytes, /^a\.st: expected names of parameters, got "/);
    }
  });

  test('a condition size that the time embedding does not allow is an error of the file', () => {
    const { parameters } = decodeCheckpoint(file('diffusion-mlp', MODELS['diffusion-mlp']));
    // All matrices fit a condition of 3 numbers.
    const odd = [...parameters].map(([name, { shape }]) => {
      const ofCondition = /^time|^label|c\.weight$/.test(name);
      const changed = shape.map((n) => (ofCondition && n === MLP.condition ? 3 : n));
      const data = new Float32Array(changed.reduce((a, b) => a * b, 1));
      return [name, { dtype: 'F32' as const, shape: changed, data }] as const;
    });
    const bytes = encodeSafetensors(odd, {
      model: 'diffusion-mlp',
      sizes: JSON.stringify({ ...MLP, condition: 3 }),
      settings: JSON.stringify(PROCESS),
    });
    refusedAtOnce(bytes, /^a\.st: time embedding: expected an even dimension, got 3$/);
  });
});
