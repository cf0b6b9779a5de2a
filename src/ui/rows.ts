import type { TaskSnapshot } from '../model/snapshot.ts';
import type { TaskRow } from './protocol.ts';

const mostCommandCharacters = 2048;

/** What the list shows of a task. */
export function rowOf(snapshot: TaskSnapshot): TaskRow {
  const { taskId, sessionId, name, command, cwd, status, statusReason, exitCode, exitSignal } = snapshot;
  const { createdAt, startedAt, endedAt, lastSeenAt, output, delivered, labels } = snapshot;
  return {
    ...{ taskId, sessionId, name, command: command.slice(0, mostCommandCharacters), cwd },
    ...{ status, statusReason, exitCode, exitSignal, createdAt, startedAt, endedAt, lastSeenAt },
    ...{ bytes: output.bytes, separate: output.stderrPath !== null, tty: snapshot.tty !== null },
    ...{ leftovers: snapshot.leftovers.length, delivered, labels },
  };
}
