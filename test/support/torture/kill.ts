import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Session, TaskSnapshot } from '../../../src/index.ts';
import type { Agent } from '../agents.ts';
import { isShim } from '../processes.ts';
import { linkOf, readText } from '../read.ts';
import { isLive, type World, waitFor } from '../world.ts';
import { early, plant, type Sprout } from './tree.ts';

/** Who ends a tree, and how. */
export interface Killer {
  /** `there`: another process. `both`: at once. `dies`: another one, which is killed while it does it. */
  readonly who: 'here' | 'there' | 'both' | 'dies' | 'timeout' | 'leftovers';
  readonly graceMs: number;
  readonly killSignal: 'SIGTERM' | 'SIGINT' | 'SIGKILL';
  /** So many milliseconds after the spawn was answered; null: when the tree has grown. */
  readonly afterMs: number | null;
}

export const anyKiller: fc.Arbitrary<Killer> = fc.record({
  who: fc.constantFrom('here', 'here', 'there', 'both', 'dies', 'timeout', 'leftovers'),
  graceMs: fc.constantFrom(0, 50, 300),
  killSignal: fc.constantFrom('SIGTERM', 'SIGTERM', 'SIGINT', 'SIGKILL'),
  afterMs: fc.oneof(fc.constant(null), fc.constant(null), fc.nat({ max: 60 })),
});

let planted = 0;

/** Where a tree is ended, and by whom. */
export interface Ground {
  readonly world: World;
  readonly session: Session;
  /** Another process, with the same session open. */
  readonly other: () => Promise<Agent>;
  /** With a cgroup everything is found. */
  readonly hasCgroup: boolean;
}

/** Grows a tree, has it ended, and checks that nothing of it is left, and that the record says how it ended. */
export async function killOne(tree: Sprout, killer: Killer, ground: Ground): Promise<void> {
  const { world, session } = ground;
  const dir = join(world.base, `tree-${planted}`);
  planted += 1;
  const grown = `[ "$(wc -l <pids)" -ge ${early(tree)} ]`;
  const grow = plant(tree, dir);
  const isNatural = killer.who === 'leftovers';
  // Its first process is a child of a command that ends when all are there.
  const command = isNatural ? `(${grow}) & until ${grown}; do sleep 0.01; done; exit 5` : grow;
  const task = await session.spawn(command, {
    cwd: dir,
    graceMs: killer.graceMs,
    leftovers: isNatural ? 'kill' : 'report',
    timeoutMs: killer.who === 'timeout' ? 300 + (killer.afterMs ?? 200) : 60_000,
    ...(ground.hasCgroup && { cpuSeconds: 3_600 }),
  });
  const whole = (): boolean => early(tree) <= linesOf(join(dir, 'pids'));
  if (killer.afterMs === null && !isNatural && killer.who !== 'timeout')
    await waitFor(whole, 'the tree to grow');
  else await new Promise((resolve) => setTimeout(resolve, killer.afterMs ?? 0));
  const snapshot = await end(task.id, killer, ground);
  check(snapshot, killer, dir);
  // Of a command that was forbidden to start, the shim may still be about to find that out.
  await waitFor(() => pidsIn(dir).length === 0, 'the shim to end');
}

async function end(taskId: string, killer: Killer, { session, other }: Ground): Promise<TaskSnapshot> {
  const { graceMs, killSignal } = killer;
  const here = async (): Promise<TaskSnapshot> => await session.task(taskId).kill({ graceMs, killSignal });
  const there = async (agent: Agent): Promise<TaskSnapshot> =>
    await agent.run(
      async (scope, [id, ms, name]) => await scope.session.task(id).kill({ graceMs: ms, killSignal: name }),
      [taskId, graceMs, killSignal] as const,
    );
  switch (killer.who) {
    case 'here':
      return await here();
    case 'there':
      return await there(await other());
    case 'both': {
      const agent = await other();
      const [one] = await Promise.all([here(), there(agent), here()]);
      return one;
    }
    case 'dies': {
      const agent = await other();
      there(agent).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * (graceMs + 60)));
      await agent.crash();
      return await here();
    }
    case 'timeout':
    case 'leftovers':
      return await session.task(taskId).wait();
  }
}

function check(snapshot: TaskSnapshot, killer: Killer, dir: string): void {
  const { status, exitCode, leftovers } = snapshot;
  const expected = { timeout: 'timed_out', leftovers: 'failed' }[killer.who as string] ?? 'killed';
  const fault =
    status === expected && (status !== 'failed' || exitCode === 5) ? '' : `it ended as ${status} ${exitCode}`;
  // Several looks: what forks is not always seen by one. A shim that has just gone has no name any more.
  const left = new Set([0, 1, 2].flatMap(() => pidsIn(dir).filter((pid) => !isShim(pid) && isLive(pid))));
  const text = [
    fault,
    left.size > 0 ? `${[...left].map(describe)} are left` : '',
    leftovers.length > 0 ? `it names ${JSON.stringify(leftovers)}` : '',
  ];
  const said = text.filter(Boolean).join('; ');
  for (const pid of left) kill(pid);
  if (said !== '') throw new Error(said);
}

/** The live processes whose folder is that one: all of a tree, whatever else they have shed. */
function pidsIn(dir: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isLive(pid) && linkOf(`/proc/${pid}/cwd`) === dir);
}

function describe(pid: number): string {
  return `${pid} ${readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}[${readText(`/proc/${pid}/stat`)}]`;
}

function linesOf(path: string): number {
  return readText(path).split('\n').length - 1;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
