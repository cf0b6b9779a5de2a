import { createInterface } from 'node:readline/promises';
import type { Io } from './io.ts';

/** Whether somebody is there who can be asked. */
export function canAsk(io: Io): boolean {
  return io.terminal && !io.json && process.stdin.isTTY === true;
}

/** Asks a question of somebody at a terminal; no answer is a no. */
export async function agrees(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const closed = new Promise<string>((resolve) => prompt.once('close', () => resolve('')));
    const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
