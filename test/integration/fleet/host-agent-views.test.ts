import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { subjects } from '../../../src/fleet/wire/names.ts';
import { readPiece, type ViewPiece, type ViewState } from '../../../src/fleet/wire/terminal.ts';
import type { TaskSnapshot } from '../../../src/index.ts';
import { FleetWorld } from '../../support/fleet/agent-world.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

/** A task with a terminal on a host, and somebody who is attached to it. */
async function viewer(fleet: FleetWorld, command: string) {
  const { coordinator } = fleet;
  const task = await coordinator.assign('h1', { command, stdin: 'open', tty: { cols: 60, rows: 10 } });
  await coordinator.until('h1', task, 'accepted');
  const show = async () =>
    (await coordinator.control<{ snapshot?: TaskSnapshot }>('h1', 'show', { task })).snapshot;
  await waitFor(async () => (await show())?.startedAt != null, 'the command to run');
  const id = randomBytes(8).toString('hex');
  const pieces: ViewPiece[] = [];
  coordinator.connection.subscribe(subjects.view('h1', id), {
    callback: (_error, message) => void pieces.push(readPiece(message.json())),
  });
  let number = 0;
  /** Says something, with the next number or another one. */
  const say = async (more: object = {}) => {
    number += 1;
    const said = { number, opens: number === 1, readOnly: false, size: { cols: 60, rows: 10 }, keys: '' };
    const message = { task, view: id, ...said, leaves: false, ...more };
    return await coordinator.control<ViewState & { code?: string }>('h1', 'view', message);
  };
  const keys = (text: string) => ({ keys: Buffer.from(text).toString('base64') });
  const text = () => pieces.map(({ bytes }) => bytes.toString()).join('');
  return { task, show, pieces, say, keys, text };
}

test('a view shows a terminal, types each message once, and ends with the command', options, async () => {
  await using fleet = await FleetWorld.start();
  await fleet.agent();
  const { show, pieces, say, keys, text } = await viewer(
    fleet,
    'stty -echo; echo ready; while read -r x; do echo "got $x"; done; exit 3',
  );
  const opened = await say();
  assert.equal(opened.state, 'open');
  await waitFor(() => text().includes('ready'), 'the screen');
  assert.deepEqual((await show())?.attached.length, 1);
  const line = keys('one\r');
  await say({ ...line, number: 2 });
  await say({ ...line, number: 2 });
  await say({ ...keys('two\r'), number: 3 });
  await waitFor(() => text().includes('got two'), 'what was typed');
  assert.equal(text().match(/got one/g)?.length, 1);
  // Opened anew, it shows all that is there, and the pieces are counted from one.
  await say({ opens: true, number: 10 });
  await waitFor(
    () => pieces.some(({ opened: by, bytes }) => by === 10 && bytes.includes('got one')),
    'it all',
  );
  assert.equal(pieces.find(({ opened: by }) => by === 10)?.number, 1);
  await say({ ...keys('\x04'), number: 11 });
  await waitFor(() => pieces.at(-1)?.last, 'the end');
  const ended = await say({ number: 12 });
  assert.deepEqual([ended.state, ended.pieces], ['ended', pieces.at(-1)?.number]);
});

test(
  'a viewer that leaves is no longer attached, and the host says when it does not know a view',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    await fleet.agent();
    const { show, say, task } = await viewer(fleet, 'sleep 600');
    assert.deepEqual(await say({ opens: false, number: 1 }), { v: 1, state: 'unknown', pieces: 0 });
    assert.equal((await say({ opens: true })).state, 'open');
    await say({ leaves: true });
    await waitFor(async () => (await show())?.attached.length === 0, 'nobody to be attached');
    const plain = await fleet.coordinator.assign('h1', { command: 'sleep 600' });
    await fleet.coordinator.until('h1', plain, 'accepted');
    await waitFor(async () => (await say({ opens: true, task: plain })).code === 'NO_TERMINAL', 'a refusal');
    await fleet.coordinator.control('h1', 'kill', { task, graceMs: 0 });
    const late = await say({ opens: true });
    assert.match(String(late.code), /INPUT_CLOSED/);
  },
);
