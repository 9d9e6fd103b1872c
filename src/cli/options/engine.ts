/**
 * The options of the tensor engine: the backend, the number of threads, and the build of the kernels. All commands that
 * compute with tensors share them. Every result records the chosen engine.
 */
import { host } from '#host';
import { backend, setBackend, setConvolutions, setNumerics, setThreads } from '../../backend/backend.ts';
import { kernelBytes, type Numerics } from '../../backend/instance.ts';
import { sha256 } from '../../data/bytes.ts';
import { ValueError } from '../../errors.ts';
import { ENGINE_TABLE } from '../../models/settings.ts';
import { counted } from '../report/counted.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';

/** The engine, in the form that results record. */
export interface EngineReport {
  readonly backend: string;
  readonly numerics: string;
  /** The tiles of 3x3 convolutions: `standard` or `fast`. */
  readonly convolutions: string;
  /** Whether a multiply-add is rounded only once. Relaxed numerics do this if the engine has fused instructions. */
  readonly fused: boolean;
  readonly threads: number;
  /** SHA-256 of the kernels' bytes; null for the reference backend, which has no kernels. */
  readonly kernels: string | null;
  /** The JavaScript engine: `Node 20.20.2, V8 11.3`. */
  readonly engine: string;
}

/** Applies the options to the engine. @throws UsageError */
export function applyEngineOptions(options: Options): void {
  const { backend: name, threads, numerics, convolutions } = readSettings(ENGINE_TABLE, options);
  const ofWasm = ['threads', 'numerics', 'convolutions'] as const;
  if (name === 'reference' && ofWasm.some((option) => options[option] !== undefined)) {
    throw new UsageError(
      '--threads, --numerics and --convolutions: expected --backend wasm, got --backend reference',
    );
  }
  try {
    setBackend(name);
    if (threads !== undefined) setThreads(threads);
    setNumerics(numerics);
    setConvolutions(convolutions);
  } catch (error) {
    throw error instanceof ValueError ? new UsageError(`--${error.message}`) : error;
  }
}

/** The engine in use. */
export async function engineReport(): Promise<EngineReport> {
  const { name, numerics, convolutions, fused, threads } = backend();
  const kernels = name === 'wasm' ? await sha256(kernelBytes(numerics as Numerics)) : null;
  return { backend: name, numerics, convolutions, fused, threads, kernels, engine: host.engine };
}

/** The arithmetic that decides the bits of a result: `strict`, `relaxed`, or one of them with fast convolutions. */
export function arithmeticOf({ numerics, convolutions }: { numerics: string; convolutions: string }): string {
  return convolutions === 'standard' ? numerics : `${numerics}, ${convolutions} convolutions`;
}

/** The engine in one line of text. */
export function engineLine(report: EngineReport): string {
  const { backend, threads, engine } = report;
  return `${backend}, ${arithmeticOf(report)}, ${counted(threads, 'thread')}, ${engine}`;
}
