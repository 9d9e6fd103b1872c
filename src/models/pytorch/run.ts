/**
 * The training state in an export to PyTorch. If the file has a run on the same data, this run goes on. Otherwise a new run
 * begins with the weights of the file. In both cases train.py continues, and so can langevin afterwards.
 */
import { type Checkpoint, decodeCheckpoint, type TrainingState } from '../../checkpoint/checkpoint.ts';
import type { Dataset, TrainTest } from '../../data/dataset.ts';
import { lectureOf } from '../lecture/lecture.ts';
import { classifierOf, denoiserOf } from '../networks/registry.ts';
import { diffusionOf } from '../pipeline.ts';
import { classifierTrainer } from '../training/classifier.ts';
import { DENOISER_SETTINGS, denoiserTrainer } from '../training/denoiser.ts';
import { DIFFUSION_SETTINGS, diffusionTrainer } from '../training/diffusion.ts';
import { LECTURE_SETTINGS, lectureTrainer } from '../training/lecture.ts';
import type { Trainer } from '../training/loop.ts';
import { encodeRun, filledSettings } from '../training/resume.ts';
import type { Task } from './kinds.ts';
import { classifierTraining } from './training.ts';

/** Training and test pictures that go with an export. */
export interface ExportData extends TrainTest {
  /**
   * What the file says about the pictures, such as the options of `langevin train` that find them again. Default:
   * nothing.
   */
  readonly notes?: Readonly<Record<string, string | number>>;
}

/** A new run of the model in a file. Its module belongs to the caller. */
const BEGIN: Readonly<Record<Task, (checkpoint: Checkpoint, data: TrainTest) => Trainer>> = {
  diffusion: (checkpoint, data) =>
    diffusionTrainer(diffusionOf(checkpoint), data, filledSettings(checkpoint, DIFFUSION_SETTINGS)),
  denoiser: (checkpoint, data) =>
    denoiserTrainer(denoiserOf(checkpoint), { ...data, ...filledSettings(checkpoint, DENOISER_SETTINGS) }),
  lecture: (checkpoint, data) =>
    lectureTrainer(lectureOf(checkpoint), { ...data, ...filledSettings(checkpoint, LECTURE_SETTINGS) }),
  classifier: (checkpoint, data) =>
    classifierTrainer(classifierOf(checkpoint), data, classifierTraining(checkpoint, data.train.length)),
};

/** Whether the run of a file has these pictures. */
function isRunOn({ training }: Checkpoint, { name, length }: Dataset): boolean {
  const data = training?.progress.data as { name?: unknown; pictures?: unknown } | undefined;
  return data?.name === name && data.pictures === length;
}

/**
 * The state of the run, and the settings of the file with it.
 * @param data without it, the state is that of the file, or none
 * @throws ShapeError, ValueError for data that do not fit the model
 */
export function runFor(
  checkpoint: Checkpoint,
  task: Task,
  data?: ExportData,
): { readonly training: TrainingState | undefined; readonly settings: Checkpoint['settings'] } {
  const { training, settings } = checkpoint;
  if (!data) return { training, settings };
  const { train, test } = data;
  const notes = { data: data.notes ?? {} };
  if (isRunOn(checkpoint, train)) return { training, settings: { ...settings, ...notes } };
  const trainer = BEGIN[task](checkpoint, { train, test });
  try {
    const begun = decodeCheckpoint(encodeRun(trainer, { resumable: true, notes }), checkpoint.source);
    return { training: begun.training, settings: { ...settings, ...begun.settings } };
  } finally {
    trainer.dispose();
    trainer.recipe.module.dispose();
  }
}
