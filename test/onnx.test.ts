/**
 * Models that travel to ONNX. Each kind of network runs in ONNX Runtime (its WebAssembly build, one thread) on one picture
 * and on seven, and is compared with our forward pass as |ours - theirs| / |theirs|. The checker of the Python package onnx
 * reads each file; without the package that test is skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as ort from 'onnxruntime-web';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { type Checkpoint, loadCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { channelsFirst } from '../src/checkpoint/layout.ts';
import { createSampler } from '../src/diffusion/samplers/index.ts';
import { runSampler } from '../src/diffusion/samplers/sampler.ts';
import { InternalError } from '../src/errors.ts';
import { tokensOf, WORDS } from '../src/models/captions/words.ts';
import { EXPORTERS } from '../src/models/export.ts';
import { LectureNetwork } from '../src/models/lecture/lecture.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { NoiseClassifier } from '../src/models/networks/noise-classifier.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { Graph } from '../src/models/onnx/graph.ts';
import { writeOp } from '../src/models/onnx/rules.ts';
import { MODEL_KINDS, openModel } from '../src/models/open.ts';
import { DiffusionPipeline, diffusionInfo, diffusionOf, networkTime } from '../src/models/pipeline.ts';
import { guidedPredictor } from '../src/models/sample.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused, uniforms } from './helpers.ts';
import {
  type Case,
  drawn,
  EXPORT_CASES,
  errorOf,
  FLOW,
  fileOf,
  shape,
  stored,
  storedOf,
} from './helpers-exports.ts';
import { suite } from './suite.ts';
import { findPython } from './torch/python.ts';

ort.env.wasm.numThreads = 1;

const BOUND = 1e-5;
const PICTURE = [8, 4, 2] as const;
const DISCRETE = { schedule: 'cosine', steps: 50, predicts: 'eps' } as const;

function unetFile(given: object, process: ConstructorParameters<typeof DiffusionPipeline>[1]): Case {
  const small = { classes: 0, condition: 8, hidden: 32, fine: 5, heads: 2 };
  const network = drawn(new UNet({ ...shape(PICTURE), ...small, ...given }));
  // Large products of queries and keys, so that each one changes the output.
  const rng = new Rng('attention');
  for (const [name, p] of network.namedParameters()) {
    if (/attention\.\w*proj_weight$/.test(name)) rng.uniformInto(p, -0.8, 0.8);
  }
  return fileOf(network, diffusionInfo(new DiffusionPipeline(network, process)), PICTURE);
}

const NOISE = { height: 8, width: 4, channels: 2, classes: 3 };

/** Diffusion models whose network is also in another case. Their processes differ. */
const SAME_NETWORK = /^(eps|score|v|flow) on /;

/** The networks of the export to PyTorch, and those that it refuses. */
const CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(Object.entries(EXPORT_CASES).filter(([name]) => !SAME_NETWORK.test(name))),
  'unet with captions': unetFile({ words: 30, tokens: 6, text: 12 }, FLOW),
  // The map at half of the size has as many channels as a token.
  'unet with captions of 32 channels': unetFile({ words: 30, tokens: 6, text: 32 }, FLOW),
  'unet with a learnt variance': unetFile({ variances: 2, classes: 3 }, DISCRETE),
  'noise-classifier': fileOf(
    drawn(new NoiseClassifier(NOISE, DISCRETE)),
    { kind: 'noise-classifier', sizes: NOISE, settings: DISCRETE },
    PICTURE,
  ),
};

type Feeds = Record<string, ort.Tensor>;

const TIMES = [12.5, 400, 999, 0, 1000, 731.0625, 3];
const LABELS = [2, null, 1, 0, null, 2, 1];
const CAPTIONS = ['a thin three', null, '7', 'a light 2', 'zero', null, 'the fine nine'];

const floats = (data: Float32Array, dims: readonly number[]) => new ort.Tensor('float32', data, dims);
const wholes = (data: readonly number[], dims: readonly number[]) =>
  new ort.Tensor('int64', BigInt64Array.from(data, BigInt), dims);
const doubles = (data: readonly number[]) =>
  new ort.Tensor('float64', Float64Array.from(data), [data.length]);

/** The tokens of captions, as the description of the input says. */
function tokens(captions: readonly (string | null)[], words: number, places: number): ort.Tensor {
  const rows = captions.map((caption) => {
    const row = caption === null ? [words + 1] : [words, ...tokensOf(caption, words)];
    return [...row, ...Array(places - row.length).fill(words + 1)];
  });
  return wholes(rows.flat(), [captions.length, places]);
}

