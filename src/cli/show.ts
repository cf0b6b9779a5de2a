import type { TaskInspection } from '../api/inspect.ts';
import type { ResourceLimit } from '../model/held-limits.ts';
import type { HistoryEntry } from '../model/history.ts';
import type { OnExit } from '../model/hook.ts';
import type { Pattern } from '../model/pattern.ts';
import { sayHowLong, type TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { visible } from '../util/visible.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findOne, withStoreToRead } from './open.ts';
import { lostNote } from './present/lost.ts';
import { previewLines } from './present/preview.ts';
import { jsonLine } from './present/task.ts';
import { shownBytes, shownDuration, shownStatus, shownTime } from './present/values.ts';

interface ShowOptions extends CommonOptions {
  readonly facts?: boolean;
}

/** `outlive show`: everything about one task, or its life. */
export async function show(
  io: Io,
  [reference = '']: readonly string[],
  options: ShowOptions,
): Promise<number> {
  return await withStoreToRead(options, async (store) => {
    const found = await store.inspect(findOne(io, store, reference, options).taskId);
    const { history, snapshot, ...more } = found;
    if (io.json)
      await io.out(options.facts ? history.map(jsonLine).join('') : jsonLine({ ...snapshot, ...more }));
    else await io.out(options.facts ? factsText(history) : inspectionText(io, found));
    return exitStatus.ok;
  });
}

/** The life of a task: when, how long after what came before, and what. */
function factsText(history: readonly HistoryEntry[]): string {
  let before: number | null = null;
  const lines = history.map(({ at, fact, text }) => {
    const since = at !== null && before !== null ? `+${shownDuration(Math.max(0, at - before))}` : '';
    before = at ?? before;
    return `${shownTime(at).padEnd(23)}  ${since.padEnd(9)}  ${fact.padEnd(10)}  ${visible(text)}`;
  });
  return lines.map((line) => `${line}\n`).join('');
}

type Field = readonly [label: string, value: string | null];

function inspectionText(io: Io, inspection: TaskInspection): string {
  const { snapshot, processes } = inspection;
  const fields = [...identityFields(io, inspection), ...limitFields(inspection), ...fileFields(inspection)];
  const lines = fields.flatMap(([label, value]) => (value === null ? [] : [`${label.padEnd(12)}${value}`]));
  const trees = processes.length > 0 ? processes : snapshot.leftovers;
  // A reader settles nothing, so the snapshot of a task that just ended does not name its leftovers.
  const title = isEnded(snapshot.status) ? 'left running' : 'processes';
  lines.push(
    ...trees.map(
      ({ pid, command }, index) => `${(index === 0 ? title : '').padEnd(12)} ${pid} ${visible(command)}`,
    ),
  );
  const preview = previewLines(snapshot.output.preview);
  lines.push(...preview.map((line, index) => `${(index === 0 ? 'last words' : '').padEnd(12)}| ${line}`));
  return lines.map((line) => `${line}\n`).join('');
}

function identityFields(io: Io, { snapshot, shell, spawnedBy, ports, watches }: TaskInspection): Field[] {
  const { taskId, sessionId, name, command, cwd, status, statusReason, exitCode, exitSignal, labels } =
    snapshot;
  const { pid, shimPid, peakBytes } = snapshot;
  return [
    ['task', io.colours.bold(taskId)],
    ['name', name === null ? null : visible(name)],
    ['session', visible(sessionId)],
    ['command', visible(command)],
    ['cwd', visible(cwd)],
    ['shell', shell === null ? 'none: a program and its arguments' : visible(shell)],
    ['labels', shownLabels(labels)],
    ['key', snapshot.key === null ? null : visible(snapshot.key)],
    [
      'status',
      shownStatus(status, io.colours) + (statusReason === null ? '' : ` (${visible(statusReason)})`),
    ],
    ['exit code', exitCode === null ? null : String(exitCode)],
    ['error', snapshot.spawnError],
    ['signal', exitSignal === null ? null : visible(exitSignal)],
    ['pipeline', snapshot.pipeStatus === null ? null : snapshot.pipeStatus.join(' ')],
    ['pid', pid === null ? null : String(pid)],
    // On Windows they are one.
    ['shim pid', shimPid === null || shimPid === pid ? null : String(shimPid)],
    ['listens at', shownPorts(ports)],
    ...watches.map(({ pattern, once }): Field => ['watched for', shownWatch(pattern, once)]),
    ['after', snapshot.after === null ? null : visible(snapshot.after)],
    ['replaces', snapshot.replaces === null ? null : visible(snapshot.replaces)],
    ['spawned by', spawnedBy === null ? null : `${spawnedBy.pid} on ${visible(spawnedBy.host)}`],
    ['created', shownTime(snapshot.createdAt)],
    ['started', shownTime(snapshot.startedAt) || null],
    ['ended', shownTime(snapshot.endedAt) || null],
    ['last seen', lastSeen(snapshot)],
    ['duration', shownDuration(snapshot.durationMs) || null],
    ['cpu time', shownDuration(snapshot.cpuMs) || null],
    ['peak memory', peakBytes === null ? null : shownBytes(peakBytes)],
    ['record', snapshot.damaged ? 'damaged; outlive read a part of it' : null],
    ['told', isEnded(status) ? (snapshot.delivered ? 'acknowledged' : 'pending for the session') : null],
  ];
}

function shownPorts(ports: TaskInspection['ports']): string | null {
  return ports.length === 0 ? null : ports.map(({ port, address }) => `port ${port} (${address})`).join(', ');
}

function shownWatch(pattern: Pattern, once: boolean): string {
  const text =
    typeof pattern === 'string'
      ? `the text ${pattern}`
      : 'regexp' in pattern
        ? pattern.regexp
        : pattern.source;
  return `${visible(text)}${once ? ', once' : ''}`;
}

/** Of one whose end nobody has seen. */
function lastSeen(snapshot: TaskSnapshot): string | null {
  if (snapshot.lastSeenAt === null) return null;
  const howLong = sayHowLong(snapshot, shownDuration);
  return `${shownTime(snapshot.lastSeenAt)}${howLong === '' ? '' : ` (${howLong})`}`;
}

function limitFields({ bounds, leftoversPolicy, bindTo, snapshot }: TaskInspection): Field[] {
  const { timeoutMs, graceMs, maxOutputBytes, keepOutputBytes } = bounds;
  return [
    ['timeout', timeoutMs === null ? 'none' : shownDuration(timeoutMs)],
    ['grace', shownDuration(graceMs)],
    ['max output', maxOutputBytes === null ? 'none' : shownBytes(maxOutputBytes)],
    ['keep output', keepOutputBytes === null ? 'all' : shownBytes(keepOutputBytes)],
    ['leftovers', leftoversPolicy],
    ['bound to', bindTo === null ? null : bindTo === 'session' ? 'its session' : `process ${bindTo.pid}`],
    ['contained', snapshot.containment && `by a ${snapshot.containment}`],
    ...snapshot.limits.map(
      ({ limit, value, by }): Field => [
        limit,
        `${shownLimit(limit, value)}, ${by === 'nothing' ? 'not enforced: the system exempts root, and there is no cgroup' : `enforced by ${by}`}`,
      ],
    ),
  ];
}

function shownLimit(limit: ResourceLimit, value: number): string {
  if (limit === 'memoryBytes') return shownBytes(value);
  return limit === 'cpuSeconds' ? shownDuration(value * 1000) : String(value);
}

function fileFields({ snapshot, logPath, outputWay, onExit, onExitPath }: TaskInspection): Field[] {
  const { path, stderrPath, bytes } = snapshot.output;
  return [
    ['log', visible(logPath)],
    ['output', `${visible(path)} (${shownBytes(bytes)}${outputWay === 'pipe' ? ', through a pipe' : ''})`],
    ['lost', lostNote(snapshot.output)],
    ['stderr', stderrPath === null ? null : visible(stderrPath)],
    ['on exit', onExit === null ? null : visible(onExit.command)],
    ['hook', onExit === null ? null : shownHook(onExit)],
    ['hook output', onExitPath === null ? null : visible(onExitPath)],
  ];
}

function shownHook({ state, exitCode, exitSignal, reason }: OnExit): string {
  const how = exitCode === null ? exitSignal : `exit ${exitCode}`;
  return [state.replace('_', ' '), reason ?? how].filter((word) => word !== null).join(', ');
}

function shownLabels(labels: Readonly<Record<string, string>>): string | null {
  const pairs = Object.entries(labels).map(([key, value]) => `${visible(key)}=${visible(value)}`);
  return pairs.length === 0 ? null : pairs.join(' ');
}
