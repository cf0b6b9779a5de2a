import { constants } from 'node:os';
import bytes from 'bytes';
import { InvalidArgumentError } from 'commander';
import ms, { type StringValue } from 'ms';
import type { BindTo } from '../engine/spawn/spawn-request.ts';
import { keyBytes, keyNames } from '../model/keys.ts';
import { bounds, defaults } from '../model/limits.ts';
import type { RegexpPattern } from '../model/pattern.ts';
import { statusReasons, type TaskStatus, type TerminalSize } from '../model/words.ts';

/** `ms` takes a bare number for milliseconds and `bytes` knows no `64k`, so the form is checked first. */
const durationForm = /^\d+(?:\.\d+)?(?:ms|s|m|h|d|w)$/;
const sizeForm = /^\d+(?:\.\d+)?[kmgt]?b?$/;

/** Of a longer text `ms` makes nothing, without a word, and `bytes` makes infinity. */
const longestForm = 64;

/** A duration in milliseconds: a number with its unit, such as `500ms`, `10s`, `30m`, `2h`, `7d`. */
export function duration(text: string): number {
  const form = text.trim().toLowerCase();
  if (!durationForm.test(form) || form.length > longestForm) {
    throw new InvalidArgumentError('Expected a number with its unit, such as 500ms, 10s, 30m or 2h.');
  }
  return ms(form as StringValue);
}

const momentForm = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?)?$/i;

/** A time in epoch milliseconds: a duration back from now, or a date with a time, local unless it says its zone. */
export function moment(text: string): number {
  const form = text.trim();
  if (durationForm.test(form.toLowerCase())) return Math.max(0, Date.now() - duration(form));
  // A date alone would be in UTC.
  const parsed = momentForm.test(form)
    ? new Date(form.length === 10 ? `${form}T00:00` : form).getTime()
    : Number.NaN;
  if (Number.isFinite(parsed) && parsed >= 0) return parsed;
  throw new InvalidArgumentError('Expected how long ago, such as 10m, or a time, such as 2026-11-28T09:30.');
}

/** No limit. Not `null`, in which commander sees no value at all. */
export type None = 'none';

/** A duration, or `none`. */
export function durationOrNone(text: string): number | None {
  return isNone(text) ? 'none' : duration(text);
}

/** How long a task may run, or `none`. */
export function limitOrNone(text: string): number | None {
  const parsed = durationOrNone(text);
  if (parsed === 0) throw new InvalidArgumentError('Expected more than 0, or none for no limit.');
  return parsed;
}

/** A name for a task. */
export function name(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('Expected a name that is not empty. Leave the option out for none.');
}

/** The value of `--wait`, which may be left out: then it has no end. */
export function waitDuration(text: string): number | None {
  return text === '' ? 'none' : durationOrNone(text);
}

/** The value of `--queue`, how many tasks may run; it may be left out. */
export function places(text: string): number {
  if (text === '') return defaults.maxRunning;
  const number = whole(text);
  if (number === 0) throw new InvalidArgumentError('Expected a whole number from 1.');
  return number;
}

/** A size in bytes: `1000`, `64k`, `100m`, `1g`; units are powers of 1024. */
export function size(text: string): number {
  const form = text.trim().toLowerCase();
  const parsed =
    sizeForm.test(form) && form.length <= longestForm ? bytes.parse(form.replace(/b?$/, 'b')) : null;
  if (parsed === null) {
    throw new InvalidArgumentError('Expected a number of bytes, such as 4096, 64k, 100m or 1g.');
  }
  return parsed;
}

/** A size, or `none`. */
export function sizeOrNone(text: string): number | None {
  return isNone(text) ? 'none' : size(text);
}

function isNone(text: string): boolean {
  return text.trim().toLowerCase() === 'none';
}

/** What the library takes for no limit. */
export function orNull(value: number | None): number | null {
  return value === 'none' ? null : value;
}

/** A whole number that is not negative. */
export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text.trim()))
    throw new InvalidArgumentError('Expected a whole number that is not negative.');
  return Number(text);
}

const mostPort = 65_535;

/** A port to listen at; 0 is any that is free. */
export function port(text: string): number {
  const number = /^\d{1,5}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (number <= mostPort) return number;
  throw new InvalidArgumentError(`Expected a port from 0 to ${mostPort}; 0 is any that is free.`);
}