/** The inputs of a model for ONNX Runtime, and what our network computes for them. */
function compute({ checkpoint, picture }: Case, batch: number): { feeds: Feeds; y: Tensor } {
  const model = openModel(checkpoint);
  const size = [batch, ...picture];
  const values = uniforms(
    'x',
    size.reduce((a, b) => a * b),
  );
  const x = tensor(values, size);
  const [times, labels, captions] = [TIMES, LABELS, CAPTIONS].map((list) => list.slice(0, batch)) as [
    number[],
    (number | null)[],
    (string | null)[],
  ];
  const maps = channelsFirst(stored(size, values));
  const pictures = floats(maps.data as Float32Array, maps.shape);
  const rows = floats(values, [batch, values.length / batch]);
  if (model instanceof Denoiser) return { feeds: { x: rows }, y: model.forward(x) };
  if (model instanceof LectureNetwork) {
    const each = x.split(1).map((one, i) => model.at(one, times[i] / 1000));
    const y = tensor(Float32Array.from(each.flatMap((one) => [...one.toTypedArray()])), rows.dims);
    return { feeds: { x: rows, t: doubles(times.map((t) => t / 1000)) }, y };
  }
  if (model instanceof NoiseClassifier) {
    const steps = times.map((t) => Math.round(t / 25));
    const network = steps.map((t) => networkTime(model.schedule, t));
    return { feeds: { x: pictures, t: doubles(network) }, y: model.forward(x, steps) };
  }
  if (!(model instanceof DiffusionPipeline)) return { feeds: { x: pictures }, y: model.forward(x) };
  const { network } = model;
  const { words = 0, tokens: places = 0 } = checkpoint.sizes;
  const feeds = {
    ...{ x: pictures, t: doubles(times) },
    ...(model.classes > 0 && {
      labels: wholes(
        labels.map((label) => label ?? -1),
        [batch],
      ),
    }),
    ...(model.takesCaptions && { tokens: tokens(captions, words, places) }),
  };
  const condition = { ...(model.classes > 0 && { labels }), ...(model.takesCaptions && { captions }) };
  return { feeds, y: network.forward(x, times, condition) };
}

async function exported(checkpoint: Checkpoint, dtype: 'float32' | 'float16' = 'float32') {
  const { files } = await EXPORTERS.onnx(checkpoint, { name: '', dtype, sampling: {} });
  assert.equal(
    files.map(({ name }) => name),
    ['model.onnx'],
  );
  return files[0].bytes;
}

/** Runs the model on both sides. The error of the output. */
async function compared(session: ort.InferenceSession, given: Case, batch: number): Promise<number> {
  const { feeds, ours } = scope(() => {
    const { feeds, y } = compute(given, batch);
    const isMap = y.rank === 4 && feeds.x.dims.length === 4;
    const ours = isMap ? channelsFirst(storedOf(y)) : storedOf(y);
    return { feeds, ours: { ...ours, shape: isMap ? ours.shape : [batch, y.size / batch] } };
  });
  assert.equal(session.inputNames, Object.keys(feeds));
  const { y } = await session.run(feeds);
  const norm = Math.hypot(...(ours.data as Float32Array));
  assert.ok(norm > 0.01, `an output of ${norm} shows nothing`);
  return errorOf(ours, stored([...y.dims], y.data as Float32Array));
}

async function withSession(bytes: Uint8Array, body: (session: ort.InferenceSession) => Promise<void>) {
  const session = await ort.InferenceSession.create(bytes);
  try {
    await body(session);
  } finally {
    await session.release();
  }
}

const published = () => loadCheckpoint(resolve('src/models/published/strokes-unet.safetensors'));

/** Four steps of Euler's sampler from time 1 to 0, for a model that predicts the flow. */
async function eulerSteps(session: ort.InferenceSession, noise: Float32Array, labels: ort.Tensor) {
  let x = noise;
  const dims = [labels.dims[0], 1, 28, 28];
  for (let s = 1; s > 0; s -= 0.25) {
    const t = doubles(Array(dims[0]).fill(1000 * s));
    const { y } = await session.run({ x: floats(x, dims), t, labels });
    x = x.map((value, i) => value - 0.25 * (y.data as Float32Array)[i]);
  }
  return x;
}

/** Reads the files by the package onnx, and prints what the test compares. */
const READ = `
import json, sys
import onnx
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    values = [*model.graph.input, *model.graph.output]
    print(json.dumps({
        "version": [model.ir_version, *((entry.domain, entry.version) for entry in model.opset_import)],
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "values": {
            v.name: [onnx.TensorProto.DataType.Name(v.type.tensor_type.elem_type), v.doc_string]
            + [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values
        },
        "weights": {t.name: list(t.dims) for t in model.graph.initializer},
    }))
`;

