import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Answer, CommandLine, objects, type Snapshot } from './command-line.ts';

/** A HOME with files of agents, and the program that sets them up. */
export class SetupHome extends CommandLine {
  /** Writes a file of an agent, with the folders above it. */
  has(path: string, text: string | Uint8Array, mode = 0o644): string {
    const full = join(this.base, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text, { mode });
    return full;
  }

  /** The bytes of a file, as a text with a letter for each. */
  bytes(path: string): string {
    return readFileSync(join(this.base, path), 'latin1');
  }

  mode(path: string): number {
    return statSync(join(this.base, path)).mode & 0o777;
  }

  /** All files and links, but those of the program itself and of what runs it. */
  present(): string[] {
    const all = readdirSync(this.base, { recursive: true, withFileTypes: true });
    return all
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.base.length + 1))
      .filter(
        (path) => !/^(?:\.bun\/install\/cache|\.cache|\.local\/state\/outlive-setup|store)\//.test(path),
      )
      .sort();
  }

  /** Runs `outlive setup` with `--json`: a line for each file. */
  async setup(...words: string[]): Promise<Snapshot[]> {
    const { status, stdout, stderr } = await this.run('setup', ...words, '--json');
    assert.equal(status, 0, stderr);
    return objects(stdout);
  }

  /** Runs it where it is to be refused; what it says. */
  async refused(status: number, words: readonly string[], message: RegExp): Promise<Answer> {
    const before = this.#contents();
    const answer = await this.run('setup', ...words);
    assert.equal(answer.status, status, answer.stderr);
    assert.match(answer.stderr, message);
    assert.doesNotMatch(answer.stderr.trim(), /\n/);
    assert.deepEqual(this.#contents(), before);
    return answer;
  }

  #contents(): (string | null)[][] {
    return this.present().map((path) => {
      const full = join(this.base, path);
      return [path, lstatSync(full).isFile() ? this.bytes(path) : null];
    });
  }
}
