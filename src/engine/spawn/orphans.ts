import { OutliveError } from '../../errors/error.ts';
import type { System } from '../../platform/system.ts';
import { askShim, unavailable } from '../../shim/ask.ts';
import { shimProgram } from '../../shim/program.ts';
import { after, monotonicMs } from '../../util/wait.ts';
import { report } from '../session/background.ts';
import type { Orphans } from '../session/context.ts';

/**
 * An orphan that is a zombie for longer than this counts as not reaped. Some first processes look for dead children from
 * time to time only, and a busy machine is late by itself.
 */
const reapedWithinMs = 3_000;

/** One that is reaped after all, up to this, proves the contrary. */
const reapedAtLastMs = 10_000;

/** When it is tried: after the first session was opened, and after the first shim. Short-lived programs end before, on a busy machine, too. */
const afterOpeningMs = 1_000;
const afterShimMs = 100;

const longestLookMs = 100;

/**
 * Whether a process reaps orphans here. A shim is an orphan, so that a process that ends all its descendants spares it.
 * In a container whose first process reaps nothing, each shim would stay a zombie for ever, so there shims stay
 * children of their spawner. outlive tries it and does not guess: it lets an orphan end, and checks it.
 */
export class TriedOrphans implements Orphans {
  readonly #dir: string;
  readonly #system: System;
  #areReaped: boolean | null = process.pid === 1 ? false : null;
  #isTrying = false;

  constructor(dir: string, system: System) {
    this.#dir = dir;
    this.#system = system;
  }

  /** `null`: not known yet. A first process has orphans for children, and Node reaps only those that it has started. */
  get areReaped(): boolean | null {
    return this.#areReaped;
  }

  /** Finds it out, in the background, before the first shim is started if that takes a while. */
  find(): void {
    this.#tryAfter(afterOpeningMs);
  }

  /**
   * Whether a new shim stays a child of this process. Not while it is not known: a zombie costs an entry in a table, and a
   * shim that was swept with its spawner costs its task.
   */
  staysChild(): boolean {
    this.#tryAfter(afterShimMs);
    return this.#areReaped === false;
  }

  #tryAfter(ms: number): void {
    if (this.#areReaped === null && !this.#isTrying) after(ms, () => void this.#try());
  }

  async #try(): Promise<void> {
    if (this.#areReaped !== null || this.#isTrying) return;
    this.#isTrying = true;
    try {
      const isReaped = await leaveOrphan(await shimProgram(this.#dir), this.#system);
      this.#areReaped = await isReaped(reapedWithinMs);
      this.#areReaped ||= await isReaped(reapedAtLastMs);
    } catch (error) {
      // No process or no shim to be had: the next spawn tries again.
      report({ store: { dir: this.#dir } }, 'finding out which process reaps orphans', error, {
        codes: unavailable,
      });
      this.#isTrying = false;
    }
  }
}

/**
 * Leaves an orphan that ends at once.
 * @returns a function that waits until it is reaped, for up to this many milliseconds after its end; it does not keep
 * the process alive.
 */
export async function leaveOrphan(
  program: string,
  system: System,
): Promise<(withinMs: number) => Promise<boolean>> {
  const pid = await pidOfOrphan(program);
  const born = system.view(pid)?.start;
  return async (withinMs) => {
    for (let pause = system.lookMs, endedAt: number | null = null; ; ) {
      const seen = system.view(pid);
      if (seen === null || seen.start !== born) return true;
      if (seen.zombie) endedAt ??= monotonicMs();
      if (endedAt !== null && monotonicMs() - endedAt >= withinMs) return false;
      await new Promise<void>((resolve) => after(pause, resolve));
      pause = Math.min(pause * 2, longestLookMs);
    }
  };
}

/** The program prints the pid of a child that it leaves, and that ends when it has ended. */
async function pidOfOrphan(program: string): Promise<number> {
  const printed = await askShim(program, ['orphan'], false);
  const pid = Number(printed.trim());
  if (Number.isInteger(pid) && pid > 1) return pid;
  throw new OutliveError('SPAWN_FAILED', `expected the pid of an orphan; found ${JSON.stringify(printed)}`);
}
