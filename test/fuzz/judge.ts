/**
 * Judges what a reader does with an input. It may return, or throw an error of langevin whose message is one short line.
 * Everything else is a finding. The input may not take long or need much memory.
 *
 * Time is that of the processor, because the machine may be busy. Memory is the growth of the largest resident size of
 * the process. It cannot shrink, so it shows the growth by one input only if that is more than any input before needed.
 */
import { InternalError, LangevinError } from '../../src/errors.ts';

/** The most that one input may need. */
export interface Limits {
  /** Seconds of the processor. */
  readonly seconds: number;
  /** Growth of memory in MiB. */
  readonly mib: number;
}
export const LIMITS: Limits = { seconds: 2, mib: 256 };
/** The most characters of a message. */
export const MOST_MESSAGE = 3000;

/** A reader under test, on one input. It throws what the reader throws, and Error for a wrong result. */
export type Reader = (input: Uint8Array<ArrayBuffer>) => void | Promise<void>;

/** What a reader did: read the input, refused it, or a description of what is wrong. */
export type Verdict =
  | { readonly outcome: 'read' | 'refused' }
  | { readonly outcome: 'finding'; readonly what: string };

const finding = (what: string): Verdict => ({ outcome: 'finding', what });

/** What is wrong with an error; null if nothing is. */
function faultOf(error: unknown): string | null {
  if (!(error instanceof LangevinError)) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return `expected an error of langevin, got ${text.slice(0, 200)}`;
  }
  const { name, message } = error;
  if (error instanceof InternalError || message.startsWith('internal:')) return `got ${name}: ${message}`;
  if (/[\p{Cc}\u2028\u2029]/u.test(message)) return `expected one line, got ${JSON.stringify(message)}`;
  if (message.length > MOST_MESSAGE)
    return `expected a message of at most ${MOST_MESSAGE} characters, got ${message.length}`;
  return null;
}

/** Runs `read` on `input`. */
export async function judge(read: Reader, input: Uint8Array<ArrayBuffer>, limits = LIMITS): Promise<Verdict> {
  const [peak, used] = [process.resourceUsage().maxRSS, process.cpuUsage()];
  let outcome: 'read' | 'refused' = 'read';
  try {
    await read(input);
  } catch (error) {
    const fault = faultOf(error);
    if (fault !== null) return finding(fault);
    outcome = 'refused';
  }
  const { user, system } = process.cpuUsage(used);
  const seconds = (user + system) / 1e6;
  if (seconds > limits.seconds)
    return finding(`expected at most ${limits.seconds} s, got ${seconds.toFixed(1)} s`);
  const mib = (process.resourceUsage().maxRSS - peak) / 1024;
  if (mib > limits.mib) return finding(`expected at most ${limits.mib} MiB, got ${Math.round(mib)} MiB`);
  return { outcome };
}
