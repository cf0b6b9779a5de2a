import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

const debug = debuglog('outlive');
/** Bun prints what is asked for, and does not say whether it is. */
const isAsked: boolean = debug.enabled ?? isAskedBy(process.env.NODE_DEBUG ?? '');

/** Prints a line on stderr, if `NODE_DEBUG=outlive` asks for it; else the line is not made. */
export function trace(line: () => string): void {
  if (isAsked) debug('%s', line());
}

/** Whether our name is one of a list, in which `*` stands for any letters. */
function isAskedBy(list: string): boolean {
  const patterns = list
    .replace(/[^\w*,]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll(',', '|');
  return new RegExp(`^(?:${patterns})$`, 'i').test('outlive');
}

/**
 * What happens here, for those who want to know: the subscribers of a channel of `node:diagnostics_channel`, and
 * `NODE_DEBUG=outlive`. Where nobody listens, nothing is made.
 */
export class Topic<Message extends object> {
  // Held here: a channel that nobody holds is forgotten.
  readonly #channel;
  readonly #line: (message: Message) => string;

  /**
   * @param name of the channel.
   * @param line what is printed: without commands, which may have secrets in them.
   */
  constructor(name: string, line: (message: Message) => string) {
    this.#channel = channel(name);
    this.#line = line;
  }

  tell(make: () => Message): void {
    if (!this.#channel.hasSubscribers && !isAsked) return;
    const message = make();
    trace(() => this.#line(message));
    this.#channel.publish(message);
  }
}
