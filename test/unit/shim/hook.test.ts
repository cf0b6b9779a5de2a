import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { type HookRunners, onExitOf } from '../../../src/model/hook.ts';
import type { HookedFact, HookFact } from '../../../src/model/hook-facts.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { exit, spec, started } from '../model/sample-facts.ts';

const hooking: readonly Fact[] = [spec({ onExit: 'notify' }), started()];
const hook: HookFact = { fact: 'hook', pid: 70, start: 7, at: 1, monoMs: 1 };

function hooked(more: Partial<HookedFact>): HookedFact {
  return {
    fact: 'hooked',
    code: null,
    exitSignal: null,
    cause: null,
    errno: null,
    at: 2,
    monoMs: 2,
    ...more,
  };
}

function stateOf(facts: readonly Fact[], isLive: boolean, alive: HookRunners): string | undefined {
  return onExitOf(foldFacts(facts), isLive, alive)?.state;
}

const nobody: HookRunners = { shim: 'no', runner: 'no' };

test('a task without a hook has no hook state, whatever its log says', () => {
  assert.equal(
    onExitOf(foldFacts([spec(), started(), exit(0), hook, hooked({ code: 0 })]), false, nobody),
    null,
  );
});

test('a hook waits until its task has ended and its shim runs it', () => {
  assert.equal(stateOf(hooking, true, { shim: 'yes', runner: 'no' }), 'waiting');
  // A live task whose shim is not there yet, or of another machine.
  assert.equal(stateOf(hooking, true, nobody), 'waiting');
  assert.equal(stateOf([...hooking, exit(0)], false, { shim: 'yes', runner: 'no' }), 'waiting');
});

test('a hook without a shim has not run, and never will', () => {
  assert.equal(stateOf(hooking, false, nobody), 'not_run');
  assert.equal(stateOf(hooking, false, { shim: 'unknown', runner: 'unknown' }), 'unknown');
});

test('a hook counts as running while its hook runner lives, and as unknown after that', () => {
  const begun = [...hooking, exit(0), hook];
  for (const shim of ['yes', 'no'] as const) {
    assert.equal(stateOf(begun, false, { shim, runner: 'yes' }), 'running');
    assert.equal(stateOf(begun, false, { shim, runner: 'no' }), 'unknown');
  }
});

test(
  'the end of a hook is what its hook runner reported first',
  notOnWindows('errors have other numbers'),
  () => {
    const end = (...facts: HookedFact[]) => {
      const found = onExitOf(foldFacts([...hooking, exit(0), hook, ...facts]), false, nobody);
      return [found?.state, found?.exitCode, found?.exitSignal, found?.reason];
    };
    assert.deepEqual(end(hooked({ code: 3 }), hooked({ code: 0 })), ['ended', 3, null, null]);
    assert.deepEqual(end(hooked({ exitSignal: 'SIGABRT' })), ['ended', null, 'SIGABRT', null]);
    assert.deepEqual(end(hooked({ cause: 'timeout' })), ['ended', null, null, 'timeout']);
    assert.deepEqual(end(hooked({ errno: 17 })), ['not_run', null, null, 'EEXIST']);
  },
);
