import { OutliveError, shown } from '../../errors/error.ts';
import { wireVersion } from './names.ts';

interface WholeBounds {
  readonly least?: number;
  readonly most?: number;
}

/** The longest text that must match a pattern, in characters: certificates are the longest. */
const mostFormed = 64 * 1_024;

/**
 * Reads an object that came from outside, field by field. Each method throws the caller's error if the field is not
 * valid. No error shows a value, because the value may be a secret.
 */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #refuse: (said: string) => OutliveError;
  readonly #unread: Set<string>;

  /** @param refuse makes the error from a text that says what was expected and what was found. */
  constructor(value: unknown, refuse: (said: string) => OutliveError) {
    this.#refuse = refuse;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw refuse(`expected an object; found ${kindOf(value)}`);
    this.#values = value as Readonly<Record<string, unknown>>;
    this.#unread = new Set(Object.keys(value));
  }

  /** The fields of an object in JSON. */
  static of(text: string, refuse: (said: string) => OutliveError): Fields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // The message of this error shows a part of the text.
      throw refuse(`expected JSON; found ${text.length} characters that are not JSON`);
    }
    return new Fields(value, refuse);
  }

  /** Reads the version of the protocol, which each message has as `v`, and refuses every other version. */
  versioned(): this {
    const found = this.#take('v');
    if (found === wireVersion) return this;
    const version = Number.isSafeInteger(found) ? String(found) : kindOf(found);
    throw this.#refuse(
      `expected version ${wireVersion} (install the same outlive on all machines of the fleet); found ${version}`,
    );
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name) && this.#values[name] !== undefined;
  }

  /** @param most characters. */
  text(name: string, most = 1_024): string {
    const value = this.#take(name);
    if (typeof value === 'string' && value.length <= most) return value;
    throw this.#wrong(name, `a text of at most ${most} characters`, value);
  }

  textOrNull(name: string, most?: number): string | null {
    return this.#isNull(name) ? null : this.text(name, most);
  }

  /** A text that matches a pattern. */
  formed(name: string, form: RegExp): string {
    const value = this.#take(name);
    if (typeof value === 'string' && value.length <= mostFormed && form.test(value)) return value;
    throw this.#wrong(name, 'a text of the right form', value);
  }

  formedOrNull(name: string, form: RegExp): string | null {
    return this.#isNull(name) ? null : this.formed(name, form);
  }

  whole(name: string, { least = 0, most = Number.MAX_SAFE_INTEGER }: WholeBounds = {}): number {
    const value = this.#take(name);
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw this.#wrong(name, `a whole number from ${least} to ${most}`, value);
  }

  wholeOrNull(name: string, bounds?: WholeBounds): number | null {
    return this.#isNull(name) ? null : this.whole(name, bounds);
  }

  flag(name: string): boolean {
    return this.oneOf(name, [true, false]);
  }

  oneOf<Choice extends string | number | boolean>(name: string, choices: readonly Choice[]): Choice {
    const value = this.#take(name);
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.#wrong(name, `one of ${choices.join(', ')}`, value);
  }

  /** A list of at most `most` items. @param read reads and checks one item. */
  list<Item>(name: string, most: number, read: (value: unknown) => Item): Item[] {
    const value = this.#take(name);
    if (Array.isArray(value) && value.length <= most) return value.map((one: unknown) => read(one));
    throw this.#wrong(name, `a list of at most ${most}`, value);
  }

  /** A list of at most `most` texts. @param longest the most characters of one text. */
  texts(name: string, most: number, longest = 1_024): string[] {
    return this.list(name, most, (value) => {
      if (typeof value === 'string' && value.length <= longest) return value;
      throw this.#wrong(name, `texts of at most ${longest} characters`, value);
    });
  }

  /** An object of at most `most` fields. @param read reads and checks one field. */
  entries<Value>(
    name: string,
    most: number,
    read: (fields: Fields, key: string) => Value,
  ): Readonly<Record<string, Value>> {
    const inner = this.inner(name);
    const keys = [...inner.#unread];
    if (keys.length > most) throw this.#refuse(`expected at most ${most} fields in ${name}; found more`);
    return Object.fromEntries(keys.map((key) => [key, read(inner, key)]));
  }

  /** An object of at most `most` texts. @param longest the most characters of one text. */
  record(name: string, most: number, longest = 1_024): Readonly<Record<string, string>> {
    return this.entries(name, most, (fields, key) => fields.text(key, longest));
  }

  inner(name: string): Fields {
    return new Fields(this.#take(name), (said) => this.#refuse(`${said} in ${name}`));
  }

  innerOrNull(name: string): Fields | null {
    return this.#isNull(name) ? null : this.inner(name);
  }

  /** The value, unchecked: the caller must check it. */
  raw(name: string): unknown {
    return this.#take(name);
  }

  /**
   * Refuses a field that nobody has read, because this version does not know it. Call it after reading all fields. A
   * reader that does not call it accepts objects of later versions, which may have more fields.
   */
  end(): void {
    const [name] = this.#unread;
    if (name !== undefined) throw this.#refuse(`expected no field ${shown(name)}; found one`);
  }

  #take(name: string): unknown {
    this.#unread.delete(name);
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  /** Whether the field is null. A null counts as read. */
  #isNull(name: string): boolean {
    const isNull = Object.hasOwn(this.#values, name) && this.#values[name] === null;
    if (isNull) this.#unread.delete(name);
    return isNull;
  }

  #wrong(name: string, what: string, value: unknown): OutliveError {
    const found = typeof value === 'string' ? 'another text' : kindOf(value);
    return this.#refuse(`expected ${what} as ${name}; found ${found}`);
  }
}

/**
 * The fields of an object that came over the bus.
 * @param what names the object in errors.
 * @throws OutliveError `FLEET_FORGED`, like all methods of {@link Fields}.
 */
export function wireFields(value: unknown, what: string): Fields {
  return new Fields(value, (said) => new OutliveError('FLEET_FORGED', `${said}, in ${what}.`));
}

/** The JSON of a message. @throws OutliveError `FLEET_FORGED` if it is not JSON, or larger than 512 KiB. */
export function jsonOf(bytes: Uint8Array, what: string): unknown {
  const mostBytes = 512 * 1_024;
  if (bytes.length > mostBytes)
    throw new OutliveError(
      'FLEET_FORGED',
      `expected ${what} of at most ${mostBytes} bytes; found ${bytes.length}.`,
    );
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new OutliveError('FLEET_FORGED', `expected ${what}; found something that is not JSON.`, { cause });
  }
}

/** Describes a value in an error without showing it. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'none';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of the type ${typeof value}`;
}
