/**
 * A peer is another library in a separate process. It does the same work on request. bench/peers/protocol.py describes
 * the requests. A peer that is not installed is skipped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Queue } from './queue.ts';

/** How to start a peer. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Work that has the same name in every library. */
export interface Task {
  readonly name: string;
  readonly shape: readonly number[];
  /** Milliseconds to spend on the work. */
  readonly budget: number;
}

/** The best and the median time of one run, in milliseconds. */
export interface Timing {
  readonly ms: number;
  readonly msMedian: number;
}

/** The cause in the output of a failed process: the first line with an error, or else the last line. */
export const causeIn = (lines: readonly string[]): string | undefined =>
  lines.find((line) => /^\w*error\b.*: /i.test(line)) ?? lines.at(-1);

export class Peer {
  private constructor(
    /** The name and version that the library reports. */
    readonly name: string,
    private readonly process: ChildProcess,
    private readonly answers: Queue<string | null>,
  ) {}

  /** Starts a peer. If it is not installed, returns null and prints the cause as a line on standard error. */
  static async start({ command, args, env }: Launch): Promise<Peer | null> {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    const lines = new Queue<string | null>();
    const errors: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
    child.on('error', (error) => errors.push(error.message));
    child.on('close', () => lines.push(null));
    // If a peer has ended, `ask` returns null.
    child.stdin.on('error', () => {});
    const hello = await lines.next();
    if (hello === null) {
      console.error(`peers: without ${args[0]?.split('/').pop()}: ${causeIn(errors) ?? 'it ended at once'}`);
      return null;
    }
    return new Peer(JSON.parse(hello).peer, child, lines);
  }

  /** Makes the peer do some work. Returns null for work that it does not know, or if it has ended. */
  async ask(task: Task): Promise<Timing | null> {
    this.process.stdin!.write(`${JSON.stringify(task)}\n`);
    const answer = JSON.parse((await this.answers.next()) ?? '{}');
    return 'ms' in answer ? answer : null;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    this.process.stdin!.end();
    await once(this.process, 'close');
  }
}
