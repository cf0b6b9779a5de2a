import assert from 'node:assert/strict';
import { isEnded, type TaskSnapshot } from '../../../src/index.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { type Life, type LifeName, lives } from './lives.ts';

/** What the spawner was answered. */
export type Answer =
  | { readonly id: string }
  | { readonly code: string | undefined; readonly message: string };

/** What was done, as far as it decides about what may be told. */
export interface Deed {
  readonly life: LifeName;
  /** Somebody was killed, who may have been the shim. */
  readonly mayBeLost: boolean;
  /** Somebody has asked for the end who else does not. */
  readonly isStopped: boolean;
  /** The child was killed: also between its last words to the shim and its execution, which is the same to that. */
  readonly isChildKilled: boolean;
  /** Of those who run the hook somebody was killed, or stopped for so long that others may have ended the task. */
  readonly isHookHurt: boolean;
  /** Nobody was killed or stopped. */
  readonly isUndisturbed: boolean;
  /** A call failed, without which nothing may have run. */
  readonly mayBeRefused?: boolean;
}

/** What there is to be seen of a case. */
export interface Findings {
  /** What the spawner was answered; null: it is dead. */
  readonly answer: Answer | null;
  /** What others were told: while somebody was stopped, when it had ended, and after a stop of all that was left. */
  readonly told: readonly TaskSnapshot[];
  readonly last: readonly TaskSnapshot[];
  readonly ended: readonly TaskSnapshot[];
  /** What the command has written down, and its hook. */
  readonly lines: readonly string[];
  /** The facts of its log; null when there is none. */
  readonly facts: readonly Fact[] | null;
}

/** Checks the promises: no command runs unrecorded, and no end is made up. */
export function checkEnd(deed: Deed, found: Findings): void {
  const { answer, told, last, ended, lines, facts } = found;
  const all = [...told, ...last, ...ended].filter(({ status }) => isEnded(status));
  const ofHook = lines.filter((line) => line.startsWith('hooked'));
  const ofCommand = lines.filter((line) => !line.startsWith('hooked'));
  checkRecord({ ...found, lines: ofCommand }, all);
  checkHook(deed, ofHook, facts, all);
  for (const snapshot of all) checkTold(deed, snapshot, ofCommand, answer);
  const ends = all.map(({ status, statusReason, exitCode }) => `${status} ${statusReason} ${exitCode}`);
  assert.equal(new Set(ends).size <= 1, true, `several ends are told: ${ends.join(', ')}`);
  assert.ok(
    last.every(({ status }) => isEnded(status)) && ended.every(({ leftovers }) => leftovers.length === 0),
  );
  if (answer === null) return;
  if ('id' in answer)
    assert.ok(facts !== null || all.length > 0, 'it was answered, and there is no record of it');
  else assert.match(answer.code ?? answer.message, /^(?:SPAWN_FAILED|STORE_UNWRITABLE)$/);
}

/** It has run once, and was told what everybody is told; or it has not run, and the record says why. */
function checkHook(
  deed: Deed,
  runs: readonly string[],
  facts: readonly Fact[] | null,
  all: readonly TaskSnapshot[],
): void {
  const life: Life = lives[deed.life];
  assert.ok(runs.length <= 1, `the hook has run ${runs.length} times`);
  // It was pruned, or never made; or the shim was never heard of.
  if (facts === null || !life.isHooked) return;
  const begins = facts.some(({ fact }) => fact === 'hook');
  const hooked = facts.find((fact) => fact.fact === 'hooked');
  if (runs.length === 1) assert.ok(begins, 'the hook has run, and the record does not say so');
  if (hooked?.code === 0) assert.equal(runs.length, 1, 'the record says that the hook ran, and it did not');
  // For the observer it is an hour later, so it may end what the shim is about to end.
  const wasThere = facts.some((fact) => fact.fact === 'exit' && !fact.pending);
  if (!deed.isHookHurt && wasThere) assert.deepEqual([runs.length, hooked?.code], [1, 0], 'the hook has run');
  for (const { status, exitCode } of runs.length === 1 ? all : [])
    if (status !== 'lost') assert.deepEqual(runs, [`hooked ${status} ${exitCode ?? ''}`]);
}

function checkRecord({ lines, facts }: Findings, all: readonly TaskSnapshot[]): void {
  const ran = lines.filter((line) => line.startsWith('ran '));
  assert.ok(ran.length <= 1, 'the command has run twice');
  const isAborted = all.some(({ statusReason }) => statusReason === 'spawn_aborted');
  if (ran.length === 0) return;
  assert.ok(!isAborted, 'it was told as aborted, and has run');
  // It was pruned after its end was told and acknowledged.
  if (facts === null) {
    assert.ok(all.length > 0, 'it has run, and there is no record of it');
    return;
  }
  const started = facts.find((fact) => fact.fact === 'started');
  assert.equal(ran[0], `ran ${started?.pid}`, 'the record does not say that it started');
  const isEndedBySignal = facts.some(({ fact }) => fact === 'stop');
  assert.ok(isEndedBySignal || lines.includes('recorded'), 'when it ran its record was not there');
}

function checkTold(deed: Deed, end: TaskSnapshot, lines: readonly string[], answer: Answer | null): void {
  const life: Life = lives[deed.life];
  const { status, statusReason, exitCode, exitSignal } = end;
  const told = `${status} ${exitCode}`;
  // What was refused was taken back.
  const isStopped = deed.isStopped || life.isEndless || (answer !== null && 'code' in answer);
  const isChilds = deed.isChildKilled && exitSignal === 'SIGKILL';
  const isRefused = deed.mayBeRefused === true && lines.length === 0;
  if (isRefused && /^failed (?:null|126|127)$/.test(told)) return;
  if (exitCode !== null && exitSignal === null && status !== 'timed_out')
    assert.ok(lines.includes(`exit ${exitCode}`), `${told} is told, and the command did not end so`);
  if (deed.isUndisturbed) assert.ok(life.ends.includes(told), told);
  else if (isChilds || statusReason === 'spawn_aborted') assert.deepEqual(lines, []);
  else if (status === 'lost') assert.ok(deed.mayBeLost, 'it is told as lost, and its shim was not killed');
  else if (statusReason === 'output_limit') assert.ok(life.ends.includes(told), told);
  else if (isStopped && status === 'killed') assert.equal(statusReason, 'kill');
  else assert.ok(life.ends.includes(told), told);
}
