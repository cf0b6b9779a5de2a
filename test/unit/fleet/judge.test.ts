import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemoteTask } from '../../../src/fleet/client/index.ts';
import { judge } from '../../support/fleet/judge.ts';

/** What a consumer is told of d7, whose exit status is 2. */
function told(change: Partial<RemoteTask> & { readonly exitCode?: number } = {}): RemoteTask {
  const { exitCode = 2, ...rest } = change;
  const end = { status: 'failed', exitCode };
  return { task: 'bgb-1', attempt: 1, state: 'ended', reason: null, end, ...rest } as RemoteTask;
}

const revoked = told({ state: 'revoked', end: null, reason: 'its host is lost' });

const cases: readonly (readonly [
  what: string,
  starts: readonly number[],
  told: readonly RemoteTask[],
  wrong: RegExp | null,
  redispatch?: number,
])[] = [
  ['it has ended', [1], [told()], null],
  ['its end is told twice', [1], [told(), told()], null],
  ['it was revoked', [], [revoked], null],
  ['it started again, as was asked for', [1, 2], [told({ attempt: 2 })], null, 1],
  ['an attempt started twice', [1, 1], [told()], /started twice/],
  ['an attempt started twice, where another one was asked for', [1, 1], [told()], /started twice/, 1],
  ['it started again', [1, 2], [told({ attempt: 2 })], /started 2 times/],
  ['it has no end', [1], [], /no end/],
  ['it is lost', [], [], /no end/],
  ['it has two ends', [1], [told(), told({ exitCode: 3 })], /two ends/],
  ['it was revoked and has started', [1], [revoked], /says that it has not/],
  ['it ended and has not started', [], [told()], /has not started/],
  ['its status is not its own', [1], [told({ exitCode: 0 })], /2 was its status/],
  ["its end is another task's", [1], [told({ task: 'bgb-2' })], /its end is that of bgb-2/],
];

test('the judge of dispatches names each violation, and nothing else', () => {
  for (const [what, starts, ends, wrong, redispatch = 0] of cases) {
    const found = judge(new Map(starts.length === 0 ? [] : [['d7', starts]]), {
      dispatched: new Map([['d7', { key: 'd7', task: 'bgb-1', redispatch }]]),
      told: new Map(ends.length === 0 ? [] : [['d7', [...ends]]]),
      wrong: [],
    });
    if (wrong === null) assert.deepEqual([what, found.wrong], [what, []]);
    else assert.match(`${what}: ${found.wrong.join()}`, wrong);
  }
  const unasked = judge(new Map([['d8', [1]]]), { dispatched: new Map(), told: new Map(), wrong: [] });
  assert.match(unasked.wrong.join(), /d8 has started, and nobody was told/);
});
