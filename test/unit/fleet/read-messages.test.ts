import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostFollowMs, mostReadBytes, readControl } from '../../../src/fleet/wire/control.ts';
import type { ControlVerb } from '../../../src/fleet/wire/names.ts';
import { readAssignment, readLease } from '../../../src/fleet/wire/read-assignment.ts';

const task = 'bgb-0123456789ab';

const assignment = {
  ...{ v: 1, host: 'h1', task, attempt: 1, state: 'assigned', request: 'r', client: 'c' },
  spec: {
    ...{ command: ['make', '-j8'], session: 's', name: null, labels: { a: 'b' }, cwd: '/', env: { A: '' } },
    ...{ secrets: { T: 't' }, timeoutMs: null, stdin: 'none' },
  },
  placement: { host: null, labels: { gpu: null } },
  ...{ startBy: null, redispatch: 0, at: 1, by: 'coordinator', epoch: null, localId: null },
  end: { status: 'failed', exitCode: 1, signal: null, endedAt: 1, tail: 'x', outputBytes: 1 },
  reason: null,
};

const lease = {
  ...{ v: 1, host: 'h1', epoch: 'e', leaseMs: 30_000, cordoned: false, more: false },
  ...{ assignments: [{ seq: 1, assignment }], fenced: [{ task, attempt: 2 }], acknowledged: [] },
};

test('an assignment and a lease are read as they are written', () => {
  assert.deepEqual(readAssignment(assignment), assignment);
  assert.deepEqual(readLease(lease), lease);
  const { acknowledged: _, more: __, ...least } = lease;
  assert.deepEqual(readLease(least), lease);
});

const wrong: Record<string, object> = {
  'of another version': { v: 2 },
  'of a host that can have no such name': { host: 'h1.>' },
  'of a task that can have no such id': { task: '../x' },
  'of attempt 0': { attempt: 0 },
  'of no known state': { state: 'started' },
  'with a command that is none': { spec: { ...assignment.spec, command: [1] } },
  'with a value that is no text': { spec: { ...assignment.spec, env: { A: 1 } } },
  'with an end that is none': { end: { ...assignment.end, status: 'running' } },
  'with half a second': { at: 0.5 },
};
for (const [what, change] of Object.entries(wrong)) {
  test(`an assignment ${what} is refused`, () => {
    const changed = { ...assignment, ...change };
    assert.throws(() => readAssignment(changed), { code: 'FLEET_FORGED' });
    assert.throws(() => readLease({ ...lease, assignments: [{ seq: 1, assignment: changed }] }), {
      code: 'FLEET_FORGED',
    });
  });
}

test('a message that is no object, or lacks a field, is refused', () => {
  for (const value of [null, undefined, 1, 'x', [], {}, { v: 1 }]) {
    assert.throws(() => readAssignment(value), { code: 'FLEET_FORGED' });
    assert.throws(() => readLease(value), { code: 'FLEET_FORGED' });
  }
  for (const name of Object.keys(assignment).filter((one) => one !== 'epoch'))
    assert.throws(() => readAssignment({ ...assignment, [name]: undefined }), { code: 'FLEET_FORGED' }, name);
});

test('a control message is read as it is written, and refused if it is wrong', () => {
  const body = { v: 1, reply: '_INBOX.x', task };
  const typed = { isText: false, paste: false, press: [] };
  const opening = { number: 1, opens: true, readOnly: false, leaves: false };
  const view = { view: '0123456789abcdef', ...opening, size: null };
  const right: [ControlVerb, object, object][] = [
    ['offer', { offer: { seq: 7, assignment } }, { offer: { seq: 7, assignment } }],
    ['acknowledge', { attempt: 1 }, { attempt: 1 }],
    ['read', { offset: 5, maxBytes: 10 }, { offset: 5, maxBytes: 10 }],
    ['send', { data: 'aGk=', eof: true }, { ...typed, data: Buffer.from('hi'), eof: true }],
    [
      'send',
      { ...typed, data: 'aGk=', eof: false, press: ['enter'], isText: true },
      { ...typed, data: Buffer.from('hi'), eof: false, press: ['enter'], isText: true },
    ],
    ['screen', {}, {}],
    ['resize', { cols: 80, rows: 24 }, { size: { cols: 80, rows: 24 } }],
    ['view', { ...view, keys: 'aGk=' }, { ...view, keys: Buffer.from('hi') }],
    ['kill', { graceMs: null }, { graceMs: null }],
    ['follow', { offset: null, forMs: mostFollowMs }, { offset: null, forMs: mostFollowMs }],
  ];
  for (const [verb, more, read] of right) {
    const expected = { verb, ...(verb !== 'offer' && { task }), ...read };
    assert.deepEqual(readControl(verb, { ...body, ...more }), { control: expected, reply: '_INBOX.x' });
  }
  const wrongBodies: [ControlVerb, object][] = [
    ['acknowledge', {}],
    ['read', { offset: -1, maxBytes: 10 }],
    ['read', { offset: 0, maxBytes: mostReadBytes + 1 }],
    ['send', { data: 1, eof: true }],
    ['kill', {}],
    ['resize', { cols: 0, rows: 24 }],
    ['view', { ...view, keys: '', view: 'x.y' }],
    ['view', { ...view, keys: '', number: 0 }],
    ['follow', { offset: 0, forMs: mostFollowMs + 1 }],
    ['show', { task: '../x' }],
    ['show', { reply: 1 }],
    ['offer', {}],
    ['offer', { offer: { seq: 0, assignment } }],
    ['offer', { offer: { seq: 7, assignment: { ...assignment, host: 'H1' } } }],
  ];
  for (const [verb, more] of wrongBodies)
    assert.throws(() => readControl(verb, { ...body, ...more }), { code: 'FLEET_FORGED' });
});
