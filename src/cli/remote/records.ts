import { isForeseen } from '../../errors/expected.ts';

/** What the program there says to the one here, in the stream of its messages. */
export type RemoteRecord =
  /** The first: who answers. */
  | { readonly kind: 'hello'; readonly protocol: number; readonly version: string }
  /** Everything before it was written: has it arrived? */
  | { readonly kind: 'arrived' }
  /** The last: the exit status of the verb. */
  | { readonly kind: 'bye'; readonly status: number };

/** No program has it in its output by chance, and no other one knows the number of this call. */
const edge = '\x1e';

/** Our records are not longer. */
const mostBytes = 1024;

/** A record as it stands in a stream. */
export function encodeRecord(nonce: string, record: RemoteRecord): string {
  return `${edge}${nonce} ${JSON.stringify(record)}${edge}`;
}

/** Takes the records of a call out of a stream, and passes on everything else as it is. */
export class RecordReader {
  readonly #begin: Buffer;
  readonly #take: (record: RemoteRecord) => void;
  #held: Buffer = Buffer.alloc(0);

  constructor(nonce: string, take: (record: RemoteRecord) => void) {
    this.#begin = Buffer.from(`${edge}${nonce} `);
    this.#take = take;
  }

  /** What is no record of some bytes, up to a record that is half there. */
  pass(bytes: Buffer): Buffer {
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = Buffer.alloc(0);
    const passed: Buffer[] = [];
    for (;;) {
      const at = this.#beginIn(rest);
      passed.push(rest.subarray(0, at));
      rest = rest.subarray(at);
      if (rest.length === 0) break;
      const end = rest.indexOf(edge, this.#begin.length);
      const record = end < 0 ? null : recordOf(rest.subarray(this.#begin.length, end));
      if (record !== null) {
        this.#take(record);
        rest = rest.subarray(end + 1);
      } else if (end < 0 && rest.length < mostBytes) {
        this.#held = rest;
        break;
      } else {
        passed.push(rest.subarray(0, 1));
        rest = rest.subarray(1);
      }
    }
    return passed.length === 1 ? (passed[0] ?? rest) : Buffer.concat(passed);
  }

  /** What was held back when the stream has ended. */
  end(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }

  /** Where a record begins, or may begin at the end of the bytes. */
  #beginIn(bytes: Buffer): number {
    const at = bytes.indexOf(this.#begin);
    if (at >= 0) return at;
    const last = bytes.lastIndexOf(edge);
    const isBegun = last >= 0 && this.#begin.subarray(0, bytes.length - last).equals(bytes.subarray(last));
    return isBegun ? last : bytes.length;
  }
}

function recordOf(bytes: Buffer): RemoteRecord | null {
  try {
    const { kind, protocol, version, status } = Object(JSON.parse(bytes.toString()));
    if (kind === 'arrived') return { kind };
    if (kind === 'hello' && typeof protocol === 'number' && typeof version === 'string')
      return { kind, protocol, version };
    if (kind === 'bye' && Number.isInteger(status) && status >= 0 && status < 256) return { kind, status };
  } catch (error) {
    if (!(error instanceof SyntaxError) && !isForeseen(error)) throw error;
  }
  return null;
}
