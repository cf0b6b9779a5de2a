import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, decide } from '../../../src/model/decide.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import type { Liveness } from '../../../src/model/words.ts';
import { delivered, exit, outcome, spec, started, stop } from './sample-facts.ts';

// The rows of the table that are worth a name, where nothing is proven. decide-table.test.ts has all of them, and
// decide-sealed.test.ts those of a shim that proves what it says.

const running = [spec(), started()];

test('a stop request after the exit marker does not change that the command ended by itself', () => {
  assert.deepEqual(verdict([...running, exit(0), stop('kill')]), ended('completed', null, 0));
  assert.deepEqual(verdict([...running, exit(3), stop('timeout')]), ended('failed', null, 3));
});

test('a stop request before the exit marker is the reason of the end, whatever the exit code', () => {
  assert.deepEqual(verdict([...running, stop('kill'), exit(0)]), ended('killed', 'kill', 0));
  assert.deepEqual(
    verdict([...running, stop('output_limit'), exit(143)]),
    ended('killed', 'output_limit', 143),
  );
  assert.deepEqual(verdict([...running, stop('shutdown')]), ended('killed', 'shutdown', null));
});

test('the first of several stop requests gives the reason', () => {
  const log = [
    ...running,
    stop('output_limit'),
    stop('kill', 'stop-2'),
    stop('timeout', 'stop-3'),
    exit(143),
  ];
  assert.deepEqual(verdict(log), ended('killed', 'output_limit', 143));
});

test('a task that ran out of time has exit code 124, like timeout(1), and keeps the signal', () => {
  assert.deepEqual(verdict([...running, stop('timeout'), exit(143)]), ended('timed_out', 'timeout', 124));
  const killed = verdict([...running, stop('timeout'), exit('SIGKILL')]);
  assert.deepEqual(killed, { ...ended('timed_out', 'timeout', 124), exitSignal: 'SIGKILL' });
});

test('a forged exit marker ends nothing while the shim lives', () => {
  assert.deepEqual(decided([...running, exit(0)], 'yes'), {
    state: 'live',
    status: 'running',
    elsewhere: false,
  });
});

test('the last of several exit markers counts, since the shim writes its marker last', () => {
  assert.deepEqual(verdict([...running, exit(0), exit(7)]), ended('failed', null, 7));
});

test('a forged exit marker does not hide that the task is being stopped', () => {
  const log = [...running, exit(0), stop('timeout')];
  assert.deepEqual(decided(log, 'yes'), { state: 'live', status: 'killing', elsewhere: false });
  assert.deepEqual(verdict([...log, exit(143)]), ended('timed_out', 'timeout', 124));
});

test('an outcome is void when the shim starts or exits after it', () => {
  const forged = outcome({ status: 'completed', reason: null, exitCode: 0 });
  assert.deepEqual(verdict([spec(), forged, delivered(), started()]), ended('lost', 'no_exit_marker', null));
  assert.deepEqual(verdict([...running, forged, delivered(), exit(7)]), ended('failed', null, 7));
  // What came between it and the proof that it was void is not lost with it.
  assert.deepEqual(verdict([spec(), forged, stop('kill'), started()]), ended('killed', 'kill', null));
});

test('after a void outcome the next one counts', () => {
  const log = [spec(), outcome({ id: 'void' }), delivered(), started(), exit(0), outcome({ id: 'true' })];
  assert.deepEqual(idOfOutcome(log), { id: 'true', delivered: false });
});

test('only a sign of life of the shim voids a settled outcome', () => {
  const settled = [...running, exit(0), outcome({ id: 'first' }), delivered()];
  for (const late of [spec(), outcome({ id: 'second' }), stop('kill')]) {
    assert.deepEqual(idOfOutcome([...settled, late]), { id: 'first', delivered: true }, late.fact);
  }
});

