/** `langevin page`: serves the lessons on this machine and opens them in the browser. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { idxFileNames, MNIST_FILES } from '../../data/mnist.ts';
import { FileError } from '../../errors.ts';
import { flag, inRange, text } from '../../models/setting.ts';
import { type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { publishedFile, publishedNames } from '../options/model.ts';
import { serveFolder } from '../page/server.ts';

const PORT = inRange(
  { expected: 'a whole number from 0 to 65535', holds: (n) => Number.isInteger(n) && n >= 0 && n <= 65535 },
  'n',
);

const TABLE = {
  port: PORT('port', 8734, 'The port on 127.0.0.1. 0 takes any free port.'),
  dataDir: text('data-dir', null, 'The folder with the four files of MNIST. The lessons then offer them.', {
    placeholder: 'folder',
  }),
  noOpen: flag('no-open', 'Do not open the browser.'),
} as const;

export const PAGE: Command = {
  name: 'page',
  summary: 'Open the lessons in your browser, served by this machine',
  groups: { Page: TABLE },
  examples: ['page', 'page --data-dir mnist', 'page --port 0 --no-open'],
  run: pageCommand,
};

/** The folder of the built page. It lies beside the command's file, or beside the folder of its chunks. */
function folderOfPage(): string {
  const places = ['page/', '../page/'].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = places.find((place) => existsSync(`${place}index.html`));
  if (!found) throw new FileError(`cannot find the page at ${places[0]}: npm run build:page builds it`);
  return found;
}

/**
 * The files of MNIST in a folder, by the paths at which the lessons look for them.
 * @throws FileError for a folder without one of them
 */
export function mnistPaths(folder: string): Map<string, string> {
  return new Map(
    Object.keys(MNIST_FILES).map((file) => {
      const found = idxFileNames(file).find((name) => existsSync(join(folder, name)));
      if (found !== undefined) return [`/mnist/${file}`, resolve(folder, found)] as const;
      throw new FileError(`--data-dir: expected ${file} in ${folder} (gzipped or not), found no such file`);
    }),
  );
}

/** The files of the published models, by the paths at which the lessons look for them. The package has them once. */
const modelPaths = (): Map<string, string> =>
  new Map(
    publishedNames().map(
      (name) => [`/models/${basename(publishedFile(name))}`, publishedFile(name)] as const,
    ),
  );

/** Opens an address with the system's program for it. Without such a program it does nothing. */
function openBrowser(address: string): void {
  const [program, ...words] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[
    process.platform as string
  ] ?? ['xdg-open'];
  spawn(program, [...words, address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

/** Serves until a signal arrives, and returns the exit code. */
export async function pageCommand(options: Options): Promise<number> {
  const { port: wanted, dataDir, noOpen } = readSettings(TABLE, options);
  const more = new Map([...modelPaths(), ...(dataDir === undefined ? [] : mnistPaths(dataDir))]);
  const { server, port } = await serveFolder(folderOfPage(), wanted, more);
  // Before the address is printed: who reads it may send the signal at once.
  const stopped = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve());
  });
  const address = `http://127.0.0.1:${port}/`;
  process.stdout.write(`The lessons are at ${address}\nCtrl+C stops the server.\n`);
  if (!noOpen) openBrowser(address);
  await stopped;
  server.closeAllConnections();
  server.close();
  return 0;
}
