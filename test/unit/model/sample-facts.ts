import type { ClaimFact, DeliveredFact } from '../../../src/model/completion-facts.ts';
import type {
  ExitFact,
  GoneFact,
  LeftFact,
  OutcomeFact,
  SpecFact,
  StartedFact,
  StopFact,
  TurnFact,
  WaitingFact,
} from '../../../src/model/facts.ts';
import type { CutFact } from '../../../src/model/output-facts.ts';
import type { OutputSummary } from '../../../src/model/snapshot.ts';
import type { ProcessIdentity, StopCause } from '../../../src/model/words.ts';
import { sealOf } from '../../../src/util/crypto.ts';

/** A process of a machine that does not exist. */
const someone: ProcessIdentity = {
  pid: 500,
  start: 9_000,
  boot: 'boot-1',
  pidNamespace: 'pid:[1]',
  host: 'host-1',
};

/** A spec without a seal, as on Windows, with what the test cares about. */
export function spec(more: Partial<SpecFact> = {}): SpecFact {
  return {
    fact: 'spec',
    v: 2,
    taskId: 'bgb-0123abcd0123',
    sessionId: 'session-1',
    command: 'make',
    commandInFile: false,
    cwd: '/work',
    shell: '/bin/bash',
    name: null,
    labels: {},
    timeoutMs: null,
    graceMs: 3_000,
    separate: false,
    leftovers: 'report',
    maxOutputBytes: null,
    keepOutputBytes: null,
    bindTo: null,
    retentionMs: null,
    cookie: 'bgb-0123abcd0123.00',
    createdAt: 1_700_000_000_000,
    monoMs: 100_000,
    by: someone,
    ...more,
  };
}

/** A spec of a task that was put into the queue. */
export function queuedSpec(more: Partial<SpecFact> = {}): SpecFact {
  return spec({ queue: { maxRunning: 4, order: 1_000 }, ...more });
}

/** What the shim of {@link sealedSpec} shows when the last process has ended: the second secret. */
export const goneProof = 'c0ffee';

/** What it shows when the command has ended: the first. */
export const exitProof = sealOf(goneProof);

/** A spec whose shim must prove what it says of an end. */
export const sealedSpec: SpecFact = spec({ seal: sealOf(exitProof) });

/** The same of a task that was put into the queue. */
export const sealedQueuedSpec: SpecFact = { ...queuedSpec(), seal: sealOf(exitProof) };

/** The shim of a queued task waits. */
export function waiting(more: Partial<WaitingFact> = {}): WaitingFact {
  return { fact: 'waiting', pid: 501, start: 10_002, locks: true, ...more };
}

/** Its turn has come. */
export function turn(at = 1_700_000_000_500): TurnFact {
  return { fact: 'turn', by: someone, at };
}

/** The shim, process 501, runs the command, process 502: 20 ms after it was asked for, by its own clock at 7 s. */
export function started(more: Partial<StartedFact> = {}): StartedFact {
  return {
    fact: 'started',
    pid: 502,
    start: 10_003,
    shimPid: 501,
    shimStart: 10_002,
    at: 1_700_000_000_020,
    monoMs: 7_000,
    subreaper: true,
    ...more,
  };
}

/** Somebody asks for the end. */
export function stop(cause: StopCause, id = 'stop-1'): StopFact {
  return { fact: 'stop', cause, id, by: someone, at: 1, graceMs: 3_000, killSignal: 'SIGTERM' };
}

/** The end of the command, by an exit code or a signal, without a proof. */
export function exit(end: number | string, more: Partial<ExitFact> = {}): ExitFact {
  return {
    fact: 'exit',
    code: typeof end === 'number' ? end : null,
    exitSignal: typeof end === 'string' ? end : null,
    core: false,
    ran: true,
    errno: null,
    at: 1_700_000_001_000,
    monoMs: 7_980,
    cpuMs: null,
    peakBytes: null,
    left: 0,
    pending: false,
    ...more,
  };
}

/** The end of the command, as the shim proves it. */
export function proven(end: number | string, more: Partial<ExitFact> = {}): ExitFact {
  return exit(end, { proof: exitProof, ...more });
}

/** The same of a task that ends later than its command. */
export function pending(end: number | string): ExitFact {
  return proven(end, { pending: true, left: 1 });
}

/** The shim has not run the command. */
export const refused: ExitFact = { ...proven(0), code: null, ran: false, errno: 0 };

/** Who is left, with a proof where the end of the task waited for this. */
export function left(...proof: string[]): LeftFact {
  const processes = [{ pid: 503, command: 'sleep 9', start: 10_009 }];
  return { fact: 'left', processes, ...(proof[0] === undefined ? {} : { proof: proof[0] }) };
}

/** The last process has ended. */
export function gone(proof = goneProof): GoneFact {
  return { fact: 'gone', proof };
}

/** A recorded outcome; `lost` where the test only needs one that differs from what the other facts say. */
export function outcome(more: Partial<OutcomeFact> = {}): OutcomeFact {
  return {
    fact: 'outcome',
    id: 'outcome-1',
    status: 'lost',
    reason: 'no_exit_marker',
    exitCode: null,
    exitSignal: null,
    startedAt: 1_700_000_000_500,
    endedAt: 1_700_000_001_000,
    lastSeenAt: null,
    cpuMs: null,
    bytes: 0,
    stderrBytes: 0,
    leftovers: [],
    pipeStatus: null,
    ...more,
  };
}

/** The completion is acknowledged. */
export function delivered(id = 'outcome-1'): DeliveredFact {
  return { fact: 'delivered', id, at: 2 };
}

/** A consumer claims the completion. */
export function claim(id: string): ClaimFact {
  return { fact: 'claim', id, by: someone };
}

/** The middle of stdout was cut out. */
export function cut(more: Partial<CutFact> = {}): CutFact {
  return { fact: 'cut', stream: 'stdout', head: 10, tail: 90, bytes: 100, notice: 5, ...more };
}

/** The output of a task that has written nothing. */
export const noOutput: OutputSummary = {
  path: '/o',
  stderrPath: null,
  bytes: 0,
  erasedBytes: 0,
  droppedBytes: 0,
  lastWrittenAt: null,
  preview: '',
  truncated: false,
};
