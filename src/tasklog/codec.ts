import type {
  ClaimFact,
  CutFact,
  ExitFact,
  Fact,
  GoneFact,
  LeftFact,
  OutcomeFact,
  QueuePlace,
  SeenFact,
  SpecFact,
  StartedFact,
  StopFact,
  WatchFact,
} from '../model/facts.ts';
import { type HeldLimit, limitHolders, resourceLimits } from '../model/held-limits.ts';
import type { PatternSource } from '../model/pattern.ts';
import {
  endedStatuses,
  type Leftover,
  leftoversPolicies,
  type ProcessIdentity,
  stopCauses,
} from '../model/words.ts';
import {
  exitCode,
  isObject,
  type Json,
  list,
  number,
  parseObject,
  pidOf,
  sizeOf,
  text,
  word,
} from './check.ts';

/** The version of the task log that this code writes, and the newest that it reads. */
export const taskLogVersion = 2;

/**
 * A fact as bytes for the log: one JSON object a line, with a line break on both sides. The one in front
 * keeps a torn fact before it from spoiling this one; the one at the end ends it for readers that take whole lines.
 */
export function encodeFact(fact: Fact): string {
  return `\n${JSON.stringify(fact)}\n`;
}

/**
 * Parses a whole log. Lines that are torn, garbage, of an unknown kind or of a wrong form are skipped:
 * what can be read counts.
 */
export function parseLog(content: string): Fact[] {
  return content.split('\n').flatMap((line) => (line.startsWith('{') ? (parseFact(line) ?? []) : []));
}

/** Parses one line; null when it is no fact that we know. */
export function parseFact(line: string): Fact | null {
  const json = parseObject(line);
  const parse = json === null || typeof json.fact !== 'string' ? undefined : parsers[json.fact];
  return json === null || parse === undefined ? null : parse(json);
}

const parsers: Readonly<Record<string, (json: Json) => Fact | null>> = {
  __proto__: null as never,
  spec: parseSpec,
  waiting: (json) => {
    const pid = pidOf(json.pid);
    return pid === null ? null : { fact: 'waiting', pid, start: number(json.start, null) };
  },
  turn: (json) => {
    const [by, at] = [parseIdentity(json.by), number(json.at, null)];
    return by === null || at === null ? null : { fact: 'turn', by, at };
  },
  started: parseStarted,
  stop: parseStop,
  stopping: (json) => ({ fact: 'stopping', id: text(json.id, '') }),
  stopped: (json) => ({
    fact: 'stopped',
    id: text(json.id, ''),
    survivors: list(json.survivors, parseLeftover),
  }),
  exit: parseExit,
  left: parseLeft,
  gone: parseGone,
  oom: (json) => ({ fact: 'oom', kills: number(json.kills, 0) }),
  pipe: (json) => ({ fact: 'pipe', statuses: list(json.statuses, (item) => number(item, null)) }),
  outcome: parseOutcome,
  claim: parseClaim,
  unclaim: (json) => ({ fact: 'unclaim', id: text(json.id, '') }),
  delivered: (json) => ({ fact: 'delivered', id: text(json.id, ''), at: number(json.at, 0) }),
  cut: parseCut,
  watch: parseWatch,
  seen: parseSeen,
  unwatch: (json) => ({ fact: 'unwatch', watch: text(json.watch, '') }),
};

function parseSpec(json: Json): SpecFact | null {
  const command = text(json.command, null);
  const by = parseIdentity(json.by);
  const v = number(json.v, 0);
  if (command === null || by === null || v !== taskLogVersion) return null;
  const queue = parseQueuePlace(json.queue);
  const cgroup = text(json.cgroup, null);
  const seal = text(json.seal, null);
  return {
    fact: 'spec',
    v: taskLogVersion,
    taskId: text(json.taskId, ''),
    sessionId: text(json.sessionId, ''),
    command,
    commandInFile: json.commandInFile === true,
    cwd: text(json.cwd, ''),
    shell: text(json.shell, ''),
    name: text(json.name, null),
    labels: parseLabels(json.labels),
    timeoutMs: number(json.timeoutMs, null),
    graceMs: number(json.graceMs, 0),
    separate: json.separate === true,
    leftovers: word(json.leftovers, leftoversPolicies, 'report'),
    maxOutputBytes: number(json.maxOutputBytes, null),
    keepOutputBytes: number(json.keepOutputBytes, null),
    bindTo: json.bindTo === 'session' ? 'session' : parseIdentity(json.bindTo),
    retentionMs: number(json.retentionMs, null),
    cookie: text(json.cookie, ''),
    createdAt: number(json.createdAt, 0),
    monoMs: number(json.monoMs, 0),
    by,
    ...(queue === null ? {} : { queue }),
    ...(seal === null ? {} : { seal }),
    ...(Array.isArray(json.limits) ? { limits: list(json.limits, parseLimit) } : {}),
    ...(cgroup === null ? {} : { cgroup }),
  };
}

function parseQueuePlace(value: unknown): QueuePlace | null {
  if (!isObject(value)) return null;
  const [maxRunning, order] = [number(value.maxRunning, null), number(value.order, null)];
  return maxRunning === null || order === null ? null : { maxRunning, order };
}

