import assert from 'node:assert/strict';
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { say, shortenings, Told } from '../../support/shortened.ts';
import { waitFor } from '../../support/world.ts';

/** A task that writes what it is told to, and the file that it writes to. */
async function toldTask(cli: CommandLine): Promise<{ taskId: string; input: string; path: string }> {
  const input = `${cli.base}/in`;
  writeFileSync(input, '');
  const taskId = await cli.spawn(Told.command(input));
  const [shown] = objects((await cli.run('ps', '--json')).stdout);
  const path = String(shown?.output.path);
  await say(input, path, 'one');
  await say(input, path, 'two');
  return { taskId, input, path };
}

/** Ours, once; then what the shim has noticed, as for every task. */
const word =
  /^outlive: bgb-\w+: something opened the file of the output anew, [^\n]*; what is in it now begins at byte 8\. [^\n]*\n$/;

for (const [how, { make, left }] of Object.entries(shortenings)) {
  test(`logs -f of an output that is ${how} says so on stderr, and goes on`, async () => {
    await using cli = new CommandLine();
    const { taskId, input, path } = await toldTask(cli);
    const [plain, json] = [cli.start(['logs', '-f', taskId]), cli.start(['logs', '-f', '--json', taskId])];
    const waiting = cli.start(['wait', '--for', 'pattern=three', '--json', taskId]);
    await Promise.all([plain.says('two\n'), json.says('two')]);
    make(path);
    await plain.says('made it shorter');
    await say(input, path, 'three');
    await plain.says('three\n');
    writeFileSync(`${input}.end`, '');
    const [text, chunks, waited] = await Promise.all([plain.answer, json.answer, waiting.answer]);
    assert.deepEqual([text.status, text.stdout], [0, `one\ntwo\n${left}three\n`]);
    assert.match(text.stderr, word);
    assert.match(chunks.stderr, word);
    const lines = objects(chunks.stdout);
    assert.deepEqual([lines[0]?.beginsAt, lines.at(-1)?.beginsAt], [0, 8]);
    assert.equal(lines.map((line) => line.text).join(''), text.stdout);
    assert.equal(waited.status, 0);
    const [found] = objects(waited.stdout);
    assert.deepEqual([found?.cause, found?.match.text], ['pattern', 'three']);
  });
}

test('run --follow says so, too', async () => {
  await using cli = new CommandLine();
  const input = `${cli.base}/in`;
  writeFileSync(input, '');
  const run = cli.start(['run', '--follow', '--', Told.command(input)]);
  let path = '';
  while (path === '') path = String(objects((await cli.run('ps', '--json')).stdout)[0]?.output.path ?? '');
  await say(input, path, 'one');
  await say(input, path, 'two');
  await run.says('two\n');
  truncateSync(path);
  await run.says('made it shorter');
  await say(input, path, 'three');
  writeFileSync(`${input}.end`, '');
  const { status, stdout, stderr } = await run.answer;
  assert.deepEqual([status, stdout], [0, 'one\ntwo\nthree\n']);
  assert.match(stderr, word);
});

test('logs from offset to offset, each by its own process, lose nothing when the output is made empty', async () => {
  await using cli = new CommandLine();
  const { taskId, input, path } = await toldTask(cli);
  let offset = 0;
  let text = '';
  const more = async (): Promise<void> => {
    const { stdout } = await cli.run('logs', '--json', '--offset', `${offset}`, taskId);
    for (const chunk of objects(stdout)) {
      text += chunk.text;
      offset = chunk.nextOffset;
    }
  };
  // The shim looks at once when somebody has opened the output, and knows all of it when the next process is there.
  appendFileSync(path, '');
  await more();
  assert.deepEqual([text, offset], ['one\ntwo\n', 8]);
  truncateSync(path);
  await say(input, path, 'three');
  await waitFor(async () => (await cli.snapshot(taskId)).output.erasedBytes === 8, 'the shim to notice');
  await more();
  await say(input, path, 'four');
  await more();
  assert.deepEqual([text, offset], ['one\ntwo\nthree\nfour\n', 19]);
  writeFileSync(`${input}.end`, '');
  assert.equal((await cli.run('wait', taskId)).status, 0);
});

test('an offset beyond the end is reported, and for an ended task how much is gone', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('seq 1 100');
  const beyond = await cli.run('logs', '--offset', '1000', taskId);
  assert.deepEqual([beyond.status, beyond.stdout], [0, '']);
  assert.match(
    beyond.stderr,
    /^outlive: bgb-\w+ has written 292 bytes, and you asked for byte 1000\. [^\n]*\n$/,
  );
  const [shown] = objects((await cli.run('ps', '-a', '--json')).stdout);
  truncateSync(String(shown?.output.path), 9);
  const after = await cli.run('logs', taskId);
  assert.equal(after.stdout, '1\n2\n3\n4\n5'.slice(0, 9));
  assert.match(
    after.stderr,
    /^outlive: bgb-\w+: something opened the file of the output anew, [^\n]* begins at byte 292\. [^\n]*\n$/,
  );
});
