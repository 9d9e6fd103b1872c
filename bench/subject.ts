/** The definition of a subject of the benchmark, and the loop that measures one under every setting. */
import { Bench, type Case } from './harness.ts';
import { Operands } from './operands.ts';
import type { Row } from './row.ts';
import type { Setting } from './setting.ts';

/** Makes a case on the current backend. Its memory is released after the measurement. */
export type Make = (memory: Operands) => Case;

export interface Subject {
  readonly name: string;
  /** The title of its table: what is measured, and what it is compared with. */
  readonly title: string;
  cases(setting: Setting): readonly Make[];
}

/** Milliseconds for a subject under all its settings. */
const TOTAL = { quick: 600, full: 15_000 };
/** The least and the most milliseconds for one case. */
const LEAST = 10;
const MOST = 1500;
const ROOF_WARM_UP = 150;

/**
 * Measures a subject under every setting, and yields each row when it is complete.
 * @param apply sets the engine
 */
export async function* run(
  subject: Subject,
  settings: readonly Setting[],
  apply: (setting: Setting) => void,
): AsyncGenerator<Row> {
  const twinTimes = new Map<string, number>();
  for (const setting of settings) {
    apply(setting);
    warmUp();
    const cases = subject.cases(setting);
    const total = setting.quick ? TOTAL.quick : TOTAL.full;
    const budget = Math.min(MOST, Math.max(LEAST, total / settings.length / cases.length));
    const bench = new Bench(subject.name, setting, budget, twinTimes);
    for (const make of cases) {
      const memory = new Operands();
      const c = make(memory);
      const row = await bench.row(c);
      yield row;
      yield* c.parts?.(row) ?? [];
      memory.release();
    }
  }
}

/** Runs the roof until the engine has compiled it completely, because everything else is compared with it. */
function warmUp(): void {
  const memory = new Operands();
  const peak = memory.multiplyAddPeak();
  const start = performance.now();
  while (performance.now() - start < ROOF_WARM_UP) peak.run();
  memory.release();
}
