/**
 * The readers of untrusted input: inputs that were findings of the fuzzer once, and some new ones of every format. The
 * fuzzer's own checks are tested with readers that are wrong in each way. `npm run fuzz` reads more inputs.
 */
import * as assert from 'uvu/assert';
import { FormatError, InternalError, LangevinError, shortened } from '../src/errors.ts';
import { savedCases } from './fuzz/cases.ts';
import { judge, MOST_MESSAGE, type Reader } from './fuzz/judge.ts';
import { inputOf, TARGET_NAMES, TARGETS } from './fuzz/targets.ts';
import { suite } from './suite.ts';

/** Inputs of each format: all formats together take a few seconds. */
const INPUTS = 200;

async function requireFine(target: string, input: Uint8Array<ArrayBuffer>, name: string): Promise<string> {
  const verdict = await judge(TARGETS[target].read, input);
  if (verdict.outcome === 'finding') assert.unreachable(`${name}: ${verdict.what}`);
  return verdict.outcome;
}

suite('fuzz', (test) => {
  test('inputs that were findings once are read, or refused in one line', async () => {
    const cases = savedCases();
    assert.ok(cases.length > 0);
    for (const { name, target, input } of cases) await requireFine(target, input, name);
  });

  for (const target of TARGET_NAMES) {
    test(`random inputs of the format ${target} are read, or refused in one line`, async () => {
      const counts: Record<string, number> = { read: 0, refused: 0 };
      for (let i = 0; i < INPUTS; i++)
        counts[await requireFine(target, inputOf('suite', target, i), `${i}`)]++;
      assert.ok(counts.read >= 5, `${counts.read} of ${INPUTS} inputs were read: too few are nearly right`);
      if (target !== 'address') assert.ok(counts.refused >= 5, `only ${counts.refused} were refused`);
    });
  }

  test('an input is a function of the seed, the format and its number', () => {
    for (const target of TARGET_NAMES) {
      const inputs = [0, 1, 2, 3].map((i) => inputOf('a', target, i).join());
      assert.equal(
        inputs,
        [0, 1, 2, 3].map((i) => inputOf('a', target, i).join()),
      );
      assert.is.not(inputs.join(';'), [0, 1, 2, 3].map((i) => inputOf('b', target, i).join()).join(';'));
    }
  });

  test('a foreign error, an internal one, a long message, a slow reader and one that needs much memory are findings', async () => {
    const throws = (error: unknown) => () => {
      throw error;
    };
    class Raw extends FormatError {
      override get message() {
        return 'two\nlines';
      }
    }
    const wrong: readonly [Reader, RegExp][] = [
      [throws(new TypeError('x is undefined')), /error of langevin, got TypeError: x is undefined/],
      [throws('text'), /error of langevin, got text/],
      [throws(new InternalError('impossible')), /got InternalError: internal: impossible/],
      [throws(new LangevinError('internal: x')), /got LangevinError: internal: x/],
      [throws(new LangevinError('x'.repeat(MOST_MESSAGE + 1))), /at most 3000 characters, got 3001/],
      [throws(Object.create(Raw.prototype)), /one line, got "two\\nlines"/],
      [() => void spin(0.3), /at most 0\.2 s, got \d+\.\d s/],
      [fillMemory, /at most 8 MiB, got \d+ MiB/],
    ];
    for (const [read, what] of wrong) {
      const verdict = await judge(read, new Uint8Array(0), { seconds: 0.2, mib: 8 });
      assert.match('what' in verdict ? verdict.what : 'fine', what);
    }
    assert.equal(await judge(() => {}, new Uint8Array(0)), { outcome: 'read' });
    assert.equal(await judge(throws(new FormatError('x')), new Uint8Array(0)), { outcome: 'refused' });
  });

  test('an error shows control characters as escapes, and the begin of a long text', () => {
    const { message } = new FormatError('a\nb\r\u001b[2J\u0085\u2028\u2029c é 😀');
    assert.is(message, 'a\\u000ab\\u000d\\u001b[2J\\u0085\\u2028\\u2029c é 😀');
    assert.is(shortened('x'.repeat(100)), 'x'.repeat(100));
    assert.is(shortened('x'.repeat(101)), `${'x'.repeat(100)}…`);
  });
});

/** Keeps the processor busy for that many seconds of its time. */
function spin(seconds: number): number {
  const start = process.cpuUsage();
  let x = 1;
  for (let used = 0; used < seconds; ) {
    for (let i = 0; i < 1e5; i++) x = (x * 16807) % 2147483647;
    const { user, system } = process.cpuUsage(start);
    used = (user + system) / 1e6;
  }
  return x;
}

/** Touches so much memory that the process has 32 MiB more than ever before. */
function fillMemory(): void {
  const free = process.resourceUsage().maxRSS * 1024 - process.memoryUsage().rss;
  new Uint8Array(free + 32 * 2 ** 20).fill(1);
}
