import { buffer } from 'node:stream/consumers';
import type { SendOptions } from '../engine/interact/send.ts';
import { OutliveError } from '../errors/error.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findOne, handleOf, withStoreToWait } from './open.ts';

/** What is sent beside the text. */
export interface SendWords {
  readonly enter?: boolean;
  readonly press?: readonly string[];
  readonly eof?: boolean;
  readonly paste?: boolean;
}

interface SendVerbOptions extends CommonOptions, SendWords {
  readonly timeout?: number;
}

/** `outlive send`: types into a task. Nothing is printed. */
export async function send(io: Io, words: readonly string[], options: SendVerbOptions): Promise<number> {
  const [reference = '', text] = words;
  return await withStoreToWait(options, async (store) => {
    const task = await handleOf(store, findOne(io, store, reference, options));
    const { timeout } = options;
    const sent = { ...keysOf(options), ...(timeout !== undefined && { timeoutMs: timeout }) };
    await task.send(text ?? (await textFromStdin(options)), sent);
    return exitStatus.ok;
  });
}

/** What comes on stdin, when nothing else was named. */
export async function textFromStdin({
  enter,
  press = [],
  eof,
  paste,
}: SendWords): Promise<string | Uint8Array> {
  const hasKeys = enter === true || press.length > 0;
  const isRead = !hasKeys && (paste === true || eof !== true || process.stdin.isTTY !== true);
  if (!isRead) return '';
  if (process.stdin.isTTY)
    throw new OutliveError(
      'USAGE',
      'expected a text, a key, --eof, or input by a pipe; found none of them, and a terminal. See: outlive send --help',
    );
  // Its pipe is non-blocking once Node has opened it: an immediate read fails if the writer is slow.
  return await buffer(process.stdin);
}

/** The keys, the end of the input, and whether the text is pasted. */
export function keysOf({ enter, press = [], eof, paste }: SendWords): Omit<SendOptions, 'timeoutMs'> {
  return {
    press: [...(enter === true ? ['enter'] : []), ...press],
    ...(eof !== undefined && { eof }),
    ...(paste !== undefined && { paste }),
  };
}
