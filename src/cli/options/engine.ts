/**
 * The options of the tensor engine, the same for every command that computes: which backend, on how many
 * threads, and with which build of the kernels. What was chosen is part of every result.
 */
import type { Command } from 'cac';
import { host } from '#host';
import {
  BACKENDS,
  backend,
  defaultThreads,
  setBackend,
  setNumerics,
  setThreads,
} from '../../backend/backend.ts';
import { kernelBytes, type Numerics } from '../../backend/instance.ts';
import { sha256 } from '../../data/bytes.ts';
import { ValueError } from '../../errors.ts';
import { count, type Options, oneOf, UsageError } from './arguments.ts';

const NUMERICS = ['strict', 'relaxed', 'auto'] as const;

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

/** Declares the options on a command. */
export function addEngineOptions(command: Command): Command {
  return command
    .option('--backend <name>', 'wasm, or reference: float64 in plain TypeScript, slow (default: wasm)')
    .option(
      '--threads <n>',
      `Threads of the wasm backend; results do not depend on it (default: all, here ${defaultThreads()})`,
    )
    .option('--numerics <name>', 'strict: the same bits everywhere; relaxed: faster; auto (default: strict)');
}

/** Sets the engine as the options say. @throws UsageError */
export function applyEngineOptions(options: Options): void {
  const name = oneOf(options, 'backend', BACKENDS, 'wasm');
  if (name === 'reference' && (options.threads ?? options.numerics) !== undefined) {
    throw new UsageError('--threads and --numerics belong to the wasm backend, got --backend reference');
  }
  const threads = count(options, 'threads', undefined);
  const numerics = oneOf(options, 'numerics', NUMERICS, 'strict');
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
  return `${backend}, ${numerics}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${engine}`;
}
