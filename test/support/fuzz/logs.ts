import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createColors } from 'picocolors';
import type { Io } from '../../../src/cli/io.ts';
import { ps } from '../../../src/cli/ps.ts';
import { show } from '../../../src/cli/show.ts';
import { isEnded } from '../../../src/index.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { encodeFact } from '../../../src/tasklog/codec.ts';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { encodeSessionRecord } from '../../../src/tasklog/records.ts';
import { anyFact } from '../../unit/model/arbitrary-facts.ts';
import type { World } from '../world.ts';

/** From here on no process has a pid, and from 2 ** 31 on none can have it: whatever such a log asks for hits nobody. */
const noPid = 4_194_304;

/** Facts of any kind, most of which claim to be of this machine, with processes that cannot be. */
const anyLog: fc.Arbitrary<Fact[]> = fc.array(
  fc.tuple(anyFact, fc.boolean()).map(([fact, isOurs]) => harmlessFact(fact, isOurs)),
  { minLength: 1, maxLength: 10 },
);

function harmlessFact(fact: Fact, isOurs: boolean): Fact {
  const text = JSON.stringify(fact, (key, value: unknown) => {
    if ((key === 'pid' || key === 'shimPid') && typeof value === 'number')
      return noPid + Math.abs(Math.trunc(value % 2 ** 31));
    if (key === 'by' && isOurs && value !== null) return { ...linux.self(), pid: noPid + 1 };
    // Only a folder of a test's own may be taken for a cgroup.
    return key === 'cgroup' ? '/none' : value;
  });
  return JSON.parse(text) as Fact;
}

let sessions = 0;

/** Whatever is in the logs of a session, it opens, tells each end once, and can be shown without harm. */
export function anyLogHolds(world: World): fc.IAsyncProperty<[Fact[][], string]> {
  return fc.asyncProperty(
    fc.array(anyLog, { minLength: 1, maxLength: 3 }),
    fc.string(),
    async (logs, output) => {
      sessions += 1;
      const id = `s${sessions}`;
      const paths = sessionPaths(world.dir, id);
      const store = await world.store();
      for (const dir of [paths.tasks, paths.output]) mkdirSync(dir, { recursive: true, mode: 0o700 });
      writeFileSync(paths.record, encodeSessionRecord(id, 0));
      for (const [index, facts] of logs.entries()) {
        const taskId = `bgb-00000000000${index}`;
        writeFileSync(join(paths.tasks, `${taskId}.jsonl`), facts.map(encodeFact).join(''));
        writeFileSync(join(paths.output, `${taskId}.out`), output);
      }
      const session = await store.session(id);
      const tasks = await session.tasks();
      assert.ok(tasks.length <= logs.length);
      const pending = (await session.pending()).map(({ taskId }) => taskId);
      for (const { taskId, delivered } of tasks) {
        const { status } = session.task(taskId).snapshot();
        if (pending.includes(taskId)) assert.ok(isEnded(status) && !delivered);
        await session.task(taskId).tail();
        await session.task(taskId).read();
        await store.inspect(taskId).catch(isOurs);
      }
      const taken = (await session.takePending()).map(({ taskId }) => taskId);
      for (const taskId of pending) assert.ok(taken.includes(taskId));
      // What a log asks to be stopped may end only now.
      const later = (await session.takePending()).map(({ taskId }) => taskId);
      assert.deepEqual(
        later.filter((taskId) => taken.includes(taskId)),
        [],
      );
      await shownHarmlessly(
        world.dir,
        id,
        tasks.map(({ taskId }) => taskId),
      );
      await session.prune({ olderThanMs: 0 });
      await store.close();
      // Every part of the session can be removed, and nobody makes it again.
      rmSync(paths.dir, { recursive: true, force: true });
      assert.ok(!existsSync(paths.dir));
    },
  );
}

function isOurs(error: unknown): void {
  assert.equal((error as Error).name, 'OutliveError');
}

async function shownHarmlessly(dir: string, session: string, ids: readonly string[]): Promise<void> {
  let said = '';
  const io: Io = {
    json: false,
    terminal: true,
    columns: 100,
    colours: createColors(false),
    arrived: async () => undefined,
    hint: (...words) => words.join(' '),
    out: async (data) => {
      said += data.toString();
    },
    note: (line) => {
      said += line;
    },
    err: async (data) => {
      said += data.toString();
    },
  };
  const options = { store: dir, session };
  await ps(io, [], { ...options, all: true });
  for (const id of ids) {
    await show(io, [id], options);
    await show(io, [id], { ...options, facts: true });
    await show({ ...io, json: true, out: async (data) => void JSON.parse(data.toString()) }, [id], options);
  }
  assert.doesNotMatch(said.replace(/[\n]/g, ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
}
