/**
 * Opens the files in test/files, with one small function per kind. A file has two hashes: that of its parameters, and
 * that of the model's outputs for fixed inputs. If a loader moves, only the imports here change.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { noGrad, scope } from '../../src/autograd/tape.ts';
import { type Checkpoint, decodeCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { loadStrokes } from '../../src/data/strokes-set.ts';
import { lectureOf } from '../../src/models/lecture/lecture.ts';
import { noiseClassifierOf } from '../../src/models/networks/noise-classifier.ts';
import { classifierOf, loadDenoiser } from '../../src/models/networks/registry.ts';
import { loadDiffusion } from '../../src/models/pipeline.ts';
import { samplePictures } from '../../src/models/sample.ts';
import { resumeDiffusion } from '../../src/models/training/diffusion.ts';
import type { Module } from '../../src/nn/module.ts';
import { Rng } from '../../src/random/rng.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { Hash } from '../bits/hash.ts';
import { hashDiffusion, lossesOf } from '../bits/training.ts';

/** The expected hashes of a file. */
export type Opened = Readonly<Record<string, string>>;

/** Current networks take pictures. The outputs were hashed as rows. */
const PICTURES = [4, 28, 28, 1];

function readCheckpoint(path: string): Checkpoint {
  const bytes = readFileSync(path);
  return decodeCheckpoint(path.endsWith('.gz') ? gunzipSync(bytes) : bytes, path);
}

async function hashed(model: Module, output: (x: Tensor) => Tensor): Promise<Opened> {
  const said = new Hash();
  scope(() =>
    noGrad(() => said.tensor('output', output(new Rng('old files').uniform(PICTURES)).reshape([4, -1]))),
  );
  const parameters = await new Hash().tensors(model.namedParameters()).digest();
  model.dispose();
  return { parameters, output: await said.digest() };
}

async function openDenoiser(path: string): Promise<Opened> {
  const model = await loadDenoiser(path);
  return hashed(model, (x) => model.forward(x));
}

async function openLecture(path: string): Promise<Opened> {
  const model = lectureOf(readCheckpoint(path));
  return hashed(model, (x) => model.at(x, 0.25));
}

async function openDiffusion(path: string): Promise<Opened> {
  const model = await loadDiffusion(path);
  const labels = [3, null, 9, 0];
  const pictures = samplePictures(model, { labels, guidance: 2, steps: 8, seed: 'old files' });
  const samples = await new Hash().array('samples', pictures).digest();
  return { ...(await hashed(model.network, (x) => model.predict(x, 500, labels))), samples };
}

/** Also the state of the run, and the network and averages after it is resumed to its end. */
async function openCheckpoint(path: string): Promise<Opened> {
  const trainer = resumeDiffusion(readCheckpoint(path), loadStrokes({ train: 40, test: 40 }));
  const state = await hashDiffusion(trainer).digest();
  const losses = lossesOf(trainer.run());
  const resumed = await hashDiffusion(trainer).numbers('losses', losses).digest();
  const resumedModel = await new Hash().tensors(trainer.ema!.stateDict()).digest();
  trainer.dispose();
  trainer.recipe.module.dispose();
  return { ...(await openDiffusion(path)), state, resumed, resumedModel };
}

async function openClassifier(path: string): Promise<Opened> {
  const model = classifierOf(readCheckpoint(path));
  return hashed(model, (x) => model.forward(x));
}

async function openNoiseClassifier(path: string): Promise<Opened> {
  const model = noiseClassifierOf(readCheckpoint(path));
  return hashed(model, (x) => model.forward(x, [250, 250, 250, 250]));
}

/** By the file's path in its version's folder. */
export const OPEN: Readonly<Record<string, (path: string) => Promise<Opened>>> = {
  'denoiser/model.safetensors': openDenoiser,
  'lecture/model.safetensors': openLecture,
  'diffusion/model.safetensors': openDiffusion,
  'diffusion/checkpoint-00000012.safetensors': openCheckpoint,
  'classifier.safetensors.gz': openClassifier,
  'noise-classifier.safetensors.gz': openNoiseClassifier,
};
