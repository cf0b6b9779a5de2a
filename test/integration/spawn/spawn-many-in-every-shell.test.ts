import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadBeside } from '../../support/load-beside.ts';
import { World } from '../../support/world.ts';

const [workers, rounds] = [10, 30];

/** Short ones, most of which wait for a child of theirs: what a shell must not sleep through. */
const commands: [string, number][] = [
  [':', 0],
  ['exit 3', 3],
  ['/bin/true & wait; exit 4', 4],
  ['(exit 5) & wait $!', 5],
  ['/bin/true | /bin/cat; /bin/true & /bin/true & wait', 0],
];

for (const shell of ['mksh', 'dash', 'zsh']) {
  test(`none of ${workers * rounds} short commands in ${shell} on a busy machine hangs`, async () => {
    await using world = new World();
    await using _ = new LoadBeside(2);
    const session = await world.session();
    const wrong: unknown[] = [];
    const work = async (worker: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        const [command, code] = commands[(worker + round) % commands.length] ?? ['', 0];
        const task = await session.spawn(command, { shell, timeoutMs: round % 2 === 0 ? 60_000 : null });
        const { exitCode, leftovers } = await task.wait();
        if (exitCode !== code || leftovers.length > 0) wrong.push([command, exitCode, leftovers]);
      }
    };
    await Promise.all(Array.from({ length: workers }, (_none, worker) => work(worker)));
    assert.deepEqual(wrong, []);
    assert.deepEqual(world.commandPids(), []);
  });
}
