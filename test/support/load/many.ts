import type { Agent } from '../agents.ts';

/** What a load came to. */
export interface Done {
  readonly done: number;
  /** Tasks whose end was told otherwise than it was. */
  readonly wrong: readonly string[];
  readonly ms: number;
}

/**
 * Spawns and waits for tasks in an agent, so many at a time, until so many are done or the time is up. Task number
 * n exits with n modulo 7.
 */
export async function throughSlots(
  agent: Agent,
  count: number,
  slots: number,
  limitMs: number,
): Promise<Done> {
  return await agent.run(
    async ({ session, kept }, limits) => {
      const begin = performance.now();
      const wrong: string[] = [];
      let [next, done] = [0, 0];
      kept.done = 0;
      const slot = async (): Promise<void> => {
        while (next < limits.count && performance.now() - begin < limits.limitMs) {
          const expected = next % 7;
          next += 1;
          const task = await session.spawn(`exit ${expected}`, { shell: '/bin/sh' });
          const { status, exitCode, leftovers } = await task.wait();
          if (exitCode !== expected || leftovers.length > 0) wrong.push(`${task.id}: ${status} ${exitCode}`);
          done += 1;
          kept.done = done;
        }
      };
      await Promise.all(Array.from({ length: limits.slots }, slot));
      return { done, wrong, ms: performance.now() - begin };
    },
    { count, slots, limitMs },
  );
}

/** Spawns so many tasks at once. Each reads one line of a pipe and exits with its number modulo 7. How long it took. */
export async function spawnWaiting(agent: Agent, count: number, pipe: string): Promise<number> {
  return await agent.run(
    async ({ session, kept }, all) => {
      const begin = performance.now();
      const expected = new Map<string, number>();
      kept.expected = expected;
      const spawn = async (_: unknown, n: number): Promise<void> => {
        const command = `read line <'${all.pipe}'; exit ${n % 7}`;
        expected.set((await session.spawn(command, { shell: '/bin/sh' })).id, n % 7);
      };
      await Promise.all(Array.from({ length: all.count }, spawn));
      return performance.now() - begin;
    },
    { count, pipe },
  );
}

/** Takes and acknowledges the completions of all tasks that {@link spawnWaiting} has spawned. */
export async function takeAll(agent: Agent): Promise<Done> {
  return await agent.run(async ({ session, kept }) => {
    const begin = performance.now();
    const expected = kept.expected as Map<string, number>;
    const wrong: string[] = [];
    let done = 0;
    for await (const { taskId, status, exitCode, ack } of session.completions()) {
      if (exitCode !== expected.get(taskId)) wrong.push(`${taskId}: ${status} ${exitCode}`);
      if (!(await ack())) wrong.push(`${taskId}: acknowledged before`);
      done += 1;
      expected.delete(taskId);
      if (expected.size === 0) break;
    }
    return { done, wrong, ms: performance.now() - begin };
  });
}
