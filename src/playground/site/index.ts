/** The script of the page with the list of lessons. */
import { isolate } from '../app/isolate.ts';

void isolate();
