/** The settings of the training step in the figure, and the command that computes the same step. */
import { commandLine } from '../../../models/command-line.ts';

export interface StepSettings {
  readonly batchSize: number;
  readonly noise: number;
  readonly seed: string;
}

export const STEP_SETTINGS: StepSettings = { batchSize: 16, noise: 0.5, seed: '0' };

/** The command that runs this step. Its data is limited to one batch, so its only epoch is one step. */
export const stepCommand = (settings: StepSettings): string =>
  `${commandLine('train denoiser', { ...settings, limit: settings.batchSize, epochs: 1 })} --json`;
