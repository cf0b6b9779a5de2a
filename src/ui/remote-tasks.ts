import type { OutputChunk } from '../api/output.ts';
import { OutliveError } from '../errors/error.ts';
import { isFinal, type RemoteTask } from '../fleet/wire/operations.ts';
import { isFleetReference } from '../model/fleet-reference.ts';
import type { AgentFleet, AgentFleetTask } from '../tools/fleet/agent-fleet.ts';
import type { FleetLink } from '../tools/fleet/fleet-link.ts';
import { chunkOf, chunkOfTail, remoteStatusOf } from '../tools/fleet/remote-text.ts';
import { commandOf } from '../util/quote.ts';
import { failureOf } from './actions.ts';
import { linesAt, linesOf } from './log-lines.ts';
import type { ActData, Action, Request, TaskData, TaskRow } from './protocol.ts';
import { rowOf } from './rows.ts';
import { shownBytes, shownDuration, shownTime } from './shown.ts';

const mostCommandCharacters = 2048;

/** How long it waits for the end, in milliseconds: the host may have stopped the task before the coordinator knows. */
const endMs = 5_000;

type Pair = readonly [string, string];

/** What the list shows of a task on another host, as the coordinator knows it. */
export function remoteRowOf(task: RemoteTask): TaskRow {
  const { host, task: id, spec, end, state, reason, at } = task;
  const isPending = isFinal(task) && state !== 'delivered';
  const command = typeof spec.command === 'string' ? spec.command : commandOf(spec.command);
  return {
    ...{ taskId: `${host}/${id}`, host, sessionId: spec.session, name: spec.name, cwd: spec.cwd ?? '' },
    ...{
      command: command.slice(0, mostCommandCharacters),
      status: remoteStatusOf(task),
      statusReason: reason,
    },
    ...{ exitCode: end?.exitCode ?? null, exitSignal: end?.signal ?? null },
    // The coordinator knows when a state was written, but not when a command started.
    ...{ createdAt: at, startedAt: null, endedAt: end?.endedAt ?? null, lastSeenAt: null },
    ...{ bytes: end?.outputBytes ?? 0, separate: false, tty: false, leftovers: 0 },
    ...{ delivered: !isPending, labels: spec.labels },
  };
}

/** What a page asks about one task. */
type OfTask = Exclude<Request, { kind: 'tasks' | 'act' | 'terminal' }>;

/** Tasks on other hosts, for the pages of a dashboard: read and stopped through the fleet. */
export class RemoteTasks {
  readonly #link: FleetLink;

  constructor(link: FleetLink) {
    this.#link = link;
  }

  /** Answers what a page asks about a task on another host. */
  async *answers(request: OfTask, abortSignal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
    const task = await this.#find(request.taskId);
    switch (request.kind) {
      case 'task':
        return yield await dataOf(task);
      case 'lines': {
        const { where, offset } = request;
        return yield await linesAt(outputOf(task), 'stdout', where, offset);
      }
      case 'follow':
        return yield* followed(task, request.offset, abortSignal);
      case 'screen':
      case 'download':
      case 'search':
        throw new OutliveError(
          'INVALID_ARGUMENT',
          `expected a task of this machine; found ${request.taskId}, which is on another host. Read it with: outlive logs ${request.taskId}`,
        );
      default:
        request satisfies never;
    }
  }

  /** Acts on a task on another host. A failure is in the answer. */
  async act(action: Action, reference: string): Promise<ActData> {
    try {
      if (action !== 'stop')
        throw new OutliveError(
          'INVALID_ARGUMENT',
          `expected "stop", the only action here for a task on another host; found ${action}.`,
        );
      const task = await this.#find(reference);
      await task.kill();
      await task.wait({ timeoutMs: endMs });
      return { taskId: reference, error: null };
    } catch (error) {
      return { taskId: reference, error: failureOf(error) };
    }
  }

  async #find(reference: string): Promise<AgentFleetTask> {
    return await (await this.#fleet()).task(reference);
  }

  async #fleet(): Promise<AgentFleet> {
    return await this.#link.fleet();
  }
}

/** What a page asks about a task on another host; null: it asks about something else. */
export function requestThere(request: Exclude<Request, { kind: 'terminal' }>): OfTask | null {
  return 'taskId' in request && isFleetReference(request.taskId) ? request : null;
}

async function* followed(
  task: AgentFleetTask,
  offset: number,
  abortSignal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  try {
    for await (const { offset: at, bytes } of task.follow({ offset, abortSignal })) {
      const nextOffset = at + bytes.length;
      yield linesOf(chunkOf({ offset: at, bytes, nextOffset, size: nextOffset }, at));
    }
  } catch (error) {
    // The output that came with its end was read before this.
    if (isUnreachable(error) && task.known.end !== null) return;
    throw error;
  }
}

