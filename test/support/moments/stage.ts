import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../agents.ts';
import { type World, waitFor } from '../world.ts';
import { compileAtCall, type Plan, type Role, readReport, type Said, untilStopped } from './at-call.ts';
import { type Answer, checkEnd } from './check.ts';
import { commandOf, type Life, type LifeName, lives } from './lives.ts';
import { type Act, Observer } from './observer.ts';
import { CaseRecord } from './record.ts';

/** One case: in which life, at which call of which process, what happens, and what others do meanwhile. */
export interface Case extends Plan {
  readonly life: LifeName;
  readonly act: Act;
  /** The same happens to the spawner at the same moment. */
  readonly both?: boolean;
}

/** Where cases are played: a spawner, an observer for whom it is later, and this process. */
export class Stage implements AsyncDisposable {
  readonly #world: World;
  readonly #observer: Observer;
  readonly #env: NodeJS.ProcessEnv;
  /** Null: it was killed. */
  #spawner: Agent | null;
  #cases = 0;

  private constructor(world: World, observer: Observer, spawner: Agent, env: NodeJS.ProcessEnv) {
    this.#world = world;
    this.#observer = observer;
    this.#spawner = spawner;
    this.#env = env;
  }

  /** @param stay shims stay children of their spawner, as where nobody reaps orphans. */
  static async set(world: World, { stay = false } = {}): Promise<Stage> {
    const env = { OUTLIVE_SHIM: compileAtCall(world), ...(stay && { AT_CALL_STAYS: '1' }) };
    const spawner = await Agent.start(world.dir, { env });
    const stage = new Stage(world, await Observer.start(world), spawner, env);
    if (stay)
      await waitFor(async () => (await stage.counts('ends')).launcher === 0, 'shims to stay children');
    return stage;
  }

  /** How many calls the processes of a life make. */
  async counts(life: LifeName): Promise<Readonly<Record<Role, number>>> {
    const said = await this.play({ life, role: 'shim', number: 0, action: 'count', act: 'look' });
    assert.ok(said.counts !== null);
    return said.counts;
  }

  /** Plays a case and checks all that is promised. */
  async play(one: Case): Promise<Said> {
    this.#cases += 1;
    const record = new CaseRecord(this.#world, `case-${this.#cases}`);
    try {
      return await this.#play(one, record);
    } catch (error) {
      throw new Error(`${JSON.stringify(one)}: ${String(error)}\n${record.describe()}`, { cause: error });
    }
  }

  async #play(one: Case, record: CaseRecord): Promise<Said> {
    if (this.#spawner === null) this.#spawner = await Agent.start(this.#world.dir, { env: this.#env });
    const spawner = this.#spawner;
    const life: Life = lives[one.life];
    const report = `${this.#world.base}/${record.id}.report`;
    const answered = this.#spawn(spawner, one, record, report);
    const said = await this.#untilItHappens(spawner, life, record, report);
    const { pid } = said;
    const spawnerDies = one.action === 'kill' && one.both === true;
    if (spawnerDies) {
      await spawner.crash();
      this.#spawner = null;
    }
    const told =
      one.action === 'stop' && pid !== null ? await this.#meanwhile(spawner, one, record, pid) : [];
    const answer = await answered;
    if (life.isQueued) writeFileSync(record.gate, '');
    if (life.isEndless) await this.#observer.act(record.id, 'stop');
    const last = await this.#observer.act(record.id, 'settle');
    record.checkNames(last);
    const ended = await this.#observer.act(record.id, 'end');
    await record.untilNothingIsLeft(() => one.action === 'stop' && pid !== null && goOn(pid));
    const deed = {
      life: one.life,
      mayBeLost: one.action === 'kill' && one.role === 'shim',
      isChildKilled: one.action === 'kill' && one.role === 'child',
      // A spawner whose launcher is killed takes the task back.
      isStopped: one.action === 'stop' ? one.act === 'stop' : one.role === 'launcher',
      isUndisturbed: pid === null,
    };
    const facts = { lines: record.lines(), facts: record.facts() };
    checkEnd(deed, { answer: spawnerDies ? null : answer, told, last, ended, ...facts });
    await this.#observer.checkNothingIsLeft(this.#spawner?.pid ?? null);
    return said;
  }

  /** A process is stopped, and for others an hour has passed. */
  async #meanwhile(
    spawner: Agent,
    { act, both }: Case,
    record: CaseRecord,
    pid: number,
  ): Promise<TaskSnapshot[]> {
    await untilStopped(pid);
    if (both) {
      process.kill(spawner.pid, 'SIGSTOP');
      await untilStopped(spawner.pid);
    }
    const told = await this.#observer.act(record.id, act);
    record.checkMeanwhile(told);
    if (both) process.kill(spawner.pid, 'SIGCONT');
    goOn(pid);
    return told;
  }

  async #spawn(
    spawner: Agent,
    { life, role, number, action }: Case,
    record: CaseRecord,
    report: string,
  ): Promise<Answer> {
    const { options = {}, isQueued = false, body }: Life = lives[life];
    const command = commandOf(body, this.#world.dir, record.ran);
    const env = { AT_CALL: `${role}:${number}:${action}:${report}` };
    const asked = {
      id: record.id,
      command,
      options: { ...options, name: 'case', env },
      gate: isQueued ? record.gate : null,
    };
    return await spawner
      .run(async ({ store, OutliveError }, { id, gate, ...call }): Promise<Answer> => {
        const session = await store.session(id, { maxRunning: 1 });
        try {
          if (gate !== null) await session.spawn(`until [ -e '${gate}' ]; do sleep 0.01; done`);
          return { id: (await session.spawn(call.command, call.options)).id };
        } catch (error) {
          if (!(error instanceof OutliveError)) throw error;
          return { code: error.code, message: error.message };
        }
      }, asked)
      .catch((error: unknown) => ({ code: undefined, message: String(error) }));
  }

  /** Waits until the tracer has done it, or everything that it traces has ended. */
  async #untilItHappens(spawner: Agent, life: Life, record: CaseRecord, report: string): Promise<Said> {
    let isStopped = false;
    let said: Said | null = null;
    await waitFor(() => {
      said = readReport(report);
      if (said !== null) return true;
      if (life.isQueued && record.has('waiting')) writeFileSync(record.gate, '');
      if (isStopped || !record.has(life.isEndless ? 'started' : 'left')) return false;
      isStopped = true;
      // Not waited for: its shim, or the spawner itself, may die of it.
      void stopBy(spawner, record.id);
      return false;
    }, 'the call');
    assert.ok(said !== null);
    return said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spawner?.[Symbol.asyncDispose]();
    await this.#observer[Symbol.asyncDispose]();
  }
}

async function stopBy(spawner: Agent, sessionId: string): Promise<void> {
  const stop = spawner.run(async ({ store }, id) => {
    const session = await store.session(id);
    for (const { taskId } of await session.tasks()) await session.task(taskId).kill({ graceMs: 20 });
  }, sessionId);
  await stop.catch(() => undefined);
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}
