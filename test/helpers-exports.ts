/**
 * Models with random parameters in files, for the tests of exports: all kinds that PyTorch gets, with pictures of unequal
 * sides and with several channels. No parameter is 0, so each one changes the output.
 */
import * as assert from 'uvu/assert';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import type { StoredTensor } from '../src/checkpoint/safetensors.ts';
import { LectureNetwork } from '../src/models/lecture/lecture.ts';
import { Classifier } from '../src/models/networks/classifier.ts';
import { ConvClassifier } from '../src/models/networks/conv-classifier.ts';
import { ConvDenoiser } from '../src/models/networks/conv-denoiser.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionInfo, type ProcessSettings } from '../src/models/pipeline.ts';
import type { OwnSampling } from '../src/models/sampling-defaults.ts';
import { DIFFUSION_SETTINGS } from '../src/models/training/diffusion.ts';
import type { Module } from '../src/nn/module.ts';
import { Rng } from '../src/random/rng.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

export const SETTINGS = { seed: 'a "seed"', epochs: 10, batchSize: 2, lr: 0.01 };

/** A model in a file, and how its picture is taken. */
export interface Case {
  readonly checkpoint: Checkpoint;
  readonly picture: readonly [height: number, width: number, channels: number];
}

/** All parameters are drawn, also those that begin at 0. */
export function drawn<M extends Module>(module: M): M {
  const rng = new Rng('parameters');
  for (const p of module.parameters()) rng.uniformInto(p, -0.15, 0.15);
  return module;
}

export function fileOf(
  module: Module,
  info: { readonly kind: string; readonly sizes: object; readonly settings?: object },
  picture: Case['picture'],
): Case {
  const settings = { ...SETTINGS, ...info.settings };
  const written = { ...info, sizes: info.sizes as Record<string, number>, settings, seed: SETTINGS.seed };
  return {
    checkpoint: decodeCheckpoint(
      encodeCheckpoint(module, written, undefined, { dtype: 'float32' }),
      info.kind,
    ),
    picture,
  };
}

export const shape = ([height, width, channels]: Case['picture']) => ({ height, width, channels });

export interface Diffusion {
  readonly process: ProcessSettings;
  readonly sampling: OwnSampling;
  readonly training?: object;
  readonly classes?: number;
  readonly picture?: Case['picture'];
}

export function diffusionFile(network: 'mlp' | 'unet', given: Diffusion): Case {
  const { process, sampling, training, classes = 3, picture = [4, 8, 2] } = given;
  const sizes = { ...shape(picture), classes, condition: 8 };
  const made =
    network === 'mlp'
      ? new DiffusionMlp({ ...sizes, hidden: 9, inner: 7, depth: 2 })
      : new UNet({ ...sizes, hidden: 32, fine: 5, heads: 2 });
  const info = diffusionInfo(new DiffusionPipeline(drawn(made), process, sampling), training);
  return fileOf(
    made,
    { ...info, settings: { ...DIFFUSION_SETTINGS, ...SETTINGS, ...info.settings } },
    picture,
  );
}

/** Tones that are not linear. */
const TONES = Array.from({ length: 256 }, (_, i) => (i === 0 ? -1 : -0.6 + (1.6 * i) / 255));
const cuts = (middle: number) =>
  Array.from({ length: 255 }, (_, i) => Math.min(1, -0.9 + (i / 255) * (middle + 1)));
const KINDS = [-1, 0.2].map((from, i) => ({ from, cuts: cuts(0.7 + 0.1 * i) }));

export const FLOW = { schedule: 'flow', steps: 1000, predicts: 'flow' } as const;

