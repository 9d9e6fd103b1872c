/** `langevin info`: prints what the machine and the engine support, for a bug report or before a long run. */

import { relaxedSimd, simd, threads } from 'wasm-feature-detect';
import { host } from '#host';
import { flag } from '../../models/setting.ts';
import { ENGINE_TABLE } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import type { Options } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions, engineReport } from '../options/engine.ts';

export const INFO: Command = {
  name: 'info',
  summary: 'Print what this machine supports, such as SIMD and threads',
  groups: { Engine: ENGINE_TABLE, Output: { json: flag('json', 'Print one JSON object.') } },
  examples: ['info', 'info --json'],
  run: infoCommand,
};

/** Runs the command and returns the exit code. */
export async function infoCommand(options: Options): Promise<number> {
  applyEngineOptions(options);
  const { engine, backend, numerics, convolutions, fused, threads: used, kernels } = await engineReport();
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
    convolutions,
    fused,
    kernels,
    cache: host.cacheDir() ?? null,
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(info)}\n`);
    return 0;
  }
  const yes = (supported: boolean) => (supported ? 'yes' : 'no');
  const lines = [
    ['langevin', info.langevin],
    ['engine', info.engine],
    ['SIMD', yes(info.simd)],
    ['relaxed SIMD', yes(info.relaxedSimd)],
    ['shared memory', yes(info.sharedMemory)],
    ['threads', `${info.threads} of ${info.threadsAvailable} available`],
    ['backend', info.backend],
    ['numerics', `${info.numerics}, ${info.fused ? 'fused' : 'separate'} multiply-add`],
    ['convolutions', info.convolutions],
    ['kernels', info.kernels ? `SHA-256 ${info.kernels}` : 'none'],
    ['cache folder', info.cache ?? 'none'],
  ];
  for (const [name, value] of lines) process.stdout.write(`${name.padEnd(15)}${value}\n`);
  return 0;
}
