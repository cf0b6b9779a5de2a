import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Doorbell } from '../../src/engine/doorbell.ts';
import type { ExitFact } from '../../src/model/facts.ts';
import { openFiles } from '../support/processes.ts';
import { waitFor } from '../support/world.ts';
import { proven, started } from './sample-facts.ts';

// These start a process: the shim makes the pipe.

const [a, b] = ['bgb-0123abcd', 'bgb-89abcdef'];
const line = (taskId: string, fact: object): string => `${taskId} ${JSON.stringify(fact)}\n`;

/** A doorbell that is open, and what was heard from it: of one task each end, of the other its last. */
async function ringing(
  run: (ring: (text: string) => void, heard: ExitFact[], bell: Doorbell) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'outlive-bell-'));
  const before = openFiles();
  const bell = new Doorbell(dir);
  try {
    assert.equal(bell.descriptor, null, 'it is not open yet');
    await bell.open();
    await waitFor(() => bell.descriptor !== null && readdirSync(dir).length === 0, 'the doorbell');
    const heard: ExitFact[] = [];
    bell.listen(a, (exit) => heard.push(exit));
    await run((text) => writeSync(bell.descriptor ?? -1, text), heard, bell);
  } finally {
    bell.close();
    rmSync(dir, { recursive: true });
  }
  assert.equal(bell.descriptor, null);
  await waitFor(() => openFiles().length <= before.length, 'the descriptors to be closed');
}

test('the end of a task that is listened for is heard, whatever else comes in one piece with it', async () => {
  await ringing(async (ring, heard) => {
    const strange = ['', 'garbage\n', `${a}\n`, `${a} {"fact":\n`, `${a}{"fact":"exit","code":0}\n`];
    const others = [line(b, proven(1)), line('', proven(2)), line(a, started()), line(`${a}x`, proven(3))];
    ring([...strange, ...others, line(a, proven(7)), line(b, proven(4))].join(''));
    await waitFor(() => heard.length > 0, 'the end');
    assert.deepEqual(heard, [proven(7)]);
  });
});

test('an end that comes in pieces is heard when it is whole', async () => {
  await ringing(async (ring, heard, bell) => {
    let read = 0;
    bell.listen(b, () => {
      read += 1;
    });
    const [whole, marker] = [line(a, proven('SIGKILL')), line(b, proven(0))];
    for (let cut = 1; cut < whole.length; cut += 17) {
      ring(marker + whole.slice(0, cut));
      const [rings, ends] = [read + 1, heard.length];
      await waitFor(() => read === rings, 'the first piece');
      assert.equal(heard.length, ends);
      ring(whole.slice(cut));
      await waitFor(() => heard.length === ends + 1, 'the rest');
    }
    assert.deepEqual(heard[0], proven('SIGKILL'));
  });
});

test('who writes without end costs nothing, and the next line is heard', async () => {
  await ringing(async (ring, heard) => {
    ring('x'.repeat(5_000));
    ring(`\n${line(a, proven(7))}`);
    await waitFor(() => heard.length > 0, 'the end');
    assert.deepEqual(heard, [proven(7)]);
  });
});

test('a task that is not listened for any more is not heard', async () => {
  await ringing(async (ring, heard, bell) => {
    const others: ExitFact[] = [];
    bell.listen(b, (exit) => others.push(exit));
    bell.forget(a);
    ring(line(a, proven(7)) + line(b, proven(3)));
    await waitFor(() => others.length > 0, 'the other end');
    assert.deepEqual([heard, others], [[], [proven(3)]]);
  });
});
