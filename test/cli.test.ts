import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { backend } from '../src/backend/backend.ts';
import { loadCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { encodeIdx } from '../src/data/idx.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { decodePng } from '../src/image/png.ts';
import { commandLine } from '../src/models/command-line.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { loadDenoiser } from '../src/models/networks/registry.ts';
import { trainDenoiser } from '../src/models/training/denoiser.ts';
import type { Module } from '../src/nn/module.ts';
import { Rng } from '../src/random/rng.ts';
import { VERSION } from '../src/version.ts';
import { failed, inFolder, langevin, npmRun } from './dist.ts';
import { suite } from './suite.ts';

const FILES = [
  'denoised.png',
  'loss.svg',
  'metrics.json',
  'model.safetensors',
  'pure-noise-5x.png',
  'pure-noise.png',
];
const TRAIN = ['train', 'denoiser'];
/** Two steps per epoch: these tests do not depend on the result of training. */
const TINY = [...TRAIN, '--limit', '128', '--epochs', '2'];

/** The files in a folder, without checkpoints: a run leaves one or two of them. */
function resultsIn(folder: string): string[] {
  const [checkpoints, results] = [true, false].map((is) =>
    readdirSync(folder).filter((file) => /^checkpoint-\d{8}\.safetensors$/.test(file) === is),
  );
  assert.ok(checkpoints.length === 1 || checkpoints.length === 2, `${checkpoints}`);
  return results.sort();
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const events = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

npmRun('build:node');

suite('cli', (test) => {
  test('train denoiser trains, reports progress, and writes six files and a checkpoint, and no others', () =>
    inFolder(async (folder) => {
      const { code, stdout, stderr } = await langevin([...TINY, '--seed', 'a b'], folder);
      assert.equal([code, stderr], [0, '']);
      assert.equal(resultsIn(join(folder, 'out')), FILES);
      assert.match(stdout, /^denoiser 784-400-400-400-784, 949,184 parameters\n/);
      assert.match(stdout, /data +strokes: 128 training pictures, 128 test pictures\n/);
      assert.match(
        stdout,
        /epoch 1\/2 .*\nepoch 2\/2 +train 0\.\d{4} +test 0\.\d{4} +[\d.]+ s +[\d,]+ images\/s\n/,
      );
      for (const file of FILES) assert.ok(stdout.includes(join('out', file)), `it names ${file}`);
      assert.match(stdout, /\nnext +npx langevin train denoiser --data mnist /);

      const metrics = json(join(folder, 'out', 'metrics.json'));
      const data = { data: 'strokes', limit: 128 };
      assert.equal(metrics.settings, { epochs: 2, batchSize: 64, lr: 0.001, noise: 0.5, data });
      assert.equal(
        [metrics.seed, metrics.backend, metrics.numerics, metrics.stopped],
        ['a b', 'wasm', 'strict', null],
      );
      assert.match(metrics.kernels, /^[0-9a-f]{64}$/);
      assert.ok(metrics.threads >= 1);
      assert.equal(
        metrics.epochs.map((e: { epoch: number }) => e.epoch),
        [1, 2],
      );
      for (const epoch of metrics.epochs) {
        assert.equal(Object.keys(epoch), ['epoch', 'trainLoss', 'testLoss', 'seconds', 'imagesPerSecond']);
        assert.ok(Object.values(epoch).every((value) => (value as number) > 0));
      }
      assert.ok(metrics.epochs[1].testLoss < metrics.epochs[0].testLoss);

      const pictures = ['denoised.png', 'pure-noise.png', 'pure-noise-5x.png'].map((file) =>
        decodePng(readFileSync(join(folder, 'out', file))),
      );
      assert.ok(pictures[0].height > 3 * 84 && pictures[1].height > 2 * 84 && pictures[2].height > 6 * 84);
      assert.match(readFileSync(join(folder, 'out', 'loss.svg'), 'utf8'), /^<svg .*<\/svg>\n$/s);

      const checkpoint = await loadCheckpoint(join(folder, 'out', 'model.safetensors'));
      assert.equal([checkpoint.seed, checkpoint.version, checkpoint.numerics], ['a b', VERSION, 'strict']);
      assert.equal(checkpoint.settings, metrics.settings);
      assert.is((await loadDenoiser(checkpoint.source)).parameters().length, 8);
    }));

  test('the same seed gives the same result on any number of threads, and another seed another result', () =>
    inFolder(async (folder) => {
      const model = async (...words: string[]) => {
        const { code, stderr } = await langevin([...TINY, '--quiet', ...words], folder);
        assert.is(code, 0, stderr);
        return readFileSync(join(folder, 'out', 'model.safetensors'));
      };
      const one = await model('--seed', '7', '--threads', '1');
      const pictures = readFileSync(join(folder, 'out', 'pure-noise-5x.png'));
      assert.ok(one.equals(await model('--seed=7', '--threads', '2')));
      assert.ok(pictures.equals(readFileSync(join(folder, 'out', 'pure-noise-5x.png'))));
      assert.not.ok(one.equals(await model('--seed', '07')));
    }));

  test('--json prints events, one object a line, and nothing else; --quiet prints nothing', () =>
    inFolder(async (folder) => {
      const { code, stdout, stderr } = await langevin([...TINY, '--json', '--out', 'a'], folder);
      assert.equal([code, stderr], [0, '']);
      const told = events(stdout);
      assert.equal(
        told.map((e) => e.type),
        ['start', 'batch', 'epoch', 'batch', 'epoch', 'end'],
      );
      const [start, batch, epoch] = told;
      assert.equal(
        [start.parameters, start.data.train, start.seed, start.settings.lr],
        [949184, 128, '0', 0.001],
      );
      assert.equal([batch.epoch, batch.batch, batch.batches], [1, 2, 2]);
      assert.ok(Math.abs(batch.loss - epoch.trainLoss) < 1e-9, 'the mean since the last event');
      assert.equal(
        told
          .at(-1)
          .files.map((path: string) => path.replace('\\', '/'))
          .sort(),
        FILES.map((f) => `a/${f}`),
      );
      const quiet = await langevin([...TINY, '--quiet'], folder);
      assert.equal(quiet, { code: 0, signal: null, stdout: '', stderr: '' });
      assert.equal(resultsIn(join(folder, 'out')), FILES);
    }));

  test('--backend reference trains in float64', () =>
    inFolder(async (folder) => {
      const words = [
        ...TRAIN,
        '--limit',
        '10',
        '--batch-size',
        '5',
        '--epochs',
        '1',
        '--backend',
        'reference',
        '--quiet',
      ];
      const { code, stderr } = await langevin(words, folder);
      assert.is(code, 0, stderr);
      const metrics = json(join(folder, 'out', 'metrics.json'));
      assert.equal(
        [metrics.backend, metrics.numerics, metrics.kernels, metrics.threads],
        ['reference', 'float64', null, 1],
      );
    }));

  test('--data takes a folder with IDX files of any size of picture, and few of them', () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, 'tiny'));
      for (const [part, n] of [
        ['train', 20],
        ['t10k', 4],
      ] as const) {
        const pixels = Uint8Array.from({ length: n * 30 }, (_, i) => (i * 37) % 256);
        writeFileSync(join(folder, 'tiny', `${part}-images-idx3-ubyte`), encodeIdx([n, 5, 6], pixels));
        writeFileSync(join(folder, 'tiny', `${part}-labels-idx1-ubyte`), encodeIdx([n], new Uint8Array(n)));
      }
      const { code, stdout, stderr } = await langevin([...TRAIN, '--data', 'tiny', '--epochs', '1'], folder);
      assert.is(code, 0, stderr);
      assert.match(
        stdout,
        /^denoiser 30-400-400-400-30, .*\ndata +tiny: 20 training pictures, 4 test pictures\n/,
      );
      assert.equal(json(join(folder, 'out', 'metrics.json')).data, { name: 'tiny', train: 20, test: 4 });
      assert.equal(resultsIn(join(folder, 'out')), FILES);
    }));

  test('--help and --version go to standard output and end with 0, with and without a command', () =>
    inFolder(async (folder) => {
      for (const words of [['--help'], ['-h'], []]) {
        const { code, stdout, stderr } = await langevin(words, folder);
        assert.equal([code, stderr], [0, '']);
        assert.match(stdout, /train denoiser.*info.*Examples:\n +\$ npx langevin train denoiser/s);
      }
      const help = await langevin([...TRAIN, '--help', '--epochs', 'x'], folder);
      assert.is(help.code, 0);
      for (const option of [
        'data',
        'data-dir',
        'epochs',
        'batch-size',
        'lr',
        'noise',
        'limit',
        'seed',
        'out',
        'backend',
        'json',
        'quiet',
      ]) {
        assert.ok(help.stdout.includes(`--${option}`), option);
      }
      const version = await langevin(['--version'], folder);
      assert.equal([version.code, version.stdout.split(' ')[0]], [0, `langevin/${VERSION}`]);
    }));

  test.when(
    process.platform !== 'win32',
    'the line for some settings, run by a shell, makes the model that the library makes with them',
    () =>
      inFolder(async (folder) => {
        const settings = { epochs: 1, batchSize: 32, lr: 0.002, noise: 0.25, seed: "it's $HOME" };
        const cli = `"${process.execPath}" "${join(process.cwd(), 'dist', 'cli.js')}"`;
        const line = commandLine('train denoiser', { limit: 64, ...settings }, cli);
        execFileSync('sh', ['-c', line], { cwd: folder });
        const model = new Denoiser({ rng: new Rng(settings.seed).stream('initial values') });
        for (const _ of trainDenoiser(model, { ...loadStrokes({ train: 64, test: 64 }), ...settings }));
        const file = await loadDenoiser(join(folder, 'out', 'model.safetensors'));
        const values = (from: Module) => from.parameters().map((p) => p.toTypedArray());
        if (backend().name === 'wasm') assert.equal(values(file), values(model));
      }),
  );

  test('LANGEVIN_MNIST names the folder of MNIST, and --data-dir comes before it', () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, 'a'));
      mkdirSync(join(folder, 'b'));
      const before = process.env.LANGEVIN_MNIST;
      process.env.LANGEVIN_MNIST = 'a';
      try {
        const mnist = [...TRAIN, '--data', 'MNIST'];
        failed(await langevin(mnist, folder), 1, /: a: expected train-images-idx3-ubyte /);
        failed(await langevin([...mnist, '--data-dir', 'b'], folder), 1, /: b: expected train-images/);
      } finally {
        if (before === undefined) delete process.env.LANGEVIN_MNIST;
        else process.env.LANGEVIN_MNIST = before;
      }
    }));

  test('help is a command too', () =>
    inFolder(async (folder) => {
      const said = async (...words: string[]) => {
        const { code, stdout, stderr } = await langevin(words, folder);
        assert.equal([code, stderr], [0, '']);
        return stdout;
      };
      assert.is(await said('help'), await said('--help'));
      assert.is(await said('help', ...TRAIN), await said(...TRAIN, '--help'));
      assert.match(await said('help', 'train'), /train denoiser.*train diffusion/s);
    }));

  test('info describes the machine and the build', () =>
    inFolder(async (folder) => {
      const { code, stdout } = await langevin(['info'], folder);
      assert.is(code, 0);
      for (const name of [
        'engine',
        'SIMD',
        'relaxed SIMD',
        'threads',
        'backend',
        'numerics',
        'kernels',
        'cache folder',
      ]) {
        assert.match(stdout, new RegExp(`^${name} +\\S`, 'm'));
      }
      const info = JSON.parse((await langevin(['info', '--json', '--threads', '1'], folder)).stdout);
      assert.equal(
        [info.langevin, info.simd, info.backend, info.numerics, info.threads],
        [VERSION, true, 'wasm', 'strict', 1],
      );
      assert.match(info.engine, /^Node /);
    }));

  test('inspect prints tensors, hashes and text entries of any safetensors file, and no control character of it', () =>
    inFolder(async (folder) => {
      const header = JSON.stringify({
        __metadata__: { note: 'first line\nsecond\u001b[31m', long: 'x'.repeat(300) },
        'a.weight': { dtype: 'F16', shape: [2, 3], data_offsets: [0, 12] },
        b: { dtype: 'I64', shape: [], data_offsets: [12, 20] },
      });
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      const bytes = Buffer.concat([length, Buffer.from(header), Buffer.alloc(20, 1)]);
      writeFileSync(join(folder, 'any.safetensors'), bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      // The digest as src/checkpoint/digest.ts defines it.
      const digest = createHash('sha256')
        .update('["a.weight","F16",[2,3]]\n')
        .update(Buffer.alloc(12, 1))
        .update('["b","I64",[]]\n')
        .update(Buffer.alloc(8, 1))
        .digest('hex');

      const { code, stdout } = await langevin(['inspect', 'any.safetensors'], folder);
      assert.is(code, 0);
      assert.match(stdout, new RegExp(`^SHA-256  ${sha256}  of the file$`, 'm'));
      assert.match(stdout, new RegExp(`^digest   ${digest}  of the tensors$`, 'm'));
      assert.match(stdout, /^content {2}2 tensors, 7 numbers$/m);
      assert.match(stdout, /^a\.weight {2}F16 {3}\[2, 3\] {2}12$/m);
      assert.match(stdout, /^note {2}first line\?second\?\[31m$/m);
      assert.match(stdout, /^long {2}x{100}… \(300 characters\)$/m);
      const json = JSON.parse((await langevin(['inspect', 'any.safetensors', '--json'], folder)).stdout);
      assert.equal([json.bytes, json.sha256, json.digest, json.elements], [bytes.length, sha256, digest, 7]);
      assert.is(json.metadata.long.length, 300);

      assert.match(
        (await langevin(['inspect', 'strokes-unet'], folder)).stdout,
        /^content .* 279,673 numbers$/m,
      );
      const refused: [string[], RegExp][] = [
        [['inspect'], /expected a file, such as/],
        [['inspect', 'stroke-unet'], /Did you mean "strokes-unet"\?/],
        [['inspect', 'pickle.pt'], /pickle\.pt: expected a safetensors file, got a pickle/],
      ];
      writeFileSync(
        join(folder, 'pickle.pt'),
        Buffer.from('\x80\x02}q\x00X\x06\x00\x00\x00weightq', 'latin1'),
      );
      for (const [words, message] of refused) {
        const { code, stdout, stderr } = await langevin(words, folder);
        assert.match(stderr, message);
        assert.match(stderr, /^langevin: [^\n]+\n$/);
        assert.ok(code);
        assert.is(stdout, '');
      }
    }));

  test('a command line that cannot be understood: exit code 2, one line, the nearest name, nothing written', () =>
    inFolder(async (folder) => {
      const cases: [string[], RegExp][] = [
        [['trian', 'denoiser'], /unknown command "trian denoiser"\. Did you mean "train denoiser"\?/],
        [['train', 'denoizer'], /Did you mean "train denoiser"\?/],
        [
          ['train'],
          /train: expected another word, as in npx langevin train denoiser, npx langevin train lecture/,
        ],
        [['inof'], /unknown command "inof"\. Did you mean "info"\?/],
        [['--vresion'], /unknown option --vresion\. Did you mean --version\?/],
        [[...TRAIN, '--epoch', '3'], /unknown option --epoch\. Did you mean --epochs\?/],
        [[...TRAIN, '--batchsize', '3'], /unknown option --batchsize\. Did you mean --batch-size\?/],
        [[...TRAIN, '-e', '3'], /unknown option -e\. /],
        [[...TRAIN, '--data', 'mnits'], /--data: .* got "mnits"\. Did you mean "mnist"\?/],
        [
          [...TRAIN, '--data', 'nowhere/at-all'],
          /--data: expected strokes, mnist or a folder of PNG or IDX files or an \.npy or \.npz file, got "nowhere\/at-all"/,
        ],
        [[...TRAIN, '--data-dir', '.'], /--data-dir: expected --data mnist with it, got --data strokes/],
        [
          [...TRAIN, '--backend', 'wams'],
          /--backend: expected wasm, reference, got "wams"\. Did you mean "wasm"\?/,
        ],
        [[...TRAIN, '--numerics', 'fast'], /--numerics: expected strict, relaxed, auto, got "fast"/],
        [
          [...TRAIN, '--convolutions', 'fats'],
          /--convolutions: expected standard, fast, got "fats"\. Did you mean "fast"\?/,
        ],
        [[...TRAIN, '--threads', '65'], /--threads: expected a whole number from 1 to 64, got 65/],
        [
          [...TRAIN, '--threads', '2', '--backend', 'reference'],
          /--threads, --numerics and --convolutions: expected --backend wasm, got --backend reference/,
        ],
        [[...TRAIN, '--epochs', '0'], /--epochs: expected a whole number >= 1, got "0"/],
        [[...TRAIN, '--epochs', '1.5'], /--epochs: expected a whole number >= 1, got "1\.5"/],
        [[...TRAIN, '--epochs'], /--epochs: expected a value, got none/],
        [[...TRAIN, '--epochs', '1', '--epochs', '2'], /--epochs: expected one value, got several/],
        [[...TRAIN, '--batch-size', '0x10'], /--batch-size: expected a whole number >= 1, got "0x10"/],
        [[...TRAIN, '--limit', 'all'], /--limit: expected a whole number >= 1, got "all"/],
        [[...TRAIN, '--lr', '-1'], /--lr: expected a number > 0, got "-1"/],
        [[...TRAIN, '--lr', 'NaN'], /--lr: expected a number > 0, got "NaN"/],
        [[...TRAIN, '--noise=-0.5'], /--noise: expected a number >= 0, got "-0\.5"/],
        [[...TRAIN, '--noise', '-0.5'], /--noise: expected a number >= 0, got "-0\.5"/],
        [[...TRAIN, '--seed', '--json'], /--seed: expected a value, got none/],
        [[...TRAIN, '--json=yes'], /--json: expected no value, got "yes"/],
        [[...TRAIN, '--no-json'], /unknown option --no-json\. Did you mean --json\?/],
        [[...TRAIN, '--EPOCHS', '3'], /unknown option --EPOCHS\. Did you mean --epochs\?/],
        [['Train', 'Denoiser'], /unknown command "Train Denoiser"\. Did you mean "train denoiser"\?/],
        [['help', 'inof'], /unknown command "inof"\. Did you mean "info"\?/],
        [['--json'], /unknown option --json\. /],
        [[...TRAIN, '--out='], /--out: expected a value, got an empty one/],
        [[...TRAIN, '--json', '--quiet'], /--json: expected no --quiet with it, got both/],
        [[...TRAIN, 'extra'], /train denoiser: unexpected "extra"/],
        [[...TRAIN, '--', 'extra'], /train denoiser: unexpected "extra"/],
      ];
      const outcomes = await Promise.all(cases.map(([words]) => langevin(words, folder)));
      for (const [i, [, message]] of cases.entries()) failed(outcomes[i], 2, message);
      assert.equal(readdirSync(folder), []);
    }));

  test('a failure at run time: exit code 1, one line, the stack only with --debug, and no partial file', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '');
      mkdirSync(join(folder, 'empty'));
      const mnist = [...TRAIN, '--data', 'mnist', '--data-dir', 'empty', '--out', 'new'];
      failed(
        await langevin(mnist, folder),
        1,
        /empty: expected train-images-idx3-ubyte .*, found no such file/,
      );
      const debug = await langevin([...mnist, '--debug'], folder);
      assert.match(debug.stderr, /^langevin: .*\nFileError: .*\n +at /);
      const diverged = await langevin([...TINY, '--lr', '1e38', '--quiet', '--out', 'new'], folder);
      failed(diverged, 1, /training diverged in epoch 1, batch 2 of 2: expected a finite loss, got NaN/);
      assert.equal(readdirSync(folder).sort(), ['empty', 'file'], 'and no folder "new"');
    }));

  test('an --out that cannot be written is reported before any work', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), '');
      mkdirSync(join(folder, 'old', 'metrics.json'), { recursive: true });
      const out = (...words: string[]) =>
        langevin([...TRAIN, '--data', 'mnist', '--data-dir', '.', '--out', ...words], folder);
      failed(await out('file'), 1, /cannot write to the folder file: a file of that name exists already/);
      failed(await out('file/out'), 1, /cannot write to the folder file\/out: a part of the path is a file/);
      failed(await out('old'), 1, /cannot write .*metrics\.json: it is a folder/);
      if (process.platform === 'linux')
        failed(await out('/proc/out'), 1, /cannot write to the folder \/proc\/out: /);
      assert.equal(readdirSync(folder).sort(), ['file', 'old']);
    }));

  const endless = [...TRAIN, '--limit', '640', '--epochs', '100000'];

  test('Ctrl-C stops after the current batch, saves the model, and ends with 130', () =>
    inFolder(async (folder) => {
      let sent = false;
      const { code, stdout, stderr } = await langevin([...endless, '--json'], folder, (child, soFar) => {
        if (!sent && soFar.includes('"type":"epoch"')) sent = child.kill('SIGINT');
      });
      assert.equal([code, stderr], [130, '']);
      const told = events(stdout);
      assert.equal([told.at(-1).type, told.at(-1).stopped], ['end', 'SIGINT']);
      const metrics = json(join(folder, 'out', 'metrics.json'));
      assert.is(metrics.stopped.signal, 'SIGINT');
      assert.is(metrics.epochs.length, told.filter((e) => e.type === 'epoch').length);
      assert.equal(resultsIn(join(folder, 'out')), FILES);
      await loadDenoiser(join(folder, 'out', 'model.safetensors'));
    }));

  test('SIGTERM does the same, says so, and ends with 143', () =>
    inFolder(async (folder) => {
      let sent = false;
      const { code, stdout } = await langevin(endless, folder, (child, soFar) => {
        if (!sent && soFar.includes('epoch')) sent = child.kill('SIGTERM');
      });
      assert.is(code, 143);
      assert.match(
        stdout,
        /\nstopping after this batch; the trained model is kept; a second signal ends the process at once\n/,
      );
      assert.match(
        stdout,
        /\nstopped \(SIGTERM\) in epoch \d+ of 100000, after batch \d+, test loss 0\.\d+\n/,
      );
    }));

  test('a second signal ends the process at once, and leaves no partial file', () =>
    inFolder(async (folder) => {
      let sent = false;
      const { code } = await langevin(endless, folder, (child, soFar) => {
        if (!sent && soFar.includes('epoch')) sent = child.kill('SIGINT') && child.kill('SIGTERM');
      });
      assert.ok(code === 130 || code === 143, `ended with ${code}`);
      assert.equal(readdirSync(join(folder, 'out')), []);
    }));

  test('if the reader of the output closes, the run stops and saves the model', () =>
    inFolder(async (folder) => {
      const { code, stderr } = await langevin([...endless, '--json'], folder, (child) =>
        child.stdout!.destroy(),
      );
      assert.equal([code, stderr], [141, '']);
      assert.equal(resultsIn(join(folder, 'out')), FILES);
    }));

  // util-linux's script(1) gives the command a terminal of the current size.
  test.when(
    existsSync('/usr/bin/script'),
    'on a terminal every epoch has a bar that ends with its losses',
    () =>
      inFolder(async (folder) => {
        const command = `"${process.execPath}" "${join(process.cwd(), 'dist', 'cli.js')}" ${TINY.join(' ')}`;
        const shown = execFileSync('/usr/bin/script', ['-qec', command, '/dev/null'], {
          cwd: folder,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        for (const epoch of [1, 2])
          assert.match(shown, new RegExp(`epoch ${epoch}/2 +█+ +train 0\\.\\d{4} +test 0\\.\\d{4}`));
      }),
  );
});
