import { setTimeout as sleep } from 'node:timers/promises';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';

/** How often a list that is watched is drawn. */
const redrawMs = 1_000;

/** Draws a list again and again on the other screen of the terminal, which is left as it was found. */
export async function redraw(io: Io, list: () => Promise<string>): Promise<void> {
  await io.out('\x1b[?1049h\x1b[?25l');
  try {
    await untilInterrupted(async (interrupted) => {
      while (!interrupted.aborted) {
        const text = await list();
        const heading = `outlive ps, ${new Date().toLocaleTimeString()}; Ctrl-C ends it\n\n`;
        await io.out(`\x1b[H${fitted(heading + text)}\x1b[J`);
        await sleep(redrawMs, undefined, { signal: interrupted }).catch(() => undefined);
      }
    });
  } finally {
    await io.out('\x1b[?25h\x1b[?1049l');
  }
}

/** As many lines as the terminal has, each cleared behind its end. */
function fitted(text: string): string {
  const height = process.stdout.rows || 24;
  return text
    .trimEnd()
    .split('\n')
    .slice(0, height - 1)
    .map((line) => `${line}\x1b[K\n`)
    .join('');
}
