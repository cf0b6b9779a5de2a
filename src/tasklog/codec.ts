import type { Fact, QueuePlace } from '../model/facts.ts';
import { type HeldLimit, limitHolders, resourceLimits } from '../model/held-limits.ts';
import { hookCauses } from '../model/hook-facts.ts';
import type { PatternSource } from '../model/pattern.ts';
import type { ClientProcess, Starter } from '../model/starter.ts';
import {
  endedStatuses,
  type FileIdentity,
  type Leftover,
  leftoversPolicies,
  outputWays,
  type ProcessIdentity,
  stdinWays,
  stopCauses,
  type TerminalSize,
} from '../model/words.ts';
import {
  type Check,
  type Fields,
  flag,
  integer,
  list,
  must,
  number,
  oneOf,
  optional,
  or,
  parseObject,
  pid,
  shape,
  size,
  taskPid,
  text,
  texts,
} from './check.ts';

/** The version of the task log that this code writes, and the only one that it reads. */
export const taskLogVersion = 2;

/**
 * A fact as bytes for the log: one JSON object a line, with a line break on both sides. The one in front
 * keeps a torn fact before it from spoiling this one; the one at the end ends it for readers that take whole lines.
 */
export function encodeFact(fact: Fact): string {
  return `\n${JSON.stringify(fact)}\n`;
}

/** A line that a shim has told, and what it says. */
let told: { readonly line: string; readonly fact: Fact | null } | undefined;

/** Parses a line that a shim sends when it appends it. A reader of the log finds the same line next. */
export function parseTold(line: string): Fact | null {
  told = { line, fact: parseFact(line) };
  return told.fact;
}

/** Parses one line; null when it is no fact that we know. */
export function parseFact(line: string): Fact | null {
  // Not the same object: it tells what a log has from what was told.
  if (line === told?.line) return told.fact && { ...told.fact };
  const json = parseObject(line);
  const kind = json?.fact;
  if (typeof kind !== 'string' || !Object.hasOwn(facts, kind)) return null;
  return facts[kind as Fact['fact']](json);
}

// What several facts are made of.

/** The first process of a container can be a spawner. */
const identity = shape<ProcessIdentity>({
  pid: must(pid),
  start: number,
  boot: or(text, ''),
  pidNamespace: or(text, ''),
  host: or(text, ''),
  machine: optional(text),
});

const client = shape<ClientProcess>({ pid: must(pid), start: number });
const starter = shape<Starter>({
  party: optional(text),
  caller: optional(text),
  client: must(client),
  cwd: optional(text),
});

const leftover = shape<Leftover>({ pid: must(taskPid), command: or(text, ''), start: number });
const leftovers = or(list(leftover), []);

const limit = shape<HeldLimit>({
  limit: must(oneOf(resourceLimits)),
  value: must(number),
  by: must(oneOf(limitHolders)),
});

const queuePlace = shape<QueuePlace>({ maxRunning: must(number), order: must(number) });
const terminalSize = shape<TerminalSize>({ cols: must(number), rows: must(number) });
const file = shape<FileIdentity>({ dev: must(number), ino: must(number) });

const textPattern = shape<{ text: string }>({ text: must(text) });
const regexpPattern = shape<{ regexp: string; flags: string }>({ regexp: must(text), flags: or(text, '') });
const pattern: Check<PatternSource> = (value) => textPattern(value) ?? regexpPattern(value);

/** Absent where it is not so. */
const onlyTrue = (value: unknown): true | undefined => (value === true ? true : undefined);

const stream = must(oneOf(['stdout', 'stderr'] as const));
const id = or(text, '');

type FactOf<K extends Fact['fact']> = Extract<Fact, { readonly fact: K }>;

