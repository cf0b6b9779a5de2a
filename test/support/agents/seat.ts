import { Terminal } from '../terminal.ts';
import { waitFor } from '../world.ts';
import type { Step } from './fake-model.ts';
import type { Stage } from './stage.ts';

/** An agent in a terminal, at which somebody sits and types. */
export class Seat implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #terminal: Terminal;

  private constructor(stage: Stage, terminal: Terminal) {
    this.#stage = stage;
    this.#terminal = terminal;
  }

  /** Starts the agent and waits until it can be typed to. */
  static async take(stage: Stage): Promise<Seat> {
    const { interactive } = stage.agent;
    if (interactive === undefined) throw new Error(`${stage.agent.name} is not known in a terminal`);
    const command = stage.line(interactive.command(stage.place));
    const size = { columns: 120, rows: 40 };
    const terminal = await Terminal.open(stage.world.base, {
      command,
      env: { PATH: process.env.PATH },
      ...size,
    });
    const seat = new Seat(stage, terminal);
    await seat.#until(async () => interactive.ready.test(await terminal.screen()), 'the agent to be ready');
    return seat;
  }

  /** Types a prompt. The model takes these steps; this waits until it has. */
  async prompt(prompt: string, steps: readonly Step[]): Promise<void> {
    this.#stage.model.plays(prompt, steps);
    await this.command(prompt);
    await this.played(prompt);
  }

  /** Types a line that the agent itself takes, such as `/clear`. */
  async command(line: string): Promise<void> {
    await this.#terminal.type(line);
    const typed = async () => (await this.#terminal.screen()).includes(line);
    await this.#until(typed, `${line} to be typed`);
    await this.#terminal.press('Enter');
  }

  /** Waits until the model has taken each step of a scene. */
  async played(prompt: string): Promise<void> {
    await this.#until(() => this.#stage.model.hasPlayed(prompt), `each step of "${prompt}"`);
  }

  /** Waits until the screen shows something. */
  async shows(text: RegExp, withinMs?: number): Promise<void> {
    const shown = async () => text.test(await this.#terminal.screen());
    await this.#until(shown, `the screen to show ${text}`, withinMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#terminal.close();
  }

  async #until(condition: () => boolean | Promise<boolean>, what: string, withinMs = 60_000): Promise<void> {
    await waitFor(condition, what, withinMs).catch(async (error: Error) => {
      throw new Error(`${error.message}; the screen shows:\n${await this.#terminal.screen()}`);
    });
  }
}
