/** What was typed, with the machines that it is for. */
export interface Meant {
  /** The addresses as they were given; empty: this machine. */
  readonly hosts: readonly string[];
  /** They were named by `--host`, and not by the environment. */
  readonly isTyped: boolean;
  /** The verb, and what follows it. */
  readonly words: readonly string[];
}

/**
 * Takes the machines from what was typed: each `--host` in front of the verb, else those of `$OUTLIVE_HOST`. Behind the verb,
 * `--host` belongs to the verb.
 */
export function takeHosts(typed: readonly string[], env: string | undefined): Meant {
  const hosts: string[] = [];
  let at = 0;
  for (; at < typed.length; at += 1) {
    const word = typed[at] ?? '';
    if (word.startsWith('--host=')) hosts.push(word.slice('--host='.length));
    else if (word !== '--host') break;
    else {
      at += 1;
      // An empty one is refused as no address.
      hosts.push(typed[at] ?? '');
    }
  }
  const words = typed.slice(at);
  if (hosts.length > 0) return { hosts, isTyped: true, words };
  return { hosts: env ? env.split(',') : [], isTyped: false, words };
}
