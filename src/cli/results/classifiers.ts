/**
 * The classifiers that commands use with a diffusion model. One judges samples, and one guides the sampling. Each is
 * trained once per data set and stored in the cache folder. The name of the file is a hash of all inputs of the
 * training: the data, the settings and the numerics of the kernels. Other inputs give another file.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { host } from '#host';
import { type Checkpoint, encodeCheckpoint, loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import { sha256 } from '../../data/bytes.ts';
import { pictureName, type TrainTest } from '../../data/dataset.ts';
import { timeAt } from '../../diffusion/schedule.ts';
import { didYouMean, LangevinError } from '../../errors.ts';
import { Classifier } from '../../models/networks/classifier.ts';
import { ConvClassifier } from '../../models/networks/conv-classifier.ts';
import {
  NoiseClassifier,
  noiseClassifierOf,
  noisedAccuracy,
} from '../../models/networks/noise-classifier.ts';
import {
  accuracy,
  type ClassifierSizes,
  type PictureClassifier,
} from '../../models/networks/picture-classifier.ts';
import { classifierOf } from '../../models/networks/registry.ts';
import type { DiffusionPipeline } from '../../models/pipeline.ts';
import { CLASSIFIER_NETWORKS, type ClassifierNetworkName } from '../../models/settings.ts';
import { trainClassifier } from '../../models/training/classifier.ts';
import { classifierSettings, createClassifier } from '../../models/training/classifier-settings.ts';
import type { ClassifierSettings } from '../../models/training/cross-entropy.ts';
import type { TrainEvent } from '../../models/training/events.ts';
import { trainNoiseClassifier } from '../../models/training/noise-classifier.ts';
import type { Module } from '../../nn/module.ts';
import { Rng } from '../../random/rng.ts';
import { UsageError } from '../options/arguments.ts';
import type { Reporter } from '../report/reporter.ts';

/** The approximate number of training steps of a guiding classifier. A small data set takes more epochs. */
const GUIDE_STEPS = 4000;
const MOST_EPOCHS = 60;
const GUIDE = { batchSize: 128, lr: 1e-3, seed: 0 };

function guideSettings(pictures: number): ClassifierSettings {
  const batches = Math.ceil(pictures / GUIDE.batchSize);
  return { ...GUIDE, epochs: Math.min(MOST_EPOCHS, Math.max(1, Math.round(GUIDE_STEPS / batches))) };
}

/** A kind of classifier: how to create it, train it, and read it from a file. */
interface Kind<M> {
  readonly kind: string;
  /** Further inputs of the training, for the name of the file and its settings. */
  readonly of: Readonly<Record<string, unknown>>;
  create(sizes: ClassifierSizes, rng: Rng): M;
  read(checkpoint: Checkpoint): M;
  train(model: M, settings: ClassifierSettings): Iterable<TrainEvent>;
}

/** The classifier of this kind for a data set. It is read from the cache, or trained and stored there. */
async function cached<M extends Module>(
  { kind, of, create, read, train }: Kind<M>,
  data: TrainTest,
  settings: ClassifierSettings,
  numerics: string,
  reporter: Reporter,
): Promise<M> {
  const { height, width, channels, classes } = data.train;
  const sizes = { height, width, channels, classes };
  const path = await pathFor([kind, of, sizes, settings, numerics], data);
  const stored = path !== null && (await host.exists(path)) ? await readIfValid(path, read) : null;
  if (stored) return stored;
  const model = create(sizes, new Rng(settings.seed).stream('initial values'));
  const { epochs, seed, ...rest } = settings;
  for (const event of train(model, settings)) {
    await setImmediate(); // Ctrl-C is handled here
    if (event.type !== 'epoch') continue;
    const { epoch, trainLoss: loss, imagesPerSecond } = event;
    reporter.event({ type: 'preparation', name: 'classifier', epoch, epochs, loss, imagesPerSecond });
  }
  const info = { kind, sizes, settings: { ...of, epochs, ...rest }, seed };
  if (path !== null) await host.writeFileAtomic(path, encodeCheckpoint(model, info));
  return model;
}

/** The path of a classifier in the cache; null if there is no cache folder. */
async function pathFor(inputs: readonly unknown[], { train }: TrainTest): Promise<string | null> {
  const folder = host.cacheDir();
  if (folder === undefined) return null;
  const pictures = await sha256(new Uint8Array(train.images));
  const labels = await sha256(new Uint8Array(train.labels));
  const text = JSON.stringify([...inputs, pictures, labels]);
  const name = (await sha256(new TextEncoder().encode(text))).slice(0, 16);
  return join(folder, 'classifiers', `${name}.safetensors`);
}

