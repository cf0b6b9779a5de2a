import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, decide } from '../../../src/model/decide.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import type { Liveness } from '../../../src/model/words.ts';
import { sealOf } from '../../../src/util/crypto.ts';
import { checkDecision, sequences } from './decide-logs.ts';
import {
  delivered,
  exit,
  exitProof,
  gone,
  goneProof,
  left,
  outcome,
  pending,
  proven,
  refused,
  sealedSpec,
  spec,
  started,
  stop,
  waiting,
} from './sample-facts.ts';

const running = [sealedSpec, started()];

test('if the shim must prove itself, every sequence of up to four facts is decided as the design says', () => {
  const facts = [
    ...[started(), exit(0), proven(7), proven(5), exit(3, { proof: 'guessed' }), refused, pending(0)],
    ...[left(), left(goneProof), gone(), gone(exitProof)],
    ...[outcome(), outcome({ id: 'outcome-2' }), stop('kill'), delivered(), waiting()],
  ];
  for (const log of sequences(facts, 4)) checkDecision([sealedSpec, ...log]);
  // Whatever stands before the spec, or beside it.
  for (const log of sequences([...facts, sealedSpec, spec()], 3)) checkDecision(log);
});

test('a proven exit that waits for nothing ends the task although the shim lives on', () => {
  for (const alive of ['yes', 'no'] as const)
    assert.deepEqual(brief([...running, proven(7)], alive), 'settle failed null 7');
  assert.equal(brief([...running, proven(7, { left: 3 })], 'yes'), 'settle failed null 7');
  assert.equal(brief([...running, proven(7), outcome()], 'yes'), 'ended');
  // Of another machine nothing is judged.
  assert.equal(brief([...running, proven(7)], 'unknown'), 'live running');
});

test('a pending exit ends the task when a fact shows the second secret, or when the shim is dead', () => {
  const log = [...running, pending(7), left()];
  assert.equal(brief(log, 'yes'), 'live running');
  assert.equal(brief(log, 'no'), 'settle failed null 7');
  assert.equal(brief([...log, left(goneProof)], 'yes'), 'settle failed null 7');
  assert.equal(brief([...log, gone()], 'yes'), 'settle failed null 7');
  // What ended the task is not forgotten for what comes after it.
  assert.equal(brief([...log, left(goneProof), left()], 'yes'), 'settle failed null 7');
});

test('a fact with the first secret instead of the second, or without one, ends nothing', () => {
  assert.equal(sealOf(sealOf(goneProof)), sealedSpec.seal);
  const forged = [gone(exitProof), gone('guessed'), left(exitProof), left('guessed'), gone('')];
  for (const fact of forged) assert.equal(brief([...running, pending(7), fact], 'yes'), 'live running');
  const folded = foldFacts([...running, left(), ...forged]);
  assert.deepEqual([folded.left, folded.gone], [undefined, undefined]);
});

test('an exit without its proof does not count, even when the shim is dead', () => {
  for (const fact of [exit(0), exit(0, { proof: goneProof }), exit(0, { proof: sealedSpec.seal ?? '' })]) {
    assert.equal(brief([...running, fact], 'yes'), 'live running');
    assert.equal(brief([...running, fact], 'no'), 'settle lost no_exit_marker null');
  }
});

test('the first proven exit counts: a later one can have read the proof in the log', () => {
  assert.equal(brief([...running, proven(7), proven(0)], 'no'), 'settle failed null 7');
  assert.equal(brief([...running, pending(7), proven(0)], 'yes'), 'live running');
});

test('a second start does not count, and neither does one after the end', () => {
  assert.equal(foldFacts([...running, started({ pid: 700, shimPid: 699 })]).started?.pid, 502);
  assert.equal(foldFacts([sealedSpec, proven(7), started()]).started, undefined);
});

