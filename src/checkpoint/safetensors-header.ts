/**
 * The header of a safetensors file. The file is not trusted. Each number is checked before use, and a name that occurs
 * twice is refused. A name never becomes a property of an object with a prototype. The result describes only bytes that
 * exist in the file. safetensors.ts describes the format.
 */
import { FormatError } from '../errors.ts';
import { DTYPES, type Dtype, dtypeInfo, isDtype } from './dtype.ts';

/** One tensor. Its bytes are [begin, end), counted from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** The tensors in the order of their bytes. They cover the rest of the file without gaps or overlaps. */
  readonly entries: readonly Entry[];
  readonly metadata: Map<string, string>;
  /** The offset of the elements: the end of the header. */
  readonly start: number;
}

/** The largest length of a header, as in the reference implementation. */
export const LARGEST_HEADER = 100_000_000;
export const METADATA = '__metadata__';

/** Whether n is a whole number >= 0. JSON can also have -0, which is refused. */
export const isSize = (n: unknown): n is number =>
  Number.isSafeInteger(n) && (n as number) >= 0 && !Object.is(n, -0);

/** The number of elements of a tensor of this shape. */
export const elements = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** `value` as one short line of JSON, for errors. */
function show(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

/**
 * Refuses two faults that JSON.parse accepts. The first is a name that occurs twice in one object: JSON.parse would
 * keep only the last. The second is deep nesting, which costs time and memory: in a header, objects are only in the
 * outermost object, and lists contain no object and no list. Text that is not JSON passes or throws a SyntaxError.
 */
function requireDistinctNames(json: string): void {
  const open: Set<string>[] = []; // for each open object, its names so far
  let inList = false;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === '{' || c === '[') {
      if (inList || (c === '{' && open.length === 2)) throw new SyntaxError('nested too deeply');
      if (c === '{') open.push(new Set());
      else inList = true;
    } else if (c === '}') {
      open.pop();
    } else if (c === ']') {
      inList = false;
    } else if (c === '"') {
      const start = i++;
      while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
      let next = i + 1;
      while (' \t\n\r'.includes(json[next] ?? '.')) next++;
      if (json[next] !== ':') continue;
      const name: string = JSON.parse(json.slice(start, i + 1));
      const names = open.at(-1);
      if (names?.has(name)) throw new SyntaxError(`the name ${show(name)} is given twice`);
      names?.add(name);
    }
  }
}

/** The members of a JSON object as a list; undefined if the value is not an object. */
function membersOf(value: unknown): [string, unknown][] | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : undefined;
}

/** Whether the file begins as one of `torch.save`: a ZIP archive, or a pickle of protocol 2 to 5. */
const isPickle = ([a, b, c, d]: Uint8Array) =>
  (a === 0x50 && b === 0x4b && c === 3 && d === 4) || (a === 0x80 && b >= 2 && b <= 5);

function parseJson(bytes: Uint8Array, source: string): { members: [string, unknown][]; start: number } {
  if (bytes.length < 8) {
    throw new FormatError(`${source}: expected a safetensors file of 8 bytes or more, got ${bytes.length}`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const most = Math.min(LARGEST_HEADER, bytes.length - 8);
  if (length > most) {
    if (isPickle(bytes)) {
      throw new FormatError(
        `${source}: expected a safetensors file, got a pickle; torch.load and safetensors.torch.save_file convert it`,
      );
    }
    throw new FormatError(`${source}: expected a header of at most ${most} bytes, got one of ${length}`);
  }
  const start = 8 + Number(length);
  if (bytes[8] !== 0x7b) throw new FormatError(`${source}: expected a header that begins with {`);
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice(8, start));
    requireDistinctNames(json);
    return { members: membersOf(JSON.parse(json))!, start };
  } catch (error) {
    const fault = (error as Error).message.replace(/\s+/g, ' '); // the message can quote the text with its line ends
    throw new FormatError(`${source}: expected a header of JSON in UTF-8: ${fault}`);
  }
}

function parseEntry(name: string, value: unknown, source: string): Entry {
  const fields = new Map(membersOf(value));
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((field) => fields.get(field));
  const refuse = (field: string, expected: string, got: unknown): never => {
    throw new FormatError(`${source}: ${show(name)}: expected ${field} to be ${expected}, got ${show(got)}`);
  };
  if (!isDtype(dtype)) return refuse('dtype', `one of ${DTYPES.join(' ')}`, dtype);
  if (!Array.isArray(shape) || !shape.every(isSize)) return refuse('shape', 'a list of whole numbers', shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    return refuse('data_offsets', 'two whole numbers', offsets);
  }
  const [begin, end] = offsets;
  const size = elements(shape) * dtypeInfo(dtype).stored.BYTES_PER_ELEMENT;
  if (end - begin !== size) {
    return refuse('data_offsets', `${size} bytes apart for ${dtype} ${show(shape)}`, offsets);
  }
  return { name, dtype, shape, begin, end };
}

function parseMetadata(value: unknown, source: string): Map<string, string> {
  const members = membersOf(value);
  if (!members) throw new FormatError(`${source}: expected ${METADATA} to be an object, got ${show(value)}`);
  const metadata = new Map<string, string>();
  for (const [key, text] of members) {
    if (typeof text !== 'string') {
      throw new FormatError(
        `${source}: ${METADATA}: expected ${show(key)} to be a string, got ${show(text)}`,
      );
    }
    metadata.set(key, text);
  }
  return metadata;
}

/** Sorts the tensors by their bytes. @throws FormatError unless they cover `length` bytes without gaps or overlaps */
function requireTiling(entries: Entry[], length: number, source: string): Entry[] {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      throw new FormatError(`${source}: ${show(name)}: expected data from byte ${covered}, got ${begin}`);
    }
    covered = end;
  }
  if (covered !== length) {
    throw new FormatError(`${source}: expected ${covered} bytes after the header, got ${length}`);
  }
  return entries;
}

/** Reads the header of a safetensors file. @throws FormatError if the bytes are not a valid safetensors file */
export function parseHeader(bytes: Uint8Array, source: string): Header {
  const { members, start } = parseJson(bytes, source);
  const metadata = members.find(([name]) => name === METADATA);
  const entries = members
    .filter((member) => member !== metadata)
    .map(([name, value]) => parseEntry(name, value, source));
  return {
    entries: requireTiling(entries, bytes.length - start, source),
    metadata: metadata ? parseMetadata(metadata[1], source) : new Map(),
    start,
  };
}
