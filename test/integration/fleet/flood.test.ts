import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { AuditEntry } from '../../../src/fleet/coordinator/audit.ts';
import { subjects } from '../../../src/fleet/wire/names.ts';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';
import { ExpectedWarnings } from '../../support/expected-warnings.ts';
import { runRequest } from '../../support/fleet/client.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { endedBy } from '../../support/fleet/host.ts';
import { anAssignment } from '../../support/fleet/samples.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const floodOf = 1_300;

test('a host that invents thousands of ends gets no new tasks, is reported, and the ends are skipped', {
  skip: withoutNats,
}, async (t) => {
  using warnings = new ExpectedWarnings(/invalid messages in a minute; found more/);
  await using fleet = await TestFleet.start();
  await fleet.coordinator(2500);
  const client = await fleet.client();
  const hostile = await fleet.host('h1');
  await hostile.lease();
  const { task } = await client.run({ host: 'h1' });
  const [numbered] = (await hostile.lease()).assignments;
  assert.ok(numbered);
  const accepted = await hostile.accept(numbered);
  assert.ok(typeof accepted === 'object');

  // Each costs the one who reads it two signatures.
  const warrant = 'A'.repeat(86);
  const own = headers();
  own.set('Outlive-After', '0');
  own.set('Outlive-Seal', warrant);
  const begin = performance.now();
  for (let index = 0; index < floodOf; index += 1) {
    const invented = `bgb-${index.toString(16).padStart(12, 'f')}`;
    const end = endedBy(anAssignment({ host: 'h1', task: invented, warrant }));
    hostile.connection.publish(subjects.assignment('h1', invented), JSON.stringify(end), { headers: own });
  }
  await hostile.connection.flush();
  const asked = runRequest({ request: 'during the flood', host: 'h2' });
  const other = await fleet.busyHost('h2', { everyMs: 100 });
  // The server takes the flood to its disk first.
  let next = '';
  await waitFor(async () => {
    const { value } = await client.ask<RemoteTask>('run', asked, 20_000);
    next = value?.task ?? '';
    return value !== undefined;
  }, 'the task of another host to be assigned');
  await other.started(`${next}.1`);
  await waitFor(async () => (await client.show(next)).state === 'ended', 'the task of another host to end');
  t.diagnostic(`${floodOf} invented ends were read past in ${Math.round(performance.now() - begin)} ms`);

  const listed = (await client.hosts()).find(({ host }) => host === 'h1');
  assert.match(
    listed?.refused ?? '',
    /more than 1000|at most 1000 invalid messages[\s\S]*outlive fleet remove h1/,
  );
  await assert.rejects(client.run({ host: 'h1' }), /h1 is writing too many invalid messages/);
  const known = await client.get<{ task: string }[]>('list', {
    session: null,
    host: null,
    after: null,
    most: 500,
  });
  assert.deepEqual(known.map((one) => one.task).toSorted(), [task, next].toSorted());
  // What it has accepted it may still end.
  await waitFor(async () => {
    const [now] = (await hostile.lease({}, 'list')).assignments;
    if (now !== undefined) await hostile.end(numbered.assignment, now.seq, 3);
    return (await client.show(task)).state === 'ended';
  }, 'its own task to end');

  const manager = await jetstreamManager(await fleet.connection());
  const entries: AuditEntry[] = [];
  const { state } = await manager.streams.info('AUDIT');
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage('AUDIT', { seq });
    if (message?.subject === 'audit.h1') entries.push(message.json<AuditEntry>());
  }
  assert.equal(entries.filter(({ what }) => what === 'flood').length, 1);
  assert.equal(warnings.said.length, 1);
  assert.ok(entries.filter(({ what }) => what === 'refused').length <= 20, `${entries.length}`);

  // Its inventions go when it is forgotten; its end stays.
  await hostile[Symbol.asyncDispose]();
  await waitFor(async () => {
    const { refusal } = await client.ask('forget', { host: 'h1', on: true }, 20_000);
    return refusal === undefined;
  }, 'h1 to be lost');
  await waitFor(async () => {
    const { state: left } = await manager.streams.info('ASSIGN', { subjects_filter: 'assign.h1.*' });
    return Object.keys(left.subjects ?? {}).join() === subjects.assignment('h1', task);
  }, 'its inventions to be removed');
  assert.equal((await client.show(task)).state, 'ended');
});