/** The classifier in a file of the cache; null if the file is damaged. Then it is written again. */
async function readIfValid<M>(path: string, read: (checkpoint: Checkpoint) => M): Promise<M | null> {
  try {
    return read(await loadCheckpoint(path));
  } catch (error) {
    if (error instanceof LangevinError) return null;
    throw error;
  }
}

/** The classifier that judges samples. */
export interface Judge {
  readonly classifier: PictureClassifier;
  /** The accuracy on the test set. */
  readonly accuracy: number;
}

const networkOf = (judge: string) => CLASSIFIER_NETWORKS.find((network) => network === judge);

/** Checks the value of `--judge`. @throws UsageError if it is not the name of a network, of a file or of a folder */
export function requireJudge(judge: string): void {
  if (networkOf(judge) || statSync(judge, { throwIfNoEntry: false })) return;
  const near = didYouMean(judge, CLASSIFIER_NETWORKS);
  const expected = `${CLASSIFIER_NETWORKS.join(', ')}, or the file or folder of a trained classifier`;
  throw new UsageError(`--judge: expected ${expected}, got "${judge}"${near && `.${near}`}`);
}

/** The classifier in a file, or in a folder that `langevin train classifier` wrote. */
async function judgeFrom(given: string, data: TrainTest): Promise<PictureClassifier> {
  const path = statSync(given).isDirectory() ? join(given, 'model.safetensors') : given;
  const classifier = classifierOf(await loadCheckpoint(path));
  const { sizes } = classifier;
  const { train } = data;
  if (pictureName(sizes) === pictureName(train) && sizes.classes === train.classes) return classifier;
  const describe = (of: ClassifierSizes) => `${pictureName(of)} in ${of.classes} classes`;
  throw new UsageError(`--judge: expected a classifier of ${describe(train)}, got one of ${describe(sizes)}`);
}

/**
 * The classifier that judges samples of a data set. It comes from a file, or from the cache. A network that is not in
 * the cache is trained.
 * @param judge the name of a network, a file or a folder
 */
export async function judgeOf(
  judge: string,
  data: TrainTest,
  numerics: string,
  reporter: Reporter,
): Promise<Judge> {
  const name = networkOf(judge);
  const classifier = name ? await trainedJudge(name, data, numerics, reporter) : await judgeFrom(judge, data);
  return { classifier, accuracy: accuracy(classifier, data.test) };
}

function trainedJudge(
  name: ClassifierNetworkName,
  data: TrainTest,
  numerics: string,
  reporter: Reporter,
): Promise<PictureClassifier> {
  const kind: Kind<PictureClassifier> = {
    kind: name === 'conv' ? ConvClassifier.kind : Classifier.kind,
    of: {},
    create: (sizes, rng) => createClassifier(name, sizes, rng),
    read: classifierOf,
    train: (model, settings) => trainClassifier(model, data, settings),
  };
  return cached(kind, data, classifierSettings(name, data.train.length), numerics, reporter);
}

/** The classifier that guides the sampling. */
export interface Guide {
  readonly classifier: NoiseClassifier;
  /** The accuracy on noisy test pictures, at 0, 1/4 and 1/2 of the time to pure noise. */
  readonly accuracies: readonly { readonly t: number; readonly accuracy: number }[];
}

/** The classifier of noisy pictures that guides this diffusion model. */
export async function guideOf(
  { schedule, settings }: DiffusionPipeline,
  data: TrainTest,
  numerics: string,
  reporter: Reporter,
): Promise<Guide> {
  const { predicts: _predicts, cuts: _cuts, kinds: _kinds, ...noise } = settings;
  const kind: Kind<NoiseClassifier> = {
    kind: NoiseClassifier.kind,
    of: noise,
    create: (sizes, rng) => new NoiseClassifier(sizes, noise, rng),
    read: noiseClassifierOf,
    train: (model, settings) => trainNoiseClassifier(model, data, settings),
  };
  const training = guideSettings(data.train.length);
  const classifier = await cached(kind, data, training, numerics, reporter);
  const accuracies = [0, 0.25, 0.5].map((u) => {
    const t = timeAt(schedule, u);
    return { t, accuracy: noisedAccuracy(classifier, data.test, t, training.seed) };
  });
  return { classifier, accuracies };
}

/** The accuracies of the guiding classifier in one line of text. */
export function guideLine({ accuracies }: Guide): string {
  const at = accuracies.map(
    ({ t, accuracy }) => `${(100 * accuracy).toFixed(1)} % at t = ${Number(t.toFixed(3))}`,
  );
  return `accuracy of the guiding classifier on noisy test pictures: ${at.join(', ')}`;
}
