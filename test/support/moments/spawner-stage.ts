import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Agent } from '../agents.ts';
import { fixturePath, type World, waitFor } from '../world.ts';
import { compileAtCall, isStopped, type Plan, readReport } from './at-call.ts';
import { type Answer, checkEnd } from './check.ts';
import { commandOf, type Life, type LifeName, lives, optionsOf } from './lives.ts';
import { type Act, later, Observer } from './observer.ts';
import { CaseRecord } from './record.ts';

/** One case: in which life, and before which of its calls the spawner is killed or stopped. */
export interface SpawnerCase {
  readonly life: LifeName;
  /** 0: nothing happens to it. */
  readonly number: number;
  /** What that call is, as a rule: no two lives make quite the same calls. */
  readonly call?: string;
  readonly action: 'kill' | 'stop';
  readonly act: Act;
  /** What happens to the shim, at a call of its own. */
  readonly shim?: Plan;
  /**
   * At which of its calls the process is stopped that opens the session meanwhile, and sweeps it. The spawner goes on
   * first.
   */
  readonly sweeper?: number;
}

type Ended = Answer & { readonly calls: readonly string[] | null };

/** Where spawners are killed or stopped at their calls; see fixtures/dies-at-call.mjs for which these are. */
export class SpawnerStage implements AsyncDisposable {
  readonly #world: World;
  readonly #observer: Observer;
  readonly #atCall: string | null;
  readonly #sweeperBefore: readonly string[];
  #cases = 0;

  private constructor(
    world: World,
    observer: Observer,
    atCall: string | null,
    sweeperBefore: readonly string[],
  ) {
    this.#world = world;
    this.#observer = observer;
    this.#atCall = atCall;
    this.#sweeperBefore = sweeperBefore;
  }

  /**
   * @param traced shims can be killed and stopped as well.
   * @param sweeperBefore what sweepers are run behind, such as a command that enters a container.
   */
  static async set(
    world: World,
    { traced = false, sweeperBefore = [] }: { traced?: boolean; sweeperBefore?: readonly string[] } = {},
  ): Promise<SpawnerStage> {
    const atCall = traced ? compileAtCall(world) : null;
    return new SpawnerStage(world, await Observer.start(world), atCall, sweeperBefore);
  }

  /** The calls that the spawner makes in a life. */
  async calls(life: LifeName): Promise<readonly string[]> {
    const { calls } = (await this.play({ life, number: 0, action: 'stop', act: 'look' })) ?? { calls: null };
    assert.ok(calls !== null && calls.length > 10, 'the calls of a spawner are counted');
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
      await using sweeper = one.sweeper === undefined ? null : await this.#sweep(record.id, one.sweeper);
      const isLookedAt = one.action === 'stop' && sweeper === null;
      const told = isLookedAt ? await this.#observer.act(record.id, one.act) : [];
      record.checkMeanwhile(told);
      // A shim may be stopped later, by a call that it makes only then.
      poking = setInterval(poke, 10);
      const { isEndless = false, isQueued = false, writes }: Life = lives[one.life];
      if (isQueued) writeFileSync(record.gate, '');
      await leading;
      await sweeper?.goOn();
      if (isEndless) await this.#observer.act(record.id, 'stop');
      const last = await this.#observer.act(record.id, 'settle');
      record.checkNames(last);
      await record.checkOutputs(last, writes);
      const all = await this.#observer.act(record.id, 'end');
      await record.untilNothingIsLeft(poke);
      const killed = one.action === 'kill' ? one.shim?.role : undefined;
      const deed = {
        life: one.life,
        mayBeLost: killed === 'shim',
        isHookHurt: killed === 'shim' || killed === 'runner' || killed === 'hook',
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

  /** Another process, for which it is later, opens the session and is stopped on its way, or has closed it. */
  async #sweep(sessionId: string, number: number): Promise<Sweeper> {
    const agent = await Agent.start(this.#world.dir, {
      before: this.#sweeperBefore,
      node: ['--import', later, '--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
      env: { PAUSES_AT_CALL: String(number) },
    });
    const sweeper = new Sweeper(agent, sessionId);
    await waitFor(() => sweeper.isOver || isStopped(agent.pid), 'the sweeper to stop or to end');
    return sweeper;
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

/** Who opens a session and closes it. */
class Sweeper implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #sweeping: Promise<void>;
  isOver = false;

  constructor(agent: Agent, sessionId: string) {
    this.#agent = agent;
    this.#sweeping = this.#sweep(sessionId);
  }

  async #sweep(sessionId: string): Promise<void> {
    await this.#agent.run(async ({ store }, id) => {
      (globalThis as unknown as { diesAtCall: { begin(): void } }).diesAtCall.begin();
      await (await store.session(id)).close();
    }, sessionId);
    this.isOver = true;
  }

  /** Lets it come to its end. */
  async goOn(): Promise<void> {
    signal(this.#agent.pid);
    await this.#sweeping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signal(this.#agent.pid);
    await this.#agent[Symbol.asyncDispose]();
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
  const { body, isEndless = false, isQueued = false, follows = false }: Life = lives[life];
  const env = shim === undefined ? {} : { AT_CALL: `${shim.role}:${shim.number}:${shim.action}:${report}` };
  const asked = {
    id: record.id,
    command: commandOf(body, dir, record.ran),
    options: { ...optionsOf(lives[life], record.ran), env },
    gate: isQueued ? record.gate : null,
    isEndless,
    follows,
  };
  const run = spawner.run(async ({ store, OutliveError, fs }, { id, gate, ...call }): Promise<Ended> => {
    const counter = (globalThis as unknown as { diesAtCall: { begin(): void; names(): string[] } })
      .diesAtCall;
    counter.begin();
    let answer: { id: string } | { code: string; message: string };
    try {
      const session = await store.session(id, { maxRunning: 1 });
      const wait = `until [ -e '${gate}' ]; do sleep 0.01; done`;
      const first = gate === null ? null : await session.spawn(wait);
      const after = call.follows && first !== null ? { after: first.id } : {};
      const task = await session.spawn(call.command, { ...call.options, ...after });
      answer = { id: task.id };
      if (gate !== null) fs.writeFileSync(gate, '');
      if (call.isEndless) await task.kill({ graceMs: 20, ack: false });
      else await task.wait({ ack: false });
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      answer ??= { code: error.code, message: error.message };
    }
    return { ...answer, calls: counter.names() };
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
