import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveTerminal } from '../../../src/engine/interact/live-terminal.ts';
import { SessionContext } from '../../../src/engine/session/context.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { defaultLimits } from '../../../src/engine/store/store-sessions.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { World, waitFor } from '../../support/world.ts';

test('a terminal is still followed after a failure to show a part of it, and its end is told', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('read a; echo one; read b; echo two', { tty: { cols: 60, rows: 12 } });
  const store = storeAsItIs(world.dir, linux);
  const paths = sessionPaths(world.dir, session.id);
  const context = new SessionContext(store, session.id, paths, defaultLimits);
  let shown = '';
  let isEnded = false;
  const terminal = await LiveTerminal.open(context, task.id, {
    output: (bytes) => {
      shown += bytes.toString();
      if (shown.includes('one') && !shown.includes('two')) throw new RangeError('cannot be shown');
    },
    ended: () => {
      isEnded = true;
    },
  });
  await task.send('\n');
  await waitFor(() => shown.includes('one'), 'the first line');
  await task.send('\n');
  await task.wait();
  await waitFor(() => isEnded, 'the end');
  assert.match(shown, /one[\r\n]+two/);
  assert.match(terminal.screen.screen({ cells: false, ended: true }).lines.join('\n'), /one\n+two/);
  assert.match(world.takeWarnings(), /following a terminal .*cannot be shown/);
});
