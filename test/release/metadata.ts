/** What the files about the package say of one another: versions, names, and what provenance needs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/version.ts';
import { ROOT } from '../dist.ts';
import { pkg, read } from '../helpers-package.ts';

/** The value of a line `key: value` of CITATION.cff at the outermost level. */
export const cited = (key: string): string | undefined =>
  new RegExp(`^${key}: "?([^"\n]*)"?$`, 'm').exec(read('CITATION.cff'))?.[1];

/** The date of this version in the changelog. */
const dateInChangelog = (): string | undefined =>
  new RegExp(`^## \\[${pkg.version.replaceAll('.', '\\.')}\\] - (\\d{4}-\\d\\d-\\d\\d)$`, 'm').exec(
    read('CHANGELOG.md'),
  )?.[1];

/** The holder of the copyright in LICENSE. */
const holder = (): string | undefined => /^Copyright \(c\) \d{4} (.+)$/m.exec(read('LICENSE'))?.[1];

/** Every disagreement, as a line. */
export function disagreements(): string[] {
  const found: string[] = [];
  const same = (what: string, expected: unknown, got: unknown) => {
    if (expected === undefined || expected !== got) found.push(`${what}: expected ${expected}, got ${got}`);
  };
  same('src/version.ts', pkg.version, VERSION);
  same('package-lock.json', pkg.version, JSON.parse(read('package-lock.json')).version);
  same('version in CITATION.cff', pkg.version, cited('version'));
  same('title in CITATION.cff', pkg.name, cited('title'));
  same('license in CITATION.cff', pkg.license, cited('license'));
  same('date-released in CITATION.cff', dateInChangelog(), cited('date-released'));
  same('author in CITATION.cff', holder(), / {2}- name: (.+)/.exec(read('CITATION.cff'))?.[1]);
  same('repository-code in CITATION.cff', repository() ?? 'nothing', cited('repository-code') ?? 'nothing');
  if (!existsSync(join(ROOT, 'test', 'files', `v${pkg.version}`))) {
    found.push(`test/files/v${pkg.version}: expected files of this version, got none`);
  }
  return found;
}

/** The address of the repository in package.json, as a page. Undefined until someone publishes the project. */
export function repository(): string | undefined {
  const { repository: given } = pkg as { repository?: string | { url: string } };
  const url = typeof given === 'string' ? given : given?.url;
  return url?.replace(/^git\+/, '').replace(/\.git$/, '');
}
