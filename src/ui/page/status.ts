import type { RowStatus, TaskRow } from '../protocol.ts';

/** A sign for each status, so that no status is told by colour alone. In the order of the counts. */
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

/** Reasons that the status already says. */
const implied: Readonly<Record<string, string>> = { killed: 'kill', timed_out: 'timeout' };

/** The status in words: `failed, exit 3`. */
export function fateOf({ status, statusReason, exitCode, exitSignal }: TaskRow): string {
  const more = [
    statusReason === null || statusReason === implied[status] ? [] : [statusReason.replaceAll('_', ' ')],
    exitCode === null || status === 'completed' ? [] : [`exit ${exitCode}`],
    exitSignal === null ? [] : [exitSignal],
  ].flat();
  return [wordOf(status), ...more].join(', ');
}
