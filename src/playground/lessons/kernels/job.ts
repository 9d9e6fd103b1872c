/** The job `kernels`: measures single kernels beside their roofs, at several numbers of threads, with both builds. */
import { host } from '#host';
import { backend, canShareMemory, setNumerics, setThreads } from '../../../backend/backend.ts';
import { hasRelaxedSimd, setBuild } from '../../../backend/instance.ts';
import { ValueError } from '../../../errors.ts';
import { Operands } from '../../../models/benchmark/operands.ts';
import { measureRounds } from '../../../models/benchmark/rounds.ts';
import type { Roof, Workload } from '../../../models/benchmark/work.ts';
import { binaryWork, convWork, gemmWork, randomWork, unaryWork } from '../../../models/benchmark/works.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';
import type { Build, KernelRow, Results } from './results.ts';

export interface KernelsSettings {
  readonly rounds: number;
  /** The largest number of threads. Default all processors. */
  readonly threads?: number | undefined;
  readonly numerics: Build | 'both';
}

export interface KernelsResult extends Hashed, Results {
  /** The works that will be measured in all. */
  readonly planned: number;
}

export type KernelsJob = Job<KernelsSettings, KernelsResult, KernelsResult | string>;

/** The number of the denoiser's parameters, and a million. */
const [PARAMETERS, MILLION] = [949_184, 2 ** 20];
/** Pictures of a convolution. */
const BATCH = 16;

type Make = (memory: Operands) => { readonly work: Workload; readonly roof: Roof; readonly flop?: number };

const byFlop =
  (make: (memory: Operands) => Workload): Make =>
  (memory) => {
    const work = make(memory);
    return { work, roof: work.roof!, flop: work.flop! };
  };

/** Work whose roof is a plain copy of as many elements. */
const byBytes =
  (n: number, make: (memory: Operands) => Workload, flop?: number): Make =>
  (memory) => ({ work: make(memory), roof: memory.copyPeak(n), ...(flop !== undefined && { flop }) });

const WORKS: readonly Make[] = [
  byFlop((memory) => gemmWork(memory, 'NN', [256, 256, 256])),
  byFlop((memory) => gemmWork(memory, 'NT', [64, 784, 400])),
  byFlop((memory) => convWork(memory, 'forward', [28, 32, 32], { batch: BATCH })),
  byFlop((memory) => convWork(memory, 'forward', [28, 32, 64], { batch: BATCH, stride: 2 })),
  byFlop((memory) => convWork(memory, 'weight gradient', [14, 64, 64], { batch: BATCH })),
  byBytes(PARAMETERS, (memory) => binaryWork(memory, 'add', PARAMETERS), PARAMETERS),
  byBytes(PARAMETERS, (memory) => unaryWork(memory, 'silu', PARAMETERS)),
  byBytes(MILLION, (memory) => randomWork(memory, 'gaussian', MILLION)),
];

/** The builds to measure. The relaxed one is fetched here. */
async function buildsFor(numerics: KernelsSettings['numerics']): Promise<Build[]> {
  if (numerics === 'strict') return ['strict'];
  const { default: relaxed } = await import('../../../backend/relaxed-build.ts');
  setBuild('relaxed', relaxed);
  if (numerics === 'both') return hasRelaxedSimd() ? ['strict', 'relaxed'] : ['strict'];
  if (!hasRelaxedSimd()) throw new ValueError('numerics: this browser has no relaxed SIMD: take strict');
  return ['relaxed'];
}

/** 1, 2, 4, ... and `most`. */
function doublings(most: number): number[] {
  const counts: number[] = [];
  for (let n = 1; n < most; n *= 2) counts.push(n);
  return [...counts, most];
}

/** Time in which started threads begin to work, in milliseconds. */
const THREADS_START = 100;

async function apply(numerics: Build, threads: number): Promise<void> {
  if (backend().numerics !== numerics) setNumerics(numerics);
  setThreads(threads);
  const memory = new Operands();
  memory.multiplyAddPeak().run();
  memory.release();
  await new Promise((resolve) => setTimeout(resolve, THREADS_START));
}

export const compute: Compute<KernelsJob> = async function* ({ rounds, threads, numerics }) {
  const before = { numerics: backend().numerics as Build, threads: backend().threads };
  const most = canShareMemory() ? (threads ?? host.availableThreads()) : 1;
  const [builds, counts] = [await buildsFor(numerics), doublings(most)];
  const environment = {
    engine: host.engine,
    processors: host.availableThreads(),
    isolated: canShareMemory(),
    date: `${new Date().toISOString().slice(0, 16)}Z`,
  };
  const rows: KernelRow[] = [];
  const result = (): KernelsResult => ({
    ...{ environment, rounds, rows: [...rows], hashes: {} },
    planned: WORKS.length * builds.length * counts.length,
  });
  try {
    for (const build of builds) {
      for (const n of counts) {
        await apply(build, n);
        for (const make of WORKS) {
          const memory = new Operands();
          try {
            const { work, roof, flop } = make(memory);
            const byFlop = work.flop !== undefined;
            const { name, shape, bytes } = work;
            const words = `${name}, ${build}, ${n === 1 ? 'one thread' : `${n} threads`}`;
            const measured = measureRounds(work, roof, byFlop ? work.flop : bytes!, rounds);
            for (;;) {
              const { done, value } = measured.next();
              if (done) {
                const unit = byFlop ? 'flop' : 'byte';
                const numbers = work.samples ?? work.elements ?? null;
                const own = { name, shape, threads: n, numerics: build, unit } as const;
                rows.push({ ...own, flop: flop ?? null, bytes: bytes!, numbers, ...value });
                break;
              }
              yield () => words;
            }
          } finally {
            memory.release();
          }
          yield result;
        }
      }
    }
    return result();
  } finally {
    if (backend().numerics !== before.numerics) setNumerics(before.numerics);
    setThreads(before.threads);
  }
};
