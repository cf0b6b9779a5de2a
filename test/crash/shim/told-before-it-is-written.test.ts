import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factsOf } from '../../support/logs.ts';
import {
  compileAtCall,
  encodePlan,
  type Plan,
  readReport,
  type Said,
  untilStopped,
  whyNoTracing,
} from '../../support/moments/at-call.ts';
import { lives } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

const skip = whyNoTracing();

/** `write`, as the kernel numbers it. */
const writeCall = process.arch === 'arm64' ? 64 : 1;

class Spawner {
  readonly #world: World;
  readonly #agent: Agent;
  #reports = 0;

  private constructor(world: World, agent: Agent) {
    [this.#world, this.#agent] = [world, agent];
  }

  static async start(world: World): Promise<Spawner> {
    return new Spawner(world, await Agent.start(world.dir, { env: { OUTLIVE_SHIM: compileAtCall(world) } }));
  }

  /** Spawns `exit 7`; its shim does what the plan says. What its completion said, with the log of that moment. */
  async play(
    plan: Pick<Plan, 'number' | 'action'>,
  ): Promise<{ end: string; id: string; log: string; said: Said }> {
    this.#reports += 1;
    const report = `${this.#world.base}/report-${this.#reports}`;
    const env = { AT_CALL: encodePlan({ role: 'shim', ...plan }, report) };
    const { id, ...told } = await this.#agent.run(
      async ({ session, fs, store }, options) => {
        const completions = session.completions();
        const task = await session.spawn('exit 7', options);
        const { value } = await completions.next();
        const files = fs.readdirSync(store.dir, { recursive: true, encoding: 'utf8' });
        const path = files.find((name) => name.endsWith(`${task.id}.jsonl`));
        const log = fs.readFileSync(`${store.dir}/${path}`, 'utf8');
        await value?.ack();
        await completions.return();
        return { id: task.id, end: `${value?.status} ${value?.exitCode}`, log };
      },
      { env },
    );
    await waitFor(() => readReport(report) !== null, 'what the tracer has done');
    return { id, ...told, said: readReport(report) ?? assert.fail() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent[Symbol.asyncDispose]();
  }
}

test('an end that a shim rings for and does not write is on disk as it was, when it is told', {
  skip,
}, async () => {
  await using world = new World();
  await using spawner = await Spawner.start(world);
  // The first task has another doorbell than those that come after it.
  await spawner.play({ number: 0, action: 'count' });
  const { said } = await spawner.play({ number: 0, action: 'count' });
  const writes = (said.calls?.shim ?? []).flatMap((call, at) => (call === writeCall ? [at + 1] : []));
  const [bell = 0, log = 0] = writes.slice(-2);

  const killed = await spawner.play({ number: log, action: 'kill' });
  assert.equal(killed.said.call, writeCall);
  assert.equal(killed.end, 'failed 7');
  assert.equal(exitsIn(killed.log), 1);

  const stopped = await spawner.play({ number: bell, action: 'stop' });
  const pid = stopped.said.pid ?? assert.fail();
  await untilStopped(pid);
  assert.equal(stopped.end, 'failed 7');
  assert.equal(exitsIn(stopped.log), 1);
  process.kill(pid, 'SIGCONT');
  await waitFor(() => !lives(pid), 'the shim to end');
  const facts = factsOf(world.logOf(stopped.id));
  assert.equal(facts.filter(({ fact }) => fact === 'exit').length, 2);
  const store = await world.store();
  for (const { id } of [killed, stopped]) {
    const { status, exitCode, delivered } = await store.find(id, 'test');
    assert.deepEqual([status, exitCode, delivered], ['failed', 7, true]);
  }
});

function exitsIn(log: string): number {
  return log.split('\n').filter((line) => line.startsWith('{"fact":"exit"')).length;
}
