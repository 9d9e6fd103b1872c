/**
 * A new diffusion run from the settings of its table, and the pictures that a run samples: for the command and the page.
 */
import type { TrainTest } from '../../data/dataset.ts';
import { ValueError } from '../../errors.ts';
import { Rng } from '../../random/rng.ts';
import { captionsByRow } from '../captions/by-row.ts';
import { pictureSizeOf } from '../figures/picture-rows.ts';
import { DiffusionMlp } from '../networks/diffusion-mlp.ts';
import type { DiffusionNetwork, DiffusionSizes } from '../networks/diffusion-network.ts';
import { TEXT_SIZES, UNet } from '../networks/unet.ts';
import { DiffusionPipeline } from '../pipeline.ts';
import { labelsInTurn, samplePictures } from '../sample.ts';
import type { Samples } from '../sample-grid.ts';
import { defaultGuidance } from '../sampling.ts';
import type { ValuesOf } from '../setting.ts';
import {
  DIFFUSION_MLPS,
  type DIFFUSION_TABLE,
  DIFFUSION_UNETS,
  type DiffusionNetworkName,
} from '../settings.ts';
import { spreadTones } from '../tones.ts';
import { type DiffusionRecipe, diffusionTrainer } from './diffusion.ts';
import type { DistillRecipe } from './distill.ts';
import type { Trainer } from './loop.ts';

const isUnet = (name: DiffusionNetworkName): name is keyof typeof DIFFUSION_UNETS => name in DIFFUSION_UNETS;

/** @throws ValueError if only a U-Net can have the variance or the condition */
export function checkNetwork(given: Pick<NewDiffusionSettings, 'model' | 'variance' | 'condition'>): void {
  const { model, variance, condition } = given;
  if (isUnet(model)) return;
  const names = Object.keys(DIFFUSION_UNETS).join(', ');
  if (condition === 'caption') {
    throw new ValueError(`condition caption: expected a model of ${names}, got ${model}`);
  }
  if (variance === 'fixed') return;
  throw new ValueError(`variance learned: expected a model of ${names}, got ${model}`);
}

/** The network of that name, for pictures of these sizes and this number of classes. */
function diffusionNetwork(
  { model, variance, condition }: Pick<NewDiffusionSettings, 'model' | 'variance' | 'condition'>,
  sizes: DiffusionSizes,
  rng: Rng,
): DiffusionNetwork {
  if (isUnet(model)) {
    const variances = variance === 'learned' ? sizes.channels : 0;
    const text = condition === 'caption' ? TEXT_SIZES : {};
    return new UNet({ ...DIFFUSION_UNETS[model], ...sizes, variances, ...text, rng });
  }
  return new DiffusionMlp({ ...DIFFUSION_MLPS[model as keyof typeof DIFFUSION_MLPS], ...sizes, rng });
}

/** All settings of `train diffusion` but the limit of time. */
export type NewDiffusionSettings = Omit<ValuesOf<typeof DIFFUSION_TABLE>, 'seconds'>;

/**
 * A run of a new network at its beginning. The initial values follow from the seed.
 * @param limitSeconds ends the run after this time of training, in seconds
 * @throws ValueError for settings that do not fit each other
 * @throws ShapeError for pictures that do not fit the network
 */
export function newDiffusionTrainer(
  data: TrainTest,
  given: NewDiffusionSettings,
  limitSeconds?: number,
): Trainer<DiffusionRecipe> {
  checkNetwork(given);
  const { model: _model, variance: _variance, condition, tones: toneName, ...settings } = given;
  const { height, width, channels, classes: known } = data.train;
  // A single class says nothing, so the network gets no labels.
  const labelled = condition === 'label' && settings.labelDropout < 1 && known > 1;
  const classes = labelled ? known : 0;
  const rng = new Rng(settings.seed).stream('initial values');
  const network = diffusionNetwork(given, { height, width, channels, classes }, rng);
  const tones = toneName === 'spread' ? spreadTones(data.train) : [];
  const model = new DiffusionPipeline(network, { ...settings, tones });
  return diffusionTrainer(model, data, { ...settings, tones }, limitSeconds);
}

/** The number of pictures that show what a run has learned. */
const COUNT = 100;

/** The number of columns of these pictures: one for each class, if there are at most 20 classes. */
export const columnsFor = (classes: number) => (classes > 1 && classes <= 20 ? classes : 10);

/**
 * Pictures sampled with the moving average of a run's network.
 * @param rows rows of one picture per column. Default: those of the command's picture.
 * @param steps steps of the sampler. Default: those of the model.
 */
export function samplesOf(
  trainer: Trainer<DiffusionRecipe | DistillRecipe>,
  rows?: number,
  steps?: number,
): Samples {
  const { model, settings } = trainer.recipe;
  const { sizes } = model.network;
  const columns = columnsFor(sizes.classes);
  const count = (rows ?? Math.floor(COUNT / columns)) * columns;
  const { captions, ...shown } = model.takesCaptions
    ? captionsByRow(count / columns)
    : { labels: labelsInTurn(model, count) };
  const guidance = model.sampling.guidance ?? defaultGuidance(model);
  const sampling = { labels: shown.labels, captions, guidance, seed: settings.seed, ...(steps && { steps }) };
  return {
    ...pictureSizeOf(sizes),
    ...shown,
    pictures: trainer.withAverage(() => samplePictures(model, sampling)),
  };
}
