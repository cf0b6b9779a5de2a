import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { OutliveError } from '../../errors/error.ts';
import { randomHex } from '../../util/crypto.ts';
import { exitStatus } from '../exit-status.ts';
import { HarmlessStream } from '../present/harmless.ts';
import type { Address } from './address.ts';
import { failure, otherProtocol } from './failure.ts';
import { RecordReader, type RemoteRecord } from './records.ts';
import { encodeRequest, protocol, type RemoteRequest, requestWord } from './request.ts';
import { remoteLine, startSsh } from './ssh.ts';
import type { Way } from './way.ts';

/** One verb on one other machine. */
export interface RemoteCall {
  readonly address: Address;
  readonly verb: string;
  readonly request: RemoteRequest;
  readonly way: Way;
  /** No person is there whom ssh could ask. */
  readonly nobody: boolean;
  /** Says something that is no data. */
  readonly note: (line: string) => void;
  /** Where the data goes; null: to stdout of this process as it is, which ssh gets. */
  readonly out: ((bytes: Buffer) => Promise<void>) | null;
  readonly err: (bytes: Buffer | string) => Promise<void>;
  /** Escapes are taken out of messages. */
  readonly cleans: boolean;
}

/** Of what comes before an answer, so much is kept. */
const mostSaid = 8192;

/** A request that goes by the command line, for a terminal. */
const mostWordBytes = 64 * 1024;

/** After an interrupt, the program there has this time to say its status, in milliseconds. */
const answerWithinMs = 5_000;

const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a verb there, and passes on its output.
 * @returns its exit status.
 * @throws OutliveError `HOST_UNREACHABLE`, `HOST_KEY`, `HOST_PROGRAM`, `CONNECTION_LOST`, `USAGE`.
 */
export async function callThere(call: RemoteCall): Promise<number> {
  return await new Call(call).run();
}

/** @throws OutliveError `USAGE` for a request that is too long for the way that it goes. */
function wordOf({ way, request }: RemoteCall): string | null {
  if (!way.terminal) return null;
  const word = requestWord(request);
  if (word.length <= mostWordBytes) return word;
  throw new OutliveError(
    'USAGE',
    `expected at most ${(mostWordBytes * 3) / 4} bytes of arguments for ${request.words[0]} on a terminal of another machine; found more. Without a terminal there may be more: add | cat`,
  );
}

class Call {
  readonly #call: RemoteCall;
  readonly #child: ChildProcess;
  readonly #records: RecordReader;
  #hello: { readonly protocol: number; readonly version: string } | null = null;
  #bye: number | null = null;
  /** What came on stderr before the hello, for a message. */
  #said = '';
  /** The same, as long as it is not printed. */
  #heldBack: Buffer[] = [];
  #interrupted: NodeJS.Signals | null = null;
  #patience: NodeJS.Timeout | undefined;
  readonly #interrupt = (name: NodeJS.Signals): void => this.#onInterrupt(name);

