/** The script of the lesson on scores in the plane: one figure, and a square in which a person chooses points. */
import { startLesson } from '../../app/start.ts';
import { SCORES } from './figure.ts';
import { pad } from './pad.ts';

startLesson([SCORES], { scores: { below: pad } });
