/** The two hosts: atomic writes, clear errors, and the description of the machine. */
import { spawnSync } from 'node:child_process';
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import * as assert from 'uvu/assert';
import { host } from '#host';
import { FileError, LangevinError } from '../src/errors.ts';
import { host as page } from '../src/platform/browser.ts';
import { cacheFolder, cgroupCpus, fileError } from '../src/platform/node.ts';
import { suite } from './suite.ts';

async function rejected(action: () => Promise<unknown>, message: RegExp): Promise<void> {
  const error = await action().then(
    () => undefined,
    (reason: Error) => reason,
  );
  assert.instance(error, FileError);
  assert.match(error!.message, message);
  assert.not.match(error!.message, /\n/);
}

async function inFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-platform-'));
  try {
    await body(folder);
  } finally {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Replaces globals of a page while `body` runs. */
async function withGlobals(globals: Record<string, unknown>, body: () => Promise<void>): Promise<void> {
  const before = Object.keys(globals).map(
    (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
  );
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    await body();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete (globalThis as Record<string, unknown>)[name];
    }
  }
}

const onLinux = process.platform === 'linux';
const asRoot = process.getuid?.() === 0;

suite('platform', (test) => {
  test('a file is written completely, its folders are created, an old file is replaced, and no other file remains', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'a', 'b', 'model.bin');
      await host.writeFileAtomic(path, 'old, and longer');
      assert.is(readFileSync(path, 'utf8'), 'old, and longer');
      await host.writeFileAtomic(path, Uint8Array.of(0, 255, 7).subarray(1));
      assert.equal([...readFileSync(path)], [255, 7]);
      host.writeFileAtomicSync(path, 'é');
      assert.equal([...readFileSync(path)], [0xc3, 0xa9]);
      assert.equal(readdirSync(join(folder, 'a', 'b')), ['model.bin']);
      assert.ok(await host.exists(path));
      assert.not(await host.exists(folder));
      assert.not(await host.exists(join(folder, 'absent')));
      assert.equal(await host.readFile(path), Uint8Array.of(0xc3, 0xa9));
    }));

  test('a folder is listed with the kinds and sizes of what is in it', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'file'), 'abc');
      mkdirSync(join(folder, 'inner'));
      symlinkSync('file', join(folder, 'link'));
      symlinkSync('absent', join(folder, 'lost'));
      const found = (await host.list(folder)).sort((a, b) => (a.name < b.name ? -1 : 1));
      assert.equal(
        found.map(({ name, kind, bytes }) => [name, kind, kind === 'folder' ? 0 : bytes]),
        [
          ['file', 'file', 3],
          ['inner', 'folder', 0],
          ['link', 'file', 3],
          ['lost', 'other', 0],
        ],
      );
      await rejected(
        () => host.list(join(folder, 'absent')),
        /^cannot read the folder .*absent: no such file/,
      );
      await rejected(() => page.list(folder), /^cannot read the folder .*: a page cannot list folders$/);
    }));

  test('a file is flushed before it is renamed, and its folder after that', () =>
    inFolder(async (folder) => {
      const calls: string[] = [];
      const opened = new Map<number, string>();
      const { openSync, fsyncSync, renameSync } = fs;
      fs.openSync = ((...given: Parameters<typeof openSync>) => {
        const file = openSync(...given);
        opened.set(file, given[0] === folder ? 'folder' : 'file');
        return file;
      }) as typeof openSync;
      fs.fsyncSync = (file) => {
        calls.push(`flush ${opened.get(file)}`);
        fsyncSync(file);
      };
      fs.renameSync = (from, to) => {
        calls.push('rename');
        renameSync(from, to);
      };
      syncBuiltinESMExports();
      try {
        await host.writeFileAtomic(join(folder, 'model.bin'), 'new');
      } finally {
        Object.assign(fs, { openSync, fsyncSync, renameSync });
        syncBuiltinESMExports();
      }
      assert.equal(calls, ['flush file', 'rename', 'flush folder']);
    }));

  test('a failed write keeps the old file and leaves no other', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'model.bin');
      writeFileSync(path, 'old');
      await rejected(
        () => host.writeFileAtomic(path, 7 as unknown as string),
        /^cannot write .*model\.bin: /,
      );
      assert.is(readFileSync(path, 'utf8'), 'old');
      assert.equal(readdirSync(folder), ['model.bin']);
    }));

  test.when(onLinux, 'a write that runs out of room half-way leaves the old file and no other', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'model.bin');
      const code = join(folder, 'host.mjs');
      writeFileSync(path, 'old');
      await build({
        entryPoints: ['src/platform/node.ts'],
        outfile: code,
        bundle: true,
        platform: 'node',
        format: 'esm',
      });
      const script = `import { host } from ${JSON.stringify(pathToFileURL(code).href)};
        try { host.writeFileAtomicSync(${JSON.stringify(path)}, new Uint8Array(1e6)); }
        catch (error) { console.log(error.message); }`;
      const limited = 'ulimit -f 8; exec "$0" --input-type=module -e "$1"';
      const { stdout } = spawnSync('sh', ['-c', limited, process.execPath, script], { encoding: 'utf8' });
      assert.match(
        stdout,
        /^cannot write .*model\.bin: the file would be larger than is allowed here \(EFBIG\)\n$/,
      );
      assert.is(readFileSync(path, 'utf8'), 'old');
      assert.equal(readdirSync(folder).sort(), ['host.mjs', 'model.bin']);
    }),
  );

  test.when(onLinux, 'a full disk is named, and a device is never replaced by a file', () =>
    inFolder(async (folder) => {
      // Root makes its own device file if it can: a bug here must not destroy the machine's.
      const own = join(folder, 'full');
      const made = asRoot && spawnSync('mknod', [own, 'c', '1', '7']).status === 0;
      const device = made ? own : '/dev/full';
      await rejected(
        () => host.writeFileAtomic(device, 'x'),
        /^cannot write .*full: the disk is full \(ENOSPC\)$/,
      );
      assert.ok(statSync(device).isCharacterDevice());
    }),
  );

  test('a path below a file, a folder in place of a file, and an absent file are errors that name the path', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'file');
      writeFileSync(file, 'kept');
      const below = /a part of the path is a file, not a folder|a file of that name exists already/;
      await rejected(() => host.writeFileAtomic(join(file, 'x'), ''), below);
      await rejected(() => host.writeFileAtomic(join(file, 'x', 'y'), ''), below);
      await rejected(() => host.makeDir(join(file, 'x')), /^cannot make the folder .*x: a part of the path/);
      await rejected(() => host.makeDir(file), below);
      assert.is(readFileSync(file, 'utf8'), 'kept');
      await rejected(() => host.writeFileAtomic(folder, ''), /it is a folder, not a file \(EISDIR\)$/);
      await rejected(() => host.readFile(folder), /^cannot read .*: it is a folder, not a file \(EISDIR\)$/);
      await rejected(
        () => host.readFile(join(folder, 'absent')),
        /absent: no such file or folder \(ENOENT\)$/,
      );
      assert.equal(readdirSync(folder), ['file']);
      await host.makeDir(join(folder, 'a', 'b'));
      await host.makeDir(join(folder, 'a', 'b'));
      assert.ok(statSync(join(folder, 'a', 'b')).isDirectory());
    }));

  test.when(!asRoot && onLinux, 'a folder without permission is named', () =>
    inFolder(async (folder) => {
      chmodSync(folder, 0o500);
      await rejected(() => host.writeFileAtomic(join(folder, 'x'), ''), /permission denied \(EACCES\)$/);
    }),
  );

  test.when(onLinux, 'a symbolic link keeps pointing to the file that is written, which keeps its mode', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'link');
      mkdirSync(join(folder, 'disk'));
      writeFileSync(join(folder, 'disk', 'target'), 'old');
      chmodSync(join(folder, 'disk', 'target'), 0o600);
      symlinkSync(join('disk', 'target'), path);
      await host.writeFileAtomic(path, 'new');
      assert.is(readFileSync(join(folder, 'disk', 'target'), 'utf8'), 'new');
      assert.is(statSync(path).mode & 0o777, 0o600);
      assert.equal(readdirSync(join(folder, 'disk')), ['target']);
    }),
  );

  test('system errors become one line; errors of langevin pass through', () => {
    const system = (code: string) => Object.assign(new Error(`${code}: syscall`), { code });
    const message = (code: string) => fileError(system(code), 'write out/a.png').message;
    assert.is(message('ENOSPC'), 'cannot write out/a.png: the disk is full (ENOSPC)');
    assert.is(message('EACCES'), 'cannot write out/a.png: permission denied (EACCES)');
    assert.is(message('EROFS'), 'cannot write out/a.png: the file system is read-only (EROFS)');
    assert.is(message('EXOTIC'), 'cannot write out/a.png: EXOTIC: syscall');
    const cause = system('EIO');
    assert.is(fileError(cause, 'read a').cause, cause);
    const own = new FileError('as it is');
    assert.is(fileError(own, 'read a'), own);
  });

  test('the CPU quota is the tightest of the cgroups above a process, of either version', () => {
    const cpus = (files: Record<string, string>) => cgroupCpus((path) => files[path]);
    assert.is(cpus({}), Infinity);
    const v2 = { '/proc/self/cgroup': '0::/user/app\n' };
    assert.is(cpus(v2), Infinity);
    assert.is(cpus({ ...v2, '/sys/fs/cgroup/user/app/cpu.max': 'max 100000\n' }), Infinity);
    assert.is(cpus({ ...v2, '/sys/fs/cgroup/user/app/cpu.max': '150000 100000\n' }), 1.5);
    const nested = {
      '/sys/fs/cgroup/user/app/cpu.max': '400000 100000',
      '/sys/fs/cgroup/user/cpu.max': '200000 100000',
    };
    assert.is(cpus({ ...v2, ...nested }), 2);
    assert.is(cpus({ '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '300000 100000' }), 3);
    const v1 = { '/proc/self/cgroup': '9:cpuset:/\n3:cpu,cpuacct:/docker/ab:c\n0::/\n' };
    const quota = (folder: string, text: string) => ({
      [`/sys/fs/cgroup/cpu${folder}/cpu.cfs_quota_us`]: text,
      [`/sys/fs/cgroup/cpu${folder}/cpu.cfs_period_us`]: '50000\n',
    });
    assert.is(cpus({ ...v1, ...quota('/docker/ab:c', '-1\n') }), Infinity);
    assert.is(cpus({ ...v1, ...quota('/docker/ab:c', '200000\n') }), 4);
    assert.is(cpus({ ...v1, ...quota('', '25000\n') }), 0.5);
  });

  test('the cache folder is the usual one of each system', () => {
    const under = (...parts: string[]) => join(...parts);
    assert.is(cacheFolder('linux', {}, '/home/ann'), under('/home/ann', '.cache', 'langevin'));
    assert.is(cacheFolder('linux', { XDG_CACHE_HOME: '/big' }, '/home/ann'), under('/big', 'langevin'));
    assert.is(
      cacheFolder('linux', { XDG_CACHE_HOME: 'not/absolute' }, '/h'),
      under('/h', '.cache', 'langevin'),
    );
    assert.is(cacheFolder('darwin', {}, '/Users/ann'), under('/Users/ann', 'Library', 'Caches', 'langevin'));
    assert.is(cacheFolder('win32', { LOCALAPPDATA: '/L' }, '/U'), under('/L', 'langevin', 'Cache'));
    assert.is(cacheFolder('win32', {}, '/U'), under('/U', 'AppData', 'Local', 'langevin', 'Cache'));
    assert.match(host.cacheDir() ?? '', /langevin/);
  });

  test('the host of Node describes the machine', () => {
    assert.is(host.name, 'node');
    assert.is(host.engine.split(',')[0], `Node ${process.versions.node}`);
    assert.match(host.engine, /, V8 \d+\.\d+$/);
    assert.ok(Number.isInteger(host.availableThreads()));
    assert.ok(host.availableThreads() >= 1 && host.availableThreads() <= availableParallelism());
    assert.is(host.environment('PATH'), process.env.PATH);
    assert.is(host.environment('LANGEVIN_NO_SUCH_VARIABLE'), undefined);
  });

  test('a worker that ends by itself or throws is reported with the cause; one that is stopped is not', async () => {
    const causeOf = (source: string, stopAfter = 30_000) =>
      new Promise<string>((resolve) => {
        const { stop } = host.startWorker({ source, url: undefined }, 'message', (cause) => {
          for (const timer of timers) clearTimeout(timer);
          resolve(cause);
        });
        const timers = [setTimeout(stop, stopAfter), setTimeout(() => resolve('nothing'), stopAfter + 300)];
      });
    assert.is(
      await causeOf('globalThis.onmessage = ({ data }) => process.exit(data.length)'),
      'the thread ended with exit code 7',
    );
    assert.is(
      await causeOf("globalThis.onmessage = () => { throw new RangeError('far') }"),
      'RangeError: far',
    );
    assert.is(await causeOf('globalThis.onmessage = () => setInterval(() => {}, 1000)', 50), 'nothing');
  });

  test('the host of a page does not use Node', async () => {
    const { outputFiles, metafile } = await build({
      stdin: { contents: "export { host } from '#host'", resolveDir: 'src' },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
      metafile: true,
    });
    const inputs = Object.keys(metafile.inputs);
    assert.ok(inputs.includes('src/platform/browser.ts'));
    assert.not(inputs.includes('src/platform/node.ts'));
    assert.not.match(outputFiles[0].text, /node:|process\./);
  });

  test('the host of a page describes the browser, and has no environment and no cache folder', async () => {
    await withGlobals({ navigator: { userAgent: 'Firefox', hardwareConcurrency: 6 } }, async () => {
      assert.equal([page.name, page.engine, page.availableThreads()], ['browser', 'Firefox', 6]);
    });
    await withGlobals({ navigator: { userAgent: 'Old' } }, async () => assert.is(page.availableThreads(), 1));
    assert.is(page.environment('PATH'), undefined);
    assert.is(page.cacheDir(), undefined);
    await page.makeDir('build/of-a-page');
    assert.not(existsSync('build/of-a-page'));
  });

  test('a page reads files from its server, and an error names a file that it cannot read', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': 10 });
        return response.write('12345', () => response.destroy());
      }
      response
        .writeHead(request.url === '/data' ? 200 : 404)
        .end(request.method === 'HEAD' ? undefined : 'abc');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      assert.ok(await page.exists(`${url}/data`));
      assert.not(await page.exists(`${url}/absent`));
      assert.equal(await page.readFile(`${url}/data`), Uint8Array.of(97, 98, 99));
      await rejected(() => page.readFile(`${url}/absent`), /^cannot read http.*absent: HTTP 404 Not Found$/);
      await rejected(() => page.readFile(`${url}/cut`), /^cannot read http.*cut: \S/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    await rejected(() => page.readFile(`${url}/data`), /^cannot read http.*data: \S/);
  });

  test('a page offers what it writes as a download, and a worker refuses', async () => {
    await rejected(
      () => page.writeFileAtomic('out/a.png', 'x'),
      /^cannot write out\/a\.png: a worker has no downloads/,
    );
    const link = { href: '', download: '', clicks: 0, click: () => link.clicks++ };
    const offered: Blob[] = [];
    const URL = { createObjectURL: (blob: Blob) => `blob:${offered.push(blob)}`, revokeObjectURL: () => {} };
    const globals = { document: { createElement: () => link }, URL, setTimeout: () => 0 };
    await withGlobals(globals, () => page.writeFileAtomic('out/a.png', Uint8Array.of(1, 2, 3).subarray(1)));
    assert.equal([link.download, link.href, link.clicks], ['a.png', 'blob:1', 1]);
    assert.equal(new Uint8Array(await offered[0].arrayBuffer()), Uint8Array.of(2, 3));
  });

  test('a page that refuses worker threads says which policy it needs, at once or when the worker fails', async () => {
    const words = /expected a page that allows worker threads, .* needs worker-src blob: .* setThreads\(1\)/;
    const file = /expected langevin's worker.js at \/worker.js, got no worker; .* needs worker-src 'self'/;
    const program = { source: '', url: undefined };
    class Forbidden {
      constructor() {
        throw new TypeError('This document requires TrustedScriptURL assignment.');
      }
    }
    await withGlobals({ Worker: Forbidden }, async () => {
      assert.throws(
        () => page.startWorker(program, {}, () => {}),
        (error: Error) =>
          error instanceof LangevinError && words.test(error.message) && /Trusted/.test(error.message),
      );
    });
    const made: { onerror?: (event: object) => void }[] = [];
    class Silent {
      onerror?: (event: object) => void;
      constructor() {
        made.push(this);
      }
      postMessage() {}
      terminate() {}
    }
    await withGlobals({ Worker: Silent }, async () => {
      const causes: string[] = [];
      page.startWorker(program, {}, (cause) => causes.push(cause));
      page.startWorker({ source: '', url: '/worker.js' }, {}, (cause) => causes.push(cause));
      made[0].onerror!({});
      made[0].onerror!({ message: 'x is undefined' });
      made[1].onerror!({});
      assert.match(causes[0], words);
      assert.is(causes[1], 'x is undefined');
      assert.match(causes[2], file);
    });
  });
});
