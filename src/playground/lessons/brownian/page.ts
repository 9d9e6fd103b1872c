/** The script of the lesson on Brownian motion. */
import { startLesson } from '../../app/start.ts';
import { BROWNIAN } from './figure.ts';

startLesson([BROWNIAN]);
