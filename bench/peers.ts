/**
 * The same work in other libraries: PyTorch, NumPy, TensorFlow.js and jax-js. Each library is optional, and none is a
 * dependency. For each task the libraries take short turns within the same minute. The result is the best turn of each
 * library. While one library works, the others wait for input. There is a pause before each turn, so that the threads
 * of the library before it go to sleep.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Form, Shape3 } from '../src/models/benchmark/works.ts';
import { drift } from '../src/sde/processes/index.ts';
import { apply } from './engine.ts';
import { randomCase } from './gaussian.ts';
import { gemmCase } from './gemm.ts';
import { type Case, sample } from './harness.ts';
import { lectureStep } from './lecture.ts';
import { Operands } from './operands.ts';
import { type Launch, Peer, type Timing } from './peer.ts';
import { type Program, programCase } from './program.ts';
import { type Row, rates, round } from './row.ts';
import { pathsCase } from './sde.ts';
import type { Setting } from './setting.ts';
import { denoiserStep } from './step.ts';
import type { Make } from './subject.ts';
import { comparisonUNetStep } from './unet.ts';

export const PEERS_TITLE = 'The same work in other libraries, in turns within the same minute.';

/** The number of turns of each library. */
const ROUNDS = { quick: 1, full: 3 };
/** Milliseconds of a turn for a kernel and for a program, and of the pause before a turn. */
const KERNEL_TURN = { quick: 20, full: 60 };
const PROGRAM_TURN = { quick: 20, full: 250 };
const PAUSE = 10;

/** Work for all libraries. langevin does it as a case; the others get its name and its sizes. */
interface Task {
  readonly sizes: readonly number[];
  readonly turn: { readonly quick: number; readonly full: number };
  make(quick: boolean): Make;
}

const product = (form: Form, sizes: Shape3): Task => ({
  sizes,
  turn: KERNEL_TURN,
  make: () => gemmCase([form, sizes]),
});
const normals = (n: number): Task => ({
  sizes: [n],
  turn: KERNEL_TURN,
  make: () => randomCase('gaussian', n),
});
const program = (of: Program): Task => ({
  sizes: [],
  turn: PROGRAM_TURN,
  make: (quick) => programCase(of, quick),
});

const TASKS: readonly Task[] = [
  product('NN', [64, 784, 400]),
  product('NT', [64, 784, 400]),
  product('NT', [64, 785, 400]),
  product('TN', [400, 64, 784]),
  product('NN', [512, 512, 512]),
  normals(64 * 784),
  normals(2 ** 20),
  program(denoiserStep),
  program(lectureStep),
  program(comparisonUNetStep),
  {
    sizes: [10_000, 1000],
    turn: PROGRAM_TURN,
    make: () => pathsCase(drift(), 1000, { fused: true, keep: 'all' }),
  },
];

export interface PeerOptions {
  readonly peersDir?: string;
  readonly python?: string;
}

/**
 * How to start each library with `threads` threads. With several threads there are two processes of PyTorch. In the first
 * its waiting threads spin (the default). In the second they sleep.
 */
function launches(folder: string, threads: number, { peersDir, python = 'python3' }: PeerOptions): Launch[] {
  const script = (name: string) => join(folder, name);
  // PYTHONDONTWRITEBYTECODE: no compiled files. Each BLAS has its own variable for the number of threads.
  const n = String(threads);
  const env = {
    PYTHONDONTWRITEBYTECODE: '1',
    OMP_NUM_THREADS: n,
    OPENBLAS_NUM_THREADS: n,
    MKL_NUM_THREADS: n,
  };
  const passive = { ...env, OMP_WAIT_POLICY: 'PASSIVE' };
  const inNode = (name: string) => ({ command: process.execPath, args: [script(name), peersDir!] });
  return [
    { command: python, args: [script('torch_peer.py')], env },
    ...(threads > 1 ? [{ command: python, args: [script('torch_peer.py')], env: passive }] : []),
    { command: python, args: [script('numpy_peer.py')], env },
    // Both have one thread in Node.
    ...(threads === 1 && peersDir !== undefined ? [inNode('tfjs_peer.js'), inNode('jax_peer.js')] : []),
  ];
}

/** The rows of all libraries for each task, langevin's first. @param folder bench/peers */
export async function* peerRows(
  settings: readonly Setting[],
  folder: string,
  options: PeerOptions,
): AsyncGenerator<Row> {
  for (const threads of new Set(settings.map((setting) => setting.threads))) {
    const own = settings.filter((setting) => setting.threads === threads);
    const peers: Peer[] = [];
    for (const launch of launches(folder, threads, options)) {
      const peer = await Peer.start(launch);
      if (peer) peers.push(peer);
    }
    try {
      for (const task of TASKS) yield* turns(task, own, peers);
    } finally {
      for (const peer of peers) await peer.stop();
    }
  }
}

/**
 * A library with one task: the function for a turn, and the best turn so far. `best` is null if the library does not
 * know the task.
 */
interface Contender {
  readonly peer: string;
  readonly numerics: string;
  ask(): Promise<Timing | null>;
  best: Timing | undefined | null;
}

/** Measures one task in turns. `relative` is a library's time divided by the time of langevin's first setting. */
async function* turns(task: Task, settings: readonly Setting[], peers: readonly Peer[]): AsyncGenerator<Row> {
  const { threads, quick } = settings[0]!;
  const memory = new Operands();
  const c = task.make(quick)(memory);
  const { name, shape } = c;
  const budget = quick ? task.turn.quick : task.turn.full;
  const request = { name, shape: task.sizes, budget };
  const contenders: Contender[] = [
    ...settings.map((setting) => ({
      peer: 'langevin',
      numerics: setting.numerics,
      ask: () => ownTurn(c, setting, budget),
      best: undefined,
    })),
    ...peers.map((peer) => ({
      peer: peer.name,
      numerics: 'float32',
      ask: () => peer.ask(request),
      best: undefined,
    })),
  ];
  for (let round = 0; round < (quick ? ROUNDS.quick : ROUNDS.full); round++) {
    for (const contender of contenders.filter(({ best }) => best !== null)) {
      await pause(PAUSE);
      const turn = await contender.ask();
      if (!turn || !contender.best || turn.ms < contender.best.ms) contender.best = turn;
    }
  }
  memory.release();
  const own = contenders[0]!.best!.ms;
  for (const { peer, numerics, best } of contenders) {
    if (!best) continue;
    const [ms, msMedian, relative] = [round(best.ms), round(best.msMedian), round(best.ms / own)];
    yield {
      subject: 'peers',
      name,
      shape,
      threads,
      numerics,
      peer,
      ms,
      msMedian,
      ...rates(c, ms),
      relative,
    };
  }
}

async function ownTurn(c: Case, setting: Setting, budget: number): Promise<Timing> {
  apply(setting);
  const { best, median } = await sample(c.run, budget, setting.quick);
  return { ms: best, msMedian: median };
}
