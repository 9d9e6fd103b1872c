/** The script of the stepper. */
import { startLesson } from '../../app/start.ts';
import { startTabs } from '../../app/tabs.ts';
import { Stepper } from './view.ts';

const root = document.querySelector<HTMLElement>('#step')!;
const [, seed] = /#step\.seed=([^&]*)/.exec(location.hash) ?? [];
const { engine } = startLesson([]);
startTabs(root);
new Stepper(root, engine, seed === undefined ? null : decodeURIComponent(seed));
