import type { Size } from './painter.ts';

/** All keys, and what they do. */
const keys: readonly (readonly [string, string])[] = [
  ['Up Down  k j', 'one row; PgUp PgDn a page; Home End  g G the first, the last'],
  ['Left Right  h l', 'close or open a session'],
  ['Enter', 'the log of the task; of a session, close or open it'],
  ['/', 'filter: words, status:failed,lost  label:k=v  name:web*  session:x*; in the log: search'],
  ['Space  *', 'select the task, or all of the session; select all, or none'],
  ['•', 'before a task: its end is pending, not acknowledged yet'],
  ['x', 'stop what is selected, else the task'],
  ['r', 'restart it: the same command again, in a new task'],
  ['a', 'acknowledge its end, so that it is not reported again'],
  ['t', 'take over its terminal; Ctrl-\\ d comes back'],
  ['o', 'its log in $PAGER'],
  ['n N', 'in the log: the next match, the previous one'],
  ['Tab', 'in the log: the other stream, of a task that was run with --separate'],
  ['Esc  q', 'back; q in the list, and Ctrl-C, end top. Tasks keep running'],
  ['Ctrl-Z  Ctrl-L', 'suspend top until fg; redraw the screen'],
];

/** The keys as text that fits the screen; what has no room is left out. */
export function helpLines({ columns, rows }: Size): string[] {
  const width = Math.max(...keys.map(([key]) => key.length)) + 2;
  const lines = keys.flatMap(([key, text]) =>
    columns < 2 * width
      ? [key, ...wrapped(text, columns - 2).map((line) => `  ${line}`)]
      : wrapped(text, columns - width).map(
          (line, index) => `${(index === 0 ? key : '').padEnd(width)}${line}`,
        ),
  );
  return lines.slice(0, Math.max(0, rows - 1));
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word.slice(0, Math.max(1, width)));
  }
  return lines;
}
