import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import type { ClientLink } from '../../../src/fleet/admin/invite.ts';
import { FleetTask } from '../../../src/fleet/client/fleet-task.ts';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';

type Ask = ClientLink['ask'];

/** A task as a coordinator tells it. */
function told(more: Partial<RemoteTask>): RemoteTask {
  return { task: 'bgb-0123456789ab', host: 'h1', state: 'accepted', localId: null, ...more } as RemoteTask;
}

function taskOf(ask: Ask, more: Partial<RemoteTask> = {}): FleetTask {
  return new FleetTask({ ask, isClosed: () => false } as unknown as ClientLink, told(more));
}

test('a task that its host has given back has not ended while it waits for another host', async () => {
  const answers = [
    told({ state: 'revoked', next: 2 }),
    told({ state: 'revoked', next: 2 }),
    told({ state: 'ended', attempt: 2, next: null }),
  ];
  const ask: Ask = async () => answers.shift();
  assert.equal(await taskOf(ask).wait({ timeoutMs: 0 }), null);
  assert.equal((await taskOf(ask).wait())?.attempt, 2);
  assert.deepEqual(answers, []);
  assert.equal((await taskOf(async () => told({ state: 'revoked', next: null })).wait())?.state, 'revoked');
});

test('an aborted wait ends at once, even if the coordinator still waits', async () => {
  const asked: (() => void)[] = [];
  const answers: Ask = async () => await new Promise(() => asked.push(() => undefined));
  const controller = new AbortController();
  const waiting = taskOf(answers).wait({ abortSignal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  assert.equal(asked.length, 1);
  // What is aborted before asks nobody.
  await assert.rejects(taskOf(answers).wait({ abortSignal: controller.signal }), /enough/);
  assert.equal(asked.length, 1);
});

test('a coordinator that knows less than its predecessor is asked again', async () => {
  const missing = new OutliveError('TASK_NOT_FOUND', 'expected it to have started.');
  let reads = 0;
  const ask: Ask = async (operation) => {
    if (operation === 'show') return told({ state: 'assigned' });
    reads += 1;
    if (reads === 1) throw missing;
    return { offset: 0, nextOffset: 2, size: 2, bytes: Buffer.from('hi').toString('base64') };
  };
  const ended = taskOf(ask, { state: 'ended', localId: 'bgb-ba9876543210' });
  assert.equal((await ended.read()).bytes.toString(), 'hi');
  reads = 0;
  // Of one that has not started that is the truth.
  await assert.rejects(taskOf(ask, { state: 'assigned' }).read(), missing);
});
