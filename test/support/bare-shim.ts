import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Fact } from '../../src/model/facts.ts';
import { shimProgram } from '../../src/shim/program.ts';
import { encodeRequest, requestVariable, type ShimRequest } from '../../src/shim/request.ts';
import { encodeFact } from '../../src/tasklog/codec.ts';
import { parseLog } from '../../src/tasklog/read-log.ts';
import { sealOf } from '../../src/util/crypto.ts';

/** The secrets of {@link BareShim}. */
export const goneProof = '83f0983fe2d61c9e0421a4bac86b0c30';
export const exitProof = sealOf(goneProof);

/** A shim without the library around it: a request, a log and an output of its own. */
export class BareShim {
  readonly log: string;
  readonly output: string;
  readonly #program: string;
  /** Its own: a stop ends all processes that have the cookie, and other tests may run at the same moment. */
  readonly #task = `bgb-${randomBytes(6).toString('hex')}`;
  readonly #cookie = `${this.#task}.${randomBytes(8).toString('hex')}`;
  #started = 0;

  private constructor(folder: string, program: string) {
    [this.log, this.output, this.#program] = [`${folder}/log`, `${folder}/output`, program];
    this.forget();
  }

  static async in(folder: string): Promise<BareShim> {
    return new BareShim(folder, await shimProgram(folder));
  }

  /** Begins with an empty log and without output. */
  forget(): void {
    writeFileSync(this.log, '');
    rmSync(this.output, { force: true });
    this.#started = 0;
  }

  /** Appends facts, as anybody who can write to the log. */
  append(...facts: Fact[]): void {
    writeFileSync(this.log, facts.map(encodeFact).join(''), { flag: 'a' });
  }

  /** A request for a command, with what the test cares about. */
  request(command: string, more: Partial<ShimRequest> = {}): string {
    return encodeRequest({
      task: this.#task,
      cookie: this.#cookie,
      exitProof,
      goneProof,
      logOffset: this.#started,
      timeoutMs: null,
      graceMs: 100,
      maxOutputBytes: null,
      out: this.output,
      err: null,
      pumped: false,
      slots: null,
      leftovers: 'report',
      bound: null,
      queued: false,
      bell: false,
      stays: false,
      limits: {},
      words: ['/bin/sh', '-c', command, 'sh'],
      ...more,
    });
  }

  /**
   * Starts the program with a request; resolves with the exit status of what was started.
   * @param before the words of a program that executes the shim, in front of those of the shim.
   */
  async start(request: string | null, before: readonly string[] = []): Promise<number | null> {
    const log = openSync(this.log, 'a+');
    const [program = this.#program, ...words] = [...before, this.#program, this.#task];
    const child: ChildProcess = spawn(program, words, {
      ...(before.length === 0 ? { argv0: 'outlive-shim' } : {}),
      env: {
        OUTLIVE_TASK: this.#cookie,
        PATH: process.env.PATH,
        ...(request === null ? {} : { [requestVariable]: request }),
      },
      stdio: ['ignore', 'ignore', 'ignore', log],
    });
    closeSync(log);
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', resolve);
    });
  }

  /** What the command wrote; null when the file was not even made. */
  written(): string | null {
    return existsSync(this.output) ? readFileSync(this.output, 'utf8') : null;
  }

  /** The facts of the log. */
  facts(): readonly Fact[] {
    return parseLog(readFileSync(this.log, 'utf8')).list;
  }

  /** The text of the log. */
  text(): string {
    return readFileSync(this.log, 'utf8');
  }
}
