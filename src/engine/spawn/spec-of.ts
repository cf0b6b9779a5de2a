import type { SpecFact } from '../../model/facts.ts';
import { bounds } from '../../model/limits.ts';
import type { Bond } from '../../model/words.ts';
import { now } from '../../platform/clock.ts';
import { isLong } from '../../shim/shell-words.ts';
import { taskLogVersion } from '../../tasklog/codec.ts';
import { randomHex } from '../../util/crypto.ts';
import type { SpawnPlace } from '../queue/queue.ts';
import type { SessionContext } from '../session/context.ts';
import type { SpawnRequest } from './spawn-request.ts';

/** The record of a new task: what was asked for, without the values of variables. */
export function specOf(
  context: SessionContext,
  taskId: string,
  request: SpawnRequest,
  { bond, place: { waits, ...queue } }: { bond: Bond | null; place: SpawnPlace },
): SpecFact {
  const { shell, command } = request.asked;
  const commandInFile = isLong(command);
  const { epochMs, monoMs } = now();
  return {
    fact: 'spec',
    v: taskLogVersion,
    taskId,
    sessionId: context.sessionId,
    command: commandInFile ? command.slice(0, bounds.commandHeadChars) : command,
    commandInFile,
    cwd: request.cwd,
    shell,
    name: request.name,
    labels: request.labels,
    timeoutMs: request.timeoutMs,
    graceMs: request.graceMs,
    separate: request.separate,
    ...(request.output === 'file' ? {} : { output: request.output }),
    ...(request.stdin === 'none'
      ? {}
      : { stdin: typeof request.stdin === 'object' ? ('data' as const) : request.stdin }),
    ...(request.tty === null ? {} : { tty: request.tty }),
    leftovers: request.leftovers,
    maxOutputBytes: request.maxOutputBytes,
    keepOutputBytes: request.keepOutputBytes,
    bindTo: bond,
    retentionMs: context.limits.retentionMs,
    cookie: `${taskId}.${randomHex(8)}`,
    createdAt: epochMs,
    monoMs,
    by: context.store.system.self(),
    ...(request.starter === null ? {} : { starter: request.starter }),
    ...(waits ? { queue } : {}),
    ...(request.after === null ? {} : { after: request.after }),
    ...(request.key === null ? {} : { key: request.key }),
    ...(request.onExit === null ? {} : { onExit: request.onExit }),
    ...(request.setNames.length === 0 ? {} : { setNames: request.setNames }),
    ...(request.unsetNames.length === 0 ? {} : { unsetNames: request.unsetNames }),
    ...(request.unbuffered ? { unbuffered: true as const } : {}),
    ...(request.replaces === null ? {} : { replaces: request.replaces }),
    ...(request.inPlaceOf === null ? {} : { inPlaceOf: request.inPlaceOf }),
  };
}
