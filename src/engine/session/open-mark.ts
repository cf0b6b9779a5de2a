import { existsSync } from 'node:fs';
import type { System } from '../../platform/system.ts';
import { onBeat } from '../../util/beat.ts';
import { monotonicMs } from '../../util/wait.ts';
import { guarded } from './background.ts';
import type { SessionContext } from './context.ts';
import { leaveMark, markPrefix, marksIn, removeMark, touchEveryMs } from './process-marks.ts';

/**
 * Says by a mark in the folder of a session that this process has it open, so that others can tell which sessions no
 * process has open. It writes the mark after a second, if something runs in the session: most commands have closed the
 * session by then, and if nothing runs, a read changes nothing.
 */
export class OpenMark {
  readonly #context: SessionContext;
  readonly #path: string;
  #touchedAt: number | null = null;
  readonly #stop: () => void;

  constructor(context: SessionContext) {
    this.#context = context;
    const { system } = context.store;
    const { pid, start } = system.self();
    this.#path = `${markPrefix(context.paths.dir, 'open', system.self())}${start ?? 0}-${pid}`;
    this.#stop = onBeat(guarded(context, 'marking a session as open', () => this.#show()));
  }

  close(): void {
    this.#stop();
    if (this.#touchedAt !== null) removeMark(this.#path);
  }

  /** A session without tasks has no folder, and the process that removes one takes the marks along. */
  #show(): void {
    if (this.#context.live.size === 0) return;
    const isFresh = this.#touchedAt !== null && monotonicMs() - this.#touchedAt < touchEveryMs;
    if ((isFresh && existsSync(this.#path)) || !existsSync(this.#context.paths.dir)) return;
    this.#touchedAt = monotonicMs();
    for (const path of marksIn(this.#context.paths.dir, 'open', this.#context.store.system).dead)
      removeMark(path);
    leaveMark(this.#path);
  }
}

/** Whether a process has the session open, or may have: of other machines and containers only their marks are seen. */
export function isOpenSomewhere(sessionDir: string, system: System): boolean {
  const { living, elsewhere } = marksIn(sessionDir, 'open', system);
  return living.length > 0 || elsewhere > 0;
}
