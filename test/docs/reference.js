/** The API reference by typedoc: reads the public names, sorts them into chapters, checks them, and writes HTML. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Comment, CommentTag, Converter } from 'typedoc';
import { undocumented } from './undocumented.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The chapters of the reference, in their order, and the folders of `src` that each one has. The longest folder wins. */
const CHAPTERS = [
  ['Tensors', ['tensor']],
  ['Gradients and memory', ['autograd', 'backend']],
  ['Random numbers', ['random']],
  ['Layers and losses', ['nn']],
  ['Optimisers', ['optim']],
  ['Data', ['data']],
  ['Networks', ['models/networks']],
  ['Diffusion', ['diffusion', 'models', 'models/toy']],
  ['Training', ['models/training']],
  ['Evaluation', ['models/evaluation']],
  ["The lecture's model", ['models/lecture']],
  ['Stochastic differential equations', ['sde']],
  ['Model files', ['checkpoint']],
  ['Pictures', ['image']],
  ['Errors and version', ['.']],
];

/**
 * What a public type may refer to although `src/index.ts` does not export it. Everything else of ours must be exported, or
 * the member that refers to it must be marked @internal. (That tag on the type itself would leave a hole in the published
 * types, because TypeScript then leaves the type out.)
 */
const NOT_EXPORTED = [
  // Lists of names. The type of their names is exported.
  'backend/backend.ts:BACKENDS',
  'checkpoint/model-dtype.ts:MODEL_DTYPES',
  'data/npy.ts:TYPES',
  'diffusion/discrete-schedule.ts:SCALINGS',
  'diffusion/objective.ts:TIME_SAMPLINGS',
  'models/prepare.ts:PREPARATIONS',
  'nn/functional.ts:NORM_ACTIVATIONS',
  'sde/sde.ts:NOISE_TYPES',
  'tensor/reduction.ts:REDUCTIONS',
  // The memory of a tensor. Its constructor takes it, and programs make tensors by functions.
  'autograd/variable.ts:Storage',
];

/** The chapter of a name that is declared in a file, such as `src/nn/linear.ts`. */
function chapterOf(file) {
  const inside = `${file.replace(/^.*?src\//, '').replace(/[^/]*$/, '')}`.replace(/\/$/, '') || '.';
  const fits = CHAPTERS.flatMap(([title, folders]) =>
    folders
      .filter((folder) => inside === folder || inside.startsWith(`${folder}/`))
      .map((folder) => ({ title, folder })),
  );
  fits.sort((a, b) => b.folder.length - a.folder.length);
  if (fits.length === 0) throw new Error(`${file}: expected a folder of CHAPTERS in test/docs/reference.js`);
  return fits[0].title;
}

/** Gives each name of `src/index.ts` the tag `@category`. */
function sortIntoChapters(context) {
  for (const name of context.project.children ?? []) {
    // `sde` and `diffusion` are declared in index.ts itself, as all of a folder.
    const file = name.sources?.[0].fullFileName ?? '';
    const title = name.isReference() || file.endsWith('src/index.ts') ? undefined : chapterOf(file);
    if (title === undefined) continue;
    for (const one of name.signatures ?? [name]) {
      one.comment ??= new Comment();
      one.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: title }]));
    }
  }
}

/** @param check only check, and write nothing. @returns whether all is well */
export async function reference(check) {
  const app = await Application.bootstrap({
    name: 'langevin',
    entryPoints: [join(ROOT, 'src', 'index.ts')],
    tsconfig: join(ROOT, 'test', 'docs', 'tsconfig.json'),
    basePath: ROOT,
    displayBasePath: ROOT,
    readme: join(ROOT, 'test', 'docs', 'welcome.md'),
    excludePrivate: true,
    excludeInternal: true,
    // The pages lie in folders of dist/docs, so this is the file in the clone.
    disableGit: true,
    sourceLinkTemplate: '../../../{path}',
    categoryOrder: ['Namespaces', ...CHAPTERS.map(([title]) => title)],
    categorizeByGroup: false,
    navigation: { includeCategories: true },
    defaultCategory: 'Namespaces',
    logLevel: 'Warn',
    intentionallyNotExported: NOT_EXPORTED.map((name) => `src/${name}`),
    validation: { notExported: true, invalidLink: true, notDocumented: false },
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, sortIntoChapters);
  const project = await app.convert();
  if (project === undefined) return false;
  app.validate(project);
  const missing = undocumented(project, app.getEntryPoints()[0].program);
  for (const line of missing.lines) console.error(line);
  console.log(`${missing.names} public names, ${missing.lines.length} undocumented`);
  const well = missing.lines.length === 0 && !app.logger.hasErrors() && !app.logger.hasWarnings();
  if (check || app.logger.hasErrors()) return well;
  await app.generateDocs(project, join(ROOT, 'dist', 'docs'));
  return well && !app.logger.hasErrors();
}
