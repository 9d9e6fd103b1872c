/**
 * The entries of the package: `langevin`, `langevin/sde`, `langevin/diffusion` and `langevin/worker`. They share one
 * engine, and a bundler takes only what a program needs. The programs are those of a user.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Platform } from 'esbuild';
import * as assert from 'uvu/assert';
import { VERSION } from '../src/version.ts';
import { asConsumer, inFolder, npmRun, ROOT } from './dist.ts';
import {
  bundled,
  documentWith,
  hasChromium,
  pack,
  read,
  resultOf,
  typeErrors,
  typeProblems,
} from './helpers-package.ts';
import { suite } from './suite.ts';

npmRun('build:node', 'build:browser', 'build:modules', 'build:types');

/**
 * A program of all entries. A start of the one goes through a solver of the other, and the path back through an operator
 * and a gradient of the first.
 */
const SHARED = `
import { diffusion, scope, sde, tensor } from 'langevin';
import { ddim } from 'langevin/diffusion';
import { eulerMaruyama, gbm, solve } from 'langevin/sde';
const equation = gbm({ mu: 0.05, sigma: 0.2 });
const end = (run, solver) => scope(() => {
  const { states } = run(equation, solver, tensor([1, 2, 3]), { t1: 1, steps: 10, noise: 1, keep: 'last' });
  const start = tensor([1, 1, 1], { requiresGrad: true });
  states.mul(start).sum().backward();
  return [...start.grad.toTypedArray()];
});
const result = {
  same: sde.solve === solve && sde.eulerMaruyama === eulerMaruyama && diffusion.ddim === ddim,
  main: end(sde.solve, sde.eulerMaruyama),
  own: end(solve, eulerMaruyama),
};
`;

/** Whether a result of that program shows one engine. */
function isShared({ same, main, own }: { same: boolean; main: number[]; own: number[] }): void {
  assert.ok(same, 'the same functions');
  assert.is(main.length, 3);
  assert.ok(main.every((x) => x > 0.3 && x < 6));
  assert.equal(own, main);
}

/** A program of two threads, which computes until both have certainly started, and compares with one thread. */
const threadedProgram = (workerUrl: string) => `
import { Rng, scope, setThreads } from './langevin.js';
const sum = () => scope(() => new Rng(1).normal([400000]).exp().sum().item());
try {
  setThreads(1);
  const alone = sum();
  setThreads(2, { workerUrl: '${workerUrl}' });
  for (const end = performance.now() + 3000; performance.now() < end; ) {
    if (sum() !== alone) throw new Error('other bits');
    await new Promise((done) => setTimeout(done, 20));
  }
  window.result = 'the same bits';
} catch (error) {
  window.result = error.name + ': ' + error.message;
}`;

