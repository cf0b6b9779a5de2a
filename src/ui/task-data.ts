import type { TaskInspection } from '../api/inspect.ts';
import type { HeldLimit } from '../model/held-limits.ts';
import { lostOutput } from '../model/lost-output.ts';
import { sayHowLong } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { howWeKnow } from './how.ts';
import type { TaskData } from './protocol.ts';
import { rowOf } from './rows.ts';
import { shownBytes, shownDuration, shownTime } from './shown.ts';

/** Everything that the page shows of one task. */
export function taskData(inspection: TaskInspection): TaskData {
  const { snapshot, history, processes, ports } = inspection;
  const left = snapshot.leftovers.map(({ pid, command }) => ({ pid, parent: null, command }));
  return {
    row: rowOf(snapshot),
    durationMs: snapshot.durationMs,
    how: howWeKnow(inspection),
    facts: history.map(({ at, fact, text }) => ({ at, fact, text })),
    processes: processes.length > 0 ? processes : left,
    ports: ports.map(({ port, address }) => ({ port, address })),
    limits: limitsOf(inspection),
    about: aboutOf(inspection),
  };
}

type Pair = readonly [string, string];

function limitsOf({ bounds, leftoversPolicy, bindTo, snapshot }: TaskInspection): Pair[] {
  const { timeoutMs, graceMs, maxOutputBytes, keepOutputBytes } = bounds;
  const contained = snapshot.containment;
  return [
    ['timeout', timeoutMs === null ? 'none' : shownDuration(timeoutMs)],
    ['grace', shownDuration(graceMs)],
    ['max output', maxOutputBytes === null ? 'none' : shownBytes(maxOutputBytes)],
    ['keep output', keepOutputBytes === null ? 'all' : shownBytes(keepOutputBytes)],
    ['leftovers', leftoversPolicy],
    ...some(
      'bound to',
      bindTo === null ? null : bindTo === 'session' ? 'its session' : `process ${bindTo.pid}`,
    ),
    ...some('contained', contained === null ? null : `by a ${contained}`),
    ...snapshot.limits.map((held): Pair => [held.limit, `${shownLimit(held)}, enforced by ${held.by}`]),
  ];
}

function shownLimit({ limit, value }: HeldLimit): string {
  if (limit === 'memoryBytes') return shownBytes(value);
  return limit === 'cpuSeconds' ? shownDuration(value * 1000) : String(value);
}

function aboutOf({ snapshot, shell, spawnedBy, outputWay, onExit, logPath }: TaskInspection): Pair[] {
  const { name, key, labels, pid, shimPid, pipeStatus, cpuMs, peakBytes, output } = snapshot;
  const lastSeen = sayHowLong(snapshot, shownDuration);
  return [
    ['task', snapshot.taskId],
    ...some('name', name),
    ['session', snapshot.sessionId],
    ['command', snapshot.command],
    ['folder', snapshot.cwd],
    ['shell', shell ?? 'none: a program and its arguments'],
    ...Object.entries(labels).map(([label, value]): Pair => [`label ${label}`, value]),
    ...some('key', key),
    ...some('pid', pid),
    ...some('shim pid', shimPid === pid ? null : shimPid),
    ...some('pipeline', pipeStatus === null ? null : pipeStatus.join(' ')),
    ...some('comes after', snapshot.after),
    ...some('spawned by', spawnedBy === null ? null : `${spawnedBy.pid} on ${spawnedBy.host}`),
    ['created', shownTime(snapshot.createdAt)],
    ...some('started', shownTime(snapshot.startedAt)),
    ...some('ended', shownTime(snapshot.endedAt)),
    ...some(
      'last seen',
      snapshot.lastSeenAt === null ? null : `${shownTime(snapshot.lastSeenAt)} ${lastSeen}`,
    ),
    ...some('duration', isEnded(snapshot.status) ? shownDuration(snapshot.durationMs) : null),
    ...some('cpu time', cpuMs === null ? null : shownDuration(cpuMs)),
    ...some('peak memory', peakBytes === null ? null : shownBytes(peakBytes)),
    [
      'output',
      `${output.path} (${shownBytes(output.bytes)}${outputWay === 'pipe' ? ', through a pipe' : ''})`,
    ],
    ...some('stderr', output.stderrPath),
    ...some('output lost', lostOutput(output)),
    ['log', logPath],
    ...some('hook', onExit === null ? null : `${onExit.command} (${onExit.state})`),
  ];
}

/** A row, if there is something to show. */
function some(name: string, value: string | number | null): Pair[] {
  return value === null || value === '' ? [] : [[name, String(value)]];
}
