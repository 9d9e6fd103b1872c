/**
 * Replaces `cssomnom/parse` in the bundle of the command (src/build.js). linkedom parses a style sheet only when a
 * program reads its rules, and ours never does. The parser would be a fifth of the package.
 */
import { InternalError } from '../errors.ts';

export function parse(): never {
  throw new InternalError('a style sheet needs the parser, which is not in the bundle');
}
