import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { historyOf } from '../../src/model/history.ts';
import { parseLog } from '../../src/tasklog/codec.ts';
import { root } from '../support/repository.ts';
import { exit, outcome, reaped, spec, started, stop } from './sample-facts.ts';

test('every fact of a log is told, in its order', () => {
  const facts = parseLog(readFileSync(join(root, 'test/compat/v1/task.jsonl'), 'utf8'));
  const history = historyOf(facts);
  assert.deepEqual(
    history.map(({ fact }) => fact),
    facts.map(({ fact }) => fact),
  );
  const first = Object.fromEntries(history.toReversed().map(({ fact, text }) => [fact, text]));
  assert.deepEqual(first, {
    spec: 'asked for by process 11953 on build-1',
    started: 'the shim 11965 runs the command',
    identified: 'the shim 11965 was identified by its start time',
    stop: 'its end was asked for: output_limit, by process 11953 on build-1 (SIGTERM, 3000 ms of grace)',
    pipe: 'the last pipeline ended with 2 0',
    exit: 'the command ended with 143, as the shim saw',
    reaped: 'the shim ended with 143, as its parent saw',
    outcome: 'the outcome was decided: killed (output_limit)',
    claim: 'the completion was claimed by process 11953 on build-1',
    unclaim: 'the claim was given back',
    delivered: 'the completion was acknowledged',
    stopped: 'the stop is done; nothing is left',
    cut: 'the middle of its stdout was cut out: bytes 1000 to 19999000 of 20000000',
  });
});

test('facts have the times that they tell, or that follow from the clock since boot; others have none', () => {
  const history = historyOf([spec(), started(), stop('kill'), exit(0), outcome()]);
  const created = 1_700_000_000_000;
  // Asked for at 100.000 s since boot, started at tick 10,002, ended at 101 s.
  assert.deepEqual(
    history.map(({ at }) => at),
    [created, created + 20, 1, created + 1_000, null],
  );
  assert.deepEqual(
    historyOf([started(), exit(3)]).map(({ at }) => at),
    [null, null],
  );
});

test('what is not known is said to be so', () => {
  const texts = historyOf([
    { ...stop('timeout'), by: null, killSignal: null, graceMs: null },
    { ...stop('kill'), killSignal: null },
    reaped('SIGKILL'),
    { fact: 'reaped', code: null, killSignal: null },
    {
      fact: 'stopped',
      id: 'x',
      survivors: [
        { pid: 7, command: 'a', start: null },
        { pid: 8, command: 'b', start: 5 },
      ],
    },
    outcome({ status: 'completed', reason: null }),
  ]).map(({ text }) => text);
  assert.deepEqual(texts, [
    'its end was asked for: timeout, by the shim',
    'its end was asked for: kill, by process 500 on host-1, 3000 ms of grace',
    'the shim ended with SIGKILL, as its parent saw',
    'the shim ended with nothing known, as its parent saw',
    'the stop is done; alive all the same: 7, 8',
    'the outcome was decided: completed',
  ]);
});
