import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { Session, SpawnOptions, Task } from '../../src/index.ts';
import { quote, type World, waitFor } from './world.ts';

/** How somebody makes a file shorter that others read, and what is in it then. */
export interface Shortening {
  readonly make: (path: string) => void;
  readonly left: string;
}

const anew = `written anew: ${'x'.repeat(100)}\n`;

/** Every way, of an output that begins with "one". */
export const shortenings: Readonly<Record<string, Shortening>> = {
  'made empty': { make: (path) => truncateSync(path), left: '' },
  'made shorter by a part': { make: (path) => truncateSync(path, 4), left: 'one\n' },
  'written anew, and longer than it was': {
    make(path) {
      const descriptor = openSync(path, 'w');
      writeSync(descriptor, anew);
      closeSync(descriptor);
    },
    left: anew,
  },
};

/** A task that writes what a test tells it to, until it is told the last word. */
export class Told {
  readonly #input: string;
  readonly task: Task;

  private constructor(task: Task, input: string) {
    this.task = task;
    this.#input = input;
  }

  static async start(world: World, session: Session, options: SpawnOptions = {}): Promise<Told> {
    const input = `${world.base}/told-${Math.random()}`;
    writeFileSync(input, '');
    const said = await session.spawn(Told.command(input), options);
    return new Told(said, input);
  }

  /** The command of such a task. */
  static command(input: string): string {
    return `tail -n +1 -f ${quote(input)} 2>/dev/null & reader=$!; until [ -e ${quote(`${input}.end`)} ]; do sleep 0.02; done; kill $reader; wait $reader; true`;
  }

  get path(): string {
    return this.task.snapshot().output.path;
  }

  /** Has it write a line, and waits until it is in the file. */
  async say(line: string): Promise<void> {
    await say(this.#input, this.path, line);
  }

  end(): void {
    writeFileSync(`${this.#input}.end`, '');
  }
}

/** The same for a task that somebody else has started. */
export async function say(input: string, path: string, line: string): Promise<void> {
  const before = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  appendFileSync(input, `${line}\n`);
  await waitFor(() => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > before, `"${line}"`);
  assert.ok(readFileSync(path, 'utf8').endsWith(`${line}\n`));
}
