/** Options of the library that a message may name, in the words of the command line. */
const flags: Readonly<Record<string, string>> = {
  cwd: '--cwd',
  env: '--env',
  name: '--name',
  labels: '--label',
  timeoutMs: '--timeout',
  graceMs: '--grace',
  maxOutputBytes: '--max-output',
  memoryBytes: '--memory',
  cpuSeconds: '--cpu-time',
  processes: '--processes',
  niceness: '--nice',
  bindTo: '--bind-to',
  'bindTo.pid': '--bind-to',
  key: '--key',
  onExit: '--on-exit',
  tty: '--tty',
  separate: '--separate',
  output: '--output',
  stdin: '--stdin',
  killSignal: '--signal',
  sessionId: '--session',
  OUTLIVE_SESSION: '$OUTLIVE_SESSION',
};

/** What messages of the library advise, as flags. A test finds the words of each in the messages. */
export const advice: readonly (readonly [RegExp, string])[] = [
  [/set replace: true/g, 'add --replace'],
  [
    /Search its output instead, with task\.watch\(\) or task\.waitFor\(\)/g,
    'Search its output instead: outlive logs TASK --grep PATTERN',
  ],
  [/List all tasks to see which there are\./g, 'See: outlive ps -a --all-sessions'],
  [/List all tasks of the fleet to see which there are\./g, 'See: outlive ps --fleet -a --all-sessions'],
  [/look at the list of hosts\b/g, 'look at: outlive fleet hosts'],
  [
    /raise maxRunning, or let the task wait its turn with onLimit: 'queue'/g,
    'or let the task wait its turn with --queue',
  ],
  [
    /Bind to process\.pid, to another live process, or to 'session'/g,
    'Bind to a live process, or to: session',
  ],
  [/in the option "?shell"?/g, 'with --shell'],
  [/in the option env/g, 'with -e NAME=VALUE'],
  [/or open the store with elsewhere: 'lost' if no other machine uses it/g, 'or run the command there'],
  [/"after"/g, '--after'],
  [/Spawn it with stdin: 'open' \(--stdin\) or a tty \(--tty\)/g, 'Run it with --stdin or --tty'],
  [/spawn the task with stdin: 'open' and no tty/g, 'run it with --stdin, without --tty'],
  [/Spawn it with a tty \(--tty\)/g, 'Run it with --tty'],
  [/spawn it with a tty \(--tty\)/g, 'run it with --tty'],
  [/Spawn (it again|the new task)/g, 'Run $1'],
  [
    /prune the store, free some space, or lower diskReserveBytes/g,
    'remove old tasks with outlive prune, or free some space',
  ],
  [/\bno onExit\b/g, 'no --on-exit'],
];

/**
 * A message of the library for those who have typed flags: it names these where it names options. What a caller has given
 * stands in quotes, and stays.
 */
export function inFlags(message: string): string {
  const advised = advice.reduce((text, [words, ours]) => text.replace(words, ours), message);
  return advised.replace(
    /\bexpected ([A-Za-z_]+(?:\.pid)?)(?:\.[^\s"]+)? to be\b/g,
    (said, option: string) => (Object.hasOwn(flags, option) ? `expected ${flags[option]} to be` : said),
  );
}
