/** The settings of the page's benchmark of kernels. */
import { choice, count, countFrom, type Settings } from '../setting.ts';

export const ROUNDS_TABLE = {
  rounds: countFrom(2)('rounds', 11, 'How often each work is measured, beside its roof.'),
  threads: count('threads', null, 'The largest number of threads.', { defaultText: 'all processors' }),
  numerics: choice(['strict', 'relaxed', 'both'])('numerics', 'both', 'The builds of the kernels.'),
} as const satisfies Settings;