test('a command that a signal ended has the exit code of shells, or 124 after a timeout', () => {
  const decided = decide(foldFacts([...running, proven('SIGSEGV')]), 'yes');
  const verdict = { status: 'failed', reason: 'signal', exitCode: 139, exitSignal: 'SIGSEGV' };
  assert.deepEqual(decided, { state: 'settle', verdict });
  // A real-time signal has no name.
  assert.equal(brief([...running, proven('SIG34')], 'yes'), 'settle failed signal 162');
  assert.equal(brief([...running, stop('kill'), proven('SIGTERM')], 'yes'), 'settle killed kill 143');
  assert.equal(
    brief([...running, stop('timeout'), proven('SIGKILL')], 'yes'),
    'settle timed_out timeout 124',
  );
});

test('a stop request or an outcome before the start forbids the start: the task is over at once', () => {
  const told = outcome({ status: 'failed', reason: 'spawn_aborted' });
  for (const alive of ['yes', 'no'] as const) {
    assert.equal(brief([sealedSpec, stop('kill')], alive), 'settle killed kill null');
    assert.equal(brief([sealedSpec, stop('timeout')], alive), 'settle timed_out timeout null');
    assert.equal(brief([sealedSpec, told], alive), 'ended');
    // The shim finds that, and says so. That takes nothing back.
    for (const more of [[started()], [started(), refused], [refused]]) {
      assert.equal(brief([sealedSpec, stop('kill'), ...more], alive), 'settle killed kill null');
      assert.equal(brief([sealedSpec, told, ...more], alive), 'ended');
      assert.equal(brief([sealedSpec, stop('kill'), outcome(), ...more], alive), 'ended');
    }
  }
  assert.equal(brief([sealedSpec, waiting(), stop('kill')], 'yes'), 'settle killed kill null');
  assert.equal(brief([...running, stop('kill')], 'yes'), 'live killing');
  assert.equal(brief([...running, outcome()], 'yes'), 'live running');
});

test('if a command ran, nothing had forbidden its start', () => {
  assert.equal(brief([sealedSpec, outcome(), started(), proven(7)], 'yes'), 'settle failed null 7');
  // What only looks like a request to us is none to the shim.
  assert.equal(brief([sealedSpec, stop('kill'), started(), pending(7)], 'yes'), 'live killing');
  assert.equal(brief([sealedSpec, stop('kill'), started(), proven(7)], 'yes'), 'settle killed kill 7');
  // The start was damaged on the disk.
  assert.equal(brief([sealedSpec, proven(7), stop('kill')], 'yes'), 'settle failed null 7');
});

test('a task that the shim could not start has failed, whatever is requested after that', () => {
  assert.equal(brief([sealedSpec, refused], 'yes'), 'settle failed spawn_aborted null');
  assert.equal(brief([sealedSpec, refused, stop('kill')], 'yes'), 'settle failed spawn_aborted null');
  assert.equal(brief([...running, refused, stop('kill')], 'yes'), 'settle failed spawn_aborted null');
  assert.equal(brief([...running, stop('kill'), refused], 'yes'), 'settle killed kill null');
});

test('an exit of a command that ran voids an earlier outcome, and so does the end that it waited for', () => {
  const forged = [outcome({ id: 'forged', status: 'completed' }), delivered()];
  assert.equal(brief([...running, ...forged, proven(7)], 'no'), 'settle failed null 7');
  assert.equal(brief([...running, pending(7), ...forged], 'yes'), 'live running');
  for (const end of [gone(), left(goneProof)])
    assert.equal(brief([...running, pending(7), ...forged, end], 'yes'), 'settle failed null 7');
});

test('nothing after a proven end voids the outcome', () => {
  const ends = [[proven(7)], [pending(7), gone()], [pending(7), left(goneProof)], [left(goneProof)]];
  const late = [exit(0), started({ pid: 700 }), waiting(), outcome({ id: 'late' }), stop('kill'), gone()];
  for (const end of ends) {
    const told = [...running, stop('kill'), ...end, outcome({ id: 'true' }), delivered()];
    // A process that SIGKILL could not end at once ends later, and so may the command.
    const decision = decide(foldFacts([...told, ...late, left(), left(goneProof), proven('SIGKILL')]), 'yes');
    const found = decision.state === 'ended' && [decision.outcome.id, decision.delivered];
    assert.deepEqual(found, ['true', true]);
  }
});

