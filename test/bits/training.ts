/**
 * 20 steps of every trainer. Hashed are the parameters, the losses that the run told, and where a trainer has them
 * Adam's moments and the moving average. Nothing else of an event is read, as the form of events may change.
 */
import { loadStrokes } from '../../src/data/strokes-set.ts';
import { TOY_SETS } from '../../src/data/toy.ts';
import { LectureNetwork, trainLecture } from '../../src/models/lecture/lecture.ts';
import { Classifier, trainClassifier } from '../../src/models/networks/classifier.ts';
import { Denoiser } from '../../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../../src/models/networks/diffusion-mlp.ts';
import { NoiseClassifier, trainNoiseClassifier } from '../../src/models/networks/noise-classifier.ts';
import { DiffusionPipeline } from '../../src/models/pipeline.ts';
import { trainToy } from '../../src/models/toy/toy.ts';
import { trainDenoiser } from '../../src/models/training/denoiser.ts';
import {
  DIFFUSION_SETTINGS,
  type DiffusionSettings,
  DiffusionTrainer,
} from '../../src/models/training/diffusion.ts';
import { Rng, type Seed } from '../../src/random/rng.ts';
import { tensor } from '../../src/tensor/create.ts';
import { Hash } from './hash.ts';

const initial = (seed: Seed): Rng => new Rng(seed).stream('initial values');

/** Every finite loss of a run's events, in their order; times and speeds are left out. */
export function lossesOf(events: Iterable<object>): number[] {
  const names = ['loss', 'trainLoss', 'testLoss'];
  const losses: number[] = [];
  for (const event of events) {
    for (const name of names) if (name in event) losses.push((event as Record<string, number>)[name]);
  }
  return losses;
}

/** The lecture's sizes; two epochs of nine batches of 64 and one of 24. The test set takes two batches. */
export async function denoiser(seed: Seed): Promise<string> {
  const model = new Denoiser({ rng: initial(seed) });
  const data = loadStrokes({ train: 600, test: 260, seed });
  const losses = lossesOf(trainDenoiser(model, { ...data, epochs: 2, batchSize: 64, seed, every: 1 }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}

/** The lecture's sizes; ten batches of 32 pictures twice. `carry` is the other reading of the slides. */
export async function lecture(seed: Seed, carry: boolean): Promise<string> {
  const model = new LectureNetwork(784, 400, initial(seed));
  const { images } = loadStrokes({ train: 320, test: 0, seed }).train;
  const batches = Array.from({ length: 10 }, (_, i) =>
    tensor(
      Float32Array.from(images.subarray(i * 32 * 784, (i + 1) * 32 * 784), (byte) => byte / 255),
      [32, 784],
    ).keep(),
  );
  const rng = new Rng(seed).stream('training noise');
  const losses = lossesOf(trainLecture(model, () => batches, rng, { epochs: 2, carry }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  for (const batch of batches) batch.dispose();
  model.dispose();
  return hash.digest();
}

/** All that a diffusion run leaves: network, moments, average. */
export function hashDiffusion({ model, adam, ema }: DiffusionTrainer, hash = new Hash()): Hash {
  const { state } = adam;
  for (const [i, [name, p]] of model.network.namedParameters().entries()) {
    hash.tensor(name, p).tensor(`m.${name}`, state[i].m).tensor(`v.${name}`, state[i].v);
  }
  return hash.tensors(ema.stateDict(), 'average.');
}

/** Four epochs of four batches of 32 and one of 22; a fifth of the labels is withheld. */
export async function diffusion(seed: Seed, process: Partial<DiffusionSettings>): Promise<string> {
  const settings = {
    ...DIFFUSION_SETTINGS,
    epochs: 4,
    batchSize: 32,
    labelDropout: 0.2,
    seed,
    ...process,
  };
  const network = new DiffusionMlp({ hidden: 64, inner: 48, depth: 2, condition: 16, rng: initial(seed) });
  const data = loadStrokes({ train: 150, test: 60, seed });
  const trainer = new DiffusionTrainer(new DiffusionPipeline(network, settings), data, settings);
  const losses = lossesOf(trainer.run());
  const hash = hashDiffusion(trainer).numbers('losses', losses);
  trainer.dispose();
  network.dispose();
  return hash.digest();
}

const SIZES = { height: 28, width: 28, classes: 10 };
const RECIPE = { epochs: 4, batchSize: 32, lr: 1e-3 };

export async function classifier(seed: Seed): Promise<string> {
  const model = new Classifier(SIZES, initial(seed));
  const data = loadStrokes({ train: 150, test: 0, seed });
  const losses = lossesOf(trainClassifier(model, data, { ...RECIPE, seed }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}

export async function noiseClassifier(seed: Seed): Promise<string> {
  const model = new NoiseClassifier(SIZES, { schedule: 'cosine', steps: 1000 }, initial(seed));
  const data = loadStrokes({ train: 150, test: 0, seed });
  const losses = lossesOf(trainNoiseClassifier(model, data, { ...RECIPE, seed }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}

/** 20 steps on each toy set: the losses, and the network of averages. */
export async function toys(seed: Seed): Promise<string> {
  const hash = new Hash();
  for (const set of TOY_SETS) {
    const run = trainToy(set, { steps: 20, seed });
    const losses: number[] = [];
    for (;;) {
      const { done, value } = run.next();
      if (!done) {
        losses.push(value);
        continue;
      }
      hash.tensors(value.network.namedParameters(), `${set}.`).numbers(`${set} losses`, losses);
      value.network.dispose();
      break;
    }
  }
  return hash.digest();
}
