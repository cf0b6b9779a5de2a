import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OutputChunk } from '../../../src/fleet/wire/messages.ts';
import { subjects } from '../../../src/fleet/wire/names.ts';
import { AgentProcess } from '../../support/fleet/agent-process.ts';
import { FleetWorld } from '../../support/fleet/agent-world.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

/** The chunks of a task, as a follower gets them. */
function follower(fleet: FleetWorld, task: string): OutputChunk[] {
  const chunks: OutputChunk[] = [];
  fleet.coordinator.connection.subscribe(subjects.output('h1', task), {
    callback: (_error, message) => void chunks.push(message.json<OutputChunk>()),
  });
  return chunks;
}

function textOf(chunks: readonly OutputChunk[]): string {
  return chunks.map(({ bytes }) => Buffer.from(bytes, 'base64').toString()).join('');
}

test(
  'output is published with offsets while somebody follows it, and its end is marked',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    const agent = await fleet.agent();
    const task = await coordinator.assign('h1', {
      command: 'echo one; read -r x; echo two; read -r x; echo three',
      stdin: 'open',
    });
    await coordinator.until('h1', task, 'accepted');
    await waitFor(() => agent.counts().running === 1, 'the task to run');
    const chunks = follower(fleet, task);
    const follow = { task, offset: 0, forMs: 60_000 };
    assert.deepEqual(await coordinator.control('h1', 'follow', follow), { v: 1, offset: 0 });
    await waitFor(() => textOf(chunks) === 'one\n', 'the first line');
    const data = Buffer.from('\n').toString('base64');
    await coordinator.control('h1', 'send', { task, data, eof: false });
    await waitFor(() => textOf(chunks) === 'one\ntwo\n', 'the second line');
    // One who comes late is told from where on it is published.
    assert.deepEqual(await coordinator.control('h1', 'follow', { ...follow, offset: null }), {
      v: 1,
      offset: 8,
    });
    await coordinator.control('h1', 'send', { task, data, eof: true });
    await waitFor(() => chunks.at(-1)?.last, 'the end');
    assert.deepEqual(
      chunks.map(({ offset, last }) => [offset, last]),
      [
        [0, false],
        [4, false],
        [8, false],
        [14, true],
      ],
    );
  },
);

test('nothing is published when no follower has renewed in time', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  const agent = await fleet.agent();
  const task = await coordinator.assign('h1', {
    command: 'while read -r x; do echo "$x"; done',
    stdin: 'open',
  });
  await coordinator.until('h1', task, 'accepted');
  await waitFor(() => agent.counts().running === 1, 'the task to run');
  const chunks = follower(fleet, task);
  await coordinator.control('h1', 'follow', { task, offset: 0, forMs: 1 });
  // Its time is over when another one begins where it is told to.
  await waitFor(async () => {
    const { offset } = await coordinator.control('h1', 'follow', { task, offset: 100, forMs: 1 });
    return offset === 100;
  }, 'the first follow to be over');
  await waitFor(async () => {
    const { offset } = await coordinator.control('h1', 'follow', { task, offset: 200, forMs: 1 });
    return offset === 200;
  }, 'the second follow to be over');
  const data = Buffer.from('unheard\n').toString('base64');
  await coordinator.control('h1', 'send', { task, data, eof: true });
  await coordinator.until('h1', task, 'ended');
  assert.deepEqual(chunks, []);
});

test('output that is written while the server is away is not published later', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator, world } = fleet;
  const agent = await fleet.agent();
  const task = await coordinator.assign('h1', {
    command: 'while read -r x; do echo "$x"; done',
    stdin: 'open',
  });
  await waitFor(() => agent.counts().running === 1, 'the task to run');
  const chunks = follower(fleet, task);
  await coordinator.control('h1', 'follow', { task, offset: 0, forMs: 60_000 });
  const session = await world.session('remote', { store: { cgroup: null } });
  const [local] = await session.tasks();
  const running = session.task(local?.taskId ?? '');
  await running.send('here\n');
  await waitFor(() => textOf(chunks) === 'here\n', 'the first line');
  await fleet.server.kill();
  await waitFor(() => !agent.isConnected, 'the agent to notice');
  await running.send('away\n');
  // The agent is in this process, and sees it as soon as another follower does.
  for await (const { text } of running.follow({ offset: 5 })) {
    assert.equal(text, 'away\n');
    break;
  }
  await fleet.restartServer('nats');
  await waitFor(() => agent.isConnected && agent.hasLease, 'the agent to be back');
  await running.send('back\n');
  await waitFor(() => textOf(chunks).endsWith('back\n'), 'the third line');
  assert.deepEqual(
    chunks.map(({ offset }) => offset),
    [0, 10],
  );
  await running.kill({ graceMs: 0 });
});

test('a log of 100 MB that is followed and read slowly takes little memory of the agent', {
  ...options,
  timeout: 120_000,
}, async (t) => {
  await using fleet = await FleetWorld.start();
  const { coordinator, world } = fleet;
  await using agent = await new AgentProcess(fleet).started();
  const bytes = 100_000_000;
  const begin = `${world.base}/begin`;
  const task = await coordinator.assign('h1', {
    command: `until [ -e '${begin}' ]; do sleep 0.01; done; seq 1 99999999 | head -c ${bytes}`,
  });
  await coordinator.until('h1', task, 'accepted');
  await waitFor(async () => (await coordinator.control('h1', 'show', { task })).snapshot, 'the task to run');
  const before = memoryOf(agent.pid, 'VmRSS');
  const chunks = follower(fleet, task);
  const since = performance.now();
  await coordinator.control('h1', 'follow', { task, offset: 0, forMs: 60_000 });
  writeFileSync(begin, '');
  const { localId, end } = await coordinator.until('h1', task, 'ended');
  assert.equal(end?.outputBytes, bytes);
  await waitFor(() => chunks.at(-1)?.last, 'the end to be published');
  const seconds = (performance.now() - since) / 1_000;
  const published = chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.bytes, 'base64'), 0);
  assert.ok(published <= (seconds + 1) * 1_024 ** 2 + 65_536, `${published} bytes in ${seconds} s`);
  assert.ok(published < bytes / 2, 'there is no gap');
  const path = join(world.dir, world.files().find((file) => file.endsWith(`${localId}.out`)) ?? '');
  const whole = createHash('sha256').update(readFileSync(path)).digest('hex');
  const hash = createHash('sha256');
  const readSince = performance.now();
  for (let offset = 0; offset < bytes; ) {
    const found = await coordinator.control<{ offset: number; nextOffset: number; bytes: string }>(
      'h1',
      'read',
      {
        ...{ task, offset, maxBytes: 262_144 },
      },
    );
    assert.equal(found.offset, offset);
    hash.update(Buffer.from(found.bytes, 'base64'));
    offset = found.nextOffset;
  }
  assert.equal(hash.digest('hex'), whole);
  const grown = memoryOf(agent.pid, 'VmHWM') - before;
  t.diagnostic(`followed ${(published / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`);
  t.diagnostic(
    `read 100 MB in ${((performance.now() - readSince) / 1_000).toFixed(1)} s; ${grown} KiB more memory`,
  );
  // To hold all of it takes 100 MB as bytes and 133 MB as they are sent.
  assert.ok(grown < 150 * 1_024, `${grown} KiB more`);
});

/** In KiB. */
function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
