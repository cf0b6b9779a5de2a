import type { Fleet } from '../../fleet/client/fleet.ts';
import type { RemoteTask } from '../../fleet/wire/operations.ts';
import { visible } from '../../util/visible.ts';
import { exitStatus } from '../exit-status.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, sessionIdOf } from '../open.ts';
import { type Column, none, tableText } from '../present/table.ts';
import { jsonLine } from '../present/task.ts';
import { shownDuration } from '../present/values.ts';
import { commandLineOf, isOver, paintedFate, referenceOf } from './remote-task.ts';

interface PsInFleetOptions extends CommonOptions {
  readonly all?: boolean;
  readonly allSessions?: boolean;
  readonly quiet?: boolean;
}

const columns: readonly Column[] = [
  { heading: 'TASK' },
  { heading: 'SESSION', rank: 3, least: 8 },
  { heading: 'NAME', rank: 4, least: 10, mayBeEmpty: true },
  { heading: 'STATUS', rank: 6, least: 9 },
  { heading: 'AGE', rank: 2 },
  { heading: 'COMMAND', rank: 5, least: 20 },
];

/** `outlive ps --fleet`: the tasks of the fleet that wait, run or are unknown, or all that it remembers. */
export async function psInFleet(
  io: Io,
  fleet: Fleet,
  _operands: readonly string[],
  options: PsInFleetOptions,
): Promise<number> {
  const asked = options.allSessions ? {} : { session: sessionIdOf(options) };
  const tasks: RemoteTask[] = [];
  for await (const task of fleet.tasks(asked))
    if (options.all || !isOver(task) || task.state === 'unknown') tasks.push(task);
  tasks.sort((a, b) => a.at - b.at);
  if (options.quiet) await io.out(tasks.map((task) => `${referenceOf(task)}\n`).join(''));
  else if (io.json) await io.out(tasks.map(jsonLine).join(''));
  else if (tasks.length > 0) await io.out(listing(io, tasks));
  else if (io.terminal) io.note(nothing(io, options));
  return exitStatus.ok;
}

function listing(io: Io, tasks: readonly RemoteTask[]): string {
  const rows = tasks.map((task) => [
    referenceOf(task),
    visible(task.spec.session),
    visible(task.spec.name ?? none),
    paintedFate(task, io),
    shownDuration(Math.max(0, Date.now() - task.at)),
    visible(commandLineOf(task)),
  ]);
  if (io.terminal) return tableText(columns, rows, io.columns);
  return rows.map((cells) => `${cells.join('\t')}\n`).join('');
}

function nothing(io: Io, { all, allSessions }: PsInFleetOptions): string {
  const more = [...(all ? [] : ['-a']), ...(allSessions ? [] : ['--all-sessions'])];
  const hint = more.length === 0 ? '' : `. See: ${io.hint('ps', '--fleet', ...more)}`;
  return `no task of the fleet ${all ? 'is known' : 'runs'}${hint}`;
}
