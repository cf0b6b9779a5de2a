import bytes from 'bytes';
import prettyMs from 'pretty-ms';
import type { TaskStatus } from '../../model/words.ts';
import type { Colours } from '../io.ts';

/** A duration for people, of two units at most: `850ms`, `3.2s`, `4m 10s`, `2h 5m`. */
export function shownDuration(ms: number | null): string {
  if (ms === null) return '';
  return prettyMs(ms, { unitCount: 2, secondsDecimalDigits: ms < 10_000 ? 1 : 0 });
}

/** A size for people, in powers of 1024. */
export function shownBytes(size: number): string {
  return bytes.format(Math.round(size), { decimalPlaces: 1 }) ?? '';
}

/** A moment as people read it, in their own time zone. */
export function shownTime(epochMs: number | null): string {
  if (epochMs === null) return '';
  const time = new Date(epochMs);
  const shifted = new Date(epochMs - time.getTimezoneOffset() * 60_000);
  // A record that somebody else has written to may hold any number.
  if (Number.isNaN(shifted.getTime())) return `${epochMs} ms`;
  const local = shifted.toISOString();
  return `${local.slice(0, 10)} ${local.slice(11, 23)}`;
}

/** A day of the last half year, and a time: as `ls` shows them, of always the same width; of others the year. */
export function shownDay(epochMs: number, nowMs = Date.now()): string {
  const time = new Date(epochMs);
  if (Number.isNaN(time.getTime())) return `${epochMs} ms`;
  const isNear = Math.abs(nowMs - epochMs) < halfYearMs;
  const [year, month, day, hour, minute] = [
    String(time.getFullYear()),
    months[time.getMonth()] ?? '',
    ...[time.getDate(), time.getHours(), time.getMinutes()].map((part) => String(part).padStart(2, '0')),
  ];
  return `${month} ${day} ${isNear ? `${hour}:${minute}` : year?.padStart(5)}`;
}

const halfYearMs = 182 * 86_400_000;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A status in the colour that people expect. */
export function shownStatus(status: TaskStatus, colours: Colours): string {
  const paint: Readonly<Record<TaskStatus, (text: string) => string>> = {
    queued: colours.dim,
    starting: colours.cyan,
    running: colours.cyan,
    killing: colours.yellow,
    completed: colours.green,
    failed: colours.red,
    killed: colours.yellow,
    timed_out: colours.yellow,
    lost: colours.magenta,
  };
  return paint[status](status);
}
