/**
 * The bits of 20 steps of every trainer. The hash covers the parameters, the reported losses and, if the trainer has
 * them, Adam's moments and the moving average. Other fields of an event are not hashed, because they can change.
 */
import { DataLoader } from '../../src/data/loader.ts';
import { loadStrokes } from '../../src/data/strokes-set.ts';
import { TOY_SETS } from '../../src/data/toy.ts';
import { LectureNetwork } from '../../src/models/lecture/lecture.ts';
import { Classifier } from '../../src/models/networks/classifier.ts';
import { ConvClassifier } from '../../src/models/networks/conv-classifier.ts';
import { ConvDenoiser } from '../../src/models/networks/conv-denoiser.ts';
import { Denoiser } from '../../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../../src/models/networks/diffusion-mlp.ts';
import type { DiffusionNetwork } from '../../src/models/networks/diffusion-network.ts';
import { NoiseClassifier } from '../../src/models/networks/noise-classifier.ts';
import { UNet } from '../../src/models/networks/unet.ts';
import { DiffusionPipeline } from '../../src/models/pipeline.ts';
import { spreadTones } from '../../src/models/tones.ts';
import { trainClassifier } from '../../src/models/training/classifier.ts';
import { trainDenoiser } from '../../src/models/training/denoiser.ts';
import {
  DIFFUSION_SETTINGS,
  type DiffusionSettings,
  diffusionTrainer,
} from '../../src/models/training/diffusion.ts';
import { DISTILL_SETTINGS, distillTrainer } from '../../src/models/training/distill.ts';
import type { TrainEvent } from '../../src/models/training/events.ts';
import { LECTURE_SETTINGS, LectureRecipe } from '../../src/models/training/lecture.ts';
import { Trainer } from '../../src/models/training/loop.ts';
import { trainNoiseClassifier } from '../../src/models/training/noise-classifier.ts';
import type { Recipe } from '../../src/models/training/recipe.ts';
import { trainToy } from '../../src/models/training/toy.ts';
import { Rng, type Seed } from '../../src/random/rng.ts';
import { Hash } from './hash.ts';

const initial = (seed: Seed): Rng => new Rng(seed).stream('initial values');

/** Every finite loss of a run's events, in their order, without times and speeds. */
export function lossesOf(events: Iterable<object>): number[] {
  const names = ['loss', 'trainLoss', 'testLoss'];
  const losses: number[] = [];
  for (const event of events) {
    const told = event as Record<string, number>;
    for (const name of names) if (Number.isFinite(told[name])) losses.push(told[name]);
  }
  return losses;
}

/** The same of the events of one type. */
const lossesOfType = (type: TrainEvent['type'], events: Iterable<TrainEvent>): number[] =>
  lossesOf([...events].filter((event) => event.type === type));

