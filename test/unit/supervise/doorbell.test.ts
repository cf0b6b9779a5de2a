import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Stream } from 'node:stream';
import { test } from 'node:test';
import { PipeDoorbell } from '../../../src/engine/supervise/doorbell.ts';
import type { ExitFact } from '../../../src/model/facts.ts';
import { openFiles } from '../../support/processes.ts';
import { waitFor } from '../../support/world.ts';
import { proven, started } from '../model/sample-facts.ts';

// These start a process: the shim makes the pipe.

const [a, b] = ['bgb-0123abcd0123', 'bgb-89abcdef89ab'];
const line = (taskId: string, fact: object): string => `${taskId} ${JSON.stringify(fact)}\n`;

/** A doorbell that is open, and what was heard from it: of one task each end, of the other its last. */
async function ringing(
  run: (ring: (text: string) => void, heard: ExitFact[], bell: PipeDoorbell) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'outlive-bell-'));
  const before = openFiles();
  const bell = new PipeDoorbell(dir);
  try {
    await bell.open();
    assert.equal(bell.bellOf(a), null, 'the first spawn needs none');
    await bell.open();
    const shared = (): number => Number(bell.bellOf(a) ?? Number.NaN);
    await waitFor(() => shared() > 0 && readdirSync(dir).length === 0, 'the doorbell');
    const heard: ExitFact[] = [];
    assert.equal(
      bell.listen(a, (exit) => heard.push(exit)),
      true,
    );
    await run((text) => writeSync(shared(), text), heard, bell);
  } finally {
    bell.close();
    rmSync(dir, { recursive: true });
  }
  assert.equal(bell.bellOf(a), null);
  await waitFor(() => openFiles().length <= before.length, 'the descriptors to be closed');
}

test('the first task has its own pipe, and later ones share one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'outlive-bell-'));
  const before = openFiles();
  const bell = new PipeDoorbell(dir);
  const heard: unknown[] = [];
  const own = new PassThrough() as Stream as Socket;
  own.unref = () => own;
  try {
    await bell.open();
    assert.equal(
      bell.listen(a, (exit) => heard.push(['a', exit])),
      true,
    );
    assert.equal(bell.bellOf(a), 'pipe');
    assert.deepEqual(readdirSync(dir), []);
    bell.hear(own);
    await bell.open();
    assert.equal(
      bell.listen(b, (exit) => heard.push(['b', exit])),
      true,
    );
    assert.deepEqual([bell.bellOf(a), typeof bell.bellOf(b)], ['pipe', 'number']);
    writeSync(Number(bell.bellOf(b)), line(b, proven(1)).slice(0, 20));
    own.write(line(a, proven(7)));
    await waitFor(() => heard.length === 1, 'the end of the first');
    own.end();
    writeSync(Number(bell.bellOf(b)), line(b, proven(1)).slice(20));
    await waitFor(() => heard.length === 2, 'the end of the second');
    assert.deepEqual(heard, [
      ['a', proven(7)],
      ['b', proven(1)],
    ]);
  } finally {
    bell.close();
    rmSync(dir, { recursive: true });
  }
  assert.deepEqual([bell.bellOf(a), bell.bellOf(b), own.destroyed], [null, null, true]);
  await waitFor(() => openFiles().length <= before.length, 'the descriptors to be closed');
});

test('the end of a task is heard, whatever else comes in the same piece', async () => {
  await ringing(async (ring, heard) => {
    const strange = ['', 'garbage\n', `${a}\n`, `${a} {"fact":\n`, `${a}{"fact":"exit","code":0}\n`];
    const others = [line(b, proven(1)), line('', proven(2)), line(a, started()), line(`${a}x`, proven(3))];
    ring([...strange, ...others, line(a, proven(7)), line(b, proven(4))].join(''));
    await waitFor(() => heard.length > 0, 'the end');
    assert.deepEqual(heard, [proven(7)]);
  });
});

test('an end that comes in pieces is heard when it is complete', async () => {
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

test('an endless line costs nothing, and the next line is heard', async () => {
  await ringing(async (ring, heard) => {
    ring('x'.repeat(5_000));
    ring(`\n${line(a, proven(7))}`);
    await waitFor(() => heard.length > 0, 'the end');
    assert.deepEqual(heard, [proven(7)]);
  });
});

test('a task without a listener is not heard', async () => {
  await ringing(async (ring, heard, bell) => {
    const others: ExitFact[] = [];
    bell.listen(b, (exit) => others.push(exit));
    bell.forget(a);
    ring(line(a, proven(7)) + line(b, proven(3)));
    await waitFor(() => others.length > 0, 'the other end');
    assert.deepEqual([heard, others], [[], [proven(3)]]);
  });
});
