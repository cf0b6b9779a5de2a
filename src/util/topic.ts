import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

const debug = debuglog('outlive');

/** Prints a line on stderr, if `NODE_DEBUG=outlive` asks for it; else the line is not made. */
export function trace(line: () => string): void {
  if (debug.enabled) debug('%s', line());
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
    if (!this.#channel.hasSubscribers && !debug.enabled) return;
    const message = make();
    trace(() => this.#line(message));
    this.#channel.publish(message);
  }
}
