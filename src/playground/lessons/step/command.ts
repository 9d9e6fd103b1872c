/** The step as settings, and the command whose first batch it is. */
import { commandLine } from '../../../models/command-line.ts';

export interface StepSettings {
  readonly batchSize: number;
  readonly noise: number;
  readonly seed: string;
}

export const STEP_SETTINGS: StepSettings = { batchSize: 16, noise: 0.5, seed: '0' };

/** It has no more pictures than one batch: its epoch is this step. */
export const stepCommand = (settings: StepSettings): string =>
  `${commandLine('train denoiser', { ...settings, limit: settings.batchSize, epochs: 1 })} --json`;
