import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isEnded, type TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../agents.ts';
import { forkServersOf } from '../fork-servers.ts';
import { lives } from '../processes.ts';
import { type World, waitFor } from '../world.ts';
import { compileAtCall, encodePlan, type Plan, readReport, type Said, untilStopped } from './at-call.ts';
import type { Answer } from './check.ts';
import { failuresOf } from './failures.ts';
import { type Act, acts, Observer } from './observer.ts';
import { describeProcess } from './record.ts';

/** One case: what happens to a fork server at which of its calls, and what others do meanwhile. */
export interface BurstCase extends Plan {
  readonly role: 'server';
  readonly act: Act;
  /** The same happens to its spawner at that moment. */
  readonly both: boolean;
}

/** So many spawns are begun at the same moment, all but the first of which go through the server. */
const spawns = 5;

/** Where bursts are led whose fork server is killed or stopped, or has a call fail. */
export class BurstStage implements AsyncDisposable {
  readonly #world: World;
  readonly #observer: Observer;
  readonly #program: string;
  #cases = 0;

  private constructor(world: World, observer: Observer, program: string) {
    [this.#world, this.#observer, this.#program] = [world, observer, program];
  }

  static async set(world: World): Promise<BurstStage> {
    return new BurstStage(world, await Observer.start(world), compileAtCall(world));
  }

  /** Every call of a server at which that can happen to it. */
  async points(action: 'kill' | 'stop' | 'fail', both = false): Promise<BurstCase[]> {
    const { calls } = await this.play({
      role: 'server',
      number: 0,
      action: 'count',
      act: 'look',
      both: false,
    });
    const made = calls?.server ?? [];
    return made.flatMap((call, at): BurstCase[] => {
      const point = { role: 'server', number: at + 1, action, act: 'look', both } as const;
      if (action === 'kill') return [point];
      if (action === 'stop') return acts.map((act) => ({ ...point, act }));
      return failuresOf(call).map((failure) => ({ ...point, failure }));
    });
  }

  /** Plays a case and checks all that is promised. */
  async play(one: BurstCase): Promise<Said> {
    this.#cases += 1;
    const id = `burst-${this.#cases}`;
    const ran = `${this.#world.base}/${id}.ran`;
    try {
      return await this.#play(one, id, ran);
    } catch (error) {
      const lines = existsSync(ran) ? readFileSync(ran, 'utf8') : 'nothing has run';
      throw new Error(`${JSON.stringify(one)}: ${String(error)}\n${lines}`, { cause: error });
    }
  }

  async #play(one: BurstCase, id: string, ran: string): Promise<Said> {
    const report = `${this.#world.base}/${id}.report`;
    writeFileSync(`${this.#program}.plan`, encodePlan(one, report));
    await using spawner = await Agent.start(this.#world.dir, { env: { OUTLIVE_SHIM: this.#program } });
    let answers: readonly Answer[] | null = null;
    const answering = lead(spawner, id, ran).then((told) => {
      answers = told;
    });
    answering.catch(() => undefined);
    await waitFor(() => readReport(report) !== null || answers !== null, 'the call, or the answers');
    const hit = readReport(report)?.pid ?? null;
    const told = hit === null ? [] : await this.#meanwhile(one, spawner, id, hit);
    const isCrashed = hit !== null && one.both && one.action === 'kill';
    if (isCrashed) await answering.catch(() => undefined);
    else await waitFor(() => answers !== null, 'the answers');
    const [server] = isCrashed ? [] : forkServersOf(spawner.pid);
    if (!isCrashed) await spawner.run(async ({ store }) => await store.close());
    const isOver = (): boolean => {
      // It may come to the call at which it stops only now.
      if (server !== undefined && one.action === 'stop' && lives(server)) process.kill(server, 'SIGCONT');
      return server === undefined || !lives(server);
    };
    await waitFor(isOver, 'the fork server to end').catch((error: unknown) => {
      throw new Error(`${error}: ${describeProcess(server ?? 0)}`);
    });
    await waitFor(() => readReport(report) !== null, 'the report');
    const said = readReport(report) as Said;
    // For the observer it is an hour later: a task that has not said yet that it runs would never do so.
    if (one.action === 'count') await waitFor(() => linesOf(ran).length === answers?.length, 'all to run');
    const last = await this.#observer.act(id, 'settle');
    this.#check(one, { answers: answers ?? [], told, last, lines: linesOf(ran) });
    await this.#observer.act(id, 'end');
    await this.#observer.checkNothingIsLeft(isCrashed ? null : spawner.pid);
    return said;
  }

  /** What happens to the spawner, and what others are told meanwhile. */
  async #meanwhile(
    one: BurstCase,
    spawner: Agent,
    id: string,
    server: number | null,
  ): Promise<TaskSnapshot[]> {
    if (server === null) return [];
    if (one.action === 'kill' && one.both) await spawner.crash();
    if (one.action !== 'stop') return [];
    await untilStopped(server);
    if (one.both) {
      process.kill(spawner.pid, 'SIGSTOP');
      await untilStopped(spawner.pid);
    }
    const told = await this.#observer.act(id, one.act);
    // Either may go on first.
    const stopped = one.both ? [spawner.pid, server] : [server];
    for (const pid of one.number % 2 === 0 ? stopped : stopped.reverse()) process.kill(pid, 'SIGCONT');
    return told;
  }