suite('package exports', (test) => {
  test('arethetypeswrong finds nothing', () =>
    inFolder(async (folder) => {
      assert.equal(await typeProblems(join(folder, pack(folder).filename)), []);
    }));

  test('each entry has its types, and the types of one entry are those of the others', () =>
    asConsumer(async (folder) => {
      const source = `
        import { type Tensor, sde as all, tensor } from 'langevin';
        import { type Predictor, ddim } from 'langevin/diffusion';
        import { type SdeSolver, solve } from 'langevin/sde';
        import type { WorkerSetup } from 'langevin/worker';
        const solver: SdeSolver = all.eulerMaruyama;
        const states: Tensor = solve(all.gbm(), solver, tensor([1]), { t1: 1, steps: 2 }).states;
        // @ts-expect-error: the setup of a thread has a number
        const setup: Partial<WorkerSetup> = { thread: 'one' };
        export const used: [Predictor?, ...unknown[]] = [undefined, ddim, states, setup];`;
      writeFileSync(join(folder, 'program.ts'), source);
      for (const resolution of ['nodenext', 'bundler'] as const) {
        assert.is(typeErrors(folder, resolution, ['program.ts']), '', resolution);
      }
    }));

  test('all entries share one engine in Node', () =>
    asConsumer(async (folder) => {
      writeFileSync(join(folder, 'program.js'), `${SHARED}console.log(JSON.stringify(result));`);
      const { stdout, stderr } = spawnSync(process.execPath, ['program.js'], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.is(stderr, '');
      isShared(JSON.parse(stdout));
    }));

  test.when(hasChromium, 'all entries share one engine in a page that a bundler made', async () => {
    const script = await bundled(`${SHARED}window.result = result;`, 'browser');
    const { result, complaints } = await resultOf({ files: { '': documentWith(script) }, isolated: false });
    assert.equal(complaints, []);
    isShared(result as Parameters<typeof isShared>[0]);
  });

  test('a bundler takes what a program needs: less than half for a page with tensors alone', async () => {
    const sizeOf = async (source: string, platform: Platform) => {
      const text = await bundled(source, platform);
      return text.length;
    };
    for (const platform of ['browser', 'node'] as const) {
      const all = await sizeOf("import * as all from 'langevin'; console.log(all);", platform);
      const whole = await sizeOf("import { sde } from 'langevin'; console.log(sde.solve);", platform);
      const part = await sizeOf("import { solve } from 'langevin/sde'; console.log(solve);", platform);
      const sampler = await sizeOf("import { ddim } from 'langevin/diffusion'; console.log(ddim);", platform);
      assert.ok(part < 0.97 * whole, `langevin/sde: ${part} of ${whole} bytes, ${platform}`);
      for (const size of [part, sampler]) {
        assert.ok(size < 0.65 * all, `a subpath: ${size} of ${all} bytes, ${platform}`);
      }
      if (platform === 'node') continue;
      const little = await sizeOf("import { tensor } from 'langevin'; console.log(tensor);", platform);
      assert.ok(little < 0.55 * all, `langevin: ${little} of ${all} bytes`);
    }
  });

  test('the modules for bundlers compute what the file for pages without a bundler computes', async () => {
    const [modules, file] = await Promise.all(
      ['modules/index.js', 'browser.js'].map((name) => import(pathToFileURL(join(ROOT, 'dist', name)).href)),
    );
    assert.equal(Object.keys(modules).sort(), Object.keys(file).sort());
    // What comes from packages that are bundled: PNG, GIF, the reader of formulas, and the generator of strokes.
    for (const { encodePng, encodeGif, decodePng, sde, loadStrokes, Linear } of [modules, file]) {
      const { train } = loadStrokes({ train: 2, test: 1 });
      const picture = { width: 28, height: 28, channels: 1, pixels: train.images.slice(0, 784) };
      assert.equal([...decodePng(encodePng(picture)).pixels], [...picture.pixels]);
      assert.ok(encodeGif([picture, picture], {}).length > 100);
      assert.ok(sde.parseExpression('x^2 + sin(t)', ['x', 't']));
      assert.is(Linear.name, 'Linear');
    }
  });

  test.when(
    hasChromium,
    'threads start from the file of the package where the policy forbids blobs',
    async () => {
      const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
      const page = (workerUrl: string, file: string) =>
        resultOf({
          files: {
            '': '<!doctype html><script type="module" src="program.js"></script>',
            'program.js': threadedProgram(workerUrl),
            'langevin.js': read('dist', 'browser.js'),
            'worker.js': file,
          },
          isolated: true,
          policy,
        });
      const file = read('dist', 'worker.js');
      const { result, workers, complaints } = await page('/worker.js', file);
      assert.equal([result, complaints], ['the same bits', []]);
      assert.equal(
        workers.map((address) => new URL(address).pathname),
        ['/worker.js'],
      );
      assert.match(
        (await page('/absent.js', file)).result as string,
        /^WorkerError: .* expected langevin's worker\.js at \/absent\.js, got no worker; /,
      );
      const old = file.replace(VERSION, '0.0.1');
      assert.not(old === file);
      assert.match(
        (await page('/worker.js', old)).result as string,
        /^WorkerError: .* expected the worker\.js of langevin \d+\.\d+\.\d+, got that of 0\.0\.1/,
      );
    },
  );
});
