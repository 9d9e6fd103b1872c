/** The script of the lesson on the denoiser: two figures. The first has threads, files of data, and files of models. */
import { startLesson } from '../../app/start.ts';
import { DENOISER } from './figure.ts';
import { THREADS } from './figure-threads.ts';
import { Workbench } from './workbench.ts';

const bench = new Workbench();
startLesson([DENOISER, THREADS], {
  denoiser: { more: () => bench.more(), below: (lab) => bench.below(lab) },
});
