import type { LineMatcher } from '../../model/line-search.ts';
import { type ScreenMatch, ScreenSearch } from '../../terminal/screen-search.ts';
import type { SessionContext } from '../session/context.ts';
import { openTaskScreen } from '../session/kept-screen.ts';
import { terminalOutput } from '../session/terminal-output.ts';
import { InputSearch, type InputWait } from './input-wait.ts';
import { LiveTerminal } from './live-terminal.ts';
import { followedTerminal } from './screen.ts';

/** What was found on a screen. */
export interface ScreenFinding {
  readonly screen: ScreenMatch | null;
  readonly input: InputWait | null;
}

const nothing: ScreenFinding = { screen: null, input: null };

/** Waits for what shows on a terminal, or for its wish for input. Each look sees what there is by then. */
export class ScreenWait {
  readonly #context: SessionContext;
  readonly #taskId: string;
  readonly #search: ScreenSearch | null;
  readonly #input: InputSearch | null;
  #own: LiveTerminal | null = null;

  /** @throws OutliveError `NO_TERMINAL`, `TASK_NOT_FOUND`. */
  constructor(context: SessionContext, taskId: string, matcher: LineMatcher | null, input: boolean) {
    terminalOutput(context, taskId);
    this.#context = context;
    this.#taskId = taskId;
    this.#search = matcher === null ? null : new ScreenSearch(matcher);
    this.#input = input ? new InputSearch(context) : null;
  }

  async look(): Promise<ScreenFinding> {
    const terminal = await this.#terminal();
    if (terminal === null) return this.#search === null ? nothing : await this.#lookAtFile(this.#search);
    await terminal.settled();
    const screen = this.#search?.look(terminal.screen.lines()) ?? null;
    const input = screen === null ? ((await this.#input?.look(terminal)) ?? null) : null;
    return { screen, input };
  }

  /** When to look again without an event; only who waits for input has to. */
  get dueInMs(): number {
    return this.#input === null ? Number.POSITIVE_INFINITY : this.#input.dueInMs;
  }

  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
  }

  /** Where the session is open here it is followed anyway; else for this wait alone. */
  async #terminal(): Promise<LiveTerminal | null> {
    if (this.#context.isWatched) return await followedTerminal(this.#context, this.#taskId);
    const isLive = terminalOutput(this.#context, this.#taskId).observed.decision.state === 'live';
    if (!isLive) return null;
    if (this.#own?.isDisplaced === true) {
      this.#own[Symbol.dispose]();
      this.#own = null;
    }
    if (this.#own?.isOver === true) return null;
    this.#own ??= await LiveTerminal.open(this.#context, this.#taskId);
    return this.#own;
  }

  async #lookAtFile(search: ScreenSearch): Promise<ScreenFinding> {
    const terminal = terminalOutput(this.#context, this.#taskId);
    const { live } = await openTaskScreen(this.#context, this.#taskId, terminal);
    using shown = live;
    return { screen: search.look(shown.lines()), input: null };
  }
}
