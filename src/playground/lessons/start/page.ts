/** The script of the first lesson. */
import { startLesson } from '../../app/start.ts';
import { START } from './figure.ts';

startLesson([START]);
