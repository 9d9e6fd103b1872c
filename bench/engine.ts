/** The settings of the engine that the benchmark measures: every build of the kernels on 1, 2 and all threads. */
import { backend, setNumerics, setThreads } from '../src/backend/backend.ts';
import { hasRelaxedSimd } from '../src/backend/instance.ts';
import { ValueError } from '../src/errors.ts';
import { NUMERICS, type Numerics, type Setting } from './setting.ts';

/** The settings to measure. A missing field means all values that this engine and this machine have. */
export interface Matrix {
  readonly threads?: readonly number[];
  readonly numerics?: readonly Numerics[];
  readonly quick: boolean;
}

/** All combinations of the settings. @param cores the number of all threads of this machine */
export function settingsFor({ threads, numerics, quick }: Matrix, cores: number): Setting[] {
  const builds = numerics ?? (hasRelaxedSimd() ? NUMERICS : ['strict']);
  const counts = threads ?? [...new Set([1, 2, cores])].filter((n) => n <= cores);
  return builds.flatMap((build) => counts.map((n) => ({ threads: n, numerics: build, quick })));
}

/** Sets the engine. @throws ValueError for a build or a number of threads that it does not have here */
export function apply({ threads, numerics }: Setting): void {
  const { numerics: before, threads: running } = backend();
  // Setting the numerics ends the worker threads, even if the value does not change.
  if (numerics !== before) setNumerics(numerics);
  if (threads !== running) setThreads(threads);
  const got = backend().threads;
  if (got !== threads) {
    throw new ValueError(`bench: expected ${threads} threads, got ${got}: memory cannot be shared here`);
  }
}