test('if SIGKILL could not end a command, the task ends as requested, without an exit code', () => {
  assert.equal(brief([...running, stop('kill'), left(goneProof)], 'yes'), 'settle killed kill null');
});

test('a seal that is appended after the first fact of the shim seals nothing, and proves nothing', () => {
  const forged = [started(), sealedSpec, proven(0)];
  assert.equal(brief(forged, 'yes'), 'live running');
  assert.equal(foldFacts(forged).spec?.seal, undefined);
});

test('the end of the last process answers an open stop, and then no leftovers are shown', () => {
  const ended = [...running, proven(0, { left: 1 }), left(), outcome({ leftovers: left().processes ?? [] })];
  const asked = foldFacts([...ended, stop('leftovers', 'stop-2')]);
  assert.equal(asked.openStop?.id, 'stop-2');
  const answered = foldFacts([...ended, stop('leftovers', 'stop-2'), gone()]);
  assert.equal(answered.openStop, undefined);
  assert.deepEqual(answered.stopped, { fact: 'stopped', id: 'stop-2', survivors: [] });
  assert.deepEqual(leftoversShown(ended), [503]);
  assert.deepEqual(leftoversShown([...ended, gone()]), []);
  assert.deepEqual(leftoversShown([...ended, gone(exitProof)]), [503]);
});

test('the shim answers the requests that it has read', () => {
  const log: Fact[] = [...running, stop('kill', 'a'), { fact: 'stopping', id: 'a' }, stop('kill', 'b')];
  assert.deepEqual(foldFacts(log).answered, ['a']);
});

function leftoversShown(log: readonly Fact[]): number[] {
  const output = {
    ...{ path: '/o', stderrPath: null, bytes: 0, preview: '', truncated: false },
    erasedBytes: 0,
    droppedBytes: 0,
    lastWrittenAt: null,
  };
  const task = { taskId: 'bgb-0123abcd0123', sessionId: 'session-1', output };
  const seen = { alive: 'yes', suspended: false, nowMs: 5, modifiedAt: 4 } as const;
  return snapshotOf(foldFacts(log), { ...task, ...seen }).leftovers.map(({ pid }) => pid);
}

function brief(log: readonly Fact[], alive: Liveness): string {
  const decision: Decision = decide(foldFacts(log), alive);
  switch (decision.state) {
    case 'live':
      return `live ${decision.status}`;
    case 'settle': {
      const { status, reason, exitCode } = decision.verdict;
      return `settle ${status} ${reason} ${exitCode}`;
    }
    case 'ended':
      return 'ended';
  }
}

test('giving up a task after its start has no effect', () => {
  const late = outcome({ id: 'late', status: 'failed', reason: 'spawn_aborted', startedAt: null });
  const log = [...running, late, delivered('late')];
  assert.equal(brief(log, 'yes'), 'live running');
  assert.equal(brief(log, 'no'), 'settle lost no_exit_marker null');
  // The child has found it, since it came before the child has read the log.
  assert.equal(brief([...log, refused], 'yes'), 'settle failed spawn_aborted null');
  assert.equal(brief([sealedSpec, late, started()], 'yes'), 'ended');
  // It was told of one that was not to start, which the shim finds as well: it stands.
  const killed = outcome({ id: 'killed', status: 'killed', reason: 'kill', startedAt: null });
  for (const rest of [[killed], [killed, refused], [refused, killed]])
    assert.equal(brief([sealedSpec, stop('kill'), started(), ...rest], 'yes'), 'ended');
  assert.equal(
    brief([sealedSpec, stop('kill'), started(), proven(7), killed], 'yes'),
    'settle killed kill 7',
  );
  const facts = [started(), late, outcome(), refused, proven(7), stop('kill'), delivered()];
  for (const some of sequences(facts, 5)) checkDecision([sealedSpec, ...some]);
});
