import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessFleet } from '../support/fleet/process-fleet.ts';
import { scaled } from '../support/load/budget.ts';
import { tellFigure } from '../support/load/figures.ts';
import { PeakMemory } from '../support/load/peak-memory.ts';
import { withoutNats } from '../support/nats.ts';
import { waitFor } from '../support/world.ts';

/** So many numbers are 1 GB of output. */
const numbers = scaled(112_000_000, 60);

/** What of memory each may take for it, in MB. */
const mostMb = 150;

test('a slow reader gets a log of 1 GB complete and in order, and no process keeps it in memory', {
  skip: withoutNats,
}, async (t) => {
  await using fleet = await ProcessFleet.start({
    servers: 1,
    coordinators: 1,
    leaseMs: 30_000,
    heartbeatMs: 1_000,
  });
  const host = await fleet.host('h1', 2);
  const { bavail, bsize } = statfsSync(host.world.base);
  assert.ok(bavail * bsize > 4e9, 'expected 4 GB of free disk');
  const client = await fleet.client();
  await waitFor(async () => (await client.hosts())[0]?.state === 'live', 'the host');
  const memory = new PeakMemory({
    'the agent': host.agent.pid,
    'the coordinator': fleet.coordinators[0]?.pid ?? 0,
    'the server': fleet.servers[0]?.pid ?? 0,
    'the client': process.pid,
  });
  const begin = performance.now();
  // At once as much as it can, and then lines as they come, so that the reader comes to where it is published live.
  const lines =
    'at=0; until [ -e caught-up ]; do at=$((at + 1)); echo "line $at"; sleep 0.05; done; echo last';
  const task = await client.spawn(`seq 1 ${numbers}; ${lines}`, { on: 'h1' });
  const read = createHash('sha256');
  let [at, pieces, live] = [0, 0, 0];
  let tail = '';
  for await (const { offset, bytes } of task.follow()) {
    assert.equal(offset, at, 'a piece follows the one before it');
    read.update(bytes);
    at += bytes.length;
    pieces += 1;
    tail = (tail + bytes.toString('latin1')).slice(-400);
    // Slower than the command by far; once in a while it takes nothing for so long that what is published is dropped.
    if (pieces % 1_000 === 500) await sleep(3_000);
    else if (pieces % 4 === 0) await sleep(1);
    if (/line \d+\n$/.test(tail)) live += 1;
    if (live === 20) writeFileSync(join(host.world.base, 'caught-up'), '');
  }
  const ms = performance.now() - begin;
  const more = memory.stop();
  assert.match(tail, /line \d+\nlast\n$/);
  const count = Number(/line (\d+)\nlast\n$/.exec(tail)?.[1]);
  const expected = await hashOfNumbers(numbers);
  for (let line = 1; line <= count; line += 1) expected.update(`line ${line}\n`);
  assert.equal(read.digest('hex'), expected.update('last\n').digest('hex'));
  assert.ok(live >= 20, 'it came to where lines are published live');
  const memories = Object.entries(more).map(([name, mb]) => `${name} ${mb.toFixed(0)}`);
  tellFigure(
    t,
    `${(at / 1e9).toFixed(2)} GB of output to a slow reader in ${(ms / 1000).toFixed(0)} s, in ${pieces} pieces; at most so many MB ` +
      `of memory more than before: ${memories.join(', ')}`,
  );
  for (const [name, mb] of Object.entries(more)) assert.ok(mb < mostMb, `${name} took ${mb} MB more`);
});

async function hashOfNumbers(last: number): Promise<Hash> {
  const hash = createHash('sha256');
  const child = spawn('seq', ['1', String(last)], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.on('data', (bytes: Buffer) => hash.update(bytes));
  await once(child, 'close');
  return hash;
}
