/**
 * `npm run mutants -- --sample N [--seed S] [--since REF] [--path BEGIN] [--minutes M]
 * [--least P]`: plants one small fault at a time in
 * a copy of the project, and runs the suites that should notice it.
 *
 * The mutants are drawn from all mutations of all sources (draw.ts, mutations.ts). With `--since` only lines that differ from
 * REF have faults. suites.ts says which suites belong to a file. Each runs without a fault first. It must pass then, and its
 * time gives the time limit for mutants. A mutant is caught if a suite fails or exceeds the limit. It survives if all of
 * its suites pass; if one could not run, it is not tested. A mutant that equivalent.ts lists is not tested. After M minutes no new mutant begins. The last lines list the survivors, and count
 * caught mutants as passed and the others as skipped. Survivors count as failed if fewer than P percent are caught, by
 * default if any survives.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { LangevinError } from '../../src/errors.ts';
import { type Graph, importGraph } from '../affected.ts';
import { type Ended, ProjectCopy } from './copy.ts';
import { changedLines, describe, draw, type Mutant } from './draw.ts';
import { reasonOf } from './equivalent.ts';
import { mutated } from './mutations.ts';
import { suitesFor } from './suites.ts';

/** Sources whose suites drive a browser or build the command. They are drawn only with `--path`. */
const LEFT_OUT = ['src/playground/', 'src/cli/'];
/** The longest a suite may take without a fault, in seconds. A slower one is not used. */
const SLOWEST = 60;

const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' });

/** The fate of a mutant: the suite that caught it, or why none did. */
type Fate = { readonly caughtBy: string } | 'survived' | 'equivalent' | 'does not build' | 'not tested';

class Run {
  private readonly baselines = new Map<string, Promise<Ended>>();

  constructor(
    private readonly copy: ProjectCopy,
    private readonly suites: readonly string[],
    private readonly graph: Graph,
  ) {}

  /** Runs a suite without a fault, once. */
  private baseline(suite: string): Promise<Ended> {
    const known = this.baselines.get(suite) ?? this.copy.test(suite, SLOWEST);
    this.baselines.set(suite, known);
    return known;
  }

  async fateOf(mutant: Mutant): Promise<Fate> {
    if (reasonOf(mutant) !== null) return 'equivalent';
    const suites = suitesFor(mutant.file, this.suites, this.graph);
    let ran = 0;
    for (const suite of suites) {
      const { passed, seconds } = await this.baseline(suite);
      if (!passed) continue;
      ran++;
      const end = await this.withFault(mutant, () => this.copy.test(suite, 20 + 3 * seconds));
      if (end === null) return 'does not build';
      if (!end.passed) return { caughtBy: suite };
    }
    return ran > 0 && ran === suites.length ? 'survived' : 'not tested';
  }

  /** Runs `body` while the copy has the fault. Returns null if its kernels do not build. */
  private async withFault<T>(mutant: Mutant, body: () => Promise<T>): Promise<T | null> {
    const { file, source } = mutant;
    const isKernel = file.startsWith('assembly/');
    this.copy.write(file, mutated(source, mutant));
    try {
      if (isKernel && !(await this.copy.buildKernels()).passed) return null;
      return await body();
    } finally {
      this.copy.write(file, source);
      if (isKernel) this.copy.restoreKernels();
    }
  }
}

function options() {
  const { values } = parseArgs({
    options: {
      sample: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      since: { type: 'string' },
      path: { type: 'string' },
      minutes: { type: 'string', default: '30' },
      least: { type: 'string', default: '100' },
    },
  });
  for (const name of ['sample', 'minutes', 'least'] as const) {
    if (!(Number(values[name]) > 0))
      throw new LangevinError(`expected --${name} above 0, got ${values[name]}`);
  }
  return {
    ...values,
    sample: Number(values.sample),
    minutes: Number(values.minutes),
    least: Number(values.least),
  };
}

async function main(): Promise<void> {
  const { sample, seed, since, path, minutes, least } = options();
  const lines =
    since === undefined ? undefined : changedLines(git('diff', '-U0', since, '--', 'src', 'assembly'));
  const files = git('ls-files', 'src', 'assembly')
    .split('\n')
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && (!lines || lines.has(file)))
    .filter((file) => (path ? file.startsWith(path) : !LEFT_OUT.some((begin) => file.startsWith(begin))));
  const mutants = await draw(files, sample, seed, lines);
  console.log(`${mutants.length} mutants, seed ${seed}`);
  const suites = readdirSync('test').filter((file) => file.endsWith('.test.ts'));
  const copy = new ProjectCopy();
  const until = Date.now() + 60_000 * minutes;
  const fates = new Map<Mutant, Fate>();
  try {
    const run = new Run(copy, suites, await importGraph(process.cwd(), suites));
    for (const mutant of mutants) {
      if (Date.now() > until) break;
      const fate = await run.fateOf(mutant);
      fates.set(mutant, fate);
      console.log(`${typeof fate === 'string' ? fate : `caught by ${fate.caughtBy}`}: ${describe(mutant)}`);
    }
  } finally {
    copy.dispose();
  }
  const count = (fate: Fate) => [...fates.values()].filter((one) => one === fate).length;
  const caught = [...fates.values()].filter((fate) => typeof fate === 'object').length;
  const [survived, equivalent] = [count('survived'), count('equivalent')];
  for (const [mutant, fate] of fates) if (fate === 'survived') console.log(`survived: ${describe(mutant)}`);
  const others = mutants.length - caught - survived - equivalent;
  console.log(
    `${caught} caught, ${survived} survived, ${equivalent} known to be equivalent, ${others} not tested`,
  );
  const failed = caught * 100 >= least * (caught + survived) ? 0 : survived;
  console.log(`${caught} passed, ${failed} failed, ${mutants.length - caught - failed} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main();
