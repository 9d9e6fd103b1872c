/**
 * The published models, as a page has them: each is a file of the page's own site, which is loaded when a figure first
 * needs it. It stays open as long as the worker. The build and the tests read the same files from the project.
 */
import { host } from '#host';
import { decodeCheckpoint } from '../../checkpoint/checkpoint.ts';
import { requireDigest } from '../../checkpoint/digest.ts';
import { readAll } from '../../data/bytes.ts';
import { FileError, LangevinError } from '../../errors.ts';
import { type DiffusionPipeline, diffusionOf } from '../../models/pipeline.ts';

/** The most bytes of a file. Published files have at most 4 MB. */
const MOST_BYTES = 8_000_000;
/** A download that takes longer than this says how far it is. In milliseconds. */
const SAY_EVERY = 300;

/** The folder of the models in the site, and in the project. */
const PROJECT_FOLDER = 'src/models/published';

const opened = new Map<string, DiffusionPipeline>();

/**
 * Opens the published model of that name. Yields functions that say how much of a slow download has come.
 * @throws FileError for a file that the site does not have; FormatError for one that is too large, damaged or no
 * diffusion model
 */
export async function* publishedModel(name: string): AsyncGenerator<() => string, DiffusionPipeline, void> {
  const known = opened.get(name);
  if (known) return known;
  const file = `${name}.safetensors`;
  const bytes =
    host.name === 'browser'
      ? yield* download(new URL(`../models/${file}`, import.meta.url), `models/${file}`)
      : await host.readFile(`${PROJECT_FOLDER}/${file}`);
  const checkpoint = decodeCheckpoint(bytes, file);
  await requireDigest(bytes, checkpoint);
  // Another figure may have opened it in the meantime.
  const model = opened.get(name) ?? diffusionOf(checkpoint);
  opened.set(name, model);
  return model;
}

/**
 * The bytes at an address. Yields functions that say how many have come.
 * @param source how errors name it
 * @throws FileError if it cannot be loaded, FormatError if it is too large
 */
export async function* download(
  url: URL,
  source: string,
): AsyncGenerator<() => string, Uint8Array<ArrayBuffer>, void> {
  const cannot = (why: string) => new FileError(`cannot load ${source} from this site: ${why}`);
  const response = await fetch(url).catch((error: Error) => {
    throw cannot(`${error.message}. It is needed once, with a network.`);
  });
  if (!response.ok || !response.body) throw cannot(`HTTP ${response.status} ${response.statusText}`.trim());
  let received = 0;
  const count = (bytes: number) => {
    received = bytes;
  };
  const reading = readAll(response.body, source, count, MOST_BYTES);
  reading.catch(() => {}); // it is awaited below, unless the job is stopped before
  for (;;) {
    const wait = new Promise<null>((resolve) => setTimeout(resolve, SAY_EVERY, null));
    const bytes = await Promise.race([reading, wait]).catch((error: Error) => {
      throw error instanceof LangevinError ? error : cannot(error.message);
    });
    if (bytes) return bytes;
    yield () => `loading the model: ${(received / 1e6).toFixed(1)} MB`;
  }
}
