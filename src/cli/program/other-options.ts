/** Options of other programs (docker, pm2, pueue, gob), and what stands for them here. */
const elsewhere: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // In front of the verb.
  '': Object.fromEntries(
    ['-s', '--session', '--store', '--json'].map((name) => [name, 'It comes after the verb: outlive ps ...']),
  ),
  run: {
    '-d': 'Leave it out: run leaves the command in the background',
    '--detach': 'Leave it out: run leaves the command in the background',
    '--background': 'Leave it out: run leaves the command in the background',
    '--rm': 'Leave it out: outlive removes old, acknowledged tasks',
    '-it': 'Here that is: --tty',
    '-i': 'Here that is: --stdin',
    '--interactive': 'Here that is: --stdin',
    '--workdir': 'Here that is: -C',
    '-w': 'Here that is: -C',
    '--restart': 'outlive restarts nothing by itself',
    '--watch': 'outlive restarts nothing by itself',
  },
  ps: {
    '-f': 'Here that is: --status, --label or --name',
    '--filter': 'Here that is: --status, --label or --name',
    '--format': 'Here that is: --json, or -q for ids',
    '--sort': 'The oldest task always comes first; sort the output of --json',
    '--limit': 'Here that is: --last',
  },
  logs: {
    '--tail': 'Here that is: -n',
    '--nostream': 'Leave it out: without -f it does not wait for more',
    '--until': 'There is only --since; --timestamps says when each line was written',
    '-t': 'Here that is: --timestamps',
  },
  wait: { '--until': 'Here that is: --for', '--next': 'Here that is: --any' },
  kill: {
    '-f': 'Here that is: -9',
    '--force': 'Here that is: -9',
    '--time': 'Here that is: --grace',
    '-t': 'Here that is: --grace',
  },
  restart: { '--time': 'Here that is: --grace', '-t': 'Here that is: --grace' },
  prune: {
    '-f': 'Leave it out: outlive does not ask',
    '--force': 'Leave it out: outlive does not ask',
    '--all': 'Here that is: --all-sessions, and --unread',
    '-a': 'Here that is: --all-sessions, and --unread',
  },
  completions: { '--tail': 'Here that is: -n', '-f': 'Here that is: --follow' },
};

/**
 * What to write for an option of another program; null: it is none of those that are known.
 * @param option as it was typed, with or without a value.
 */
export function ourOption(verb: string, option: string): string | null {
  const [name = ''] = option.split('=');
  const options = Object.hasOwn(elsewhere, verb) ? elsewhere[verb] : undefined;
  return options !== undefined && Object.hasOwn(options, name) ? (options[name] ?? null) : null;
}
