import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import type { Fact } from '../../src/model/facts.ts';
import { shimProgram } from '../../src/shim/program.ts';
import { encodeRequest, requestVariable, type ShimRequest } from '../../src/shim/request.ts';
import { encodeFact, parseLog } from '../../src/tasklog/codec.ts';
import { sealOf } from '../../src/util/crypto.ts';

/** The secrets of {@link BareShim}. */
export const goneProof = '83f0983fe2d61c9e0421a4bac86b0c30';
export const exitProof = sealOf(goneProof);

const cookie = 'bgb-0123abcd.83f0983fe2d61c9e';

/** A shim without the library around it: a request, a log and an output of its own. */
export class BareShim {
  readonly log: string;
  readonly output: string;
  readonly #program: string;
  #started = 0;

  private constructor(folder: string, program: string) {
    [this.log, this.output, this.#program] = [`${folder}/log`, `${folder}/output`, program];
    this.forget();
  }

  static async in(folder: string): Promise<BareShim> {
    return new BareShim(folder, await shimProgram(folder));
  }

  /** Begins with an empty log and output. */
  forget(): void {
    for (const path of [this.log, this.output]) writeFileSync(path, '');
    this.#started = 0;
  }

  /** Appends facts, as anybody who can write to the log. */
  append(...facts: Fact[]): void {
    writeFileSync(this.log, facts.map(encodeFact).join(''), { flag: 'a' });
  }

  /** A request for a command, with what the test cares about. */
  request(command: string, more: Partial<ShimRequest> = {}): string {
    return encodeRequest({
      task: 'bgb-0123abcd',
      cookie,
      exitProof,
      goneProof,
      logOffset: this.#started,
      timeoutMs: null,
      graceMs: 100,
      maxOutputBytes: null,
      separate: false,
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

  /** Starts the program with a request; resolves with the exit status of what was started. */
  async start(request: string | null): Promise<number | null> {
    const [log, output] = [openSync(this.log, 'a+'), openSync(this.output, 'a')];
    const child: ChildProcess = spawn(this.#program, ['bgb-0123abcd'], {
      argv0: 'outlive-shim',
      env: {
        OUTLIVE_TASK: cookie,
        PATH: process.env.PATH,
        ...(request === null ? {} : { [requestVariable]: request }),
      },
      stdio: ['ignore', output, output, log],
    });
    for (const descriptor of [log, output]) closeSync(descriptor);
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', resolve);
    });
  }

  /** The facts of the log. */
  facts(): Fact[] {
    return parseLog(readFileSync(this.log, 'utf8'));
  }

  /** The text of the log. */
  text(): string {
    return readFileSync(this.log, 'utf8');
  }
}
