import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Deliveries } from '../../../src/api/deliveries.ts';
import type { Session } from '../../../src/api/session.ts';
import { atSomeCalls } from '../../support/crashes.ts';
import { untilStopped } from '../../support/moments/at-call.ts';
import { fixturePath, World } from '../../support/world.ts';

/** What a claimer has said before its end. */
interface Said {
  readonly result?: string;
  readonly earlier?: number;
  readonly acked?: boolean;
  readonly calls?: number;
}

class Claimer {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #text = '';

  constructor(world: World, taskId: string, env: Record<string, string>) {
    const args = ['--import', fixturePath('dies-at-call.mjs'), fixturePath('claims-an-end.mjs')];
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const options = { env: { ...process.env, DIES_AT_CALL: '0', ...env }, stdio: [...stdio] };
    this.child = spawn(process.execPath, [...args, world.dir, 's', taskId], options);
    this.child.stdout?.on('data', (data) => {
      this.#text += data;
    });
    this.#exited = once(this.child, 'close');
  }

  async ended(): Promise<Said> {
    await this.#exited;
    return Object.assign(
      {},
      ...this.#text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    );
  }
}

async function endUntold(session: Session): Promise<string> {
  const task = await session.spawn('true', { shell: 'sh' });
  await task.wait({ ack: false });
  return task.id;
}

async function callsOf(world: World, session: Session, env: Record<string, string>): Promise<number> {
  const { calls = 0, result } = await new Claimer(world, await endUntold(session), env).ended();
  assert.equal(result, 'ours');
  assert.ok(calls > 1, `${calls} calls`);
  return calls;
}

test('when a process dies at any call of a claim, the next one gets the completion, and knows whether somebody was told', async () => {
  await using world = new World();
  const session = await world.session('s');
  const deliveries = new Deliveries(session);
  const calls = await callsOf(world, session, {});
  for (let at = 1; at <= calls + 1; at += 1) {
    const taskId = await endUntold(session);
    const said = await new Claimer(world, taskId, { DIES_AT_CALL: String(at) }).ended();
    const { result, earlier } = deliveries.claim(taskId, { id: 'ours' });
    // What it had acknowledged it may not have said.
    if (said.acked === undefined && result === 'not_pending') assert.equal(said.result, 'ours');
    else assert.equal(result, said.acked === true ? 'not_pending' : 'ours', `before call ${at}`);
    if (result === 'ours' && said.result === 'ours') assert.equal(earlier, 1, `before call ${at}`);
  }
});

test('when a process is stopped at any call of a claim, exactly one of two is told', async () => {
  await using world = new World();
  const session = await world.session('s');
  const deliveries = new Deliveries(session);
  const looks = { COUNTS_LOOKS: '1' };
  const calls = await callsOf(world, session, looks);
  await atSomeCalls(
    calls,
    async (at) => {
      const taskId = await endUntold(session);
      const claimer = new Claimer(world, taskId, { ...looks, PAUSES_AT_CALL: String(at) });
      const { pid = 0 } = claimer.child;
      await untilStopped(pid);
      const ours = deliveries.claim(taskId, { id: 'ours' });
      process.kill(pid, 'SIGCONT');
      const theirs = await claimer.ended();
      const told = [ours.result, theirs.result].filter((result) => result === 'ours');
      assert.equal(told.length, 1, `stopped before call ${at}: ${ours.result}, ${theirs.result}`);
    },
    1,
  );
});
