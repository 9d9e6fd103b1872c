import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { trainDenoiser } from '../src/models/training/denoiser.ts';
import { Rng } from '../src/random/rng.ts';
import { VERSION } from '../src/version.ts';
import { asConsumer, inFolder, npmRun, ROOT } from './dist.ts';
import {
  documentWith,
  hasChromium,
  pack,
  pkg,
  publintMessages,
  RESOLUTIONS,
  read,
  resultOf,
  typeErrors,
} from './helpers-package.ts';
import { disagreements } from './release/metadata.ts';
import { suite } from './suite.ts';

npmRun('build:node', 'build:browser', 'build:modules', 'build:page', 'build:types');

/** A page with one module script, and the browser build beside it. */
const pageWith = (script: string, isolated: boolean, policy?: string) =>
  resultOf({
    files: { '': documentWith(script), 'langevin.js': read('dist', 'browser.js') },
    isolated,
    ...(policy && { policy }),
  });

suite('package', (test) => {
  test('every export and every command is a file of the package, types first', () => {
    const { './package.json': own, ...entries } = pkg.exports;
    for (const [entry, files] of Object.entries<Record<string, string>>(entries)) {
      const conditions = entry === './worker' ? ['types', 'default'] : ['types', 'browser', 'default'];
      assert.equal(Object.keys(files), conditions, entry);
    }
    for (const path of [
      ...Object.values<Record<string, string>>(entries).flatMap((files) => Object.values(files)),
      own,
      pkg.main,
      pkg.types,
      ...Object.values<string>(pkg.bin),
    ]) {
      assert.ok(existsSync(join(ROOT, path)), path);
    }
    assert.match(read('dist', 'cli.js'), /^#!\/usr\/bin\/env node\n/);
  });

  test('publint reports nothing', async () => {
    assert.equal(await publintMessages(ROOT), []);
  });

  test('the packed package is under 12 MB, under 2.6 MB without its models, and has exactly the files of the allow-list', () => {
    const { size, files } = pack();
    assert.ok(size < 12e6, `${size} bytes`);
    const models = files.filter(({ path }) => path.endsWith('.safetensors'));
    // Weights cannot be compressed.
    const weights = models.reduce((sum, file) => sum + 0.9 * file.size, 0);
    assert.ok(size - weights < 2.6e6, `${size} bytes, of which ${weights} are weights`);
    const paths = files.map((file) => file.path);
    for (const needed of [
      'LICENSE',
      'README.md',
      'package.json',
      'dist/index.js',
      'dist/browser.js',
      'dist/worker.js',
      'dist/modules/index.js',
      'dist/cli.js',
      'dist/THIRD_PARTY_NOTICES.txt',
      'dist/page/index.html',
      'dist/page/third-party-notices.txt',
      'dist/page/sw.js',
    ]) {
      assert.ok(paths.includes(needed), needed);
    }
    const surplus = paths.filter(
      (path) =>
        !/^(dist\/(index|sde|diffusion|browser|worker|cli)\.js|dist\/THIRD_PARTY_NOTICES\.txt|dist\/(chunks|modules)\/.*\.js|dist\/types\/.*\.d\.ts|dist\/published\/[\w-]+\.(safetensors|md)|dist\/page\/.*\.(html|css|js|svg|txt|wasm|woff2)|LICENSE|README\.md|package\.json)$/.test(
          path,
        ),
    );
    assert.equal(surplus, []);
  });

  test('the package has each model once, and langevin page serves it to the lessons', () =>
    inFolder(async (folder) => {
      const dist = join(folder, 'dist');
      const models = join(ROOT, 'dist', 'page', 'models');
      cpSync(join(ROOT, 'dist'), dist, { recursive: true, filter: (from) => from !== models });
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
      cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
      const words = [join(dist, 'cli.js'), 'page', '--port', '0', '--no-open'];
      const server = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] });
      try {
        const said = await new Promise<string>((resolve) =>
          server.stdout.once('data', (data) => resolve(String(data))),
        );
        const [address] = /http:\S+/.exec(said)!;
        const response = await fetch(`${address}models/strokes-unet.safetensors`);
        assert.is(response.status, 200);
        const bytes = Buffer.from(await response.arrayBuffer());
        assert.ok(bytes.equals(readFileSync(join(ROOT, 'src/models/published/strokes-unet.safetensors'))));
      } finally {
        server.kill();
      }
    }));

  test('the licence of each package whose code is in a bundle is in the notices beside it', () => {
    const sections = (text: string) =>
      text.split(`\n${'-'.repeat(80)}\n`).map((part) => {
        assert.match(part, /Copyright|copyright/);
        assert.match(part, /Permission|Redistribution|SIL OPEN FONT LICENSE/);
        return /^(\S+) \d+\.\d+\.\d+\S* \((MIT|ISC|BSD-\d-Clause|OFL-1\.1|Apache-2\.0)\)$/m.exec(part)?.[1];
      });
    const library = sections(read('dist', 'THIRD_PARTY_NOTICES.txt'));
    // Packages that the library uses.
    for (const name of ['seedrandom', 'fast-png', 'fflate', 'gifenc'])
      assert.ok(library.includes(name), name);
    const page = sections(read('dist', 'page', 'third-party-notices.txt'));
    for (const name of ['lit-html', '@preact/signals-core', '@fontsource-variable/source-sans-3']) {
      assert.ok(page.includes(name), name);
    }
    for (const names of [library, page]) assert.not(names.includes(undefined));
  });

  test('the metadata agree: version, title, licence, author and date of CITATION.cff, changelog and lock file', () => {
    assert.equal(disagreements(), []);
  });

  test('the version in the code is that of package.json; the lock file names no registry, and a hash of each package', () => {
    assert.is(VERSION, pkg.version);
    const lock = JSON.parse(read('package-lock.json'));
    assert.is(lock.version, pkg.version);
    const resolved = Object.values<{ resolved?: string }>(lock.packages).filter((entry) => entry.resolved);
    assert.equal(resolved, []);
    for (const file of [['package-lock.json'], ['test', 'docs', 'package-lock.json']]) {
      const { '': _, ...packages } = JSON.parse(read(...file)).packages as Record<
        string,
        { integrity?: string }
      >;
      const without = Object.keys(packages).filter(
        (name) => !packages[name]!.integrity?.startsWith('sha512-'),
      );
      assert.equal(without, []);
    }
  });

  test('the builds import only what exists there: dependencies and Node in Node, nothing in a page', () => {
    const imports = (file: string) =>
      [...read('dist', file).matchAll(/(?:\bfrom|\bimport)\s*"([@\w][@\w/:-]*)"/g)].map(([, name]) => name);
    const chunks = readdirSync(join(ROOT, 'dist', 'chunks')).map((name) => join('chunks', name));
    const found = new Set(['index.js', 'sde.js', 'diffusion.js', 'cli.js', ...chunks].flatMap(imports));
    for (const name of found) {
      assert.ok(
        name.startsWith('node:') || isBuiltin(name) || name in pkg.dependencies,
        `the package imports ${name}`,
      );
    }
    assert.ok(found.has('cli-progress') && found.has('node:fs'), 'the search finds imports');
    const modules = readdirSync(join(ROOT, 'dist', 'modules'), { recursive: true })
      .map((name) => join('modules', String(name)))
      .filter((name) => name.endsWith('.js'));
    assert.ok(modules.length > 200, `${modules.length} modules`);
    for (const file of ['browser.js', 'worker.js', ...modules]) {
      assert.equal(imports(file), [], file);
      assert.not.match(read('dist', file), /["']node:/, file);
    }
  });

  test('a TypeScript program finds its types, with the resolution of Node and with that of bundlers', () =>
    asConsumer(async (folder) => {
      const source = [
        "import { type Dataset, Denoiser, type EpochEvent, loadStrokes, ShapeError, tensor, trainDenoiser } from 'langevin';",
        'const loss: number = tensor([[1, 2]], { requiresGrad: true }).sum().item();',
        'const data: { train: Dataset; test: Dataset } = loadStrokes({ train: 1, test: 1 });',
        'for (const event of trainDenoiser(new Denoiser({ hidden: 2 }), { ...data, epochs: 1 })) {',
        "  const epoch: EpochEvent | undefined = event.type === 'epoch' ? event : undefined;",
        '  if (loss > (epoch?.testLoss ?? 0)) throw new ShapeError(event.type);',
        '}',
        '// @ts-expect-error: a number is no string',
        'const wrong: string = tensor(1).item();',
        'export { wrong };',
      ];
      writeFileSync(join(folder, 'program.ts'), source.join('\n'));
      for (const resolution of Object.keys(RESOLUTIONS) as (keyof typeof RESOLUTIONS)[]) {
        assert.is(typeErrors(folder, resolution, ['program.ts']), '', resolution);
      }
    }));

  test('its types do not need the DOM library, and pass without skipLibCheck', () =>
    asConsumer(async (folder) => {
      const source =
        "import { Adam, setThreads, tensor } from 'langevin'; export const all = [Adam, setThreads, tensor];";
      writeFileSync(join(folder, 'program.ts'), source);
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      const words = ['--lib', 'es2022', '--types', 'node', '--target', 'es2022', '--module', 'nodenext'];
      const { stdout } = spawnSync(process.execPath, [tsc, ...words, '--strict', '--noEmit', 'program.ts'], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.is(stdout, '');
    }));

  test('an uncaught error shows the line that threw it, not the bundled code', () =>
    asConsumer(async (folder) => {
      writeFileSync(join(folder, 'program.js'), "import { zeros } from 'langevin';\nzeros([2]).reshape(3);");
      const words = ['program.js'];
      const { stderr, status } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
      assert.is(status, 1);
      const lines = stderr.split('\n');
      const message = lines.findIndex((line) => line.startsWith('ShapeError: reshape: expected 2 elements'));
      assert.ok(message > 0 && message < 8, `the message is in line ${message} of\n${stderr}`);
      const before = lines.slice(0, message).join('\n').length;
      assert.ok(before < 500, `${before} characters come before the message`);
    }));

  const script = `
    import { Denoiser, loadStrokes, Rng, setThreads, trainDenoiser } from './langevin.js';
    try {
      setThreads(2);
      const model = new Denoiser({ rng: new Rng('page') });
      const data = loadStrokes({ train: 160, test: 20 });
      const losses = [];
      for (const e of trainDenoiser(model, { ...data, epochs: 1, batchSize: 32, every: 1 })) losses.push(e.loss ?? e.testLoss);
      window.result = { losses, isolated: crossOriginIsolated };
    } catch (error) {
      window.result = { error: String(error) };
    }`;

  for (const isolated of [false, true]) {
    const place = isolated
      ? 'with two threads where memory can be shared'
      : 'on one thread where it is as it comes';
    test.when(
      hasChromium,
      `a page with one module script trains, ${place}, to the bits of Node`,
      async () => {
        const { result, complaints } = await pageWith(script, isolated);
        setBackend('wasm');
        const model = new Denoiser({ rng: new Rng('page') });
        const data = loadStrokes({ train: 160, test: 20 });
        const events = [...trainDenoiser(model, { ...data, epochs: 1, batchSize: 32, every: 1 })];
        const losses = events.map((e) => (e.type === 'batch' ? e.loss : e.testLoss));
        assert.equal(result, { losses, isolated });
        assert.equal(complaints, []);
      },
    );
  }

  test.when(hasChromium, 'a page whose policy forbids the engine says what it needs', async () => {
    const inline = "script-src 'self' 'unsafe-inline'";
    const policies: readonly [policy: string, words: RegExp][] = [
      [`${inline} 'wasm-unsafe-eval'; worker-src 'self'`, /^WorkerError: .* needs worker-src blob:/],
      [`${inline}; worker-src blob:`, /^LangevinError: .* needs script-src 'wasm-unsafe-eval'$/],
      ["require-trusted-types-for 'script'", /^LangevinError: .* no require-trusted-types-for 'script'/],
    ];
    // A worker is refused some time after it was made.
    const script = `
      import { randn, setThreads } from './langevin.js';
      try {
        setThreads(2);
        for (;;) {
          randn([400000]);
          await new Promise((done) => setTimeout(done, 20));
        }
      } catch (error) {
        window.result = error.name + ': ' + error.message;
      }`;
    for (const [policy, words] of policies) {
      assert.match((await pageWith(script, true, policy)).result as string, words);
    }
  });
});
