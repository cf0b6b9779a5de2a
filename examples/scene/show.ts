import type { Completion, Task, TaskSnapshot } from '../../src/index.ts';
import type { LiveProcess } from '../support/processes.ts';
import { root } from './cast.ts';
import { type Column, paint, paintStatus, row, say, seconds, shorten, titles, width } from './terminal.ts';

const completionColumns: readonly Column[] = [
  { title: 'told', width: 8, right: true },
  { title: 'ended', width: 8, right: true },
  { title: 'task', width: 9 },
  { title: 'status', width: 9 },
  { title: 'exit', width: 4, right: true },
  { title: 'its last words', width: 0 },
];

const taskColumns: readonly Column[] = [
  { title: 'task', width: 9 },
  { title: 'command', width: 0 },
  { title: 'status', width: 9 },
  { title: 'exit', width: 4, right: true },
  { title: 'took', width: 8, right: true },
  { title: 'output', width: 9, right: true },
];

const processColumns: readonly Column[] = [
  { title: 'pid', width: 8, right: true },
  { title: 'parent', width: 8, right: true },
  { title: 'group', width: 8, right: true },
  { title: 'process', width: 0 },
];

/** Writes the titles above completions. */
export function completionTitles(): void {
  titles(completionColumns);
}

/** Writes a completion that has just arrived, with times counted from the death of the agent. */
export function showCompletion(completion: Completion, diedAt: number): void {
  const { name, status, exitCode, endedAt, output } = completion;
  const cells = [
    since(Date.now() - diedAt),
    endedAt === null ? '-' : since(endedAt - diedAt),
    name ?? '',
    status,
    String(exitCode ?? '-'),
    output.preview
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1) ?? '',
  ];
  row(completionColumns, cells, (cell, column) => (column === 3 ? paintStatus(cell) : cell));
}

/** Writes the last lines of a task's output, and what the task has left behind. */
export async function showOutput(task: Task): Promise<void> {
  const { plain, size } = await task.tail({ maxBytes: 4_096 });
  for (const { pid, command } of task.snapshot().leftovers)
    say(`  It has left behind: ${pid} ${shorten(command, width - 30)}`);
  if (size === 0) return say('  It wrote nothing.');
  const lines = plain.trimEnd().split('\n').slice(-tailLines);
  say(`  The end of its output (${size} bytes):`);
  for (const line of lines) say(`  ${paint('dim', '|')} ${shorten(line, width - 4)}`);
}

const tailLines = 10;

/** Writes the processes of a task, one a line, the shim first. */
export function showTree(tree: readonly LiveProcess[]): void {
  titles(processColumns);
  for (const [index, { pid, parent, group, command }] of tree.entries()) {
    const shim = 'the shim, which outlives the agent and keeps the limits';
    const text = index === 0 ? shim : command.replaceAll(process.execPath, 'node').replaceAll(`${root}/`, '');
    row(processColumns, [String(pid), String(parent), String(group), text]);
  }
}

/** Writes a table of tasks. */
export function showTasks(tasks: readonly TaskSnapshot[]): void {
  titles(taskColumns);
  for (const { name, command, status, exitCode, durationMs, output } of tasks) {
    const took = durationMs === null ? '-' : seconds(durationMs);
    const cells = [name ?? '', command, status, String(exitCode ?? '-'), took, `${output.bytes} B`];
    row(taskColumns, cells, (cell, column) => (column === 2 ? paintStatus(cell) : cell));
  }
}

function since(durationMs: number): string {
  return `${durationMs < 0 ? '' : '+'}${seconds(durationMs)}`;
}
