/**
 * The classifier that judges samples: trained once on a data set, and kept in the cache folder from then on. Its
 * file's name follows from the data, the recipe and the kernels' numerics, so that none is taken for another.
 */

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { host } from '#host';
import { encodeCheckpoint, loadCheckpoint } from '../checkpoint/checkpoint.ts';
import { sha256 } from '../data/bytes.ts';
import type { TrainTest } from '../data/dataset.ts';
import { LangevinError } from '../errors.ts';
import {
  accuracy,
  Classifier,
  type ClassifierSettings,
  classifierOf,
  trainClassifier,
} from '../models/classifier.ts';
import { Rng } from '../random/rng.ts';

/** Steps that a classifier is trained for, about; small data sets take more epochs. */
const STEPS = 6000;
const MOST_EPOCHS = 60;
const RECIPE = { batchSize: 128, lr: 1e-3, seed: 0 };

export interface Judge {
  readonly classifier: Classifier;
  /** On the test set. */
  readonly accuracy: number;
  /** Its file; null where there is no cache folder. */
  readonly path: string | null;
  /** Whether it was there already. */
  readonly cached: boolean;
}

function recipe(pictures: number): ClassifierSettings {
  const batches = Math.ceil(pictures / RECIPE.batchSize);
  return { ...RECIPE, epochs: Math.min(MOST_EPOCHS, Math.max(1, Math.round(STEPS / batches))) };
}

/** Where the classifier of these data is kept. */
async function pathFor(
  { train }: TrainTest,
  settings: ClassifierSettings,
  numerics: string,
): Promise<string | null> {
  const folder = host.cacheDir();
  if (folder === undefined) return null;
  const text = JSON.stringify([
    await sha256(new Uint8Array(train.images)),
    await sha256(new Uint8Array(train.labels)),
    settings,
    numerics,
  ]);
  const name = (await sha256(new TextEncoder().encode(text))).slice(0, 16);
  return join(folder, 'classifiers', `${name}.safetensors`);
}

/**
 * The classifier of these data, from the cache or trained now.
 * @param told is called after each epoch with their number
 */
export async function judgeOf(
  data: TrainTest,
  numerics: string,
  told: (epoch: number, epochs: number, loss: number) => void,
): Promise<Judge> {
  const settings = recipe(data.train.length);
  const path = await pathFor(data, settings, numerics);
  const known = path !== null && (await host.exists(path)) ? await read(path) : null;
  if (known) return { classifier: known, accuracy: accuracy(known, data.test), path, cached: true };
  const { height, width, classes } = data.train;
  const sizes = { height, width, classes };
  const classifier = new Classifier(sizes, new Rng(settings.seed).stream('initial values'));
  for (const { epoch, loss } of trainClassifier(classifier, data, settings)) {
    told(epoch, settings.epochs, loss);
    await setImmediate(); // Ctrl-C is heard here
  }
  const { seed, ...rest } = settings;
  const info = { kind: Classifier.kind, sizes, settings: { ...rest }, seed };
  if (path !== null) await host.writeFileAtomic(path, encodeCheckpoint(classifier, info));
  return { classifier, accuracy: accuracy(classifier, data.test), path, cached: false };
}

/** The classifier in a cache's file; null for a damaged one, which will be written anew. */
async function read(path: string): Promise<Classifier | null> {
  try {
    return classifierOf(await loadCheckpoint(path));
  } catch (error) {
    if (error instanceof LangevinError) return null;
    throw error;
  }
}
