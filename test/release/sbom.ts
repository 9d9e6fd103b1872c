/**
 * The bill of materials of the package, in CycloneDX's format: every package that npm installs with it, and every package
 * whose code is in its bundles. `npm sbom` writes the components. It knows nothing of bundles, so the second kind comes
 * from the notices, which the build makes from the inputs of the bundles.
 */
import { execFileSync } from 'node:child_process';
import { ROOT } from '../dist.ts';
import { pkg, read } from '../helpers-package.ts';

/** The parts of CycloneDX's format that we use. */
export interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly version: string;
    readonly scope: string;
    readonly licenses?: readonly unknown[];
    readonly hashes?: readonly unknown[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** `name@version` of each package whose code is in a bundle. */
export function bundledPackages(): Set<string> {
  const notices = ['THIRD_PARTY_NOTICES.txt', 'page/third-party-notices.txt'].map((file) =>
    read('dist', file),
  );
  const headings = notices.flatMap((text) => [...text.matchAll(/^(\S+) (\d+\.\d+\.\d+\S*) \(.+\)$/gm)]);
  return new Set(headings.map(([, name, version]) => `${name}@${version}`));
}

function npmSbom(...more: string[]): Sbom {
  const words = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library', ...more];
  return JSON.parse(execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1e8 }));
}

/** The bill of the built package. Components of bundles alone have the scope `excluded`: npm does not install them. */
export function createSbom(): Sbom {
  const installed = new Set(npmSbom('--omit', 'dev').components.map((component) => component['bom-ref']));
  const bundled = bundledPackages();
  const { components, dependencies, metadata, ...rest } = npmSbom();
  const kept = new Set([...installed, ...bundled, `${pkg.name}@${pkg.version}`]);
  return {
    ...rest,
    // npm writes the name of the folder.
    metadata: { ...metadata, component: { ...metadata.component, name: pkg.name } },
    components: components
      .filter((component) => kept.has(component['bom-ref']))
      .map((component) => ({
        ...component,
        scope: installed.has(component['bom-ref']) ? 'required' : 'excluded',
      })),
    dependencies: dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) })),
  };
}
