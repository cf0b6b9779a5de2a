import { fstatSync } from 'node:fs';
import { conversationOf } from '../engine/session/conversation.ts';
import { isSystemError } from '../errors/error.ts';

let said: boolean | null = null;

/** Says what another machine has found out, to which this process prints. */
export function setIntoAgent(isSo: boolean): void {
  said = isSo;
}

/**
 * Whether what is printed here is for an agent to read, and not for a person or another program: stdout and stderr are one
 * file or pipe, or an agent has started this shell and stdout is a pipe.
 */
export function goesIntoAgent(): boolean {
  if (process.stdout.isTTY === true) return false;
  if (said !== null) return said;
  try {
    const [out, err] = [fstatSync(1), fstatSync(2)];
    // Everything that is thrown away is one device as well.
    const isOne = out.dev === err.dev && out.ino === err.ino && !out.isCharacterDevice();
    const isPipe = out.isFIFO() || out.isSocket();
    return isOne || (isPipe && conversationOf({ env: process.env }) !== null);
  } catch (error) {
    // One of them is closed.
    if (!isSystemError(error)) throw error;
    return false;
  }
}
