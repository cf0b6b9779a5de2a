/** What each exit status means, for the help of verbs. */
const meanings = {
  own: 'the command’s own, if it has ended',
  0: 'success',
  seen: 'the condition is true, or the command has ended with 0',
  1: 'the task ended with 0 before the condition was true',
  problem: 'a problem is left',
  declined: 'nothing was written, because you answered no',
  64: 'wrong usage: nothing was done',
  118: 'another machine is out of reach, or the task of a fleet is unknown',
  119: 'a task started here would end with this shell call: nothing was started',
  120: 'no such task',
  121: 'the task is lost: it is not known how it ended',
  122: 'the task is still running',
  123: 'the task was stopped by outlive',
  124: 'the task has timed out',
  125: 'outlive itself has failed',
} as const;

type Row = keyof typeof meanings;

const rows: Readonly<Record<string, readonly Row[]>> = {
  run: [0, 'own', 64, 118, 119, 121, 122, 123, 124, 125],
  restart: [0, 64, 119, 120, 125],
  wait: ['seen', 'own', 1, 64, 118, 120, 121, 122, 123, 124, 125],
  attach: [0, 'own', 64, 120, 121, 122, 123, 124, 125],
  doctor: [0, 'problem', 64, 125],
  setup: [0, 'declined', 64, 125],
};

/** Verbs that name tasks. */
const ofTasks: readonly Row[] = [0, 64, 120, 125];
const named = new Set(['show', 'logs', 'watch', 'send', 'screen', 'resize', 'kill', 'prune']);
const ofOthers: readonly Row[] = [0, 64, 125];

const statuses: Readonly<Partial<Record<Row, string>>> = {
  own: '*',
  seen: '0',
  problem: '1',
  declined: '1',
};

/** The exit statuses of a verb, as help shows them. */
export function exitStatuses(verb: string): string {
  const shown = rows[verb] ?? (named.has(verb) ? ofTasks : ofOthers);
  const lines = shown.map((row) => `  ${(statuses[row] ?? String(row)).padEnd(5)}${meanings[row]}`);
  return `\nExit status:\n${lines.join('\n')}`;
}
