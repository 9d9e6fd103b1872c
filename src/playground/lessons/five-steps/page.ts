/** The script of the lesson on the lecture's five-step model. */
import { startLesson } from '../../app/start.ts';
import { FIVE_STEPS } from './figure.ts';

startLesson([FIVE_STEPS]);
