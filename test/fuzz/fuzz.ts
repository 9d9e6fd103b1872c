/**
 * `npm run fuzz -- --minutes N [--seed S] [--target NAME]`: reads random inputs of every format (targets.ts) in turns.
 *
 * The inputs are read in a worker. The main thread watches it: a reader that hangs or exhausts the memory of the worker
 * is a finding too. An input is a function of the seed, the format and a number, so the main thread makes it again and
 * saves it. Findings are saved in test/files/fuzz, where the suite `fuzz` reads them at each run. The last line counts
 * formats without a finding as passed.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { LangevinError } from '../../src/errors.ts';
import { saveCase } from './cases.ts';
import { judge } from './judge.ts';
import { inputOf, TARGET_NAMES, TARGETS } from './targets.ts';

/** Inputs of one format in a row. */
const ROUND = 20;
/** Milliseconds after which an input hangs. The machine may be busy, so this is long. */
const HANG = 60_000;
/** MiB of JavaScript objects in the worker. */
const HEAP_MIB = 1024;

interface Work {
  readonly seed: string;
  readonly targets: readonly string[];
  readonly until: number;
  /** The number of the first input. */
  readonly first: number;
  /** The place of the format in `targets`, and the number of the input that is being read. */
  readonly place: SharedArrayBuffer;
}
interface Found {
  readonly target: string;
  readonly number: number;
  readonly what: string;
}
type Message =
  | Found
  | { readonly counts: Readonly<Record<string, { read: number; refused: number }>>; readonly next: number };

async function work({ seed, targets, until, first, place }: Work): Promise<void> {
  const words = new Int32Array(place);
  const counts = Object.fromEntries(targets.map((name) => [name, { read: 0, refused: 0 }]));
  let next = first;
  for (; Date.now() < until; next += ROUND) {
    for (const [i, target] of targets.entries()) {
      for (let number = next; number < next + ROUND; number++) {
        Atomics.store(words, 1, number);
        Atomics.store(words, 0, i);
        const verdict = await judge(TARGETS[target].read, inputOf(seed, target, number));
        if (verdict.outcome === 'finding') parentPort!.postMessage({ target, number, what: verdict.what });
        else counts[target][verdict.outcome]++;
      }
    }
  }
  parentPort!.postMessage({ counts, next });
}

/** Runs a worker until its time is over, or an input hangs or kills it. Returns the number after the last input. */
function runWorker(data: Work, tell: (message: Message) => void): Promise<number> {
  const words = new Int32Array(data.place);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  return new Promise((resolve) => {
    let end = data.first;
    let [last, since] = ['', Date.now()];
    const died = (what: string) => {
      const number = Atomics.load(words, 1);
      tell({ target: data.targets[Atomics.load(words, 0)], number, what });
      end = (Math.floor(number / ROUND) + 1) * ROUND;
    };
    const watch = setInterval(() => {
      const now = words.join();
      if (now !== last) [last, since] = [now, Date.now()];
      else if (Date.now() - since > HANG) {
        died(`expected an end within ${HANG / 1000} s, got none`);
        void worker.terminate();
      }
    }, 1000);
    worker.on('message', (message: Message) => {
      if ('next' in message) end = message.next;
      tell(message);
    });
    worker.on('error', (error) => died(`expected a result, got the end of the thread: ${error.message}`));
    worker.on('exit', () => {
      clearInterval(watch);
      resolve(end);
    });
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 1e9) },
      target: { type: 'string', multiple: true },
    },
  });
  const { seed, target: targets = [...TARGET_NAMES] } = values;
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new LangevinError(`expected --minutes above 0, got ${values.minutes}`);
  const unknown = targets.find((name) => !TARGET_NAMES.includes(name));
  if (unknown) throw new LangevinError(`expected --target one of ${TARGET_NAMES.join(', ')}, got ${unknown}`);
  console.log(`seed ${seed}, ${minutes} minutes`);
  const until = Date.now() + 60_000 * minutes;
  const total = Object.fromEntries(
    targets.map((name) => [name, { read: 0, refused: 0, findings: new Set<string>() }]),
  );
  const tell = (message: Message) => {
    if ('next' in message) {
      for (const [name, { read, refused }] of Object.entries(message.counts)) {
        total[name].read += read;
        total[name].refused += refused;
      }
      return;
    }
    const { target, number, what } = message;
    // One case for each kind of message, which numbers and quotes do not distinguish.
    const kind = what.replace(/"[^"]*"|[\d.]+/g, '#').slice(0, 60);
    if (total[target].findings.has(kind)) return;
    total[target].findings.add(kind);
    console.log(
      `${target} ${number}: ${what.slice(0, 400)}\n  saved as ${saveCase(target, inputOf(seed, target, number))}`,
    );
  };
  for (let first = 0; Date.now() < until; ) {
    const place = new SharedArrayBuffer(8);
    first = await runWorker({ seed, targets, until, first, place }, tell);
  }
  for (const [name, { read, refused, findings }] of Object.entries(total))
    console.log(`${name.padEnd(12)} ${read} read, ${refused} refused, ${findings.size} findings`);
  const failed = Object.values(total).filter(({ findings }) => findings.size > 0).length;
  console.log(`${targets.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await (isMainThread ? main() : work(workerData as Work));
