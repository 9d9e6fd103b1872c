/** `langevin info`: what langevin finds on this machine, for a bug report or before a long run. */
import type { Command } from 'cac';
import { relaxedSimd, simd, threads } from 'wasm-feature-detect';
import { host } from '#host';
import { VERSION } from '../../version.ts';
import type { Options } from '../options/arguments.ts';
import { addEngineOptions, applyEngineOptions, engineReport } from '../options/engine.ts';

/** Declares the command's options. */
export function addInfoOptions(command: Command): Command {
  return addEngineOptions(command).usage('info [options]').option('--json', 'Print one JSON object');
}

/** Runs the command; the exit code. */
export async function infoCommand(options: Options): Promise<number> {
  applyEngineOptions(options);
  const { engine, backend, numerics, fused, threads: used, kernels } = await engineReport();
  const info = {
    langevin: VERSION,
    engine,
    simd: await simd(),
    relaxedSimd: await relaxedSimd(),
    sharedMemory: await threads(),
    threadsAvailable: host.availableThreads(),
    threads: used,
    backend,
    numerics,
    fused,
    kernels,
    cache: host.cacheDir() ?? null,
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(info)}\n`);
    return 0;
  }
  const yes = (there: boolean) => (there ? 'yes' : 'no');
  const lines = [
    ['langevin', info.langevin],
    ['engine', info.engine],
    ['SIMD', yes(info.simd)],
    ['relaxed SIMD', yes(info.relaxedSimd)],
    ['shared memory', yes(info.sharedMemory)],
    ['threads', `${info.threads} of ${info.threadsAvailable} available`],
    ['backend', info.backend],
    ['numerics', `${info.numerics}, ${info.fused ? 'fused' : 'separate'} multiply-add`],
    ['kernels', info.kernels ? `SHA-256 ${info.kernels}` : 'none'],
    ['cache folder', info.cache ?? 'none'],
  ];
  for (const [name, value] of lines) process.stdout.write(`${name.padEnd(15)}${value}\n`);
  return 0;
}
