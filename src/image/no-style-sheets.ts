/**
 * Stands in for `cssomnom/parse` where the command is bundled (src/build.js): linkedom parses a
 * style sheet only when asked for its rules, which nobody does, and the parser would be a fifth of the package.
 */
import { InternalError } from '../errors.ts';

export function parse(): never {
  throw new InternalError('a style sheet was to be parsed, and the parser is not in the bundle');
}
