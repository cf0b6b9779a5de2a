import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FleetWorld } from '../../support/fleet/agent-world.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

test(
  'an assigned task is accepted, starts once, and its end is published and kept until it is acknowledged',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const { command, starts } = fleet.noting('echo hello; exit 3');
    const task = await coordinator.assign('h1', { command, name: 'n', labels: { a: 'b' } });
    const agent = await fleet.agent();
    const ended = await coordinator.until('h1', task, 'ended');
    assert.deepEqual(await coordinator.states('h1', task), ['assigned', 'accepted', 'ended']);
    assert.deepEqual([ended.end?.status, ended.end?.exitCode, ended.end?.tail], ['failed', 3, 'hello\n']);
    const [notice, ...more] = await coordinator.ends(task);
    assert.deepEqual(more, []);
    assert.deepEqual([notice?.end, notice?.localId, notice?.session], [ended.end, ended.localId, 'remote']);
    assert.deepEqual(starts(), ['1']);
    await waitFor(() => agent.counts().told === 1, 'the end to be told');
    const store = await world.store();
    const [local] = await store.pending('remote');
    assert.deepEqual([local?.taskId, local?.name, local?.labels], [ended.localId, 'n', { a: 'b' }]);
    assert.deepEqual(await coordinator.control('h1', 'acknowledge', { task, attempt: 1 }), {
      v: 1,
      acknowledged: true,
    });
    await waitFor(async () => (await store.pending('remote')).length === 0, 'the end to be acknowledged');
    await waitFor(() => Object.keys(agent.counts()).length === 0, 'nothing to be owed');
  },
);

test(
  'an agent whose lock was removed starts nothing, since another one may have begun',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const agent = await fleet.agent();
    await waitFor(() => agent.hasLease, 'the lease');
    rmSync(join(world.base, 'agent', 'agent.lock'));
    const { command, starts } = fleet.noting();
    const task = await coordinator.assign('h1', { command });
    await waitFor(() => agent.counts().offered === 1, 'the task to be offered');
    await coordinator.offer('h1', task);
    assert.match(world.takeWarnings(), /removed or replaced/);
    assert.equal((await coordinator.known('h1', task)).assignment.state, 'assigned');
    assert.deepEqual(starts(), []);
  },
);

test('a host that has not heard of an acknowledgement is told with the lease', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  const agent = await fleet.agent();
  const task = await coordinator.assign('h1', { command: 'true' });
  await coordinator.until('h1', task, 'ended');
  await waitFor(() => agent.counts().told === 1, 'the end to be told');
  await coordinator.deliveredUnheard('h1', task);
  await waitFor(() => Object.keys(agent.counts()).length === 0, 'nothing to be owed');
});

/** What a host may do on the bus, and nothing else: no interface of JetStream's. */
const users = `
  authorization { users: [
    { user: coordinator, password: coordinator }
    { user: h1, password: h1, permissions: {
      publish: [ "hb.h1", "list.h1", "done.*.h1.>", "log.h1.>", "assign.h1.>" ]
      subscribe: [ "ctl.h1.>", "_INBOX.h1.>" ]
      allow_responses: { max: 1, expires: "1m" }
    } }
  ] }`;

test('a host needs only the permissions for its own subjects', options, async () => {
  await using fleet = await FleetWorld.start(users);
  const { coordinator } = fleet;
  const agent = await fleet.agent();
  const task = await coordinator.assign('h1', { command: 'echo hello; read -r x', stdin: 'open' });
  await coordinator.until('h1', task, 'accepted');
  await waitFor(() => agent.counts().running === 1, 'the task to run');
  let heard = '';
  coordinator.connection.subscribe(`log.h1.${task}`, {
    callback: (_error, message) => {
      heard += Buffer.from(message.json<{ bytes: string }>().bytes, 'base64').toString();
    },
  });
  await coordinator.control('h1', 'follow', { task, offset: 0, forMs: 60_000 });
  await waitFor(() => heard === 'hello\n', 'its output');
  assert.ok((await coordinator.control('h1', 'show', { task })).snapshot);
  await coordinator.control('h1', 'kill', { task, graceMs: 0 });
  await coordinator.until('h1', task, 'ended');
  assert.equal((await coordinator.ends(task)).length, 1);
  await waitFor(() => agent.counts().told === 1, 'the end to be told');
});

