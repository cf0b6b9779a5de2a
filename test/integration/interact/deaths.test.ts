import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { untilShows, withoutProgram } from '../../support/press.ts';
import { World, waitFor } from '../../support/world.ts';

// The agent that has started a program, the person who is attached, and both are killed while it runs. Its input and its
// output go on, and another agent has the same screen.

/** A program that runs on while others die, and what it shows before and afterwards. */
interface Program {
  readonly command: readonly string[];
  readonly needs: string;
  readonly begins: RegExp;
  /** Uses it: before the deaths, and afterwards. */
  before(task: Task): Promise<void>;
  after(task: Task): Promise<void>;
  readonly exitCode: number;
}

const programs: Readonly<Record<string, Program>> = {
  vim: {
    command: ['vim', '-u', 'NONE', '-i', 'NONE', '-n', '-N', 'text'],
    needs: 'vim',
    begins: /^~$/,
    async before(task) {
      await task.send('itwo lines\n', {});
      await untilShows(task, /^two lines$/);
    },
    async after(task) {
      await untilShows(task, /^two lines$/);
      await task.send('of text', { press: ['escape'] });
      await untilShows(task, /^of text$/);
      await task.send(':wq', { press: ['enter'] });
    },
    exitCode: 0,
  },
  'the REPL of Python': {
    command: ['python3', '-q'],
    needs: 'python3',
    begins: /^>>>/,
    async before(task) {
      await task.send('kept = 6 * 7', { press: ['enter'] });
      await untilShows(task, /^>>> ?$/);
    },
    async after(task) {
      await task.send('print("it is", kept)', { press: ['enter'] });
      await untilShows(task, /^it is 42/);
      await task.send('raise SystemExit(kept)', { press: ['enter'] });
    },
    exitCode: 42,
  },
  'a shell with a job': {
    command: ['bash', '--norc', '-i'],
    needs: 'bash',
    begins: /\$ ?$/,
    async before(task) {
      await task.send('sleep 1000 &', { press: ['enter'] });
      await untilShows(task, /^\[1\] \d+/);
    },
    async after(task) {
      await task.send('kill -9 %1; wait; echo "job $((40 + 2))"; exit 5', { press: ['enter'] });
    },
    exitCode: 5,
  },
  top: {
    command: ['top', '-d', '1'],
    needs: 'top',
    begins: /PID +USER/,
    async before() {},
    async after(task) {
      // It has gone on meanwhile, and does.
      const { bytes } = task.snapshot().output;
      await waitFor(() => task.snapshot().output.bytes > bytes, 'top to draw on');
      await untilShows(task, /PID +USER/);
      await task.send('q');
    },
    exitCode: 0,
  },
};

const deaths: readonly (readonly ('agent' | 'viewer')[])[] = [['agent'], ['viewer'], ['viewer', 'agent']];

for (const [name, program] of Object.entries(programs))
  for (const dead of deaths)
    test(`${name} goes on when its ${dead.join(' and its ')} ${dead.length > 1 ? 'are' : 'is'} killed`, {
      skip: withoutProgram(program.needs),
    }, async () => {
      await using world = new World();
      await using agent = await Agent.start(world.dir);
      await using viewer = await Agent.start(world.dir);
      const id = await spawnedBy(agent, world, program);
      const task = (await world.session()).task(id);
      await untilShows(task, program.begins);
      await attach(viewer, id);
      await waitFor(() => task.snapshot().attached.includes(viewer.pid), 'the viewer to be attached');
      await program.before(task);
      for (const victim of dead) await { agent, viewer }[victim].crash();
      assert.equal(task.snapshot().status, 'running');
      if (dead.includes('viewer'))
        await waitFor(() => task.snapshot().attached.length === 0, 'nobody to be attached');
      await program.after(task);
      assert.equal((await task.wait()).exitCode, program.exitCode);
    });

async function spawnedBy(agent: Agent, world: World, { command }: Program): Promise<string> {
  const options = { tty: { cols: 80, rows: 24 }, cwd: world.base, env: { HOME: world.base, PS1: '$ ' } };
  return await agent.run(async ({ session }, { words, more }) => (await session.spawn(words, more)).id, {
    words: [...command],
    more: options,
  });
}

/** A person who never leaves, and whose terminal has the size of the task's. */
async function attach(viewer: Agent, id: string): Promise<void> {
  await viewer.run(({ session, kept }, taskId) => {
    const { PassThrough } = process.getBuiltinModule('node:stream');
    const output = Object.assign(new PassThrough(), { columns: 80, rows: 24 });
    kept.attached = session.task(taskId).attach({ input: new PassThrough(), output: output.resume() });
    (kept.attached as Promise<unknown>).catch(console.error);
  }, id);
}
