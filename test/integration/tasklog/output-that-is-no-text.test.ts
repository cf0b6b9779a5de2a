import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { World } from '../../support/world.ts';

const megabyte = 1024 * 1024;

/** Twenty megabytes without a line break, NUL and bytes that are no UTF-8 among them; its end can be searched for. */
const command = [
  'i=0; while [ $i -lt 20 ]; do',
  String.raw`printf 'a\000\377\300\033[31m\342\202'; head -c 524000 /dev/zero; head -c 524568 /dev/zero | tr '\0' '\376'`,
  'i=$((i+1)); done; printf "needle 42"; echo; echo rest; exit 3',
].join('\n');

test('a line of twenty megabytes with NUL and invalid bytes is read, searched and followed in bounded memory', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { node: ['--expose-gc', '--max-old-space-size=100'] });
  const found = await agent.run(async ({ session }, text) => {
    const task = await session.spawn(text);
    let most = 0;
    const before = process.memoryUsage.rss();
    const look = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 5);
    const waiting = session.task(task.id).waitFor({ pattern: 'rest' });
    let bytes = 0;
    let contiguous = true;
    for await (const chunk of task.follow()) {
      contiguous &&= chunk.offset === bytes;
      bytes += chunk.bytes.length;
    }
    const { match, cause } = await waiting;
    const end = await task.wait();
    const tail = await task.tail({ maxBytes: 100 });
    const head = await task.read({ maxBytes: 10 });
    clearInterval(look);
    return {
      ...{ bytes, contiguous, cause, match: match?.text, exitCode: end.exitCode, size: end.output.bytes },
      ...{ tail: tail.text, head: [...head.bytes], preview: end.output.preview.length, grown: most - before },
    };
  }, command);
  const { grown, tail, preview, ...rest } = found;
  const size = 20 * (524_000 + 524_568 + 11) + 'needle 42\nrest\n'.length;
  assert.deepEqual(rest, {
    ...{ bytes: size, contiguous: true, cause: 'pattern', match: 'rest', exitCode: 3, size },
    // The tenth byte begins a character.
    head: [0x61, 0, 0xff, 0xc0, 0x1b, 0x5b, 0x33, 0x31, 0x6d],
  });
  assert.match(tail, /needle 42\nrest\n$/);
  assert.ok(preview <= 300, `a preview of ${preview}`);
  // Some 50 MB in Node 20 and 70 in Node 26, whose heap grows by larger steps.
  assert.ok(grown < 100 * megabyte, `the process has grown by ${Math.round(grown / megabyte)} MB`);
});
