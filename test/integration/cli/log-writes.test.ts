import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noColours } from '../../../src/cli/io.ts';
import { printStream } from '../../../src/cli/logs/stream-printer.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World } from '../../support/world.ts';

test(
  'lines with times are written many at once, raw and plain',
  notOnWindows('no times are recorded there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('seq 1 20000');
    await task.wait();
    for (const plain of [false, true]) {
      const written: string[] = [];
      const io = {
        json: false,
        terminal: false,
        columns: 80,
        colours: noColours,
        arrived: async () => undefined,
        hint: () => '',
        out: async (data: string | Uint8Array) => void written.push(Buffer.from(data).toString()),
        note: (line: string) => assert.fail(line),
        err: async () => undefined,
      };
      await printStream(io, task, 'stdout', { timestamps: true, plain }, new AbortController().signal);
      const lines = written.join('').trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => Number(line.slice(25))),
        Array.from({ length: 20_000 }, (_, index) => index + 1),
      );
      assert.ok(written.length < 10, `${written.length} writes`);
    }
  },
);
