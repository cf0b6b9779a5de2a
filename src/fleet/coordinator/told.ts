import type { Assignment } from '../wire/assignment.ts';
import type { LastSeen, RemoteHost, RemoteTask } from '../wire/operations.ts';
import type { Core } from './core.ts';
import { currentOf, type TaskEntry } from './fold.ts';

/** A task, as clients see it. */
export function taskTold(core: Core, entry: TaskEntry): RemoteTask {
  const { assignment } = currentOf(entry);
  const { host, task, attempt, state, spec, placement, client, request } = assignment;
  const { startBy, redispatch, at, localId, end, reason, next = null } = assignment;
  return {
    ...{ host, task, attempt, state, spec, placement, client, request, startBy, redispatch, at },
    ...{ localId, end, reason, next: state === 'revoked' ? next : null },
    mayHaveStarted: core.ledger.mayHaveStarted(task),
    lastSeen: lastSeen(core, assignment),
  };
}

/** What is known about the output of a task that runs or may run. An ended task has it in its end. */
function lastSeen(core: Core, assignment: Assignment): LastSeen | null {
  if (assignment.state !== 'accepted' && assignment.state !== 'unknown') return null;
  const found = core.tails.get(assignment);
  if (found === null) return null;
  const { tail, outputBytes, at } = found;
  return { tail, outputBytes, agoMs: Math.round(performance.now() - at) };
}

/** The most characters of a command in a row of a list. */
const mostShown = 200;

/** A task as a row of a list: with the beginning of the command, and without the environment and the output. */
export function rowTold(core: Core, entry: TaskEntry): RemoteTask {
  const told = taskTold(core, entry);
  const { spec, end } = told;
  const text = typeof spec.command === 'string' ? spec.command : spec.command.join(' ');
  const command = text.length > mostShown ? `${text.slice(0, mostShown)}...` : spec.command;
  return { ...told, spec: { ...spec, command, env: {} }, end: end && { ...end, tail: '' }, lastSeen: null };
}

/** All known hosts, as clients see them, sorted by name. */
export function hostsTold(core: Core): RemoteHost[] {
  const now = performance.now();
  const rows = [...core.hosts()].map((record): RemoteHost => {
    const { host, cordoned, draining, removed, version, labels, slots } = record;
    const heardAt = core.leases.get(host)?.heardAt;
    return {
      ...{ host, cordoned, draining, removed, version, labels, slots },
      state: core.leases.isLive(host, now) ? 'live' : core.leases.isLost(host, now) ? 'lost' : 'late',
      refused: core.flooding.get(host) ?? core.refused.get(host)?.message ?? null,
      ...core.ledger.loadOf(host),
      silentMs: heardAt === undefined ? null : Math.round(now - heardAt),
    };
  });
  return rows.sort((a, b) => (a.host < b.host ? -1 : 1));
}
