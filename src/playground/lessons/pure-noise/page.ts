/** The script of the lesson on pure noise. */
import { startLesson } from '../../app/start.ts';
import { PURE_NOISE } from './figure.ts';

startLesson([PURE_NOISE]);
