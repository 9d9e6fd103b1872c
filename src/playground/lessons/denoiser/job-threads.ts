/** The job of the threads: the first steps of the same training on one thread and on more, with the model's hash. */
import { backend, defaultThreads, setThreads } from '../../../backend/backend.ts';
import { denoisedFigure } from '../../../models/figures/denoiser.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import { type DenoiserSettings, newDenoiserTrainer } from '../../../models/training/denoiser.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, LiveJob } from '../../protocol.ts';
import { pageData } from './data.ts';

export interface ThreadsSettings extends DenoiserSettings {
  /** Pictures to train on. */
  readonly limit: number;
}

/** A training on so many threads. */
export interface ThreadsRun {
  readonly threads: number;
  readonly step: number;
  /** Steps in a second. */
  readonly speed: number;
  /** SHA-256 of the ten pictures after the last step; empty before. */
  readonly hash: string;
}

export interface ThreadsResult extends Hashed {
  readonly steps: number;
  readonly runs: readonly ThreadsRun[];
}

export type ThreadsJob = LiveJob<ThreadsSettings, ThreadsResult>;

/** Numbers of threads: all up to four, then twice as many each time, and in the end all that there are. */
export function threadCounts(most: number): number[] {
  const counts = [1, 2, 3, 4];
  while (counts[counts.length - 1] * 2 < most) counts.push(counts[counts.length - 1] * 2);
  return [...new Set([...counts.filter((n) => n < most), most])];
}

/** The first steps, in which threads start, do not count for the speed. */
const WARM_UP = 20;

/** Stopping and starting threads takes time. */
function use(threads: number): void {
  if (backend().threads !== threads) setThreads(threads);
}

export const compute: Compute<ThreadsJob> = async function* ({ limit, ...settings }) {
  const data = await pageData({ data: 'strokes', limit });
  const before = backend().threads;
  const runs: ThreadsRun[] = [];
  let steps = 0;
  try {
    for (const threads of threadCounts(defaultThreads())) {
      const trainer = newDenoiserTrainer('mlp', { ...data, ...settings });
      steps = trainer.steps;
      try {
        use(threads);
        let run: ThreadsRun = { threads, step: 0, speed: 0, hash: '' };
        let warm = 0;
        for (const event of trainer.run()) {
          if (event.type !== 'batch') continue;
          const { step, seconds } = trainer.progress;
          if (step === WARM_UP) warm = seconds;
          run = { ...run, step, speed: step > WARM_UP ? (step - WARM_UP) / (seconds - warm) : 0 };
          const now = run;
          yield () => ({ steps, runs: [...runs, now], hashes: {} });
          // A person may have changed them while the job waited.
          use(threads);
        }
        const { module, settings: own } = trainer.recipe;
        runs.push({ ...run, hash: await numbersHash(denoisedFigure(module, data.test, own)) });
      } finally {
        trainer.dispose();
        trainer.recipe.module.dispose();
      }
    }
    return { steps, runs, hashes: { 'denoised.png': runs[0].hash } };
  } finally {
    use(before);
  }
};
