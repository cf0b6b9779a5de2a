import { visible } from '../../util/visible.ts';
import type { TaskRow } from '../protocol.ts';

/** A span of time, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

type Test = (row: TaskRow) => boolean;

/**
 * Whether a task matches the filter. All its words must match: a plain word is in the name, command, session, folder or
 * id; others are `status:failed`, `session:NAME`, `host:NAME`, `label:KEY` or `label:KEY=VALUE`, `is:live`, `is:ended`,
 * `is:pending`. A `-` before a word negates it. `"two words"` are one.
 */
export function filterOf(text: string): Test {
  const tests = (text.match(/-?(?:[a-z]+:)?"[^"]*"|\S+/gi) ?? []).map(testOf);
  return (row) => tests.every((test) => test(row));
}

/** Whether a task ran within a span. */
export function isWithin(row: TaskRow, span: Span | null, now: number): boolean {
  if (span === null) return true;
  return beginOf(row) <= span.to && endOf(row, now) >= span.from;
}

export function beginOf({ startedAt, createdAt }: TaskRow): number {
  return startedAt ?? createdAt;
}

/** When it ended or was last seen; now, if it is live. */
export function endOf(row: TaskRow, now: number): number {
  return Math.max(beginOf(row), row.endedAt ?? row.lastSeenAt ?? (isLive(row) ? now : beginOf(row)));
}

export function isLive({ status }: TaskRow): boolean {
  return status === 'queued' || status === 'starting' || status === 'running' || status === 'killing';
}

function testOf(word: string): Test {
  if (word.length > 1 && word.startsWith('-')) {
    const test = testOf(word.slice(1));
    return (row) => !test(row);
  }
  const [, key = '', rest = ''] = /^([a-z]+):(.*)$/i.exec(word) ?? [];
  const value = unquoted(rest).toLowerCase();
  switch (key.toLowerCase()) {
    case 'status':
      return ({ status }) => status === value;
    case 'session':
      return ({ sessionId }) => visible(sessionId).toLowerCase().includes(value);
    case 'host':
      return ({ host }) => host?.toLowerCase() === value;
    case 'label':
      return ({ labels }) => hasLabel(labels, value);
    case 'is':
      return (row) => isOf(row, value);
    default:
      return wordTest(unquoted(word).toLowerCase());
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  return Object.entries(labels).some(([key, value]) =>
    wanted.includes('=') ? `${key}=${value}`.toLowerCase() === wanted : key.toLowerCase() === wanted,
  );
}

function isOf(row: TaskRow, value: string): boolean {
  if (value === 'pending') return !isLive(row) && !row.delivered;
  if (value === 'ended') return !isLive(row);
  return value === 'live' && isLive(row);
}

function wordTest(word: string): Test {
  return ({ taskId, sessionId, name, command, cwd }) =>
    // It searches the text that is shown, with invisible characters made visible.
    visible(`${name ?? ''} ${command} ${sessionId} ${cwd} ${taskId}`)
      .toLowerCase()
      .includes(word);
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}
