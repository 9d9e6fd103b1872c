/** The learning-rate schedule that several recipes share. */
import { cosineLr, type LrSchedule, warmupLr } from '../../optim/lr-schedule.ts';

/** The most steps of the warm-up. */
const MOST_WARMUP = 500;

/** A linear warm-up to `lr` over 5 % of the steps, at most 500 steps. Then half a cosine down to `end`. */
export function warmCosineLr(lr: number, steps: number, end: number): LrSchedule {
  const warmup = Math.max(1, Math.min(MOST_WARMUP, Math.floor(steps / 20)));
  return warmupLr(warmup, cosineLr(lr, { steps: Math.max(1, steps - warmup), end }));
}
