/** `langevin inspect`: prints the tensors, text entries and hashes of a safetensors file. */
import { host } from '#host';
import { describeSafetensors, type SafetensorsDescription } from '../../checkpoint/inspect.ts';
import { flag, text } from '../../models/setting.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { findModel } from '../options/model.ts';
import { counted } from '../report/counted.ts';
import { printable } from '../report/printable.ts';

const TABLE = {
  file: text('file', null, 'A safetensors file, a folder of results, or the name of a published model.', {
    argument: true,
  }),
  json: flag('json', 'Print one JSON object.'),
} as const;

/** The most characters of a text entry that are printed. --json prints all of them. */
const SHOWN = 100;

export const INSPECT: Command = {
  name: 'inspect',
  summary: 'Print the tensors, text entries and hashes of a safetensors file',
  groups: { Output: TABLE },
  usage: 'inspect <file> [options]',
  examples: ['inspect mnist-unet', 'inspect out/diffusion/model.safetensors --json'],
  run: inspectCommand,
};

/** Runs the command and returns the exit code. */
export async function inspectCommand(options: Options): Promise<number> {
  const { file, json } = readSettings(TABLE, options);
  if (file === undefined) throw new UsageError('inspect: expected a file, such as "inspect mnist-unet"');
  const { file: path, published } = findModel(file);
  const name = published ? file : path;
  const description = await describeSafetensors(await host.readFile(path), name);
  const { metadata, ...rest } = description;
  const lines = json
    ? [JSON.stringify({ file: name, ...rest, metadata: Object.fromEntries(metadata) })]
    : linesOf(name, description);
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

/** A text of the file in one line. A long text is shortened, and its length is stated. */
const lineOf = (value: string) => {
  const line = printable(value);
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}… (${counted(line.length, 'character')})` : line;
};

function linesOf(name: string, description: SafetensorsDescription): string[] {
  const { bytes, sha256, digest, elements, tensors, metadata } = description;
  const rows = [
    ['tensor', 'type', 'shape', 'bytes'],
    ...tensors.map(({ name: tensor, dtype, shape, bytes }) => [
      lineOf(tensor),
      dtype,
      `[${shape.join(', ')}]`,
      bytes.toLocaleString('en'),
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const entries = [...metadata].map(([key, value]) => [lineOf(key), lineOf(value)]);
  const keyWidth = Math.max(0, ...entries.map(([key]) => key.length));
  return [
    `file     ${name}`,
    `size     ${counted(bytes, 'byte')}`,
    `content  ${counted(tensors.length, 'tensor')}, ${counted(elements, 'number')}`,
    `SHA-256  ${sha256}  of the file`,
    `digest   ${digest}  of the tensors`,
    '',
    ...rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')),
    ...(entries.length > 0 ? ['', 'text entries'] : []),
    ...entries.map(([key, value]) => `${key.padEnd(keyWidth)}  ${value}`),
  ];
}
