import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import type { TaskSnapshot } from '../../../src/index.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import { statusReasons } from '../../../src/model/words.ts';
import { onWindows } from '../../support/processes.ts';
import { root } from '../../support/repository.ts';
import { World, waitFor } from '../../support/world.ts';
import { outcome, spec } from '../../unit/model/sample-facts.ts';

interface Schema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
  readonly oneOf: readonly {
    readonly properties: {
      readonly status: { readonly const: string };
      readonly statusReason: { readonly enum: readonly unknown[] };
    };
  }[];
}

const text = readFileSync(join(root, 'snapshot.schema.json'), 'utf8');
const schema: Schema = JSON.parse(text);
const validator = z.fromJSONSchema(JSON.parse(text));

/** What is wrong with a snapshot, as a line of `--json`. */
function faultsOf(snapshot: object): string {
  const { error } = validator.safeParse(JSON.parse(JSON.stringify(snapshot)));
  return error === undefined ? '' : `${JSON.stringify(snapshot)}\n${z.prettifyError(error)}`;
}

/** A snapshot that no process is needed for. */
function decided(facts: Parameters<typeof foldFacts>[0], alive: 'yes' | 'no'): TaskSnapshot {
  const output = { path: '/o', stderrPath: null, bytes: 0, erasedBytes: 0, droppedBytes: 0 };
  return snapshotOf(foldFacts(facts), {
    taskId: 'bgb-0123abcd0123',
    sessionId: 's',
    alive,
    suspended: false,
    nowMs: 5,
    modifiedAt: 4,
    output: { ...output, lastWrittenAt: null, preview: '', truncated: false },
  });
}

test('real snapshots of every status fit the schema', async () => {
  await using world = new World();
  const session = await world.session();
  const labels = { issue: '7' };
  const ended = [
    session.run('true | cat; echo é', { labels, name: 'done', separate: true }),
    session.run('false | true', { shell: onWindows ? 'sh' : 'bash' }),
    session.run('exit 3'),
    session.run('exit 4', { ...(!onWindows && { cpuSeconds: 100 }) }),
  ];
  const snapshots: TaskSnapshot[] = [];
  for (const run of ended) snapshots.push((await run).snapshot);
  snapshots.push(await (await session.spawn('sleep 1000', { timeoutMs: 50 })).wait());
  const running = await session.spawn("trap '' TERM; while :; do sleep 0.1; done", { env: { TOKEN: 'x' } });
  await waitFor(() => running.snapshot().status === 'running', 'a start');
  snapshots.push(running.snapshot());
  const other = await session.spawn('sleep 1000');
  const queued = await session.spawn('true', { after: running.id });
  await waitFor(() => queued.snapshot().shimPid !== null, 'a shim that waits');
  snapshots.push(queued.snapshot());
  const killed = running.kill({ graceMs: 100 });
  await waitFor(() => running.snapshot().status === 'killing', 'a stop');
  snapshots.push(running.snapshot(), await killed);
  snapshots.push(await queued.wait(), await other.kill({ graceMs: 0 }));
  snapshots.push(decided([spec()], 'yes'), decided([spec()], 'no'), decided([], 'no'));
  snapshots.push(
    decided([outcome({ status: 'lost', reason: 'reboot', endedAt: null, lastSeenAt: 3 })], 'no'),
  );
  for (const snapshot of snapshots) assert.equal(faultsOf(snapshot), '');
  const found = new Set(snapshots.map(({ status }) => status));
  assert.deepEqual([...found].sort(), Object.keys(statusReasons).sort());
  const known = new Set(Object.keys(schema.properties));
  for (const snapshot of snapshots) assert.deepEqual(new Set(Object.keys(snapshot)), known);
});

test('the schema has the statuses and reasons of the source, and every property is required', () => {
  const listed = schema.oneOf.map(({ properties: { status, statusReason } }) => [
    status.const,
    statusReason.enum,
  ]);
  const known = Object.entries(statusReasons).map(([status, reasons]) => [status, [...reasons, null]]);
  assert.deepEqual(listed, known);
  assert.deepEqual(schema.required, Object.keys(schema.properties));
});

test('an invalid snapshot does not fit the schema', () => {
  const right = decided(
    [outcome({ status: 'completed', reason: null, exitCode: 0, exitSignal: null })],
    'no',
  );
  assert.equal(faultsOf(right), '');
  const { output, ...rest } = right;
  const wrong = [
    rest,
    { ...right, status: 'done' },
    { ...right, exitCode: 1 },
    { ...right, statusReason: 'signal' },
    { ...right, status: 'running' },
    { ...right, output: { ...output, bytes: '7' } },
    { ...right, leftovers: [{ pid: 7 }] },
    { ...right, labels: { a: 7 } },
    { ...right, createdAt: null },
  ];
  for (const snapshot of wrong) assert.notEqual(faultsOf(snapshot), '', JSON.stringify(snapshot));
  // Later versions add some, and `show` has more.
  assert.equal(faultsOf({ ...right, more: 7 }), '');
});