/** A whole number, which may be negative. */
export function integer(text: string): number {
  if (!/^[+-]?\d{1,9}$/.test(text.trim())) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

/** What a task is bound to: a process, by its pid, or the session. */
export function bond(text: string): BindTo {
  return text.trim() === 'session' ? 'session' : { pid: whole(text) };
}

/** What `wait --for` names; whichever comes first ends the wait, and so does the end of the task. */
export interface Conditions {
  /** The end was named as well: then it is what was waited for. */
  readonly exit?: true;
  readonly pattern?: RegexpPattern;
  readonly port?: number | true;
  readonly idleMs?: number;
  readonly screen?: RegexpPattern;
  readonly input?: true;
}

/** Collects conditions: `exit`, `pattern=RE`, `port=N` (or `port=any`), `idle=D`, `screen=RE`, `input`. */
export function condition(text: string, before: Conditions = {}): Conditions {
  const wanted = oneCondition(text);
  // A wait takes one of each kind. If the last one counted, a wait would miss the line that the first one names.
  if (Object.keys(wanted).some((kind) => kind in before))
    throw new InvalidArgumentError(
      'Expected each kind once. Put several lines into one: pattern=ready|error.',
    );
  return { ...before, ...wanted };
}

function oneCondition(text: string): Conditions {
  const [, kind, value = ''] = /^([a-z]+)(?:=(.*))?$/s.exec(text) ?? [];
  if (kind === 'exit' && value === '') return { exit: true };
  if (kind === 'pattern' && value !== '') return { pattern: { regexp: value } };
  if (kind === 'port' && value !== '') return { port: value === 'any' ? true : portNumber(value) };
  if (kind === 'idle' && value !== '') return { idleMs: duration(value) };
  if (kind === 'screen' && value !== '') return { screen: { regexp: value } };
  if (kind === 'input' && value === '') return { input: true };
  throw new InvalidArgumentError('Expected exit, pattern=RE, port=N, idle=DURATION, screen=RE or input.');
}

function portNumber(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError('Expected port=N, with N from 1 to 65535, or port=any.');
}

/** The size of a terminal: `120x40`. */
export function terminalSize(text: string): TerminalSize {
  const [, cols = '', rows = ''] = /^(\d{1,4})x(\d{1,4})$/i.exec(text.trim()) ?? [];
  const size = { cols: Number(cols), rows: Number(rows) };
  if (isTerminalSize(size)) return size;
  throw new InvalidArgumentError(
    `Expected columns and rows, at least 2x1 and at most ${bounds.terminalSide}x${bounds.terminalSide}, such as 120x40.`,
  );
}

/** Whether a terminal can have that size. */
export function isTerminalSize({ cols, rows }: TerminalSize): boolean {
  const isSide = (side: number, least: number): boolean => side >= least && side <= bounds.terminalSide;
  return isSide(cols, 2) && isSide(rows, 1);
}

/** Collects keys, in their order. */
export function key(text: string, before: readonly string[] = []): readonly string[] {
  if (keyBytes(text) !== null) return [...before, text];
  throw new InvalidArgumentError(`Expected one of: ${keyNames.join(', ')} (X: a character).`);
}

/** A text that may be said several times. */
export function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Collects the keys that leave a terminal: a character, or a key by its name. */
export function detachKey(text: string, before: readonly string[] = []): readonly string[] {
  return [...text].length === 1 ? [...before, text] : key(text, before);
}

/** Collects `K=V` options; of several with one key the last counts. */
export function pair(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = text.indexOf('=');
  // The text after the equals sign may be a secret; without an equals sign, all of the text may be.
  if (at <= 0) throw new InvalidArgumentError('Expected a name, an equals sign and a value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Collects labels by which tasks are chosen: `K=V`, or `K` with any value (`null`). */
export function label(
  text: string,
  before: Record<string, string | null> | undefined,
): Record<string, string | null> {
  const at = text.indexOf('=');
  if (text === '' || at === 0)
    throw new InvalidArgumentError('Expected a key, or a key, an equals sign and a value.');
  return { ...before, [at < 0 ? text : text.slice(0, at)]: at < 0 ? null : text.slice(at + 1) };
}

/** Collects statuses, with commas between them. */
export function status(text: string, before: readonly TaskStatus[] = []): readonly TaskStatus[] {
  const known = Object.keys(statusReasons);
  const words = text.split(',').map((word) => word.trim());
  if (words.every((word) => known.includes(word))) return [...before, ...(words as TaskStatus[])];
  throw new InvalidArgumentError(`Expected some of: ${known.join(', ')}, with commas between them.`);
}

/** A signal by its name, with or without SIG, or by its number. */
export function killSignalName(text: string): string {
  const given = text.trim().toUpperCase();
  const numbered = Object.entries(constants.signals).find(([, number]) => String(number) === given);
  const name = numbered?.[0] ?? (given.startsWith('SIG') ? given : `SIG${given}`);
  if (Object.hasOwn(constants.signals, name)) return name;
  throw new InvalidArgumentError('Expected the name or the number of a signal, such as TERM, INT or 9.');
}
