import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { livePids, lookOf, systemSessionOf } from './processes.ts';
import { quote, waitFor } from './world.ts';

const execute = promisify(execFile);

/** How a terminal is made. */
export interface TerminalOptions {
  /** What runs in it; tmux hands this to a shell. */
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
  readonly columns?: number;
  readonly rows?: number;
}

/** A real terminal, in which a program runs and somebody types. Its server is its own, and ends with it. */
export class Terminal implements AsyncDisposable {
  readonly #socket: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(socket: string, env: NodeJS.ProcessEnv) {
    this.#socket = socket;
    this.#env = { ...env, TERM: 'xterm-256color' };
  }

  /** Opens a terminal; `folder` is for its socket. */
  static async open(
    folder: string,
    { command, env, columns = 100, rows = 24 }: TerminalOptions,
  ): Promise<Terminal> {
    const terminal = new Terminal(join(folder, 'terminal'), env);
    const size = ['-x', String(columns), '-y', String(rows)];
    const path = `PATH=${quote(env.PATH ?? '')}`;
    await terminal.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, `export ${path}; ${command}`);
    return terminal;
  }

  /** Presses keys by their names in tmux, such as `Tab` and `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** Types text. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', text);
  }

  /** Pastes text, as a terminal does that tells programs so. */
  async paste(text: string): Promise<void> {
    await this.#tmux('set-buffer', '-b', 'pasted', '--', text);
    await this.#tmux('paste-buffer', '-d', '-p', '-b', 'pasted');
  }

  /** Types a line. */
  async enter(line: string): Promise<void> {
    await this.type(line);
    await this.press('Enter');
  }

  /** What is on the screen, without the empty lines at its end; with colours as escapes, if wanted. */
  async screen({ colours = false } = {}): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', ...(colours ? ['-e'] : []))).trimEnd();
  }

  /** Waits until the screen shows something. */
  async shows(text: RegExp): Promise<string> {
    let screen = '';
    await waitFor(async () => {
      screen = await this.screen();
      return text.test(screen);
    }, `the terminal to show ${text}`).catch((error: Error) => {
      throw new Error(`${error.message}; it shows:\n${screen}`);
    });
    return screen;
  }

  /** Writes all bytes that programs write from now on to a file, too. */
  async record(file: string): Promise<void> {
    await this.#tmux('pipe-pane', '-O', `cat > ${quote(file)}`);
  }

  /** What tmux knows of it, such as `pane_title` and `alternate_on`. */
  async state(name: string): Promise<string> {
    return (await this.#tmux('display-message', '-p', `#{${name}}`)).trimEnd();
  }

  /** What programs in it have put into the clipboard; null: nothing. */
  async clipboard(): Promise<string | null> {
    return await this.#tmux('show-buffer').catch(() => null);
  }

  /** Gives its window another size, as a person does. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Closes its window, as a person does: what runs in it gets SIGHUP. Waits until that has ended. */
  async close(): Promise<void> {
    const leader = Number(await this.state('pane_pid').catch(() => 0));
    await this.#tmux('kill-server').catch(() => undefined);
    const left = () => livePids().filter((pid) => leader > 0 && systemSessionOf(pid) === leader);
    await waitFor(() => left().length === 0, 'what ran in the terminal to end').catch((error: Error) => {
      throw new Error(`${error.message}: ${left().map(lookOf).join('; ')}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #tmux(...words: string[]): Promise<string> {
    const { stdout } = await execute('tmux', ['-S', this.#socket, ...words], { env: this.#env });
    return stdout;
  }
}
