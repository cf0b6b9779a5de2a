import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Fleet } from '../../../src/fleet/client/fleet.ts';
import { openFleet } from '../../../src/fleet/client/open-fleet.ts';
import type { ActData, LinesData, TaskData, TaskRow, TasksData } from '../../../src/ui/protocol.ts';
import { Machine, MadeFleet } from '../../support/fleet/machines.ts';
import { withoutNats } from '../../support/nats.ts';
import { PageClient, startUi } from '../../support/ui.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

/** What a page knows after what has come on a channel of tasks. */
function rowsOf(data: readonly unknown[]): Map<string, TaskRow> {
  const rows = new Map<string, TaskRow>();
  for (const one of data as TasksData[]) {
    if (one.kind === 'tasks') for (const row of one.tasks) rows.set(row.taskId, row);
    else if (one.kind === 'gone') rows.delete(one.taskId);
  }
  return rows;
}

/** Opens the fleet as the dashboard does, and closes it. */
class Opened implements AsyncDisposable {
  readonly #folder: string;
  readonly fleets: Fleet[] = [];

  constructor(fleet: Machine) {
    this.#folder = join(fleet.base, '.config', 'outlive', 'fleet');
  }

  readonly open = async (): Promise<Fleet> => {
    const opened = await openFleet({ folder: this.#folder });
    this.fleets.push(opened);
    return opened;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const fleet of this.fleets) await fleet.close();
  }
}

test('a page lists tasks on other hosts, reads one, follows it and stops it', options, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1');
  const task = await fleet.on(
    'h1',
    'echo one; echo two; read x; echo $x; sleep 1000',
    '--stdin',
    '-n',
    'there',
  );
  const local = await fleet.spawn('sleep 1000', '-n', 'here');
  await using opened = new Opened(fleet);
  await using server = await startUi(fleet, { fleet: opened.open });
  // No page is there yet, so the fleet is not asked.
  assert.equal(opened.fleets.length, 0);
  await using page = await PageClient.connect(server);
  const listed = page.open({ kind: 'tasks', usage: false });
  await waitFor(() => rowsOf(listed.data).size === 2, 'both tasks');
  const row = rowsOf(listed.data).get(task);
  assert.deepEqual(
    [row?.host, row?.name, row?.status, row?.sessionId],
    ['h1', 'there', 'running', 'default'],
  );
  assert.equal(rowsOf(listed.data).get(local)?.host, undefined);

  const [shown] = await page.all<TaskData>({ kind: 'task', taskId: task });
  assert.equal(shown?.row.host, 'h1');
  assert.match(shown?.how.join(' ') ?? '', /h1 has accepted it/);
  // What its own host knows of it.
  assert.ok(shown?.row.startedAt);
  const lines = async (): Promise<string[]> => {
    const asked = { kind: 'lines', taskId: task, stream: 'stdout', where: 'behind', offset: 0 } as const;
    const [found] = await page.all<LinesData>(asked);
    return found?.lines.map(({ text }) => text) ?? [];
  };
  await waitFor(async () => (await lines()).length === 2, 'the output');
  const followed = page.open({ kind: 'follow', taskId: task, stream: 'stdout', offset: 8 });
  assert.equal((await fleet.run('send', task, 'three\n')).status, 0);
  await waitFor(() => JSON.stringify(followed.data).includes('three'), 'what it writes');
  assert.deepEqual(await lines(), ['one', 'two', 'three']);

  const acted = await page.all<ActData>({ kind: 'act', action: 'stop', taskIds: [task, local] });
  assert.deepEqual(
    acted.map(({ taskId, error }) => [taskId, error]),
    [
      [local, null],
      [task, null],
    ],
  );
  await waitFor(() => rowsOf(listed.data).get(task)?.status === 'killed', 'the end in the list');
  assert.equal(rowsOf(listed.data).get(task)?.delivered, false);
  const [refused] = await page.all<ActData>({ kind: 'act', action: 'prune', taskIds: [task] });
  assert.equal(refused?.error?.code, 'INVALID_ARGUMENT');
  await assert.rejects(page.all({ kind: 'screen', taskId: task }), { code: 'INVALID_ARGUMENT' });
});

test(
  'if the fleet cannot be asked, a page is told why, and shows the tasks of its own machine',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.stopServing();
    const local = await fleet.spawn('sleep 1000');
    await using opened = new Opened(fleet);
    await using server = await startUi(fleet, { fleet: opened.open });
    await using page = await PageClient.connect(server);
    const listed = page.open({ kind: 'tasks', usage: false });
    const troubles = (): unknown[] =>
      (listed.data as TasksData[]).flatMap((one) => (one.kind === 'fleet' ? [one.error?.code ?? null] : []));
    await waitFor(
      () => rowsOf(listed.data).has(local) && troubles().length === 1,
      'the task and the trouble',
    );
    assert.deepEqual(troubles(), ['FLEET_UNREACHABLE']);
    await fleet.serve();
    await waitFor(() => troubles().length === 2, 'the fleet to be back');
    assert.equal(troubles()[1], null);
  },
);

test('a page without a fleet finds no task of a fleet', async () => {
  await using fleet = new Machine();
  await using server = await startUi(fleet);
  await using page = await PageClient.connect(server);
  await assert.rejects(page.all({ kind: 'task', taskId: 'h1/bgb-000000000000' }), { code: 'TASK_NOT_FOUND' });
});
