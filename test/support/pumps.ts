import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { cookieOf, livePids } from './processes.ts';
import { quote } from './world.ts';

/** The live pumps of a task: usually one. */
export function pumpsOf(taskId: string): number[] {
  return livePids().filter((pid) => {
    const cookie = cookieOf(pid);
    return cookie?.startsWith(`${taskId}.`) && cookie.endsWith('.pump');
  });
}

/** Kills and pauses the pumps of a task at moments of chance, until it is told to end. @returns how often. */
export async function attackPumps(
  taskId: string,
  chance: Chance,
  isOver: () => boolean,
): Promise<{ kills: number; pauses: number }> {
  const done = { kills: 0, pauses: 0 };
  while (!isOver()) {
    for (const pid of pumpsOf(taskId)) {
      try {
        if (chance.number(3) === 0) {
          process.kill(pid, 'SIGSTOP');
          await sleep(chance.number(20));
          process.kill(pid, 'SIGCONT');
          done.pauses += 1;
        } else {
          process.kill(pid, 'SIGKILL');
          done.kills += 1;
        }
      } catch {
        // It has ended meanwhile.
      }
    }
    await sleep(chance.number(60));
  }
  return done;
}

/** Whether a file holds the numbers from 1 to the last, a line each, every byte once and in order. */
export function isSequence(path: string, last: number): boolean {
  return spawnSync('sh', ['-c', `seq 1 ${last} | cmp - ${quote(path)}`]).status === 0;
}