  constructor(call: RemoteCall) {
    this.#call = call;
    const { address, way, nobody, verb, out } = call;
    const nonce = randomHex(16);
    const word = wordOf(call);
    this.#records = new RecordReader(nonce, (record) => this.#take(record));
    this.#child = startSsh({
      address,
      line: remoteLine({ program: address.program, nonce, verb, word, feeds: way.feeds }),
      terminal: way.terminal,
      nobody,
      stdin: way.terminal ? 'inherit' : 'pipe',
      stdout: out === null ? 'inherit' : 'pipe',
    });
  }

  async run(): Promise<number> {
    for (const name of interrupts) process.on(name, this.#interrupt);
    try {
      const ended = new Promise<number | null>((resolve, reject) => {
        this.#child.once('error', reject);
        this.#child.once('close', resolve);
      });
      this.#hand();
      const [status] = await Promise.all([ended, this.#readOut(), this.#readErr()]);
      return await this.#statusOf(status);
    } finally {
      clearTimeout(this.#patience);
      for (const name of interrupts) process.removeListener(name, this.#interrupt);
      if (this.#call.way.reads) process.stdin.destroy();
    }
  }

  /** The request, and after it what the verb reads. */
  #hand(): void {
    const { stdin } = this.#child;
    // Why it is gone, the end of ssh says.
    stdin?.on('error', () => undefined);
    stdin?.write(encodeRequest(this.#call.request));
    if (stdin && this.#call.way.reads) process.stdin.pipe(stdin);
  }

  async #readOut(): Promise<void> {
    const { stdout } = this.#child;
    const { out, way } = this.#call;
    if (stdout === null || out === null) return;
    for await (const bytes of stdout) {
      const data = way.terminal ? this.#records.pass(bytes) : bytes;
      if (data.length > 0) await out(data);
    }
    const rest = this.#records.end();
    if (way.terminal && rest.length > 0) await out(rest);
  }

  /** Messages of ssh and of the verb. On a terminal of its own, those of ssh alone. */
  async #readErr(): Promise<void> {
    const { stderr } = this.#child;
    const { way, cleans } = this.#call;
    const harmless = cleans ? new HarmlessStream() : null;
    const say = async (bytes: Buffer): Promise<void> => {
      const text = harmless === null ? bytes : harmless.push(bytes);
      if (text.length > 0) await this.#call.err(text);
    };
    for await (const bytes of stderr ?? []) {
      const passed = way.terminal ? bytes : this.#records.pass(bytes);
      await this.#onMessage(passed, say);
    }
    if (!way.terminal) await this.#onMessage(this.#records.end(), say);
    const rest = harmless?.end() ?? '';
    if (rest.length > 0) await this.#call.err(rest);
  }

  async #onMessage(bytes: Buffer, say: (bytes: Buffer) => Promise<void>): Promise<void> {
    const { way, nobody } = this.#call;
    // "Connection closed": of that the end of ssh says more.
    if (this.#hello !== null && way.terminal) return;
    if (this.#hello === null) this.#said = `${this.#said}${bytes.toString()}`.slice(-mostSaid);
    if (this.#hello === null && nobody) {
      this.#heldBack = [Buffer.concat([...this.#heldBack, bytes]).subarray(-mostSaid)];
      return;
    }
    const before = this.#heldBack;
    this.#heldBack = [];
    await say(Buffer.concat([...before, bytes]));
  }

  #take(record: RemoteRecord): void {
    if (record.kind === 'hello') this.#hello ??= record;
    else if (record.kind === 'arrived') this.#child.stdin?.write('\n');
    else {
      this.#bye ??= record.status;
      if (!this.#goesOn(record.status)) this.#endInput();
    }
    if (this.#hello !== null && this.#hello.protocol !== protocol) this.#child.kill('SIGTERM');
  }

  /** Whether something there goes on reading: then the connection stays until its end or that of the input. */
  #goesOn(status: number): boolean {
    const { feeds, waits } = this.#call.way;
    return feeds && (status === exitStatus.stillRunning || (status === exitStatus.ok && !waits));
  }

  #endInput(): void {
    const { stdin } = this.#child;
    if (stdin && this.#call.way.reads) process.stdin.unpipe(stdin);
    stdin?.end();
  }

  #onInterrupt(name: NodeJS.Signals): void {
    const isFirst = this.#interrupted === null;
    this.#interrupted = name;
    const { way } = this.#call;
    const canAnswer = this.#hello !== null && !way.terminal && !way.reads;
    if (!isFirst || !canAnswer) {
      this.#child.kill('SIGTERM');
      return;
    }
    // It notices the end of its input, leaves off, and says its status.
    this.#child.stdin?.end();
    this.#patience = setTimeout(() => this.#child.kill('SIGTERM'), answerWithinMs);
  }

  async #statusOf(status: number | null): Promise<number> {
    const { address, verb, note } = this.#call;
    if (this.#hello !== null && this.#hello.protocol !== protocol)
      throw otherProtocol(address, this.#hello.version, this.#hello.protocol);
    if (this.#bye !== null) return this.#bye;
    // Nothing reads our output, and the program there has noticed that.
    if (this.#hello !== null && status === exitStatus.brokenPipe) return status;
    if (this.#interrupted === null)
      throw failure({ address, status, said: this.#said, begun: this.#hello !== null, verb });
    note(
      this.#hello === null
        ? `interrupted before ${address.shown} answered`
        : `interrupted; what has begun on ${address.shown} continues there`,
    );
    return 128 + constants.signals[this.#interrupted];
  }
}