function parseLimit(value: unknown): HeldLimit | null {
  if (!isObject(value)) return null;
  const limit = word(value.limit, resourceLimits, null);
  const [amount, by] = [number(value.value, null), word(value.by, limitHolders, null)];
  return limit === null || amount === null || by === null ? null : { limit, value: amount, by };
}

function parseStarted(json: Json): StartedFact | null {
  const [pid, shimPid, at] = [pidOf(json.pid), pidOf(json.shimPid), number(json.at, null)];
  if (pid === null || shimPid === null || at === null) return null;
  const [start, shimStart] = [number(json.start, null), number(json.shimStart, null)];
  const monoMs = number(json.monoMs, null);
  return { fact: 'started', pid, start, shimPid, shimStart, at, monoMs, subreaper: json.subreaper === true };
}

function parseStop(json: Json): StopFact | null {
  const cause = word(json.cause, stopCauses, null);
  if (cause === null) return null;
  return {
    fact: 'stop',
    cause,
    id: text(json.id, ''),
    by: parseIdentity(json.by),
    at: number(json.at, null),
    graceMs: number(json.graceMs, null),
    killSignal: text(json.killSignal, null),
  };
}

function parseExit(json: Json): ExitFact | null {
  const [code, killSignal] = [exitCode(json.code, null), text(json.killSignal, null)];
  const ran = json.ran !== false;
  if (ran && code === null && killSignal === null) return null;
  const copied = number(json.copied, null);
  const proof = text(json.proof, null);
  return {
    fact: 'exit',
    code,
    killSignal,
    core: json.core === true,
    ran,
    at: number(json.at, null),
    monoMs: number(json.monoMs, null),
    cpuMs: number(json.cpuMs, null),
    peakBytes: sizeOf(json.peakBytes),
    left: sizeOf(json.left),
    pending: json.pending === true,
    ...(copied === null ? {} : { copied }),
    ...(proof === null ? {} : { proof }),
  };
}

function parseLeft(json: Json): LeftFact {
  const proof = text(json.proof, null);
  const processes = Array.isArray(json.processes) ? list(json.processes, parseLeftover) : null;
  return { fact: 'left', processes, ...(proof === null ? {} : { proof }) };
}

function parseGone(json: Json): GoneFact | null {
  const proof = text(json.proof, null);
  return proof === null ? null : { fact: 'gone', proof };
}

function parseOutcome(json: Json): OutcomeFact | null {
  const status = word(json.status, endedStatuses, null);
  const endedAt = number(json.endedAt, null);
  if (status === null || endedAt === null) return null;
  return {
    fact: 'outcome',
    id: text(json.id, ''),
    status,
    reason: text(json.reason, null),
    exitCode: exitCode(json.exitCode, null),
    killSignal: text(json.killSignal, null),
    startedAt: number(json.startedAt, null),
    endedAt,
    cpuMs: number(json.cpuMs, null),
    bytes: number(json.bytes, 0),
    stderrBytes: number(json.stderrBytes, 0),
    leftovers: list(json.leftovers, parseLeftover),
    pipeStatus: Array.isArray(json.pipeStatus) ? list(json.pipeStatus, (item) => number(item, null)) : null,
  };
}

function parseClaim(json: Json): ClaimFact | null {
  const by = parseIdentity(json.by);
  return by === null ? null : { fact: 'claim', id: text(json.id, ''), by };
}

function parseCut(json: Json): CutFact | null {
  const stream = word(json.stream, ['stdout', 'stderr'] as const, null);
  const [head, tail] = [sizeOf(json.head), sizeOf(json.tail)];
  const [bytes, notice] = [sizeOf(json.bytes), sizeOf(json.notice)];
  if (stream === null || head === null || tail === null || bytes === null || notice === null) return null;
  return tail < head || bytes < tail ? null : { fact: 'cut', stream, head, tail, bytes, notice };
}

function parseWatch(json: Json): WatchFact | null {
  const pattern = parsePattern(json.pattern);
  const stream = word(json.stream, ['stdout', 'stderr'] as const, null);
  const from = sizeOf(json.from);
  if (pattern === null || stream === null || from === null) return null;
  return { fact: 'watch', id: text(json.id, ''), pattern, stream, from, at: number(json.at, 0) };
}

function parsePattern(value: unknown): PatternSource | null {
  if (!isObject(value)) return null;
  if (typeof value.text === 'string') return { text: value.text };
  return typeof value.regexp === 'string' ? { regexp: value.regexp, flags: text(value.flags, '') } : null;
}

function parseSeen(json: Json): SeenFact | null {
  const offset = sizeOf(json.offset);
  if (offset === null) return null;
  return {
    fact: 'seen',
    watch: text(json.watch, ''),
    id: text(json.id, ''),
    offset,
    at: number(json.at, 0),
  };
}

function parseIdentity(value: unknown): ProcessIdentity | null {
  if (!isObject(value) || typeof value.pid !== 'number') return null;
  return {
    pid: value.pid,
    start: number(value.start, null),
    boot: text(value.boot, ''),
    pidNamespace: text(value.pidNamespace, ''),
    host: text(value.host, ''),
  };
}

function parseLeftover(value: unknown): Leftover | null {
  const pid = isObject(value) ? pidOf(value.pid) : null;
  if (!isObject(value) || pid === null) return null;
  return { pid, command: text(value.command, ''), start: number(value.start, null) };
}

function parseLabels(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
