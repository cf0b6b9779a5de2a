import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

test('the plain view has no escapes, and only the last state of overwritten text', async () => {
  await using world = new World();
  const session = await world.session();
  const command = `printf '\\033[1;31mred\\033[0m\\n10%%\\r50%%\\r100%%\\nwindows\\r\\n\\033]0;title\\007a\\tb\\bc\\007\\n'`;
  const { output, task } = await session.run(command);
  assert.equal(output.plain, 'red\n100%\nwindows\na\tc\n');
  assert.ok(output.text.startsWith('\u001b[1;31mred\u001b[0m\n10%\r50%\r100%\n'));
  assert.equal((await task.read()).plain, output.plain);
  assert.equal(output.bytes.length, output.size);
});
