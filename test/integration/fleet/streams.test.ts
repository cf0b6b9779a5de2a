import '../../support/suppressed-error.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureStreams } from '../../../src/fleet/bus/streams.ts';
import { buckets, streams } from '../../../src/fleet/wire/names.ts';
import { yieldToOthers } from '../../../src/util/wait.ts';
import { TestFleet } from '../../support/fleet.ts';
import { withoutNats } from '../../support/nats.ts';

const needsNats = { skip: withoutNats };
const dayInNanoseconds = 86_400e9;

/** What one message with a header could do, were it on. */
const headers = [
  ...['allow_rollup_hdrs', 'allow_msg_ttl', 'allow_msg_schedules', 'allow_atomic', 'allow_batched'],
  'allow_msg_counter',
] as const;

test(
  'streams that members write to allow no roll-ups, times, schedules, batches or counters',
  needsNats,
  async () => {
    await using fleet = await TestFleet.start();
    const { nats, connection } = fleet.coordinator.bus;
    const manager = await nats.jetstream.jetstreamManager(connection);
    for (const name of Object.values(streams)) {
      const { config } = await manager.streams.info(name);
      for (const header of headers) assert.equal(config[header] ?? false, false, `${name} ${header}`);
      assert.deepEqual([config.max_msg_size, config.storage, config.num_replicas], [128 * 1024, 'file', 1]);
      // Nothing is sent on to another subject.
      assert.deepEqual(
        [config.republish, config.subject_transform, config.sources ?? []],
        [undefined, undefined, []],
      );
    }
    const config = async (name: string) => (await manager.streams.info(name)).config;
    const assign = await config(streams.assignments);
    assert.deepEqual(assign.subjects, ['assign.*.*']);
    assert.deepEqual([assign.max_msgs_per_subject, assign.duplicate_window], [5, 600e9]);
    const done = await config(streams.ends);
    assert.deepEqual([done.subjects, done.max_age], [['done.*.*.*'], 30 * dayInNanoseconds]);
    const audit = await config(streams.audit);
    assert.deepEqual(
      [audit.deny_delete, audit.deny_purge, audit.max_age],
      [true, true, 90 * dayInNanoseconds],
    );
    // A bucket cannot be without roll-ups: so nobody but the coordinator may write to it.
    for (const bucket of Object.values(buckets))
      assert.equal((await config(`KV_${bucket}`)).allow_rollup_hdrs, true);
  },
);

test('streams get the settings of this version, and keep their content', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const { bus } = fleet.coordinator;
  const manager = await bus.nats.jetstream.jetstreamManager(bus.connection);
  await bus.nats.jetstream.jetstream(bus.connection).publish('assign.h1.bgb-111111111111', 'x');
  await manager.streams.update(streams.assignments, { max_msgs_per_subject: 9, allow_rollup_hdrs: true });
  await Promise.all([1, 2].map(() => ensureStreams(bus.connection, 1)));
  const { config, state } = await manager.streams.info(streams.assignments);
  assert.deepEqual([config.max_msgs_per_subject, config.allow_rollup_hdrs, state.messages], [5, false, 1]);
});

test(
  'a coordinator hears what it must, and no client hears messages to the coordinator',
  needsNats,
  async () => {
    await using fleet = await TestFleet.start();
    const client = await fleet.client();
    const refusedOf = async (
      bus: typeof client.bus,
      subjects: readonly string[],
    ): Promise<readonly string[]> => {
      const refused: string[] = [];
      const statuses = bus.connection.status();
      void (async () => {
        for await (const one of statuses) if (one.type === 'error') refused.push(one.error.message);
      })();
      for (const subject of subjects) bus.connection.subscribe(subject, { callback: () => undefined });
      await bus.connection.flush();
      await yieldToOthers();
      return refused;
    };
    const ofCoordinator = [
      ...['hb.*', 'list.*', 'renew.*', 'op.*', 'assign.*.*', 'log.*.*'],
      '$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.*',
    ];
    assert.deepEqual(await refusedOf(fleet.coordinator.bus, ofCoordinator), []);
    assert.deepEqual(await refusedOf(client.bus, ['log.*.*', 'done.*.*.*']), []);
    const foreign = [
      'hb.*',
      'list.*',
      'renew.*',
      'op.*',
      'assign.*.*',
      'ctl.>',
      '_INBOX.>',
      '$JS.>',
      '$KV.>',
      '>',
    ];
    assert.equal((await refusedOf(client.bus, foreign)).length, foreign.length);
  },
);
