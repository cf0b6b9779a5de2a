import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chance, endOfBudget } from '../support/chance.ts';
import { attackPumps, isSequence, pumpsOf } from '../support/pumps.ts';
import { World, waitFor } from '../support/world.ts';

/** So many lines are written in one go, and then a moment nothing. */
const burst = 50_000;

test('pumps that are killed and suspended under a flood lose no byte and double none', async (t) => {
  const chance = new Chance(t);
  const end = endOfBudget();
  const total = { tasks: 0, kills: 0, pauses: 0, bytes: 0 };
  for (; performance.now() < end; total.tasks += 1) {
    await using world = new World();
    const session = await world.session();
    const bursts = 20 + chance.number(100);
    const lines = `seq $((i * ${burst} + 1)) $((i * ${burst} + ${burst}))`;
    const pause = chance.of(['', 'sleep 0.01; ', 'sleep 0.05; ']);
    // Also by a program that opens its output anew each time.
    const way = chance.of(['', ' > /dev/stdout', ' > /dev/stderr', ' | cat']);
    const command = `for i in $(seq 0 ${bursts - 1}); do ${lines}${way}; ${pause}done; exit 3`;
    const task = await session.spawn(command, { output: 'pipe' });
    let isOver = false;
    const attack = attackPumps(task.id, chance, () => isOver);
    const { exitCode, output } = await task.wait();
    isOver = true;
    const { kills, pauses } = await attack;
    assert.deepEqual([exitCode, output.droppedBytes], [3, 0]);
    await waitFor(() => pumpsOf(task.id).length === 0, 'the end of the last pump');
    assert.ok(isSequence(output.path, bursts * burst), command);
    total.kills += kills;
    total.pauses += pauses;
    total.bytes += task.snapshot().output.bytes;
  }
  const { tasks, kills, pauses, bytes } = total;
  t.diagnostic(`${tasks} floods, ${Math.round(bytes / 1e6)} MB, ${kills} pumps killed, ${pauses} paused`);
});
