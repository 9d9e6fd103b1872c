/** The script of the lesson on stochastic differential equations. */
import { startLesson } from '../../app/start.ts';
import { ONE_PATH } from './figure-one-path.ts';
import { ORDERS } from './figure-orders.ts';
import { PATHS } from './figure-paths.ts';

startLesson([PATHS, ONE_PATH, ORDERS]);
