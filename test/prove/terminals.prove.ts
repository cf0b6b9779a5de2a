import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Session } from '../../src/index.ts';
import { Chance, endOfBudget } from '../support/chance.ts';
import { World } from '../support/world.ts';

const tty = { cols: 80, rows: 24 };

/** So many at once: more than there are cores, as an agent that is in a hurry. */
const atOnce = 10;

/** Runs a command in a terminal to its end, and gives all that it wrote. */
async function written(session: Session, command: string): Promise<string> {
  const { snapshot } = await session.run(command, { tty, waitMs: 60_000 });
  assert.equal(snapshot.status, 'completed', command);
  const text = readFileSync(snapshot.output.path, 'latin1');
  assert.equal(snapshot.output.bytes, text.length, command);
  return text;
}

for (const kilobytes of [20, 200])
  test(`the output of 300 quick commands that write ${kilobytes} KB to a terminal is complete`, async () => {
    await using world = new World();
    const session = await world.session('test', { maxRunning: atOnce });
    const lines = (kilobytes * 1_000) / 10;
    let left = 300;
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        // The last byte is written, and the command is gone.
        const text = await written(session, `seq -f %08.0f ${lines - 1}; printf "%s" the-end`);
        const missing = `${left} more to go: ${text.length} bytes, and at their end ${JSON.stringify(text.slice(-30))}`;
        assert.equal(text.length, (lines - 1) * 10 + 'the-end'.length, missing);
        assert.ok(text.endsWith(`${String(lines - 1).padStart(8, '0')}\r\nthe-end`), missing);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  });

test('a flood through a terminal is stopped at its limit, to the byte', async (t) => {
  const chance = new Chance(t);
  const end = endOfBudget();
  let floods = 0;
  for (; performance.now() < end || floods < 3; floods += 1) {
    await using world = new World();
    const session = await world.session();
    const maxOutputBytes = 1 + chance.number(20_000_000);
    const raw = chance.of(['', 'stty raw; ']);
    const task = await session.spawn(`${raw}yes`, { tty, maxOutputBytes });
    const ended = await task.wait();
    assert.deepEqual([ended.status, ended.statusReason], ['killed', 'output_limit']);
    const text = readFileSync(ended.output.path, 'latin1');
    assert.equal(text.length, maxOutputBytes);
    // No byte is missing in between.
    const line = raw === '' ? 'y\r\n' : 'y\n';
    const broken = raw === '' && text.replaceAll(line, '').replace(/y\r?$/, '');
    assert.ok(raw !== '' || broken === '', `expected lines alone; found ${String(broken).slice(0, 40)}`);
    assert.ok(raw === '' || text.replaceAll(line, '').replace(/y$/, '') === '');
  }
  t.diagnostic(`${floods} floods`);
});
