import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { waitFor } from './world.ts';

/** So long a busy process runs beside, in hundredths of a second of CPU time. */
const busy = 60;

/** The CPU time that a process has used, in hundredths of a second; null: it has ended. */
function ticksOf(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return null;
  }
}

/**
 * Checks that a process mostly sleeps, beside one that goes round and round: of that one's time it uses a quarter at most. One
 * that ends meanwhile is judged by its time until then.
 */
export async function checkItSleeps(pid: number): Promise<void> {
  const before = ticksOf(pid) ?? 0;
  let [used, usedBeside] = [0, 0];
  const beside = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  try {
    await waitFor(() => {
      const now = ticksOf(pid);
      if (now === null) return true;
      used = now - before;
      usedBeside = ticksOf(beside.pid ?? 0) ?? 0;
      return usedBeside >= busy;
    }, 'the busy process');
    // What was used at the edges is counted in whole hundredths, and looks take their time with sanitizers.
    const most = 2 + usedBeside / 4;
    assert.ok(used <= most, `it used ${used} hundredths of a second, a busy process ${usedBeside}`);
  } finally {
    beside.kill('SIGKILL');
  }
}