test('a host starts a task that it is offered, without asking', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  // It would look again after the test has failed.
  const agent = await fleet.agent({ heartbeatMs: 3_600_000 });
  await waitFor(() => coordinator.heartbeats.length === 1, 'the first heartbeat');
  const task = await coordinator.assign('h1', { command: 'true' });
  // The lease must be there, or nobody answers.
  await waitFor(() => agent.hasLease, 'the lease');
  assert.deepEqual(await coordinator.offer('h1', task), { v: 1 });
  await coordinator.until('h1', task, 'ended');
  assert.equal(coordinator.heartbeats.length, 1);
});

test(
  'a cordoned host asks about an offered task, and starts it when the cordon is gone',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    coordinator.cordoned = true;
    const agent = await fleet.agent({ heartbeatMs: 3_600_000 });
    await waitFor(() => agent.hasLease, 'the lease');
    const { command, starts } = fleet.noting();
    const task = await coordinator.assign('h1', { command });
    await coordinator.offer('h1', task);
    await waitFor(() => coordinator.heartbeats.length === 2, 'a question');
    assert.deepEqual(starts(), []);
    coordinator.cordoned = false;
    await coordinator.offer('h1', task);
    await coordinator.until('h1', task, 'ended');
    assert.deepEqual(starts(), ['1']);
  },
);

test('an old offer starts nothing: only the last message of a subject counts', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  const agent = await fleet.agent({ heartbeatMs: 100 });
  await waitFor(() => agent.hasLease, 'the lease');
  const { command, starts } = fleet.noting();
  coordinator.cordoned = true;
  await waitFor(() => coordinator.heartbeats.length >= 3, 'the cordon to be known');
  const revoked = await coordinator.assign('h1', { command });
  const offer = await coordinator.known('h1', revoked);
  await coordinator.move('h1', revoked, 'revoked');
  coordinator.cordoned = false;
  assert.deepEqual(await coordinator.control('h1', 'offer', { offer }), { v: 1 });
  await waitFor(() => Object.keys(agent.counts()).length === 0, 'it to be let go');
  const done = await coordinator.assign('h1', { command });
  const offered = await coordinator.known('h1', done);
  await coordinator.until('h1', done, 'ended');
  await waitFor(() => agent.counts().told === 1, 'the end to be told');
  await coordinator.control('h1', 'offer', { offer: offered });
  assert.deepEqual(await coordinator.states('h1', revoked), ['assigned', 'revoked']);
  assert.deepEqual(await coordinator.states('h1', done), ['assigned', 'accepted', 'ended']);
  assert.deepEqual(starts(), ['1']);
});

test(
  'a command gets the variables of its client, secrets of the host, and its folder, and no other variables',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const secrets = join(world.base, 'secrets');
    writeFileSync(secrets, '# a comment\nTOKEN=s3cr=t\nOTHER=x\n', { mode: 0o600 });
    process.env.OF_THE_AGENT = 'its own';
    await fleet.agent({ secrets });
    const cwd = realpathSync(world.base);
    mkdirSync(join(world.base, 'home'));
    const task = await coordinator.assign('h1', {
      command: 'pwd; echo "$A/$KEY/$OF_THE_AGENT/$OUTLIVE_ATTEMPT"',
      cwd,
      env: { A: 'b' },
      secrets: { KEY: 'TOKEN' },
    });
    const { end, localId } = await coordinator.until('h1', task, 'ended');
    delete process.env.OF_THE_AGENT;
    assert.equal(end?.tail, `${cwd}\nb/s3cr=t//1\n`);
    const record = world.logOf(localId ?? '');
    assert.ok(!readFileSync(record, 'utf8').includes('s3cr=t'), 'a value is stored');
  },
);

