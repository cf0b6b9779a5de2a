import fc from 'fast-check';
import { Agent } from '../agents.ts';
import { TestCgroup } from '../cgroups.ts';
import { World } from '../world.ts';
import { anyKiller, type Ground, type Killer, killOne } from './kill.ts';
import { anyTree, type Sprout } from './tree.ts';

/** Whatever a task has grown into, and whoever ends it, nothing of it is left, and the record is right. */
export function treesEnd(
  hasCgroup: boolean,
  most: number,
  counted: () => void,
): fc.IAsyncPropertyWithHooks<[[Sprout, Killer][]]> {
  const many = fc.array(fc.tuple(anyTree, anyKiller), { minLength: 1, maxLength: most });
  return fc.asyncProperty(many, async (trees) => {
    await using cgroup = hasCgroup ? new TestCgroup() : null;
    await using world = new World();
    let agent: Agent | undefined;
    const ground: Ground = {
      world,
      hasCgroup,
      session: await world.session('test', { store: { cgroup: cgroup?.dir ?? null } }),
      other: async () => {
        agent = await Agent.start(world.dir, { store: { cgroup: cgroup?.dir ?? null } });
        return agent;
      },
    };
    for (const [tree, killer] of trees) {
      counted();
      await killOne(tree, killer, ground);
      await agent?.[Symbol.asyncDispose]();
    }
  });
}