/** Whether its host may have the task. While it runs, the coordinator does not know its id there. */
function isThere({ state, localId }: RemoteTask): boolean {
  return state === 'accepted' || state === 'unknown' || localId !== null;
}

/**
 * The output of a remote task, read like that of a local one: from its host, or else what the host reported with the
 * end.
 */
function outputOf(task: AgentFleetTask) {
  return {
    read: async ({ offset, maxBytes }: { offset: number; maxBytes: number }): Promise<OutputChunk> => {
      const { known } = task;
      if (!isThere(known)) return chunkOfTail(known);
      try {
        return chunkOf(await task.read({ offset, maxBytes }), offset);
      } catch (error) {
        if (!isUnreachable(error) || known.end === null) throw error;
        return partOf(chunkOfTail(known, Number.POSITIVE_INFINITY), offset, maxBytes);
      }
    },
  };
}

function partOf(chunk: OutputChunk, offset: number, maxBytes: number): OutputChunk {
  const from = Math.min(Math.max(0, offset - chunk.offset), chunk.bytes.length);
  const bytes = chunk.bytes.subarray(from, from + maxBytes);
  const begin = chunk.offset + from;
  return chunkOf({ offset: begin, bytes, nextOffset: begin + bytes.length, size: chunk.size }, offset);
}

function isUnreachable(error: unknown): boolean {
  return error instanceof OutliveError && error.code === 'HOST_UNREACHABLE';
}

/** What the page shows of a remote task: what the coordinator knows and, if the host answers, what the host knows. */
async function dataOf(task: AgentFleetTask): Promise<TaskData> {
  const { known } = task;
  const { snapshot, silence } = await inspected(task);
  const row = remoteRowOf(known);
  const there = snapshot === null ? null : rowOf(snapshot);
  const { spec, attempt, startBy, redispatch, localId } = known;
  const durationMs = snapshot?.durationMs ?? null;
  return {
    row: there === null ? row : { ...row, cwd: there.cwd, startedAt: there.startedAt, bytes: there.bytes },
    durationMs,
    how: [howOf(known), ...(silence === '' ? [] : [silence])],
    facts: [],
    processes: [],
    ports: [],
    limits: [['timeout', spec.timeoutMs === null ? 'none' : shownDuration(spec.timeoutMs)]],
    about: [
      ['task', row.taskId],
      ...some('name', spec.name),
      ['session', spec.session],
      ['command', row.command],
      ...some('folder', there?.cwd ?? spec.cwd),
      ...Object.entries(spec.labels).map(([label, value]): Pair => [`label ${label}`, value]),
      ['attempt', String(attempt)],
      ...some('there', localId === null ? null : `${localId} in the store of ${known.host}`),
      ['changed', shownTime(known.at)],
      ...some('start by', known.state === 'assigned' && startBy !== null ? shownTime(startBy) : null),
      ...some('anew', redispatch === 0 ? null : `up to ${redispatch} times when its host is lost`),
      ...some('duration', durationMs === null ? null : shownDuration(durationMs)),
      ...some('output', shownBytes(there?.bytes ?? row.bytes)),
    ],
  };
}

async function inspected(task: AgentFleetTask) {
  if (!isThere(task.known)) return { snapshot: null, silence: '' };
  try {
    return { snapshot: await task.inspect(), silence: '' };
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return { snapshot: null, silence: `The host cannot be asked just now: ${error.message}` };
  }
}

function howOf({ state, next, host, mayHaveStarted }: RemoteTask): string {
  switch (state) {
    case 'assigned':
      return `It is assigned to ${host}, which has not accepted it yet.`;
    case 'accepted':
      return `${host} has accepted it, and has reported no end.`;
    case 'ended':
      return `${host} has reported how it ended. Its session has not acknowledged the end.`;
    case 'delivered':
      return `${host} has reported how it ended, and its session has acknowledged the end.`;
    case 'revoked':
      if (next !== null) return `${host} has given it back, or is lost. It waits for another host.`;
      return mayHaveStarted
        ? 'It was revoked. An earlier attempt may have started.'
        : 'It was revoked before any host accepted it: it did not start.';
    case 'unknown':
      return `${host} is lost. The command may run there, or have ended. Nobody knows until the host is back.`;
  }
}

function some(name: string, value: string | null): Pair[] {
  return value === null || value === '' ? [] : [[name, value]];
}
