/** The script of the lesson on sampling by label. */
import { startLesson } from '../../app/start.ts';
import { GUIDANCE } from './figure-guidance.ts';
import { SAMPLERS } from './figure-samplers.ts';

startLesson([GUIDANCE, SAMPLERS]);
