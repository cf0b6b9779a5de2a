import { shown } from '../../errors/error.ts';

/**
 * Reads an object that came from outside, field by field. What is not as it has to be is refused by the caller's error, and so
 * is a field that nobody has read.
 */
export class StrictFields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #refuse: (said: string) => Error;
  readonly #unread: Set<string>;

  /** @param refuse makes the error of a sentence that says what was expected and what was found. */
  constructor(value: unknown, refuse: (said: string) => Error) {
    this.#refuse = refuse;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw refuse(`expected an object; found ${shown(value)}`);
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#unread = new Set(Object.keys(value));
  }

  /** A text of at most 64 KiB, of that form. No message shows the value: it may be a secret. */
  text(name: string, form: RegExp = /^[^\0]*$/): string {
    const value = this.#take(name);
    if (typeof value === 'string' && value.length <= 65_536 && form.test(value)) return value;
    throw this.#wrong(name, 'a text of the right form', value);
  }

  textOrNull(name: string, form?: RegExp): string | null {
    return this.isNull(name) ? null : this.text(name, form);
  }

  /** A whole number, of that least and that greatest value. */
  whole(name: string, [least, greatest]: readonly [number, number] = [0, Number.MAX_SAFE_INTEGER]): number {
    const value = this.#take(name);
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= greatest)
      return value as number;
    throw this.#wrong(name, `a whole number from ${least} to ${greatest}`, value);
  }

  wholeOrNull(name: string, bounds?: readonly [number, number]): number | null {
    return this.isNull(name) ? null : this.whole(name, bounds);
  }

  oneOf<T extends string | number | boolean>(name: string, choices: readonly T[]): T {
    const value = this.#take(name);
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.#wrong(name, `one of ${choices.join(', ')}`, value);
  }

  /** A list of at most so many texts. */
  texts(name: string, most: number): readonly string[] {
    const value = this.#take(name);
    const isGood =
      Array.isArray(value) && value.length <= most && value.every((one) => typeof one === 'string');
    if (isGood) return value;
    throw this.#wrong(name, `a list of at most ${most} texts`, value);
  }

  /** Names with texts. */
  record(name: string, most: number): Readonly<Record<string, string>> {
    const inner = this.inner(name);
    const names = inner.names();
    if (names.length > most) throw this.#refuse(`expected at most ${most} entries in ${name}; found more`);
    return Object.fromEntries(names.map((one) => [one, inner.text(one)]));
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  /** The names of all fields that were not read yet. */
  names(): readonly string[] {
    return [...this.#unread];
  }

  /** Whatever it is: the caller checks it. */
  any(name: string): unknown {
    return this.#take(name);
  }

  inner(name: string): StrictFields {
    return new StrictFields(this.#take(name), (said) => this.#refuse(`${said} in ${name}`));
  }

  /** Says that all has been read: what is left is nothing that this version knows. */
  end(): void {
    const [name] = this.#unread;
    if (name !== undefined) throw this.#refuse(`expected no field ${shown(name)}; found one`);
  }

  #take(name: string): unknown {
    this.#unread.delete(name);
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  /** Whether there is a null; then it has been read. */
  isNull(name: string): boolean {
    const isNull = Object.hasOwn(this.#object, name) && this.#object[name] === null;
    if (isNull) this.#unread.delete(name);
    return isNull;
  }

  #wrong(name: string, what: string, value: unknown): Error {
    return this.#refuse(`expected ${what} as ${name}; found ${value === undefined ? 'none' : typeof value}`);
  }
}
