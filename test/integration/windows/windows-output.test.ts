import assert from 'node:assert/strict';
import { OutliveError } from '../../../src/index.ts';
import { windowsTest } from '../../support/windows-test.ts';
import { World } from '../../support/world.ts';

windowsTest('a pipe for the output, and the times of output, are refused by name', async () => {
  await using world = new World();
  const session = await world.session();
  const refused = async (work: Promise<unknown>, word: RegExp): Promise<void> => {
    await assert.rejects(
      work,
      (error) =>
        error instanceof OutliveError && error.code === 'INVALID_ARGUMENT' && word.test(error.message),
    );
  };
  await refused(session.spawn('echo one', { output: 'pipe' }), /output to be file on Windows/);
  const { snapshot } = await session.run('echo one', { output: 'file' });
  const task = session.task(snapshot.taskId);
  await refused(task.read({ since: 0 }), /since to be left out on Windows/);
  await refused(task.marks(), /marks to be left out on Windows/);
});