/** The lecture's sizes; two epochs of nine batches of 64 and one of 24. The test set takes two batches. */
export async function denoiser(seed: Seed): Promise<string> {
  const model = new Denoiser({ rng: initial(seed) });
  const data = loadStrokes({ train: 600, test: 260, seed });
  const losses = lossesOf(trainDenoiser(model, { ...data, epochs: 2, batchSize: 64, seed, every: 1 }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}

/** Four epochs of four batches of 64 and one of 44. */
export async function convDenoiser(seed: Seed): Promise<string> {
  const model = new ConvDenoiser({ height: 28, width: 28 }, initial(seed));
  const data = loadStrokes({ train: 300, test: 60, seed });
  const losses = lossesOf(trainDenoiser(model, { ...data, epochs: 4, batchSize: 64, seed, every: 1 }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}

/** The lecture's sizes; ten batches of 32 pictures twice. `carry` is the other interpretation of the slides. */
export async function lecture(seed: Seed, carry: boolean): Promise<string> {
  const model = new LectureNetwork(784, 400, initial(seed));
  const { train } = loadStrokes({ train: 320, test: 0, seed });
  const settings = { ...LECTURE_SETTINGS, epochs: 2, carry, seed };
  const { epochs, lr } = settings;
  const recipe = new LectureRecipe(model, { train, test: train }, settings);
  // In the order of the set: without a seed a loader does not shuffle.
  const run = new Trainer(recipe, new DataLoader(train, { batchSize: 32 }), { epochs, lr });
  const losses = lossesOfType('batch', run.run());
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  run.dispose();
  model.dispose();
  return hash.digest();
}

/** The results of a diffusion run: network, moments, average. */
export function hashDiffusion({ recipe, adam, ema }: Trainer<Recipe>, hash = new Hash()): Hash {
  const { state } = adam;
  for (const [i, [name, p]] of recipe.module.namedParameters().entries()) {
    hash.tensor(name, p).tensor(`m.${name}`, state[i].m).tensor(`v.${name}`, state[i].v);
  }
  return hash.tensors(ema!.stateDict(), 'average.');
}

const mlp = (seed: Seed) =>
  new DiffusionMlp({ hidden: 64, inner: 48, depth: 2, condition: 16, rng: initial(seed) });

/** Four epochs of four batches of 32 and one of 22; a fifth of the labels is withheld. */
export async function diffusion(
  seed: Seed,
  process: Partial<DiffusionSettings>,
  network: DiffusionNetwork = mlp(seed),
): Promise<string> {
  const settings = {
    ...DIFFUSION_SETTINGS,
    epochs: 4,
    batchSize: 32,
    labelDropout: 0.2,
    seed,
    ...process,
  };
  const data = loadStrokes({ train: 150, test: 60, seed });
  const trainer = diffusionTrainer(new DiffusionPipeline(network, settings), data, settings);
  const losses = lossesOf(trainer.run());
  const hash = hashDiffusion(trainer).numbers('losses', losses);
  trainer.dispose();
  network.dispose();
  return hash.digest();
}

/** A student of two steps from a new teacher: four epochs of five batches of 16 paths. */
export async function distillation(seed: Seed): Promise<string> {
  const [teacher, student] = [mlp(seed), mlp(seed)].map(
    (network) => new DiffusionPipeline(network, { schedule: 'flow', predicts: 'flow', steps: 1000 }),
  );
  const settings = { ...DISTILL_SETTINGS, student: 2, teacherSteps: 4, guidance: 2, paths: 80, ema: 0.99 };
  const run = distillTrainer(teacher, student, { ...settings, epochs: 4, batchSize: 16, seed });
  const losses = lossesOf(run.run());
  const hash = hashDiffusion(run).numbers('losses', losses);
  run.dispose();
  for (const { network } of [teacher, student]) network.dispose();
  return hash.digest();
}

/** The same of a U-Net as the command trains one. */
export function unet(seed: Seed): Promise<string> {
  const network = new UNet({ hidden: 32, fine: 8, heads: 2, condition: 32, rng: initial(seed) });
  const tones = spreadTones(loadStrokes({ train: 150, test: 0, seed }).train);
  const process = { schedule: 'flow', predicts: 'flow', tones } as const;
  return diffusion(seed, { ...process, times: 'logit-normal', beta2: 0.99, clip: 1, finalLr: 0 }, network);
}

const SIZES = { height: 28, width: 28, classes: 10 };
const RECIPE = { epochs: 4, batchSize: 32, lr: 1e-3 };

export async function classifier(seed: Seed): Promise<string> {
  const model = new Classifier(SIZES, initial(seed));
  const data = loadStrokes({ train: 150, test: 0, seed });
  const losses = lossesOfType('epoch', trainClassifier(model, data, { ...RECIPE, seed }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}

/** Four epochs of four batches of 32 and one of 22; the parameters are the moving average. */
export async function convClassifier(seed: Seed): Promise<string> {
  const model = new ConvClassifier(SIZES, initial(seed));
  const data = loadStrokes({ train: 150, test: 0, seed });
  const losses = lossesOfType('epoch', trainClassifier(model, data, { ...RECIPE, seed }));
  const hash = new Hash().tensors(model.namedParameters()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}

export async function noiseClassifier(seed: Seed): Promise<string> {
  const model = new NoiseClassifier(SIZES, { schedule: 'cosine', steps: 1000 }, initial(seed));
  const data = loadStrokes({ train: 150, test: 0, seed });
  const losses = lossesOfType('epoch', trainNoiseClassifier(model, data, { ...RECIPE, seed }));
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
        if (value.type === 'batch') losses.push(value.loss);
        continue;
      }
      hash.tensors(value.network.namedParameters(), `${set}.`).numbers(`${set} losses`, losses);
      value.network.dispose();
      break;
    }
  }
  return hash.digest();
}
