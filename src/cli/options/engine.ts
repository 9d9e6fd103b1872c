/**
 * The options of the tensor engine, the same for every command that computes: which backend, on how many
 * threads, and with which build of the kernels. What was chosen is part of every result.
 */
import { host } from '#host';
import { backend, setBackend, setNumerics, setThreads } from '../../backend/backend.ts';
import { kernelBytes, type Numerics } from '../../backend/instance.ts';
import { sha256 } from '../../data/bytes.ts';
import { ValueError } from '../../errors.ts';
import { ENGINE_TABLE } from '../../models/settings.ts';
import { counted } from '../report/counted.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';

/** The engine as results record it. */
export interface EngineReport {
  readonly backend: string;
  readonly numerics: string;
  /** Whether multiply-adds are rounded once: relaxed numerics do where the engine fuses. */
  readonly fused: boolean;
  readonly threads: number;
  /** SHA-256 of the kernels' bytes; null for the reference backend, which has none. */
  readonly kernels: string | null;
  /** What it runs on: `Node 20.20.2, V8 11.3`. */
  readonly engine: string;
}

/** Sets the engine as the options say. @throws UsageError */
export function applyEngineOptions(options: Options): void {
  const { backend: name, threads, numerics } = readSettings(ENGINE_TABLE, options);
  if (name === 'reference' && (options.threads ?? options.numerics) !== undefined) {
    throw new UsageError('--threads and --numerics belong to the wasm backend, got --backend reference');
  }
  try {
    setBackend(name);
    if (threads !== undefined) setThreads(threads);
    setNumerics(numerics);
  } catch (error) {
    throw error instanceof ValueError ? new UsageError(`--${error.message}`) : error;
  }
}

/** The engine in use. */
export async function engineReport(): Promise<EngineReport> {
  const { name, numerics, fused, threads } = backend();
  const kernels = name === 'wasm' ? await sha256(kernelBytes(numerics as Numerics)) : null;
  return { backend: name, numerics, fused, threads, kernels, engine: host.engine };
}

/** The engine in one line, for people. */
export function engineLine({ backend, numerics, threads, engine }: EngineReport): string {
  return `${backend}, ${numerics}, ${counted(threads, 'thread')}, ${engine}`;
}
