import { OutliveError } from '../errors/error.ts';
import type { TerminalSize } from '../model/words.ts';
import { isTerminalSize } from './values.ts';

/** The options of `run` for a terminal. */
interface TerminalWords {
  readonly tty?: boolean;
  readonly size?: TerminalSize;
}

/**
 * The size of the terminal that a command is to have: the one that was said, else that of this terminal, which may not know it, as
 * serial lines and containers say 0x0.
 * @returns `undefined`: it is to have none.
 * @throws OutliveError `USAGE` for a size without a terminal.
 */
export function terminalSizeOf({ tty, size }: TerminalWords): TerminalSize | undefined {
  if (tty === true) {
    const { columns, rows } = process.stdout;
    return (
      size ?? (isTerminalSize({ cols: columns, rows }) ? { cols: columns, rows } : { cols: 80, rows: 24 })
    );
  }
  if (size === undefined) return undefined;
  throw new OutliveError('USAGE', 'expected --tty with --size; found --size alone. Add --tty');
}
