/**
 * The library for bundlers of pages: dist/modules/ has one file for each module of src/. A bundler leaves out every file
 * that a program does not need, because package.json says that no file has side effects. In one large file it would
 * leave out nothing: the names of classes are kept by statements, which a bundler cannot drop.
 *
 * Packages that we use are bundled to files in dist/modules/packages/. So a page needs no other package.
 */
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist/modules';
/** The folder below OUT for the code of other packages. */
const PACKAGES = 'packages';
/** Marks a question that the plug-in itself asks. */
const ASKED = Symbol('asked');

const slashes = (path) => path.replaceAll('\\', '/');

/** The path below OUT of one of our files, without its extension; undefined for files of packages and for bytes. */
function placeOf(path) {
  const below = slashes(relative('src', path));
  return below.startsWith('..') || !below.endsWith('.ts') ? undefined : below.slice(0, -'.ts'.length);
}

/** The path below OUT of what a package exports under this name. */
const packagePlace = (name) => join(PACKAGES, name.replace(/\.js$/, '').replace(/[^\w-]+/g, '-'));

/** An esbuild plug-in: imports of our files and of `packages` stay imports, of the files in OUT. */
const separate = (packages) => ({
  name: 'separate',
  setup(bundler) {
    bundler.onResolve({ filter: /./ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || pluginData === ASKED) return undefined;
      const found = await bundler.resolve(path, { importer, kind, resolveDir, pluginData: ASKED });
      const place = packages.includes(path) ? packagePlace(path) : found.path && placeOf(found.path);
      if (!place) return undefined;
      const from = placeOf(importer) ?? join(PACKAGES, 'file');
      const target = slashes(relative(dirname(from), place));
      return { path: `${target.startsWith('.') ? '' : './'}${target}.js`, external: true };
    });
  },
});

/**
 * Writes dist/modules/.
 * @param {import('esbuild').BuildOptions} options those of the library for a page
 * @param {readonly string[]} entryPoints the files that programs import
 */
export async function buildModules(options, entryPoints) {
  const { metafile } = await build({
    ...options,
    entryPoints,
    outdir: OUT,
    write: false,
    metafile: true,
  });
  const files = Object.keys(metafile.inputs).filter((file) => placeOf(file) !== undefined);
  const imports = files.flatMap((file) =>
    metafile.inputs[file].imports.map(({ original = '.' }) => original),
  );
  const packages = [...new Set(imports)].filter((name) => /^[\w@]/.test(name));
  await build({
    ...options,
    entryPoints: [
      ...files.map((file) => ({ in: file, out: placeOf(file) })),
      ...packages.map((name) => ({ in: name, out: packagePlace(name) })),
    ],
    outdir: OUT,
    plugins: [separate(packages)],
  });
}
