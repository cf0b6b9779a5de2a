import bytes from 'bytes';
import prettyMs from 'pretty-ms';

/** A duration as the command line shows it, in two units at most; empty if it is not known. */
export function shownDuration(ms: number | null): string {
  if (ms === null) return '';
  return prettyMs(ms, { unitCount: 2, secondsDecimalDigits: ms < 10_000 ? 1 : 0 });
}

/** A size in powers of 1024. */
export function shownBytes(size: number): string {
  return bytes.format(Math.round(size), { decimalPlaces: 1 }) ?? '';
}

/** A time in the reader's own time zone; empty if it is not known. */
export function shownTime(epochMs: number | null): string {
  if (epochMs === null) return '';
  const time = new Date(epochMs);
  const shifted = new Date(epochMs - time.getTimezoneOffset() * 60_000);
  // A record that another program has written to may hold any number.
  if (Number.isNaN(shifted.getTime())) return `${epochMs} ms`;
  return shifted.toISOString().slice(0, 19).replace('T', ' ');
}
