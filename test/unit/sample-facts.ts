import type {
  ClaimFact,
  CutFact,
  DeliveredFact,
  ExitFact,
  OutcomeFact,
  PipeFact,
  ReapedFact,
  SpecFact,
  StartedFact,
  StopFact,
  TurnFact,
  WaitingFact,
} from '../../src/model/facts.ts';
import type { ProcessIdentity, StopCause } from '../../src/model/words.ts';
import { sealOf } from '../../src/util/crypto.ts';

/** A process of a machine that does not exist. */
const someone: ProcessIdentity = {
  pid: 500,
  start: 9_000,
  boot: 'boot-1',
  pidNamespace: 'pid:[1]',
  host: 'host-1',
};

/** A spec, with what the test cares about. */
export function spec(more: Partial<SpecFact> = {}): SpecFact {
  return {
    fact: 'spec',
    v: 1,
    taskId: 'bgb-0123abcd',
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
    cookie: 'bgb-0123abcd.00',
    createdAt: 1_700_000_000_000,
    uptimeMs: 100_000,
    by: someone,
    ...more,
  };
}

/** A spec of a task that was put into the queue. */
export function queuedSpec(more: Partial<SpecFact> = {}): SpecFact {
  return spec({ queue: { maxRunning: 4, order: 1_000 }, ...more });
}

/** What the exit marker of {@link sealedSpec} proves itself by. */
export const proof = 'c0ffee';

/** A spec whose exit marker must prove itself. */
export const sealedSpec: SpecFact = spec({ seal: sealOf(proof) });

/** The shim of a queued task waits. */
export function waiting(more: Partial<WaitingFact> = {}): WaitingFact {
  return { fact: 'waiting', pid: 501, start: 10_002, ...more };
}

/** Its turn has come. */
export function turn(at = 1_700_000_000_500): TurnFact {
  return { fact: 'turn', by: someone, at };
}

/** The shim runs. */
export function started(more: Partial<StartedFact> = {}): StartedFact {
  return { fact: 'started', pid: 501, start: 10_002, ...more };
}

/** Somebody asks for the end. */
export function stop(cause: StopCause, id = 'stop-1'): StopFact {
  return { fact: 'stop', cause, id, by: someone, at: 1, graceMs: 3_000, killSignal: 'SIGTERM' };
}

/** The exit marker. */
export function exit(code: number, more: Partial<ExitFact> = {}): ExitFact {
  return { fact: 'exit', code, uptime: 101, cpuMs: null, ...more };
}

/** The end of the shim as its parent saw it: an exit code or the name of a signal. */
export function reaped(end: number | string): ReapedFact {
  return typeof end === 'number'
    ? { fact: 'reaped', code: end, killSignal: null }
    : { fact: 'reaped', code: null, killSignal: end };
}

/** A recorded outcome; `lost` where the test only needs one that differs from what the other facts say. */
export function outcome(more: Partial<OutcomeFact> = {}): OutcomeFact {
  return {
    fact: 'outcome',
    id: 'outcome-1',
    status: 'lost',
    reason: 'no_exit_marker',
    exitCode: null,
    killSignal: null,
    startedAt: null,
    endedAt: 1_700_000_001_000,
    cpuMs: null,
    bytes: 0,
    stderrBytes: 0,
    leftovers: [],
    pipeStatus: null,
    ...more,
  };
}

/** The exit statuses of the last pipeline. */
export function pipe(...statuses: number[]): PipeFact {
  return { fact: 'pipe', statuses };
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
