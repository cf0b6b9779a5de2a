import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Server } from '@modelcontextprotocol/server';
import { Pushes } from '../../../src/mcp/pushes.ts';
import { ClientSession } from '../../../src/tools/delivery/client-session.ts';
import { ClientSessions } from '../../../src/tools/delivery/client-sessions.ts';
import { Connection } from '../../../src/tools/delivery/connection.ts';
import { World, waitFor } from '../../support/world.ts';

test('a client that was told that a task is working is sent its end, even if it has ended since', async () => {
  await using world = new World();
  const store = await world.store();
  const clientSession = new ClientSession(await store.session('s'), store);
  const sent: unknown[] = [];
  const server = {
    setRequestHandler: () => undefined,
    notification: async ({
      method,
      params,
    }: {
      method: string;
      params: { taskId: string; status: string };
    }) => {
      sent.push([method, params.taskId, params.status]);
    },
  } as unknown as Server;
  const connection = new Connection(new ClientSessions(store), 'pipe');
  const pushes = new Pushes(server, { connection, remote: null, era: 'legacy' }, async () => clientSession);
  const held = async (name: string) => {
    const task = await clientSession.session.spawn(`until [ -e ${name} ]; do sleep 0.01; done`, {
      cwd: world.base,
    });
    const told = task.snapshot();
    const release = () => writeFileSync(join(world.base, name), '');
    return { task, told, release };
  };
  const [ended, working] = [await held('a'), await held('b')];
  ended.release();
  const end = await ended.task.wait({ ack: false });
  pushes.watchTask(clientSession, end);
  pushes.watchTask(clientSession, ended.told);
  pushes.watchTask(clientSession, ended.told);
  pushes.watchTask(clientSession, working.told);
  // The answer is made first.
  assert.deepEqual(sent, []);
  await waitFor(() => sent.length > 0, 'the end of a task that has ended');
  working.release();
  await waitFor(() => sent.length > 1, 'the end of one that works');
  const sentOf = (taskId: string) => ['notifications/tasks/status', taskId, 'completed'];
  assert.deepEqual(sent, [sentOf(ended.task.id), sentOf(working.task.id)]);
  pushes.close();
});
