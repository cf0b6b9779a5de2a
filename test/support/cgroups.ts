import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './world.ts';

let next = 0;

/**
 * A cgroup of version 2 for the groups of a test's tasks, made in the one that is mounted here, or in one that is
 * mounted for it. Disposing of it fails when groups are left in it. Needs the rights of root.
 */
export class TestCgroup implements AsyncDisposable {
  readonly dir: string;
  readonly #mounted: string | null;

  constructor() {
    const mount = /^\d+ \d+ \S+ \/ (\S+) .*- cgroup2 \S+ rw/m.exec(
      readFileSync('/proc/self/mountinfo', 'utf8'),
    );
    this.#mounted = mount === null ? mkdtempSync(join(tmpdir(), 'outlive-cgroup-')) : null;
    if (this.#mounted !== null) execFileSync('mount', ['-t', 'cgroup2', 'none', this.#mounted]);
    this.dir = join(mount?.[1] ?? this.#mounted ?? '', `outlive-test-${process.pid}-${next++}`);
    mkdirSync(this.dir);
  }

  /** The names of the groups in it. */
  groups(): string[] {
    return readdirSync(this.dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await waitFor(
      () => /^populated 0$/m.test(readFileSync(join(this.dir, 'cgroup.events'), 'utf8')),
      'its end',
    );
    await waitFor(
      () => !this.groups().some((name) => name.startsWith('outlive-')),
      'the groups of tasks to go',
    );
    removeSlices(this.dir);
    if (this.#mounted === null) return;
    execFileSync('umount', [this.#mounted]);
    rmdirSync(this.#mounted);
  }
}

/** Removes a group and what a service manager has made below it; a group of ours that is left makes it fail. */
function removeSlices(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory() && !entry.name.startsWith('outlive-')) removeAll(join(dir, entry.name));
  rmdirSync(dir);
}

function removeAll(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) removeAll(join(dir, entry.name));
  rmdirSync(dir);
}

/** A folder that looks like a cgroup whose controllers are those, and is none: what is written to it stays in it. */
export class FakeCgroup implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'outlive-fake-'));

  constructor(controllers: string) {
    for (const name of ['controllers', 'subtree_control']) this.write(`cgroup.${name}`, controllers);
    this.write('cgroup.procs', '');
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}
