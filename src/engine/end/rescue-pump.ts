import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { SpecFact } from '../../model/facts.ts';
import { cookieVariable } from '../../platform/system.ts';
import { shimProgram } from '../../shim/program.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { holdProcess } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';

/**
 * Starts a pump for a task whose shim is dead: its command may run on, and would wait for ever once its pipe is full. One
 * that was not killed with the shim still holds the lock of the output, and then the new one ends at once.
 */
export async function rescuePump(context: SessionContext, taskId: string, spec: SpecFact): Promise<void> {
  if (spec.output !== 'pipe' || !existsSync(taskPaths(context.paths, taskId).stdoutFifo)) return;
  const outputs = spec.separate ? [`${taskId}.out`, `${taskId}.err`] : [`${taskId}.out`];
  const limit = String(spec.maxOutputBytes ?? 0);
  const release = holdProcess();
  try {
    const program = await shimProgram(context.store.dir);
    await start(program, ['pump', limit, context.paths.output, ...outputs], spec);
  } finally {
    release();
  }
}

function start(program: string, words: readonly string[], { cookie }: SpecFact): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      argv0: 'outlive-pump',
      // A cookie of its own, by which no stop takes it for a process of the task.
      env: { [cookieVariable]: `${cookie}.pump` },
      detached: true,
      stdio: 'ignore',
    });
    child.once('error', reject);
    // The program that was started forks the pump, and ends.
    child.once('exit', () => resolve());
  });
}
