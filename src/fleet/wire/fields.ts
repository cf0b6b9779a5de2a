import { OutliveError } from '../../errors/error.ts';
import { wireVersion } from './names.ts';

/** Bounds of a whole number. */
interface WholeBounds {
  readonly least?: number;
  readonly most?: number;
}

/** The fields of an object that came over the bus or was read from a file, each of which is checked when it is taken. */
export class Fields {
  readonly #what: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /**
   * @param what what the object is, as a message names it.
   * @throws OutliveError `FLEET_FORGED`, as all methods, for what is not what it has to be.
   */
  constructor(value: unknown, what: string) {
    this.#what = what;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#wrong('no object');
    this.#values = value as Readonly<Record<string, unknown>>;
  }

  /** Of an object that carries the version of the wire: refuses another one. */
  versioned(): this {
    const { v } = this.#values;
    if (v !== wireVersion)
      throw this.#wrong(
        `version ${String(v).slice(0, 20)}, where this one has ${wireVersion}: install the same outlive on both`,
      );
    return this;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name) && this.#values[name] !== undefined;
  }

  /** @param most characters. */
  text(name: string, most = 1_024): string {
    const value = this.#get(name);
    if (typeof value === 'string' && value.length <= most) return value;
    throw this.#wrong(`no text of at most ${most} characters as ${name}`);
  }

  textOrNull(name: string, most?: number): string | null {
    return this.#get(name) === null ? null : this.text(name, most);
  }

  whole(name: string, { least = 0, most = Number.MAX_SAFE_INTEGER }: WholeBounds = {}): number {
    const value = this.#get(name);
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw this.#wrong(`no whole number from ${least} to ${most} as ${name}`);
  }

  wholeOrNull(name: string, bounds?: WholeBounds): number | null {
    return this.#get(name) === null ? null : this.whole(name, bounds);
  }

  flag(name: string): boolean {
    const value = this.#get(name);
    if (typeof value === 'boolean') return value;
    throw this.#wrong(`neither true nor false as ${name}`);
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#get(name);
    const word = words.find((one) => one === value);
    if (word !== undefined) return word;
    throw this.#wrong(`none of ${words.join(', ')} as ${name}`);
  }

  /** A text that has a form. */
  formed(name: string, isRight: (text: string) => boolean): string {
    const text = this.text(name);
    if (isRight(text)) return text;
    throw this.#wrong(`another form of ${name}`);
  }

  /** @param read takes each item, which it checks. */
  list<Item>(name: string, most: number, read: (value: unknown) => Item): Item[] {
    const value = this.#get(name);
    if (Array.isArray(value) && value.length <= most) return value.map(read);
    throw this.#wrong(`no list of at most ${most} as ${name}`);
  }

  /** Texts by names. @param most of them. */
  texts(name: string, most: number, longest: number): Readonly<Record<string, string>> {
    const fields = this.object(name);
    const names = Object.keys(fields.#values);
    if (names.length > most) throw this.#wrong(`more than ${most} of ${name}`);
    return Object.fromEntries(names.map((one) => [one, fields.text(one, longest)]));
  }

  /** Texts or `null` by names. */
  textsOrNull(name: string, most: number, longest: number): Readonly<Record<string, string | null>> {
    const fields = this.object(name);
    const names = Object.keys(fields.#values);
    if (names.length > most) throw this.#wrong(`more than ${most} of ${name}`);
    return Object.fromEntries(names.map((one) => [one, fields.textOrNull(one, longest)]));
  }

  object(name: string): Fields {
    return new Fields(this.#get(name), `${this.#what}.${name}`);
  }

  objectOrNull(name: string): Fields | null {
    return this.#get(name) === null ? null : this.object(name);
  }

  /** The value as it is. */
  raw(name: string): unknown {
    return this.#get(name);
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  #wrong(found: string): OutliveError {
    return new OutliveError('FLEET_FORGED', `expected ${this.#what}; found ${found}.`);
  }
}

/** The JSON of a message. @throws OutliveError `FLEET_FORGED` for what is none, or is larger than 512 KiB. */
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
    throw new OutliveError('FLEET_FORGED', `expected ${what}; found something that is no JSON.`, { cause });
  }
}
