import { constants } from 'node:os';
import type { StringValue } from 'ms';
import type { BindTo } from '../engine/spawn-request.ts';
import type { RegexpPattern } from '../model/pattern.ts';
import { bytes, InvalidArgumentError, parseDuration } from './packages.ts';

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
  return parseDuration(form as StringValue);
}

/** No limit. Not `null`, in which commander sees no value at all. */
export type None = 'none';

/** A duration, or `none`. */
export function durationOrNone(text: string): number | None {
  return isNone(text) ? 'none' : duration(text);
}

/** The value of `--wait`, which may be left out: then it has no end. */
export function waitDuration(text: string): number | None {
  return text === '' ? 'none' : durationOrNone(text);
}

/** A size in bytes: `1000`, `64k`, `100m`, `1g`; units are powers of 1024. */
export function size(text: string): number {
  const form = text.trim().toLowerCase();
  const parsed =
    sizeForm.test(form) && form.length <= longestForm ? bytes().parse(form.replace(/b?$/, 'b')) : null;
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
}

/** Collects conditions: `exit`, `pattern=RE`, `port=N` (or `port=any`), `idle=D`. */
export function condition(text: string, before: Conditions | undefined): Conditions {
  const [, kind, value = ''] = /^([a-z]+)(?:=(.*))?$/s.exec(text) ?? [];
  if (kind === 'exit' && value === '') return { ...before, exit: true };
  if (kind === 'pattern' && value !== '') return { ...before, pattern: { regexp: value } };
  if (kind === 'port' && value !== '') return { ...before, port: value === 'any' ? true : whole(value) };
  if (kind === 'idle' && value !== '') return { ...before, idleMs: duration(value) };
  throw new InvalidArgumentError('Expected exit, pattern=RE, port=N or idle=DURATION.');
}

/** Collects `K=V` options; of several with one key the last counts. */
export function pair(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = text.indexOf('=');
  // What is behind the equals sign may be a secret, and without one everything may be.
  if (at <= 0) throw new InvalidArgumentError('Expected a name, an equals sign and a value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** A signal by its name, with or without SIG, or by its number. */
export function killSignalName(text: string): string {
  const given = text.trim().toUpperCase();
  const numbered = Object.entries(constants.signals).find(([, number]) => String(number) === given);
  const name = numbered?.[0] ?? (given.startsWith('SIG') ? given : `SIG${given}`);
  if (Object.hasOwn(constants.signals, name)) return name;
  throw new InvalidArgumentError('Expected the name or the number of a signal, such as TERM, INT or 9.');
}
