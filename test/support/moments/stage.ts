import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { TaskSnapshot } from '../../../src/index.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { Agent } from '../agents.ts';
import { type World, waitFor } from '../world.ts';
import {
  compileAtCall,
  encodePlan,
  type Plan,
  type Role,
  readReport,
  type Said,
  untilStopped,
} from './at-call.ts';
import { type Answer, checkEnd } from './check.ts';
import { commandOf, type Life, type LifeName, lives, optionsOf } from './lives.ts';
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
  readonly #name: string;
  /** Null: it was killed. */
  #spawner: Agent | null;
  #cases = 0;

  private constructor(
    world: World,
    observer: Observer,
    spawner: Agent,
    { env, name }: { readonly env: NodeJS.ProcessEnv; readonly name: string },
  ) {
    this.#world = world;
    this.#observer = observer;
    this.#spawner = spawner;
    this.#env = env;
    this.#name = name;
  }

  /**
   * @param stay shims stay children of their spawner, as where nobody reaps orphans.
   * @param name what tells its cases from those of another stage in the same world.
   */
  static async set(world: World, { stay = false, name = 'case' } = {}): Promise<Stage> {
    const env = { OUTLIVE_SHIM: compileAtCall(world) };
    if (stay) writeFileSync(`${env.OUTLIVE_SHIM}.stays`, '');
    const spawner = await Agent.start(world.dir, { env });
    const stage = new Stage(world, await Observer.start(world), spawner, { env, name });
    if (stay)
      await waitFor(async () => (await stage.calls('ends')).launcher.length === 0, 'shims to stay children');
    return stage;
  }

  /** The calls that the processes of a life make. */
  async calls(life: LifeName): Promise<Readonly<Record<Role, readonly number[]>>> {
    const said = await this.play({ life, role: 'shim', number: 0, action: 'count', act: 'look' });
    assert.ok(said.calls !== null);
    return said.calls;
  }

  /** Plays a case and checks all that is promised. */
  async play(one: Case): Promise<Said> {
    this.#cases += 1;
    const record = new CaseRecord(this.#world, `${this.#name}-${this.#cases}`);
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
    const said = await this.#untilItHappens(spawner, one, record, report);
    const { pid } = said;
    if (one.failure !== undefined && pid !== null)
      assert.equal(said.call, one.failure.call, 'the call that failed is the one that was to fail');
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
    await record.checkOutputs(last, life.writes);
    const ended = await this.#observer.act(record.id, 'end');
    await record.untilNothingIsLeft(() => one.action === 'stop' && pid !== null && goOn(pid));
    const deed = {
      life: one.life,
      mayBeLost: one.action === 'kill' && one.role === 'shim',
      isHookHurt: one.action !== 'kill' || ['shim', 'runner', 'hook'].includes(one.role),
      isChildKilled: one.action === 'kill' && one.role === 'child',
      // A spawner whose launcher is killed takes the task back.
      isStopped:
        one.action === 'stop' ? one.act === 'stop' : one.action === 'kill' && one.role === 'launcher',
      isUndisturbed: one.action === 'count',
      mayBeRefused: one.action === 'fail',
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

  async #spawn(spawner: Agent, { life, ...plan }: Case, record: CaseRecord, report: string): Promise<Answer> {
    const { isQueued = false, follows = false, body }: Life = lives[life];
    const command = commandOf(body, this.#world.dir, record.ran);
    const env = { AT_CALL: encodePlan(plan, report) };
    const asked = {
      id: record.id,
      command,
      options: { ...optionsOf(lives[life], record.ran), env },
      gate: isQueued ? record.gate : null,
      follows,
    };
    return await spawner
      .run(async ({ store, OutliveError }, { id, gate, follows: isAfter, ...call }): Promise<Answer> => {
        const session = await store.session(id, { maxRunning: 1 });
        try {
          const wait = `until [ -e '${gate}' ]; do sleep 0.01; done`;
          const first = gate === null ? null : await session.spawn(wait);
          const after = isAfter && first !== null ? { after: first.id } : {};
          return { id: (await session.spawn(call.command, { ...call.options, ...after })).id };
        } catch (error) {
          if (!(error instanceof OutliveError)) throw error;
          return { code: error.code, message: error.message };
        }
      }, asked)
      .catch((error: unknown) => ({ code: undefined, message: String(error) }));
  }

  /** Waits until the tracer has done it, or everything that it traces has ended. */
  async #untilItHappens(spawner: Agent, one: Case, record: CaseRecord, report: string): Promise<Said> {
    const life: Life = lives[one.life];
    // Where calls fail nobody may come to say who is left, or a stop reach nobody.
    const last: readonly Fact['fact'][] = life.isEndless
      ? ['started']
      : one.action === 'fail'
        ? ['exit', 'left']
        : ['left'];
    let isStopped = false;
    let typing: Promise<void> | null = null;
    let isTyping = life.isTyped === true;
    let said: Said | null = null;
    await waitFor(() => {
      said = readReport(report);
      if (said !== null) return true;
      if (life.isQueued && record.has('waiting')) writeFileSync(record.gate, '');
      if (isTyping && typing === null && record.has('started'))
        typing = typeBy(spawner, record.id).finally(() => {
          isTyping = false;
        });
      if (isStopped || isTyping || !last.some((kind) => record.has(kind))) return false;
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

async function typeBy(spawner: Agent, sessionId: string): Promise<void> {
  const typing = spawner.run(async ({ store }, id) => {
    const session = await store.session(id);
    for (const { taskId } of await session.tasks()) await session.task(taskId).send('one\n');
  }, sessionId);
  await typing.catch(() => undefined);
}

async function stopBy(spawner: Agent, sessionId: string): Promise<void> {
  const stop = spawner.run(async ({ store }, id) => {
    const session = await store.session(id);
    for (const { taskId } of await session.tasks())
      await session.task(taskId).kill({ graceMs: 20, ack: false });
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
