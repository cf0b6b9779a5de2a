import type { RowStatus, TaskRow } from '../protocol.ts';

/** A sign for each status, so that colour alone says nothing. In the order in which they are counted. */
export const signs: Readonly<Record<RowStatus, string>> = {
  running: '▶',
  starting: '▷',
  queued: '…',
  killing: '◼',
  completed: '✓',
  failed: '✗',
  killed: '■',
  timed_out: '◷',
  lost: '?',
  revoked: '⊘',
  unknown: '¿',
};

export function wordOf(status: RowStatus): string {
  return status.replace('_', ' ');
}

/** What the status says already. */
const implied: Readonly<Record<string, string>> = { killed: 'kill', timed_out: 'timeout' };

/** How it is or ended, in words: `failed, exit 3`. */
export function fateOf({ status, statusReason, exitCode, exitSignal }: TaskRow): string {
  const more = [
    statusReason === null || statusReason === implied[status] ? [] : [statusReason.replaceAll('_', ' ')],
    exitCode === null || status === 'completed' ? [] : [`exit ${exitCode}`],
    exitSignal === null ? [] : [exitSignal],
  ].flat();
  return [wordOf(status), ...more].join(', ');
}