export const EXPORT_CASES: Readonly<Record<string, Case>> = {
  denoiser: fileOf(
    drawn(new Denoiser({ inputs: 30, hidden: 8, code: 5 })),
    { kind: 'denoiser', sizes: { inputs: 30, hidden: 8, code: 5 }, settings: { noise: 0.4 } },
    [5, 3, 2],
  ),
  'conv-denoiser': fileOf(
    drawn(new ConvDenoiser({ height: 7, width: 5, channels: 3 })),
    { kind: 'conv-denoiser', sizes: { height: 7, width: 5, channels: 3 }, settings: { noise: 0.4 } },
    [7, 5, 3],
  ),
  lecture: fileOf(
    drawn(new LectureNetwork(12, 7)),
    {
      kind: 'lecture',
      sizes: { dimension: 12, hidden: 7 },
      settings: { schedule: [0, 0.3, 1], carry: true },
    },
    [3, 2, 2],
  ),
  classifier: fileOf(
    drawn(new Classifier({ height: 6, width: 4, channels: 3, classes: 4 })),
    { kind: 'classifier', sizes: { height: 6, width: 4, channels: 3, classes: 4 } },
    [6, 4, 3],
  ),
  'conv-classifier': fileOf(
    drawn(new ConvClassifier({ height: 7, width: 10, channels: 2, classes: 4 })),
    { kind: 'conv-classifier', sizes: { height: 7, width: 10, channels: 2, classes: 4 } },
    [7, 10, 2],
  ),
  'diffusion-mlp': diffusionFile('mlp', {
    process: { schedule: 'cosine', steps: 50, predicts: 'x0', tones: TONES },
    sampling: { sampler: 'ddim', steps: 7, guidance: 2 },
    training: { lossWeighting: 'min-snr', times: 'stratified' },
  }),
  'unet, flow': diffusionFile('unet', {
    process: { ...FLOW, tones: TONES, cuts: cuts(0.8), kinds: KINDS },
    sampling: { sampler: 'heun', steps: 4, guidance: 1.4 },
    training: { clip: 1, beta2: 0.99, times: 'logit-normal', finalLr: 0 },
  }),
  'unet without classes, edm': diffusionFile('unet', {
    process: { schedule: 'linear', steps: 100, predicts: 'edm' },
    sampling: { sampler: 'heun', steps: 4, guidance: 1 },
    training: { times: 'log-normal', lossWeighting: 'p2' },
    classes: 0,
    picture: [8, 4, 1],
  }),
  'eps on sub-vp': diffusionFile('mlp', {
    process: { schedule: 'sub-vp', steps: 1000, predicts: 'eps' },
    sampling: { sampler: 'euler', steps: 5, guidance: 0.5 },
  }),
  'score on scaled-linear': diffusionFile('mlp', {
    process: { schedule: 'scaled-linear', steps: 40, predicts: 'score' },
    sampling: { sampler: 'ddim', steps: 40, guidance: 1 },
  }),
  'v on vp': diffusionFile('mlp', {
    process: { schedule: 'vp', steps: 1000, predicts: 'v' },
    sampling: { sampler: 'heun', steps: 5, guidance: 1.5 },
    training: { times: 'log-normal' },
  }),
  'flow on sigmoid': diffusionFile('mlp', {
    process: { schedule: 'sigmoid', steps: 60, predicts: 'flow' },
    sampling: { sampler: 'heun', steps: 6, guidance: 1.5 },
    training: { lossWeighting: 'vlb' },
  }),
  'eps on sigmoid-beta': diffusionFile('mlp', {
    process: { schedule: 'sigmoid-beta', steps: 60, predicts: 'eps' },
    sampling: { sampler: 'euler', steps: 6, guidance: 1.5 },
    training: { lossWeighting: 'p2' },
  }),
  'student of 3 steps': diffusionFile('mlp', {
    process: { ...FLOW, student: 3 },
    sampling: {},
  }),
};

export const stored = (shape: readonly number[], data: Float32Array | Float64Array): StoredTensor => ({
  dtype: data instanceof Float32Array ? 'F32' : 'F64',
  shape,
  data,
});
export const storedOf = (x: Tensor) => stored([...x.shape], Float32Array.from(x.toTypedArray()));

/** The norm of the difference over the norm. */
export function errorOf(ours: StoredTensor, theirs: StoredTensor): number {
  assert.equal(ours.shape, theirs.shape);
  let [difference, norm] = [0, 0];
  for (const [i, value] of (theirs.data as Float32Array).entries()) {
    difference += ((ours.data[i] as number) - value) ** 2;
    norm += value ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