/** Facts, field by field. Fields that are not named here are dropped. */
const facts: { readonly [K in Fact['fact']]: Check<FactOf<K>> } = {
  spec: fact('spec', {
    v: must(oneOf([taskLogVersion])),
    taskId: id,
    sessionId: id,
    command: must(text),
    commandInFile: flag,
    cwd: or(text, ''),
    shell: (value) => (value === null ? null : (text(value) ?? '')),
    name: text,
    labels: or(texts, {}),
    timeoutMs: number,
    graceMs: or(number, 0),
    separate: flag,
    output: optional(oneOf(outputWays)),
    stdin: optional(oneOf(['data', ...stdinWays])),
    tty: optional(terminalSize),
    leftovers: or(oneOf(leftoversPolicies), 'report'),
    maxOutputBytes: number,
    keepOutputBytes: number,
    bindTo: (value) => (value === 'session' ? value : identity(value)),
    retentionMs: number,
    cookie: or(text, ''),
    createdAt: or(number, 0),
    monoMs: or(number, 0),
    by: must(identity),
    starter: optional(starter),
    queue: optional(queuePlace),
    after: optional(text),
    seal: optional(text),
    file: optional(file),
    setNames: optional(list(text)),
    unsetNames: optional(list(text)),
    unbuffered: (value) => (value === true ? true : undefined),
    replaces: optional(text),
    inPlaceOf: optional(text),
    limits: optional(list(limit)),
    key: optional(text),
    onExit: optional(text),
    cgroup: optional(text),
  }),
  waiting: fact('waiting', { pid: must(taskPid), start: number, locks: flag }),
  turn: fact('turn', { by: must(identity), at: must(number) }),
  started: fact('started', {
    pid: must(taskPid),
    start: number,
    shimPid: must(taskPid),
    shimStart: number,
    at: must(number),
    monoMs: number,
    subreaper: flag,
    stdin: optional(oneOf(['silent'] as const)),
    socket: optional(text),
  }),
  attached: fact('attached', { pid: must(pid), at: number }),
  detached: fact('detached', { pid: must(pid), at: number }),
  stop: fact('stop', {
    cause: must(oneOf(stopCauses)),
    id,
    by: identity,
    at: number,
    graceMs: number,
    killSignal: text,
  }),
  stopping: fact('stopping', { id }),
  stopped: fact('stopped', { id, survivors: leftovers }),
  exit: fact(
    'exit',
    {
      code: integer,
      exitSignal: text,
      core: flag,
      ran: (value) => value !== false,
      errno: size,
      at: number,
      monoMs: number,
      cpuMs: number,
      peakBytes: size,
      left: size,
      pending: flag,
      pipeStatus: optional(list(number)),
      bytes: optional(size),
      dropped: optional(size),
      copied: optional(number),
      proof: optional(text),
    },
    (exit) => {
      if (!exit.ran) return exit;
      if (exit.code === null && exit.exitSignal === null) return null;
      // What has exited was ended by no signal: a record that says both is damaged.
      const exitSignal = exit.code === null ? exit.exitSignal : null;
      return { ...exit, errno: null, exitSignal };
    },
  ),
  left: fact('left', { processes: list(leftover), proof: optional(text), dropped: optional(size) }),
  gone: fact('gone', { proof: must(text), dropped: optional(size) }),
  erased: fact('erased', { stream, bytes: must(size), at: number }),
  oom: fact('oom', { kills: or(number, 0) }),
  hook: fact('hook', { pid: must(taskPid), start: number, at: number, monoMs: number }),
  hooked: fact('hooked', {
    code: integer,
    exitSignal: text,
    cause: oneOf(hookCauses),
    errno: size,
    at: number,
    monoMs: number,
  }),
  outcome: fact(
    'outcome',
    {
      id,
      status: must(oneOf(endedStatuses)),
      reason: text,
      exitCode: integer,
      exitSignal: text,
      startedAt: number,
      endedAt: number,
      lastSeenAt: number,
      cpuMs: number,
      bytes: or(number, 0),
      stderrBytes: or(number, 0),
      leftovers,
      pipeStatus: list(number),
    },
    (outcome) => {
      if (outcome.endedAt === null) return outcome.lastSeenAt === null ? null : outcome;
      return outcome.lastSeenAt === null ? outcome : { ...outcome, lastSeenAt: null };
    },
  ),
  claim: fact('claim', { id, by: must(identity), party: optional(text) }),
  unclaim: fact('unclaim', { id }),
  told: fact('told', { id, at: or(number, 0) }),
  delivered: fact('delivered', { id, at: or(number, 0) }),
  cut: fact(
    'cut',
    { stream, head: must(size), tail: must(size), bytes: must(size), notice: must(size) },
    (cut) => (cut.tail < cut.head || cut.bytes < cut.tail ? null : cut),
  ),
  watch: fact('watch', {
    id,
    pattern: must(pattern),
    stream,
    from: must(size),
    once: onlyTrue,
    at: or(number, 0),
  }),
  seen: fact(
    'seen',
    { watch: id, id, offset: must(size), begins: optional(beginning), at: or(number, 0) },
    (seen) => (seen.offset < (seen.begins ?? 0) ? null : seen),
  ),
  telling: fact(
    'telling',
    {
      ...{ watch: id, id, from: must(size), to: must(size), begins: optional(beginning) },
      ...{ by: must(identity), party: optional(text), at: optional(number) },
    },
    (telling) => (telling.to < telling.from || telling.from < (telling.begins ?? 0) ? null : telling),
  ),
  untelling: fact('untelling', { watch: id, id }),
  unwatch: fact('unwatch', { watch: id, ended: onlyTrue }),
};

/** The check of the facts of a kind. */
function fact<K extends Fact['fact']>(
  kind: K,
  fields: Omit<Fields<FactOf<K>>, 'fact'>,
  finish?: (whole: FactOf<K>) => FactOf<K> | null,
): Check<FactOf<K>> {
  return shape({ fact: () => kind, ...fields } as unknown as Fields<FactOf<K>>, finish);
}

/** Where a file begins that was made shorter: any other begins at 0, and does not say so. */
function beginning(value: unknown): number | null {
  return size(value) || null;
}
