import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { hasFact } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { waitFor } from '../../support/world.ts';

test('many concurrent runs from many shells lose nothing, and two readers together are told of each completion once', async () => {
  await using cli = new CommandLine();
  const count = onWindows ? 8 : 50;
  const readers = [0, 1].map(() => cli.start(['completions', '--follow', '--ack', '--json']));
  const numbers = Array.from({ length: count }, (_, index) => index);
  const shells = numbers.map(
    (number) => cli.start(['run', '--', `echo output of ${number}; exit ${number % 7}`]).answer,
  );
  const ids = (await Promise.all(shells)).map(({ status, stdout, stderr }) => {
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.trim();
  });
  assert.equal(new Set(ids).size, count);

  const told = () => readers.flatMap(({ stdout }) => objects(stdout.slice(0, stdout.lastIndexOf('\n') + 1)));
  await waitFor(() => told().length >= count, 'every completion');
  // What was told and is not acknowledged yet would be pending to the next reader.
  const areTaken = () => ids.every((id) => hasFact(cli.logOf(id), 'delivered'));
  await waitFor(areTaken, 'every completion to be acknowledged');
  await Promise.all(readers.map((reader) => reader.interrupted()));
  const byId = new Map(told().map((snapshot) => [snapshot.taskId, snapshot]));
  assert.equal(told().length, count);
  for (const number of numbers) {
    const snapshot = byId.get(ids[number]);
    assert.deepEqual([snapshot?.exitCode, snapshot?.output.preview], [number % 7, `output of ${number}\n`]);
  }
  assert.equal((await cli.run('completions')).stdout, '');
});