  #check(one: BurstCase, found: Findings): void {
    const { answers, told, last, lines } = found;
    const all = [...told, ...last].filter(({ status }) => isEnded(status));
    assert.deepEqual(new Set(lines).size, lines.length, 'a command has run twice');
    for (const { taskId, status, statusReason, exitCode } of all) {
      const end = `${taskId}: ${status} ${statusReason} ${exitCode}`;
      if (exitCode === 3 || statusReason === 'spawn_aborted')
        assert.equal(lines.includes(taskId), exitCode === 3, `what is told is what has run: ${end}`);
      assert.ok(status !== 'lost', `it is told as lost, and no shim was killed: ${end}`);
    }
    const known = new Set(all.map(({ taskId }) => taskId));
    for (const line of lines) assert.ok(known.has(line), `${line} has run, and there is no record of it`);
    for (const answer of answers) {
      if ('id' in answer) assert.ok(known.has(answer.id), 'it was answered, and there is no record of it');
      else assert.match(answer.code ?? answer.message, /^(?:SPAWN_FAILED|STORE_UNWRITABLE)$/);
    }
    assert.ok(
      last.every(({ status }) => isEnded(status)),
      'all have ended',
    );
    if (one.action === 'stop' && one.act === 'look') {
      const outcomes = last.map(({ status, exitCode }) => `${status} ${exitCode}`);
      // For the observer the spawner is long dead, so what it had not heard of yet never runs.
      if (!one.both)
        assert.ok(
          outcomes.every((outcome) => /^failed (?:3|null)$/.test(outcome)),
          `${outcomes}`,
        );
    }
    if (one.action !== 'count') return;
    assert.deepEqual(
      last.map(({ exitCode }) => exitCode),
      Array(spawns).fill(3),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#observer[Symbol.asyncDispose]();
  }
}

interface Findings {
  /** What the spawner was answered. */
  readonly answers: readonly Answer[];
  /** What others were told while the server stood still, and in the end. */
  readonly told: readonly TaskSnapshot[];
  readonly last: readonly TaskSnapshot[];
  /** The tasks whose commands have run. */
  readonly lines: readonly string[];
}

function linesOf(ran: string): string[] {
  return existsSync(ran) ? readFileSync(ran, 'utf8').split('\n').filter(Boolean) : [];
}

async function lead(spawner: Agent, sessionId: string, ran: string): Promise<Answer[]> {
  return await spawner.run(
    async ({ store, OutliveError }, { id, path, count }): Promise<Answer[]> => {
      const session = await store.session(id, { maxRunning: 100 });
      const one = async (): Promise<Answer> => {
        try {
          const command = `echo "\${OUTLIVE_TASK%%.*}" >> '${path}'; exit 3`;
          return { id: (await session.spawn(command, { labels: { kind: 'case' } })).id };
        } catch (error) {
          if (!(error instanceof OutliveError)) throw error;
          return { code: error.code, message: error.message };
        }
      };
      return await Promise.all(Array.from({ length: count }, one));
    },
    { id: sessionId, path: ran, count: spawns },
  );
}
