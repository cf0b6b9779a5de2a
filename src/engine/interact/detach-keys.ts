import { keyBytes, keyNames } from '../../model/keys.ts';
import { invalid } from '../session/validate.ts';

/** The keys that leave a terminal, unless others are named. */
const usualKeys: readonly string[] = ['ctrl-\\', 'd'];

/** Finds the keys that leave in what is typed. What may be their beginning is held back until it is known. */
export class DetachKeys {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /**
   * Of keys by their names.
   * @param names each a character or the name of a key, pressed one after the other; none: no keys leave.
   * @throws OutliveError `INVALID_ARGUMENT`.
   */
  static named(names: readonly string[] = usualKeys): DetachKeys {
    const bytesOf = (key: unknown): string | null =>
      typeof key !== 'string' ? null : key.length === 1 ? key : keyBytes(key);
    const bytes = Array.isArray(names) ? names.map(bytesOf) : [];
    if (!Array.isArray(names) || bytes.includes(null))
      invalid('detachKeys', `a list of keys, each a character or one of: ${keyNames.join(', ')}`, names);
    return new DetachKeys(Buffer.from(bytes.join('')));
  }

  take(bytes: Buffer): { readonly typed: Buffer; readonly leaves: boolean } {
    const typed: number[] = [];
    for (const byte of bytes) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) return { typed: Buffer.from(typed), leaves: true };
        continue;
      }
      const held = this.#keys.subarray(0, this.#matched);
      this.#matched = 0;
      typed.push(...held);
      // The first key, pressed twice, is typed once.
      if (held.length === 1 && byte === held[0]) continue;
      if (byte === this.#keys[0]) this.#matched = 1;
      else typed.push(byte);
    }
    return { typed: Buffer.from(typed), leaves: false };
  }
}
