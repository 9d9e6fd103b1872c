/**
 * The notices of the packages whose code is in a bundle. Their licences demand that a copy has them. The packages are
 * those of the bundle's inputs, so no list is kept by hand. A package that is imported at run time brings its own files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of a package that a file belongs to, such as node_modules/@scope/name; undefined for our own files. */
const packageOf = (file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];

/** The text of a licence: its file, else the part of the README that begins with the licence's heading. */
function licenceOf(folder) {
  const files = readdirSync(folder);
  const file = files.find((name) => /^(licen[cs]e|copying)/i.test(name));
  if (file) return readFileSync(join(folder, file), 'utf8').trim();
  const readme = files.find((name) => /^readme/i.test(name));
  const part = readme && /^#* ?licen[cs]e\b.*/ims.exec(readFileSync(join(folder, readme), 'utf8'))?.[0];
  if (!part) throw new Error(`${folder}: expected a licence in a file or in the README, found none`);
  return part.trim();
}

/**
 * The notices for the bundles with these metafiles of esbuild, sorted by the packages' names.
 * @param {readonly { inputs: object }[]} metafiles
 */
export function noticesOf(metafiles) {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = [...new Set(inputs.map(packageOf).filter((folder) => folder !== undefined))].sort();
  const notices = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version} (${license})\n\n${licenceOf(folder)}\n`;
  });
  return `langevin contains code of these packages.\n\n${notices.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
