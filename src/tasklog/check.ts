import { isPid } from '../platform/identity.ts';

/** What JSON gave us, before anything is known about it. */
export type Json = Readonly<Record<string, unknown>>;

/** What a value stands for; null when it is nothing of that kind. */
export type Check<T> = (value: unknown) => T | null;

/** What a field of a shape stands for. `undefined`: the field is left out. {@link spoilt}: the whole is nothing. */
type Field<T> = (value: unknown) => T | typeof spoilt;

const spoilt = Symbol('spoilt');

/** A check for each field of `T`. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/**
 * The check of an object with known fields. Others are dropped. The object is changed: it is what JSON was just parsed to.
 * @param finish what must hold between the fields: null when it does not.
 */
export function shape<T>(fields: Fields<T>, finish: (whole: T) => T | null = whatever): Check<T> {
  const known = Object.entries<Field<unknown>>(fields).map(([name, field]) => ({ name, field }));
  return (value) => {
    if (!isObject(value)) return null;
    // What we have written ourselves is as it should be: it is completed in place, which takes half of the time of a copy.
    let left = 0;
    let isAsItShouldBe = true;
    for (const { name, field } of known) {
      const given = value[name];
      const part = field(given);
      if (part === spoilt) return null;
      if (part !== given) {
        if (part === undefined) isAsItShouldBe = false;
        value[name] = part;
      }
      if (part !== undefined) left += 1;
    }
    const isAll = isAsItShouldBe && Object.keys(value).length === left;
    return finish((isAll ? value : only(known, value)) as T);
  };
}

/** A copy of an object, with the known fields that have a value. */
function only(known: readonly { readonly name: string }[], value: Json): Json {
  const found: Record<string, unknown> = {};
  for (const { name } of known) if (value[name] !== undefined) found[name] = value[name];
  return found;
}

function whatever<T>(whole: T): T {
  return whole;
}

/** A field without which the whole is nothing. A check by itself is a field that may be null. */
export function must<T>(check: Check<T>): Field<T> {
  return (value) => check(value) ?? spoilt;
}

/** A field that has a value in any case. */
export function or<T>(check: Check<T>, otherwise: T): Field<T> {
  return (value) => check(value) ?? otherwise;
}

/** A field that is left out when there is nothing to say. */
export function optional<T>(check: Check<T>): Field<T | undefined> {
  return (value) => check(value) ?? undefined;
}

/** Parses an object; null for anything else. */
export function parseObject(line: string): Json | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const text: Check<string> = (value) => (typeof value === 'string' ? value : null);

/** A finite number. */
export const number: Check<number> = (value) => (Number.isFinite(value) ? (value as number) : null);

/** What can be an exit code. */
export const integer: Check<number> = (value) => (Number.isSafeInteger(value) ? (value as number) : null);

/** A number of bytes, of things, or of an error. */
export const size: Check<number> = (value) => {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
};

/** The pid of any process: the first one of a container can be a spawner. */
export const pid: Check<number> = (value) => (isPid(value) ? value : null);

/** The pid of a process of a task: 0 and 1 are never one, and a signal to them would hit everybody. */
export const taskPid: Check<number> = (value) => (isPid(value) && value > 1 ? value : null);

/** True, or anything else, which is false. */
export function flag(value: unknown): boolean {
  return value === true;
}

/** One of some words, or of some numbers. */
export function oneOf<W extends string | number>(words: readonly W[]): Check<W> {
  return (value) => (words.includes(value as W) ? (value as W) : null);
}

/** A list, without what is no item. */
export function list<T>(item: Check<T>): Check<T[]> {
  return (value) => (Array.isArray(value) ? value.map(item).filter((found) => found !== null) : null);
}

/** The texts of an object, under their names. */
export const texts: Check<Record<string, string>> = (value) => {
  if (!isObject(value)) return null;
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
};
