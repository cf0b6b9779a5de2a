import { Command } from 'commander';
import { OutliveError } from '../errors/error.ts';

/** Words that are not the name of a command: after such an option, a person means them as its value. */
const values: Readonly<Record<string, RegExp>> = {
  '--wait': /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w)|none)$/i,
  '--queue': /^\d+$/,
};

/**
 * The verb `run`, whose `--wait` may have a value only when it is joined by an equals sign: what follows it is
 * the command (`run --wait npm test`), which commander would take for the value.
 */
export class RunCommand extends Command {
  override parseOptions(words: string[]): ReturnType<Command['parseOptions']> {
    return super.parseOptions(this.#joined(words));
  }

  #joined(words: readonly string[]): string[] {
    const joined: string[] = [];
    for (let i = 0; i < words.length; i += 1) {
      const word = words[i] ?? '';
      const option = this.options.find(({ short, long }) => word === short || word === long);
      // The command begins here, and its words are its own.
      if (word === '--' || !word.startsWith('-')) return [...joined, ...words.slice(i)];
      if (option?.optional) checkNext(option.long ?? word, words[i + 1]);
      joined.push(option?.optional ? `${word}=` : word);
      const value = option?.required ? words[i + 1] : undefined;
      if (value === undefined) continue;
      joined.push(value);
      i += 1;
    }
    return joined;
  }
}

/** @throws OutliveError `USAGE` when a value is not joined to its option. */
function checkNext(option: string, next: string | undefined): void {
  if (next === undefined || values[option]?.test(next) !== true) return;
  throw new OutliveError(
    'USAGE',
    `expected ${option}=${next}; found a blank between them, so that ${next} would be the command. See: outlive run --help`,
  );
}
