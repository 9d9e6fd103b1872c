/** The training of each task, as train.py continues it: the settings of the file, and the choices of the recipe. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { ConvClassifier } from '../networks/conv-classifier.ts';
import { AVERAGE_DECAY, LABEL_SMOOTHING } from '../training/classifier.ts';
import { classifierSettings } from '../training/classifier-settings.ts';
import { DENOISER_SETTINGS } from '../training/denoiser.ts';
import { BETA1, DIFFUSION_SETTINGS } from '../training/diffusion.ts';
import { LECTURE_SETTINGS } from '../training/lecture.ts';
import { filledSettings } from '../training/resume.ts';
import type { TorchKind } from './kinds.ts';
import { RATES, type TorchTraining } from './train.ts';
import { classifierLoss, denoiserLoss, diffusionLoss, lectureLossSource } from './train-loss.ts';

/** The settings of a classifier's training in its file. @param pictures the number of pictures, if it is known */
export const classifierTraining = (checkpoint: Checkpoint, pictures = 60_000) =>
  filledSettings(
    checkpoint,
    classifierSettings(checkpoint.kind === ConvClassifier.kind ? 'conv' : 'mlp', pictures),
  );

const ADAM = { betas: [BETA1, 0.999], clip: 0, ema: undefined } as const;

/** The training of the model in a file. */
export function torchTraining(
  checkpoint: Checkpoint,
  { task, channelsLast = false }: TorchKind,
): TorchTraining {
  switch (task) {
    case 'diffusion': {
      const settings = filledSettings(checkpoint, DIFFUSION_SETTINGS);
      const { beta2, clip, ema, finalLr } = settings;
      return {
        ...settings,
        ...{ betas: [BETA1, beta2], clip, ema, channelsLast },
        rate: RATES.warmCosine(finalLr),
        command: 'train diffusion',
        loss: diffusionLoss(settings),
      };
    }
    case 'denoiser': {
      const settings = filledSettings(checkpoint, DENOISER_SETTINGS);
      const loss = denoiserLoss(settings);
      return { ...settings, ...ADAM, channelsLast, rate: RATES.constant, command: 'train denoiser', loss };
    }
    case 'lecture': {
      const settings = filledSettings(checkpoint, LECTURE_SETTINGS);
      const loss = lectureLossSource(settings.schedule, settings.carry);
      return { ...settings, ...ADAM, channelsLast, rate: RATES.constant, command: 'train lecture', loss };
    }
    case 'classifier': {
      const settings = classifierTraining(checkpoint);
      const isConv = checkpoint.kind === ConvClassifier.kind;
      return {
        ...settings,
        ...{ ...ADAM, channelsLast, ema: isConv ? AVERAGE_DECAY : undefined },
        rate: isConv ? RATES.warmCosine(0) : RATES.cosine,
        command: 'train classifier',
        loss: classifierLoss(isConv ? LABEL_SMOOTHING : 0),
      };
    }
  }
}
