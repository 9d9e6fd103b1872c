/** `langevin train diffusion`: its settings, its network and its results. train.ts runs the training. */
import { Objective } from '../../diffusion/objective.ts';
import { quoted } from '../../models/command-line.ts';
import { DiffusionMlp } from '../../models/networks/diffusion-mlp.ts';
import type { DiffusionNetwork, DiffusionSizes } from '../../models/networks/diffusion-network.ts';
import { UNet } from '../../models/networks/unet.ts';
import { DiffusionPipeline, trainingSchedule } from '../../models/pipeline.ts';
import {
  DIFFUSION_MLPS,
  DIFFUSION_TABLE,
  DIFFUSION_UNETS,
  type DiffusionNetworkName,
} from '../../models/settings.ts';
import { spreadTones } from '../../models/tones.ts';
import { type DiffusionRecipe, diffusionTrainer, resumeDiffusion } from '../../models/training/diffusion.ts';
import { Rng } from '../../random/rng.ts';
import { asUsage, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { PROGRAM } from '../options/program.ts';
import { DIFFUSION_FILES, diffusionResults } from '../results/diffusion-results.ts';
import { trainCommand } from './train.ts';

/** The network of that name, for pictures of these sizes and this number of classes. */
function diffusionNetwork(
  name: DiffusionNetworkName,
  sizes: DiffusionSizes,
  learnsVariance: boolean,
  rng: Rng,
): DiffusionNetwork {
  const variances = learnsVariance ? sizes.channels : 0;
  return isUnet(name)
    ? new UNet({ ...DIFFUSION_UNETS[name], ...sizes, variances, rng })
    : new DiffusionMlp({ ...DIFFUSION_MLPS[name as keyof typeof DIFFUSION_MLPS], ...sizes, rng });
}

const isUnet = (name: DiffusionNetworkName): name is keyof typeof DIFFUSION_UNETS => name in DIFFUSION_UNETS;

export const TRAIN_DIFFUSION: Command = trainCommand<DiffusionRecipe>({
  name: 'train diffusion',
  summary: 'Train a diffusion model, which generates digits from noise',
  examples: [
    'train diffusion --data mnist --seconds 600',
    'train diffusion --data mnist --model unet',
    'train diffusion --resume out/diffusion',
    'sample --label 7',
  ],
  table: DIFFUSION_TABLE,
  out: 'out/diffusion',
  files: DIFFUSION_FILES,
  begin(options) {
    const {
      model: name,
      variance,
      seconds,
      tones: toneName,
      ...settings
    } = readSettings(DIFFUSION_TABLE, options);
    const learnsVariance = variance === 'learned';
    if (learnsVariance && !isUnet(name)) {
      throw new UsageError(
        `--variance learned: expected --model ${Object.keys(DIFFUSION_UNETS).join(', ')}, got ${name}`,
      );
    }
    // This checks that the settings fit together, before the data are loaded.
    const { predicts, lossWeighting } = settings;
    asUsage(() => new Objective(trainingSchedule(settings), { predicts, lossWeighting }));
    return (data, limitSeconds) => {
      const { height, width, channels, classes } = data.train;
      const known = settings.labelDropout === 1 ? 0 : classes;
      const rng = new Rng(settings.seed).stream('initial values');
      const network = diffusionNetwork(
        name,
        { height, width, channels, classes: known },
        learnsVariance,
        rng,
      );
      const tones = toneName === 'spread' ? spreadTones(data.train) : [];
      const model = new DiffusionPipeline(network, { ...settings, tones });
      return diffusionTrainer(model, data, { ...settings, tones }, limitSeconds);
    };
  },
  resume: resumeDiffusion,
  lines({ model, settings }, parameters) {
    const { description, sizes } = model.network;
    const steps = model.schedule.times ? `, ${settings.steps.toLocaleString('en')} steps` : '';
    const tones = model.settings.tones ? 'spread' : 'linear';
    const variance = model.network.learnsVariance ? ', learnt variance' : '';
    return [
      `network  ${description}, ${sizes.classes || 'no'} classes, ${parameters}`,
      `process  ${settings.schedule}${steps}, predicts ${settings.predicts}, loss weighting ${settings.lossWeighting}, ${tones} tones${variance}`,
    ];
  },
  results: diffusionResults,
  next: (out) => [[`${PROGRAM} sample --model ${quoted(out)}`, 'samples more pictures']],
});
