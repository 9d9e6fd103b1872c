/** The command line of the benchmark. For a mistake it prints one line, with the nearest correct word. */
import { cac } from 'cac';
import { didYouMean, ValueError } from '../src/errors.ts';
import type { Matrix } from './engine.ts';
import { NUMERICS, type Numerics } from './setting.ts';

/** A mistake in the command line: exit code 2. */
export class UsageError extends ValueError {}

export interface Options extends Matrix {
  readonly subjects: readonly string[];
  readonly json: boolean;
  readonly browser: boolean;
  /** The folder of another checkout. Its rows are compared with the rows of this checkout. */
  readonly against?: string;
  /** The folder where JavaScript peers are installed. */
  readonly peersDir?: string;
  /** The path of a Python with PyTorch or NumPy. */
  readonly python?: string;
}

const FLAGS = ['json', 'threads', 'numerics', 'browser', 'against', 'quick', 'peers-dir', 'python', 'help'];

/**
 * Reads the command line. For `--help` it prints the help and returns null.
 * @param argv as `process.argv`
 * @param names the names of all subjects
 * @param cores the meaning of `--threads all`
 * @throws UsageError for a mistake in the command line
 */
export function parse(argv: readonly string[], names: readonly string[], cores: number): Options | null {
  const cli = cac('npm run bench --');
  cli
    .command('[...subjects]', `Measures ${names.join(', ')}; without a name all except peers`)
    .option('--threads <list>', 'Numbers of threads, such as 1,2,all (default: 1, 2 and all)')
    .option('--numerics <list>', 'Builds of the kernels: strict, relaxed (default: all that run here)')
    .option('--browser', 'Run in Chromium, on a cross-origin isolated page')
    .option(
      '--against <folder>',
      'Compare each row with the same row of another checkout of langevin, in turns; nothing is saved',
    )
    .option('--json', 'Print one JSON object in each line')
    .option('--quick', 'A few seconds for everything; results are not saved')
    .option('--peers-dir <folder>', 'A folder whose node_modules hold tfjs or jax-js (subject peers)')
    .option('--python <command>', 'A Python that has PyTorch or NumPy (subject peers)');
  cli.help();
  const { args, options } = cli.parse([...argv], { run: false });
  if (options.help) return null;
  for (const name of Object.keys(options)) {
    const flag = name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    if (name !== '--' && !FLAGS.includes(flag)) throw unknown('flag', flag, FLAGS, '--');
  }
  for (const name of args) if (!names.includes(name)) throw unknown('subject', name, names);
  return {
    subjects: args.length > 0 ? [...new Set(args)] : names.filter((name) => name !== 'peers'),
    json: Boolean(options.json),
    quick: Boolean(options.quick),
    browser: Boolean(options.browser),
    ...(options.threads !== undefined && { threads: threadList(String(options.threads), cores) }),
    ...(options.numerics !== undefined && { numerics: numericsList(String(options.numerics)) }),
    ...(options.against !== undefined && { against: String(options.against) }),
    ...(options.peersDir !== undefined && { peersDir: String(options.peersDir) }),
    ...(options.python !== undefined && { python: String(options.python) }),
  };
}

function unknown(what: string, got: string, known: readonly string[], prefix = ''): UsageError {
  const near = didYouMean(got, known).replace(/"(.*)"/, `"${prefix}$1"`);
  return new UsageError(
    `bench: expected a ${what} of ${known.map((name) => prefix + name).join(', ')}, got "${prefix}${got}".${near}`,
  );
}

function threadList(list: string, cores: number): number[] {
  return list.split(',').map((item) => {
    const n = item === 'all' ? cores : Number(item);
    if (!Number.isInteger(n) || n < 1) {
      throw new UsageError(`bench: expected --threads as whole numbers >= 1 or all, got "${item}"`);
    }
    return n;
  });
}

function numericsList(list: string): Numerics[] {
  return list.split(',').map((item) => {
    const known = NUMERICS.find((numerics) => numerics === item);
    if (!known) throw unknown('--numerics', item, NUMERICS);
    return known;
  });
}