/** What the package onnx reads in a file. */
interface Read {
  readonly version: unknown;
  readonly metadata: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, readonly [type: string, meaning: string, ...(string | number)[]]>>;
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

const python = findPython('onnx');

/** Writes the exports to files and reads them by one run of Python. */
function readByOnnx(files: ReadonlyMap<string, Uint8Array>): Map<string, Read> {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-onnx-'));
  try {
    const paths = [...files.keys()].map((_, i) => join(folder, `${i}.onnx`));
    for (const [i, bytes] of [...files.values()].entries()) writeFileSync(paths[i], bytes);
    const { status, stdout, stderr } = spawnSync(python!, ['-c', READ, ...paths], { encoding: 'utf8' });
    assert.is(status, 0, stderr);
    const lines = stdout.trim().split('\n');
    return new Map([...files.keys()].map((name, i) => [name, JSON.parse(lines[i])]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const bytes = new Map<string, Uint8Array>();
for (const [name, { checkpoint }] of Object.entries(CASES)) bytes.set(name, await exported(checkpoint));

suite('onnx', (test) => {
  test('there is a case for each kind of model', () => {
    const kinds = new Set(Object.values(CASES).map(({ checkpoint }) => checkpoint.kind));
    assert.equal([...kinds].sort(), [...MODEL_KINDS].sort());
  });

  for (const [name, given] of Object.entries(CASES)) {
    test(`${name}: ONNX Runtime computes what the network computes, for one picture and for seven`, () =>
      withSession(bytes.get(name)!, async (session) => {
        for (const batch of [1, 7]) {
          const error = await compared(session, given, batch);
          assert.ok(error <= BOUND, `batch ${batch}: ${error}`);
        }
      }));
  }

  test('a published model has half of the bytes in float16, and samples as it does here', async () => {
    const checkpoint = await published();
    const [halves, floats32] = [await exported(checkpoint, 'float16'), await exported(checkpoint)];
    assert.ok(halves.length < 0.6 * floats32.length, `${halves.length} and ${floats32.length} bytes`);
    const [noise, labels] = [uniforms('noise', 2 * 784, -2, 2), [3, null]];
    const model = diffusionOf(checkpoint);
    const { schedule } = model;
    const levels = [1, 0.75, 0.5, 0.25].map((s) => schedule.level(s));
    const run = createSampler('euler', {
      ...{ threshold: 'none', levels: [...levels, { t: schedule.tMin, alpha: 1, sigma: 0 }] },
    });
    const predictor = guidedPredictor(model, labels, {
      ...{ guidance: 1, guidanceAbove: 0, guidanceBelow: 9, classifier: undefined },
    });
    const end = runSampler(run.sample(predictor, schedule, tensor(noise, [2, 28, 28, 1]), new Rng(0)));
    const ours = stored([2 * 784], Float32Array.from(end.toTypedArray()));
    end.dispose();
    await withSession(halves, async (session) => {
      const theirs = await eulerSteps(session, noise, wholes([3, -1], [2]));
      const error = errorOf(ours, stored([2 * 784], theirs));
      assert.ok(error <= 1e-5, String(error));
    });
    model.network.dispose();
  });

  test('a convolution keeps its channels first from one layer to the next', async () => {
    // x goes into the graph and y out of it as they are, so an MLP alone reorders its picture.
    const nodes = (name: string) => {
      const text = Buffer.from(bytes.get(name)!).toString('latin1');
      return [...text.matchAll(/Transpose/g)].length;
    };
    assert.is(nodes('conv-denoiser'), 0);
  });

  test('an op without a rule is named', () => {
    const call = { xs: [], attrs: {}, shape: [], batched: true };
    refused(
      () => writeOp(new Graph(), 'flip', call),
      InternalError,
      'internal: onnx: expected an op with a rule, got flip',
    );
  });

  test.when(python !== null, 'the package onnx accepts each file, and reads what its numbers mean', () => {
    const read = readByOnnx(bytes);
    for (const [name, { checkpoint }] of Object.entries(CASES)) {
      const { version, metadata, values, weights } = read.get(name)!;
      assert.equal(version, [8, ['', 17]], name);
      assert.is(metadata.model, checkpoint.kind);
      assert.equal(JSON.parse(metadata.sizes), checkpoint.sizes);
      assert.equal(JSON.parse(metadata.settings), checkpoint.settings);
      for (const [what, [, meaning, batch]] of Object.entries(values)) {
        assert.is(batch, 'batch', `${name}: ${what}`);
        assert.ok(meaning.length > 5, `${name}: ${what}`);
      }
      for (const [parameter, { shape }] of checkpoint.parameters) {
        const [a, h, w, c] = shape;
        assert.equal(weights[parameter], shape.length === 4 ? [a, c, h, w] : shape, `${name}: ${parameter}`);
      }
    }
    const { values, metadata } = read.get('unet, flow')!;
    assert.equal(values, {
      x: [
        'FLOAT',
        'noisy pictures alpha*x0 + sigma*eps of the schedule flow, with x0 in [-1, 1]',
        'batch',
        2,
        4,
        8,
      ],
      t: ['DOUBLE', 'times from 0 to 1000: 1000*t/1 for time t of the schedule, up to 1', 'batch'],
      labels: ['INT64', 'labels from 0 to 2; -1 for no label', 'batch'],
      y: ['FLOAT', 'the prediction flow', 'batch', 2, 4, 8],
    });
    assert.is(
      metadata.pixels,
      'x0 = settings.tones[byte]; byte = the number of settings.cuts, or of settings.kinds[k].cuts for the brightness of the picture, that are at or below x0',
    );
    assert.equal(JSON.parse(read.get('unet with captions')!.metadata.words), WORDS.slice(0, 30));
  });
});
