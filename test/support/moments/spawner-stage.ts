import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Agent } from '../agents.ts';
import { fixturePath, type World, waitFor } from '../world.ts';
import { compileAtCall, isStopped, type Plan, readReport } from './at-call.ts';
import { type Answer, checkEnd } from './check.ts';
import { commandOf, type Life, type LifeName, lives } from './lives.ts';
import { type Act, Observer } from './observer.ts';
import { CaseRecord } from './record.ts';

/** One case: in which life, and before which of its calls the spawner is killed or stopped. */
export interface SpawnerCase {
  readonly life: LifeName;
  /** 0: nothing happens to it. */
  readonly number: number;
  readonly action: 'kill' | 'stop';
  readonly act: Act;
  /** What happens to the shim, at a call of its own. */
  readonly shim?: Plan;
}

type Ended = Answer & { readonly calls: number | null };

/** Where spawners are killed or stopped at their calls; see fixtures/dies-at-call.mjs for which these are. */
export class SpawnerStage implements AsyncDisposable {
  readonly #world: World;
  readonly #observer: Observer;
  readonly #atCall: string | null;
  #cases = 0;

  private constructor(world: World, observer: Observer, atCall: string | null) {
    this.#world = world;
    this.#observer = observer;
    this.#atCall = atCall;
  }

  /** @param traced shims can be killed and stopped as well. */
  static async set(world: World, { traced = false } = {}): Promise<SpawnerStage> {
    return new SpawnerStage(world, await Observer.start(world), traced ? compileAtCall(world) : null);
  }

  /** How many calls the spawner makes in a life. */
  async count(life: LifeName): Promise<number> {
    const { calls } = (await this.play({ life, number: 0, action: 'stop', act: 'look' })) ?? { calls: null };
    assert.ok(calls !== null && calls > 10, 'the calls of a spawner are counted');
    return calls;
  }

  /** Plays a case and checks all that is promised. Null: the spawner is dead. */
  async play(one: SpawnerCase): Promise<Ended | null> {
    this.#cases += 1;
    const record = new CaseRecord(this.#world, `case-${this.#cases}`);
    try {
      return await this.#play(one, record);
    } catch (error) {
      throw new Error(`${JSON.stringify(one)}: ${String(error)}\n${record.describe()}`, { cause: error });
    }
  }

  async #play(one: SpawnerCase, record: CaseRecord): Promise<Ended | null> {
    const report = `${this.#world.base}/${record.id}.report`;
    const spawner = await this.#start(one);
    const poke = (): void => {
      const pid = readReport(report)?.pid ?? null;
      if (one.action === 'stop' && pid !== null) signal(pid);
      if (one.action === 'stop') signal(spawner.pid);
    };
    let poking: NodeJS.Timeout | undefined;
    try {
      let ended: Ended | null = null;
      const leading = lead(spawner, one, record, report, this.#world.dir).then((told) => {
        ended = told;
      });
      // Where its shim is stopped first, it may never come to its own call.
      const isShimStopped = (): boolean => one.action === 'stop' && readReport(report)?.pid != null;
      await waitFor(
        () => ended !== null || isStopped(spawner.pid) || isShimStopped(),
        'the spawner to die, stop or end, or its shim to stop',
      );
      const told = one.action === 'stop' ? await this.#observer.act(record.id, one.act) : [];
      record.checkMeanwhile(told);
      // A shim may be stopped later, by a call that it makes only then.
      poking = setInterval(poke, 10);
      const { isEndless = false, isQueued = false }: Life = lives[one.life];
      if (isQueued) writeFileSync(record.gate, '');
      await leading;
      if (isEndless) await this.#observer.act(record.id, 'stop');
      const last = await this.#observer.act(record.id, 'settle');
      record.checkNames(last);
      const all = await this.#observer.act(record.id, 'end');
      await record.untilNothingIsLeft(poke);
      const killed = one.action === 'kill' ? one.shim?.role : undefined;
      const deed = {
        life: one.life,
        mayBeLost: killed === 'shim',
        isChildKilled: killed === 'child',
        // A spawner whose launcher is killed takes the task back.
        isStopped: one.action === 'stop' ? one.act === 'stop' : killed === 'launcher',
        isUndisturbed: one.number === 0,
      };
      const answer = dies(ended) ? null : ended;
      checkEnd(deed, { answer, told, last, ended: all, lines: record.lines(), facts: record.facts() });
      await this.#observer.checkNothingIsLeft(answer === null ? null : spawner.pid);
      return answer;
    } finally {
      clearInterval(poking);
      poke();
      await spawner[Symbol.asyncDispose]();
    }
  }

  async #start({ number, action }: SpawnerCase): Promise<Agent> {
    return await Agent.start(this.#world.dir, {
      node: ['--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
      env: {
        [action === 'kill' ? 'DIES_AT_CALL' : 'PAUSES_AT_CALL']: String(number),
        ...(this.#atCall !== null && { OUTLIVE_SHIM: this.#atCall }),
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#observer[Symbol.asyncDispose]();
  }
}

function dies(ended: Ended | null): ended is null {
  return ended === null || ('code' in ended && ended.code === undefined);
}

/** Has the spawner lead a life. */
async function lead(
  spawner: Agent,
  { life, shim }: SpawnerCase,
  record: CaseRecord,
  report: string,
  dir: string,
): Promise<Ended> {
  const { body, options = {}, isEndless = false, isQueued = false }: Life = lives[life];
  const env = shim === undefined ? {} : { AT_CALL: `${shim.role}:${shim.number}:${shim.action}:${report}` };
  const asked = {
    id: record.id,
    command: commandOf(body, dir, record.ran),
    options: { ...options, name: 'case', env },
    gate: isQueued ? record.gate : null,
    isEndless,
  };
  const run = spawner.run(async ({ store, OutliveError, fs }, { id, gate, ...call }): Promise<Ended> => {
    const counter = (globalThis as unknown as { diesAtCall: { begin(): void; calls(): number } }).diesAtCall;
    counter.begin();
    let answer: { id: string } | { code: string; message: string };
    try {
      const session = await store.session(id, { maxRunning: 1 });
      if (gate !== null) await session.spawn(`until [ -e '${gate}' ]; do sleep 0.01; done`);
      const task = await session.spawn(call.command, call.options);
      answer = { id: task.id };
      if (gate !== null) fs.writeFileSync(gate, '');
      if (call.isEndless) await task.kill({ graceMs: 20 });
      else await task.wait({ ack: false });
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      answer ??= { code: error.code, message: error.message };
    }
    return { ...answer, calls: counter.calls() };
  }, asked);
  return await run.catch((error: unknown) => ({ code: undefined, message: String(error), calls: null }));
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}
