import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { historyOf } from '../../../src/model/history.ts';
import { parseLog } from '../../../src/tasklog/read-log.ts';
import { root } from '../../support/repository.ts';
import { exit, outcome, refused, spec, started, stop } from '../model/sample-facts.ts';

test('every fact of a log is told, in order', () => {
  const facts = parseLog(readFileSync(join(root, 'test/compat/v2/task.jsonl'), 'utf8')).list;
  const history = historyOf(facts);
  assert.deepEqual(
    history.map(({ fact }) => fact),
    facts.map(({ fact }) => fact),
  );
  const first = Object.fromEntries(history.toReversed().map(({ fact, text }) => [fact, text]));
  assert.deepEqual(first, {
    spec: 'asked for by process 11953 on build-1',
    started: 'the shim 11964 runs the command as process 11965',
    stop: 'its end was asked for: output_limit, by the shim (SIGTERM, 3000 ms of grace)',
    stopping: 'the shim has read the request to stop',
    exit: 'the command ended by SIGTERM, its pipeline with 2 0; processes that it left: 2',
    left: 'still alive: 11970, 11971',
    outcome: 'the outcome was decided: killed (output_limit)',
    claim: 'the completion was claimed by process 11953 on build-1',
    unclaim: 'the claim was given back',
    delivered: 'the completion was acknowledged',
    stopped: 'the stop is done; still alive: 11970',
    gone: 'the last process of the task has ended',
    cut: 'the middle of its stdout was cut out: bytes 1000 to 19999000 of 20000000',
    oom: 'its cgroup was out of memory, and the kernel killed 1 of its processes',
    watch: 'the matches of /error (\\d+) €/i in its stdout are pending, from byte 0 on',
    seen: 'the matches of watch errors up to byte 812 were acknowledged',
    unwatch: 'watch errors is over',
    hook: 'the hook is about to run, kept by process 11980',
    hooked: 'the hook ended with 0',
  });
});

test('facts have their recorded times; others have none', () => {
  const history = historyOf([
    spec(),
    started(),
    stop('kill'),
    { fact: 'stopping', id: 'a' },
    exit(0),
    outcome(),
  ]);
  const created = 1_700_000_000_000;
  assert.deepEqual(
    history.map(({ at }) => at),
    [created, created + 20, 1, null, created + 1_000, null],
  );
  assert.deepEqual(
    historyOf([exit(3, { at: null })]).map(({ at }) => at),
    [null],
  );
});

test('unknown values are shown as unknown', () => {
  const texts = historyOf([
    { ...stop('timeout'), by: null, killSignal: null, graceMs: null },
    { ...stop('kill'), killSignal: null },
    refused,
    exit(3, { left: null }),
    exit('SIGSEGV', { core: true }),
    { fact: 'left', processes: null },
    { fact: 'left', processes: [] },
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
    'the command was not run',
    'the command ended with 3',
    'the command ended by SIGSEGV, with a core dump',
    'the shim could not tell what is left',
    'nothing is left',
    'the stop is done; still alive: 7, 8',
    'the outcome was decided: completed',
  ]);
});
