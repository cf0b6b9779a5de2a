import { isSystemError } from '../../errors/error.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';
import type { LiveTerminal } from './live-terminal.ts';

/** What a task seems to wait for in its terminal. */
export interface InputWait {
  /** A password: the terminal reads a line and does not show it. Else anything. */
  readonly kind: 'password' | 'input';
  /** `certain`: the terminal's own modes say so. `likely`: a guess, from what its processes do not do. */
  readonly how: 'certain' | 'likely';
}

/** Nothing was written for this time, in milliseconds. */
const quietMs = 300;

/** Checks whether a task waits for input in its terminal. One for each wait. */
export class InputSearch {
  readonly #context: SessionContext;
  #offset = -1;
  #since = monotonicMs();
  #cpuMs: number | null = null;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Asks the shim and the system; null: it does not, as far as can be told. */
  async look(terminal: LiveTerminal): Promise<InputWait | null> {
    await terminal.settled();
    if (terminal.isOver) return null;
    const { standing, screen } = terminal;
    if (standing.isCanonical && !standing.echoes && standing.waitingBytes === 0)
      return { kind: 'password', how: 'certain' };
    const cpuMs = await this.#cpuOf(standing.foreground);
    const isQuiet = standing.offset === this.#offset && cpuMs !== null && cpuMs === this.#cpuMs;
    if (!isQuiet) this.#since = monotonicMs();
    this.#offset = standing.offset;
    this.#cpuMs = cpuMs;
    if (!isQuiet || monotonicMs() - this.#since < quietMs) return null;
    const { x } = screen.screen().cursor;
    return x > 0 || !standing.isCanonical ? { kind: 'input', how: 'likely' } : null;
  }

  /** When to look again. */
  get dueInMs(): number {
    return quietMs / 3;
  }

  /** CPU time of the group in the foreground; null if there is no such group, or this process cannot see it. */
  async #cpuOf(group: number): Promise<number | null> {
    if (group === 0) return null;
    try {
      const { system } = this.#context.store;
      const used = await system.usage();
      const members = used.filter(({ pid, view }) => (view ?? system.view(pid))?.group === group);
      return members.length === 0 ? null : members.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    } catch (error) {
      // Some /proc hides processes: then nothing is guessed.
      if (!isSystemError(error)) throw error;
      return null;
    }
  }
}
