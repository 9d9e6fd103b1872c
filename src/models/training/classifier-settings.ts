/** The networks of `train classifier` by name, and the default settings of each network. */
import { ValueError } from '../../errors.ts';
import type { Rng } from '../../random/rng.ts';
import { Classifier } from '../networks/classifier.ts';
import { ConvClassifier } from '../networks/conv-classifier.ts';
import type { ClassifierSizes, PictureClassifier } from '../networks/picture-classifier.ts';
import { defaultOf } from '../setting.ts';
import { CLASSIFIER_TABLE, type ClassifierNetworkName } from '../settings.ts';
import type { ClassifierSettings } from './cross-entropy.ts';

/** The length of training: at least `epochs`. A small data set gets more epochs, until the run has `steps` steps. */
const LENGTHS: Readonly<Record<ClassifierNetworkName, { epochs: number; steps: number }>> = {
  conv: { epochs: 8, steps: 2400 },
  mlp: { epochs: 1, steps: 6000 },
};
/** The most epochs that a small data set gets. */
const MOST_EPOCHS = 60;

/** A network of that name with random initial values. @throws ValueError for a single class, which needs no network */
export function createClassifier(
  name: ClassifierNetworkName,
  sizes: ClassifierSizes,
  rng: Rng,
): PictureClassifier {
  if (sizes.classes < 2) {
    throw new ValueError(`classifier: expected pictures of two classes or more, got ${sizes.classes} class`);
  }
  return name === 'conv' ? new ConvClassifier(sizes, rng) : new Classifier(sizes, rng);
}

/**
 * The settings of a run. A setting that is not in `given` has the default of the network.
 * @param pictures the number of training pictures
 */
export function classifierSettings(
  name: ClassifierNetworkName,
  pictures: number,
  given: { readonly [K in keyof ClassifierSettings]?: ClassifierSettings[K] | undefined } = {},
): ClassifierSettings {
  const decided = { model: name };
  const batchSize = given.batchSize ?? Number(defaultOf(CLASSIFIER_TABLE.batchSize, decided));
  const { epochs, steps } = LENGTHS[name];
  const enough = Math.min(MOST_EPOCHS, Math.round((steps * batchSize) / pictures));
  return {
    epochs: given.epochs ?? Math.max(epochs, enough),
    batchSize,
    lr: given.lr ?? Number(defaultOf(CLASSIFIER_TABLE.lr, decided)),
    seed: given.seed ?? 0,
  };
}
