import { readSync } from 'node:fs';
import { OutliveError, systemCode } from '../../errors/error.ts';
import { exitStatus } from '../exit-status.ts';
import { setIntoAgent } from '../into-agent.ts';
import { standFor } from '../io.ts';
import { holdStdin } from '../stdin.ts';
import { packageVersion } from '../version.ts';
import { encodeRecord, type RemoteRecord } from './records.ts';
import {
  type AskersTerminal,
  handedOn,
  protocol,
  type RemoteRequest,
  readRequest,
  requestOfWord,
} from './request.ts';

/** The pause between two checks of an input that has nothing yet, in milliseconds. */
const lookMs = 5;

/**
 * What an outlive on another machine runs here: it reads a request, runs its verb, and says who it is before and the status
 * after it.
 * @param words the number of the call, the verb, and where a terminal goes through ssh, the request.
 */
export async function serve(
  [nonce = '', _verb, word]: readonly string[],
  run: (words: readonly string[]) => Promise<number>,
): Promise<number> {
  if (!/^[0-9a-f]{32}$/.test(nonce))
    throw new OutliveError(
      'USAGE',
      'expected a call from an outlive on another machine; found none. This verb is for outlive itself: use outlive --host',
    );
  const stream = word === undefined ? process.stderr : process.stdout;
  const say = async (record: RemoteRecord): Promise<void> =>
    await new Promise((resolve, reject) => {
      stream.write(encodeRecord(nonce, record), (error) => (error ? reject(error) : resolve()));
    });
  process.stderr.on('error', endQuietly);
  // No caller means a store of a third machine.
  delete process.env.OUTLIVE_HOST;
  await say({ kind: 'hello', protocol, version: packageVersion() });
  const request = word === undefined ? readRequest(readExactly) : requestOfWord(word);
  // The caller has seen our hello, and sends its request.
  if (request.protocol !== protocol) return exitStatus.failed;
  beAs(request);
  const link = word === undefined && request.stdin === 'held' ? new HeldLink() : null;
  standFor({
    prefix: request.prefix,
    arrived: async () => {
      if (word !== undefined) return;
      await say({ kind: 'arrived' });
      await link?.answered();
    },
  });
  try {
    const status = await run(request.words);
    await say({ kind: 'bye', status });
    return status;
  } finally {
    link?.close();
  }
}

/** The caller is gone. */
function endQuietly(error: Error): void {
  if (systemCode(error) !== 'EPIPE') throw error;
  process.exit(exitStatus.brokenPipe);
}

/** Makes this process what the asker's is, as far as verbs go by it. */
function beAs({ words, names, terminal, colours, intoAgent }: RemoteRequest): void {
  for (const name of handedOn) {
    const value = Object.hasOwn(names, name) ? names[name] : undefined;
    if (value !== undefined) process.env[name] = value;
  }
  if (!colours) process.env.NO_COLOR = '1';
  if (terminal === null) return;
  setIntoAgent(intoAgent);
  if (terminal.stdin && words[0] === 'send') Object.assign(process.stdin, { isTTY: true });
  beTerminals(terminal);
}

/** Streams that end at a terminal are written to as one. */
function beTerminals({ stdout, stderr, columns, rows }: AskersTerminal): void {
  if (stdout) Object.assign(process.stdout, { isTTY: true, columns: Number(columns), rows: Number(rows) });
  if (stderr) Object.assign(process.stderr, { isTTY: true });
}

/** Reads exactly so many bytes of stdin: what follows is another program's. */
function readExactly(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  let at = 0;
  while (at < count) {
    const read = readSome(bytes, at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}

function readSome(bytes: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(0, bytes, at, bytes.length - at, null);
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lookMs);
    }
  }
}

/** The input of this process, which the asker holds open: its end is the end of the connection. */
class HeldLink {
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #isOver = false;

  constructor() {
    holdStdin();
    process.stdin.on('data', (bytes: Buffer) => {
      for (const _answer of bytes) this.#waiting.shift()?.resolve();
    });
    for (const event of ['end', 'error'] as const) process.stdin.once(event, () => this.#end());
  }

  /** Waits for the asker to say that all has arrived. */
  async answered(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.#isOver) reject(lost());
      else this.#waiting.push({ resolve, reject });
    });
  }

  close(): void {
    this.#isOver = true;
    process.stdin.destroy();
  }

  /** As when a terminal is closed: what waits leaves off. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { reject } of this.#waiting.splice(0)) reject(lost());
    process.kill(process.pid, 'SIGHUP');
  }
}

function lost(): OutliveError {
  return new OutliveError(
    'CONNECTION_LOST',
    'expected the calling machine to confirm the answer; found that the connection has ended. Nothing was acknowledged',
    { details: { host: '' } },
  );
}
