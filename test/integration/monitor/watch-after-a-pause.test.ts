import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PaperStore } from '../../support/monitor/paper-store.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

const library = new URL('../../../src/index.js', import.meta.url).href;

/** The pause after which a viewer trusts no events. */
const pauseMs = 5_000;

test('a viewer that was stopped for more events than the system keeps soon learns of all changes', {
  skip: process.platform !== 'linux',
}, async () => {
  await using world = new World();
  const store = await world.store();
  const paper = await PaperStore.in(store.dir);
  const busy = [paper.spawn('s'), paper.spawn('s')];
  const viewer = spawn(process.execPath, [fixturePath('views-a-store.mjs'), library, store.dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => viewer.once('exit', resolve));
  try {
    let told = '';
    viewer.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    await waitFor(() => told.includes('watching'), 'the snapshot');
    viewer.kill('SIGSTOP');
    const kept = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
    // Two events that are the same and follow each other are one.
    for (let count = 0; count < kept / 2 + 10; count += 1)
      for (const taskId of busy) paper.append('s', taskId, 'watch');
    const late = paper.spawn('s');
    await sleep(pauseMs + 500);
    viewer.kill('SIGCONT');
    await waitFor(() => told.includes(late), 'the task that no event tells of', 10_000);
  } finally {
    viewer.kill('SIGKILL');
    await gone;
  }
});
