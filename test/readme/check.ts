/**
 * `npm run readme:check [-- BEGINNING]`: the shell lines of README.md as they stand, with their full budgets, in one
 * folder. It runs the lines that begin with `npx langevin BEGINNING`, and prints the time of each. All of them take more
 * than an hour on two cores. Lines that need MNIST are skipped without LANGEVIN_MNIST.
 *
 * Left out: lines of npm, which install and test a clone, and `page`, which ends only when it is interrupted.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder, langevin } from '../dist.ts';
import { blocksOf, commandsOf, LINES, ownPictures, shellWords, writePhotos } from '../helpers-readme.ts';

const beginning = `npx langevin ${process.argv.slice(2).join(' ')}`;
const total = { passed: 0, failed: 0, skipped: 0 };

await inFolder(async (folder) => {
  for (const [name, png] of ownPictures()) writeFileSync(join(folder, name), png);
  writePhotos(folder);
  const lines = blocksOf('README.md')
    .filter(({ language }) => language === 'sh')
    .flatMap(commandsOf);
  for (const line of lines.filter((line) => line.startsWith(beginning))) {
    const way = LINES[line];
    if (way?.until !== undefined || (way?.mnist && !process.env.LANGEVIN_MNIST)) {
      total.skipped++;
      console.log(`skipped            ${line}`);
      continue;
    }
    const started = performance.now();
    const { code, stdout, stderr } = await langevin(shellWords(line).slice(2), folder);
    const missing = (way?.makes ?? []).filter((file) => !existsSync(join(folder, file)));
    const good = code === 0 && missing.length === 0;
    total[good ? 'passed' : 'failed']++;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${good ? 'ok    ' : 'failed'} ${seconds.padStart(8)} s  ${line}`);
    if (!good) console.log(`${stdout.slice(-500)}${stderr}${missing.map((file) => `no ${file}\n`).join('')}`);
  }
});
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
