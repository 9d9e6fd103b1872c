/** Learning rates of whole runs. */
import { cosineLr, type LrSchedule, warmupLr } from '../../optim/lr-schedule.ts';

const MOST_WARMUP = 500;

/** A linear warm-up over a twentieth of the steps, 500 at most, and then half a cosine down to `end`. */
export function warmCosineLr(lr: number, steps: number, end: number): LrSchedule {
  const warmup = Math.max(1, Math.min(MOST_WARMUP, Math.floor(steps / 20)));
  return warmupLr(warmup, cosineLr(lr, { steps: Math.max(1, steps - warmup), end }));
}