test('an exit marker and an outcome that were forged together are void when the real marker comes', () => {
  const forged = [exit(0), outcome({ status: 'completed', exitCode: 0 }), delivered()];
  assert.deepEqual(verdict([...running, ...forged, exit(7)]), ended('failed', null, 7));
});

test('a spec without a start is an aborted spawn, and a late start undoes that', () => {
  assert.deepEqual(verdict([spec()]), ended('failed', 'spawn_aborted', null));
  const aborted = outcome({ status: 'failed', reason: 'spawn_aborted' });
  assert.equal(decided([spec(), aborted], 'no').state, 'ended');
  const late = [spec(), aborted, started()];
  assert.deepEqual(decided(late, 'yes'), { state: 'live', status: 'running', elsewhere: false });
  assert.deepEqual(verdict([...late, exit(0)]), ended('completed', null, 0));
});

test('a task that cannot be seen from here is never judged, but a recorded outcome counts', () => {
  const logs = [[], [spec()], running, [...running, exit(0)], [...running, exit('SIGKILL')]];
  for (const log of logs) assert.equal(decided(log, 'unknown').state, 'live');
  assert.equal(decided([...running, exit(0), outcome()], 'unknown').state, 'ended');
});

test('a command that a signal ended has the exit code of shells', () => {
  const killed = { ...ended('failed', 'signal', 139), exitSignal: 'SIGSEGV' };
  assert.deepEqual(verdict([...running, exit('SIGSEGV')]), killed);
  const stopped = { ...ended('killed', 'kill', 143), exitSignal: 'SIGTERM' };
  assert.deepEqual(verdict([...running, stop('kill'), exit('SIGTERM')]), stopped);
});

test('a request before the start of a shim without proofs does not forbid the start', () => {
  assert.deepEqual(decided([spec(), stop('kill')], 'yes'), {
    state: 'live',
    status: 'killing',
    elsewhere: false,
  });
  assert.deepEqual(verdict([spec(), stop('kill'), started(), exit(1)]), ended('killed', 'kill', 1));
});

test('a task that is gone without a trace is lost, and no exit code is made up', () => {
  assert.deepEqual(verdict(running), ended('lost', 'no_exit_marker', null));
  assert.deepEqual(verdict([started()]), ended('lost', 'no_exit_marker', null));
  assert.deepEqual(verdict([]), ended('lost', 'unreadable_record', null));
});

test('an exit marker counts even if the spec cannot be read', () => {
  assert.deepEqual(verdict([exit(7)]), ended('failed', null, 7));
});

test('a success with a failed part of the pipeline says so, unless the part died of SIGPIPE', () => {
  const [hidden, plain] = ['hidden_failure', null].map((reason) => ended('completed', reason, 0));
  const end = (code: number, ...pipeStatus: number[]) => verdict([...running, exit(code, { pipeStatus })]);
  assert.deepEqual(end(0, 1, 0), hidden);
  assert.deepEqual(end(0, 141, 0), plain);
  assert.deepEqual(end(0, 0, 0), plain);
  assert.deepEqual(end(3, 1, 3), ended('failed', null, 3));
});

test('a delivered fact without an outcome is ignored', () => {
  const log = [...running, exit(0), delivered(), outcome({ id: 'true' })];
  assert.deepEqual(idOfOutcome(log), { id: 'true', delivered: false });
});

function decided(log: readonly Fact[], alive: Liveness): Decision {
  return decide(foldFacts(log), alive);
}

function verdict(log: readonly Fact[]): unknown {
  const decision = decided(log, 'no');
  return decision.state === 'settle' ? decision.verdict : decision;
}

function ended(status: string, reason: string | null, exitCode: number | null) {
  return { status, reason, exitCode, exitSignal: null };
}

function idOfOutcome(log: readonly Fact[]): unknown {
  const decision = decided(log, 'no');
  if (decision.state !== 'ended') return decision;
  return { id: decision.outcome.id, delivered: decision.delivered };
}
