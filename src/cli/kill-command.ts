import { constants } from 'node:os';
import { Command } from 'commander';

/** The verb `kill`, which takes a signal as kill(1) does: `-9`, `-KILL`, `-SIGTERM`. */
export class KillCommand extends Command {
  override parseOptions(words: string[]): ReturnType<Command['parseOptions']> {
    const end = words.indexOf('--');
    return super.parseOptions(
      words.map((word, index) =>
        isSignal(word) && (end < 0 || index < end) ? `--signal=${word.slice(1)}` : word,
      ),
    );
  }
}

function isSignal(word: string): boolean {
  const [, name = ''] = /^-(\d{1,2}|[A-Z][A-Z\d]+)$/.exec(word) ?? [];
  if (/^\d/.test(name)) return true;
  return Object.hasOwn(constants.signals, name) || Object.hasOwn(constants.signals, `SIG${name}`);
}