test('a task that cannot start fails with a reason, and is not tried again', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator, world } = fleet;
  const open = join(world.base, 'open');
  writeFileSync(open, 'A=1\n', { mode: 0o644 });
  const agent = await fleet.agent({ secrets: open });
  const noFolder = await coordinator.assign('h1', { command: 'true', cwd: '/no/such/folder' });
  const noSecret = await coordinator.assign('h1', { command: 'true', secrets: { A: 'A' } });
  for (const [task, reason] of [
    [noFolder, /no\/such\/folder/],
    [noSecret, /mode 0600.*found mode 644/],
  ] as const) {
    const ended = await coordinator.until('h1', task, 'ended');
    assert.deepEqual([ended.end?.status, ended.localId], ['failed', null]);
    assert.match(ended.reason ?? '', reason);
  }
  await waitFor(() => agent.counts().told === 2, 'both ends to be told');
  assert.deepEqual(world.taskIds(), []);
});

test(
  'in a flood of assignments as many tasks run at a time as there are slots, and each once',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const running = join(world.base, 'running');
    mkdirSync(running);
    const all = Array.from({ length: 40 }, () => {
      const { command, starts } = fleet.noting(
        `: > '${running}/'$$; ls '${running}' | wc -l >> '${world.base}/most'; sleep 0.02; rm '${running}/'$$`,
      );
      return { command, starts };
    });
    const tasks = await Promise.all(all.map(({ command }) => coordinator.assign('h1', { command })));
    await fleet.agent({ slots: 3 });
    for (const task of tasks) await coordinator.until('h1', task, 'ended');
    assert.deepEqual(
      all.map(({ starts }) => starts()),
      all.map(() => ['1']),
    );
    const most = Math.max(...readFileSync(join(world.base, 'most'), 'utf8').trim().split('\n').map(Number));
    assert.ok(most <= 3, `${most} ran at a time`);
  },
);

test(
  'a cordoned host accepts nothing, and no host accepts a task whose start-by has passed',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    coordinator.cordoned = true;
    const { command, starts } = fleet.noting();
    const cordoned = await coordinator.assign('h1', { command });
    const late = await coordinator.assign('h1', { command }, { startBy: Date.now() - 1_000 });
    const agent = await fleet.agent();
    await waitFor(() => agent.counts().offered === 2, 'both to be offered');
    coordinator.cordoned = false;
    await coordinator.until('h1', cordoned, 'ended');
    assert.equal((await coordinator.known('h1', late)).assignment.state, 'assigned');
    assert.deepEqual(starts(), ['1']);
  },
);

test('a task that is revoked before its host accepts does not start', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  const all = Array.from({ length: 20 }, () => fleet.noting());
  const agent = await fleet.agent({ heartbeatMs: 10 });
  await waitFor(() => agent.hasLease, 'the lease');
  const results = await Promise.all(
    all.map(async ({ command, starts }, index) => {
      const task = await coordinator.assign('h1', { command });
      // Some are accepted before, some are not.
      for (let left = index; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
      const isRevoked = await coordinator.move('h1', task, 'revoked').then(
        () => true,
        () => false,
      );
      return { task, starts, isRevoked };
    }),
  );
  for (const { task, isRevoked } of results) if (!isRevoked) await coordinator.until('h1', task, 'ended');
  await waitFor(() => !('offered' in agent.counts()) && !('starting' in agent.counts()), 'all to be decided');
  for (const { task, starts, isRevoked } of results) {
    const states = await coordinator.states('h1', task);
    // One that was revoked after it was accepted may have started; what was never accepted has not.
    const mostStarts = states.includes('accepted') ? 1 : 0;
    assert.ok(starts().length <= mostStarts, `${task}: ${states.join(' ')}, ${starts().length} starts`);
    if (!isRevoked) assert.equal(starts().length, 1, `${task}: ${states.join(' ')}`);
  }
});
