import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

const kibi = 1024;

test('an error names a variable that is too large for the system, with its size and the limit but not its value', async () => {
  await using world = new World();
  const session = await world.session();
  // Its log stays where it is until somebody is told of it.
  await (await session.spawn('true')).wait({ ack: false });
  // A session that has been open for a second leaves a mark.
  const files = (): string[] => world.files().filter((path) => !path.includes('/open-'));
  const before = files();
  for (const [name, value] of [
    ['LARGE', 's'.repeat(200 * kibi)],
    ['UMLAUTS', 'ü'.repeat(70 * kibi)],
    ['JUST_OVER', 's'.repeat(128 * kibi)],
  ] as const) {
    await assert.rejects(
      session.spawn('touch ran', { env: { SMALL: 'x', [name]: value } }),
      (error: Error & Record<string, unknown>) => {
        assert.equal(error.code, 'INVALID_ENV');
        const bytes = Buffer.byteLength(`${name}=${value}`) + 1;
        assert.match(error.message, new RegExp(`at most 131072 bytes, .*; found ${bytes} in "${name}"\\.`));
        assert.deepEqual(error.details, { variable: name, bytes });
        assert.doesNotMatch(error.message, /sss|üüü|open files/);
        return true;
      },
    );
  }
  assert.deepEqual(files(), before);
});

test('an error names a variable of this process that is too large, too', async () => {
  await using world = new World();
  const session = await world.session();
  process.env.LARGE_OF_OURS = 'x'.repeat(200 * kibi);
  try {
    await assert.rejects(session.spawn('true'), {
      code: 'INVALID_ENV',
      message: /found 2\d{5} in "LARGE_OF_OURS"/,
    });
    const { snapshot } = await session.run('exit 3', { env: { LARGE_OF_OURS: null } });
    assert.equal(snapshot.exitCode, 3);
  } finally {
    delete process.env.LARGE_OF_OURS;
  }
});

test('an error says when all variables together are too large, and names the largest of them', async () => {
  await using world = new World();
  const session = await world.session();
  const env = Object.fromEntries(
    Array.from({ length: 80 }, (_, i) => [`MANY_${i}`, 'x'.repeat(100 * kibi + i)]),
  );
  await assert.rejects(session.spawn('true', { env }), {
    code: 'INVALID_ENV',
    message: /all variables together .*; found 8\d{6} bytes, of which "MANY_79" has 1\d{5}\./,
  });
  assert.deepEqual(world.taskIds(), []);
});

test('the largest variable that the system allows reaches the command', async () => {
  await using world = new World();
  const session = await world.session();
  const env = { LARGEST: 's'.repeat(128 * kibi - 'LARGEST='.length - 1) };
  const { output } = await session.run('printf %s "$LARGEST" | wc -c', { env });
  assert.equal(Number(output.text), env.LARGEST.length);
});
