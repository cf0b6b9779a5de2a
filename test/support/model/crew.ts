import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Agent } from '../agents.ts';
import { later } from '../moments/observer.ts';
import { cookieOf, isShim, livePids } from '../processes.ts';
import { fixturePath, quote, type World } from '../world.ts';
import { type Expected, maxRunning } from './history.ts';
import { type Entry, perform, type Request } from './perform.ts';

type Verb = Request extends infer R
  ? R extends Request
    ? Omit<R, 'journal' | 'who' | 'maxRunning'>
    : never
  : never;

/** A process that has the store open, and what it was asked and has not answered. */
export interface Member {
  readonly who: string;
  readonly agent: Agent;
  readonly inFlight: Map<Promise<unknown>, Verb>;
  /** The sessions that it has open. */
  readonly open: Set<string>;
  /** Sessions whose completions it takes. */
  readonly consumes: Set<string>;
  /** It was stopped, or is about to stop itself: until somebody lets it go on, it may do nothing. */
  frozen: boolean;
}

/** What the agents have beside their store; see fixtures/dies-at-call.mjs. */
interface WithPauses {
  readonly diesAtCall: { pauseIn(calls: number): void };
}

const pausing = ['--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href];

/** Between two attempts to let everybody go on. */
const thawEveryMs = 20;

/** What any of these may answer: others act at the same time. */
const fair = new Set(['CLOSED', 'TASK_LIMIT', 'TASK_NOT_FOUND']);

const isShimOf = (pid: number, taskId: string): boolean =>
  isShim(pid) && cookieOf(pid)?.startsWith(`${taskId}.`) === true;

/** The real side of the model: some processes on one store, and the gates at which commands wait for their end. */
export class Crew {
  readonly world: World;
  readonly journal: string;
  /** What no model allows, found when nobody waited for it. */
  readonly faults: string[] = [];
  steps = 0;
  readonly #members: (Member | null)[] = [null, null, null];
  readonly #gates = new Map<string, number>();
  #started = 0;
  #spare: Promise<Agent> | undefined;
  #late: Promise<Member> | undefined;
  readonly #frozenShims = new Set<number>();

  constructor(world: World) {
    this.world = world;
    this.journal = join(world.base, 'journal');
  }

  /** Those that live. */
  get members(): Member[] {
    return this.#members.filter((member) => member !== null);
  }

  /** The process in a place, started if there is none. */
  async member(place: number): Promise<Member> {
    const at = place % this.#members.length;
    const known = this.#members[at];
    if (known) return known;
    this.#started += 1;
    const agent = await (this.#spare ?? this.#start());
    // The next one is there when it is asked for: starting takes longer than most steps.
    this.#spare = this.#start();
    this.#spare.catch(() => undefined);
    const member = memberOf(`agent-${this.#started}`, agent);
    this.#members[at] = member;
    return member;
  }

  #start(): Promise<Agent> {
    return Agent.start(this.world.dir, { sessionId: 'idle', node: pausing });
  }

  /** The process for which it is an hour later: to it whoever is stopped has been so for as long. */
  async lateMember(): Promise<Member> {
    const start = async (): Promise<Member> =>
      memberOf('late', await Agent.start(this.world.dir, { sessionId: 'idle', node: ['--import', later] }));
    this.#late ??= start();
    return await this.#late;
  }

  /** Asks for something, and does not wait for it. */
  ask(
    member: Member,
    verb: Verb,
    answered: (ids: readonly string[]) => void,
    failed?: (code: string, message: string) => void,
  ): void {
    const request = { ...verb, journal: this.journal, who: member.who, maxRunning } as Request;
    if (verb.verb !== 'closeStore' && verb.verb !== 'close') member.open.add(verb.session);
    const work: Promise<unknown> = member.agent
      .run(perform, request)
      .then(answered, (error: { code?: string; message: string }) => {
        if (fair.has(error.code ?? '') || (verb.verb === 'spawn' && error.code !== undefined))
          failed?.(error.code ?? '', error.message);
        else if (error.message !== 'the agent is gone')
          this.faults.push(`${JSON.stringify(verb)}: ${error.message}`);
      })
      .finally(() => member.inFlight.delete(work));
    member.inFlight.set(work, verb);
  }

  /** Whether somebody was asked to do something to a session and has not answered. */
  isAsked(verb: Request['verb'], session: string): boolean {
    const open = this.members.flatMap(({ inFlight }) => [...inFlight.values()]);
    return open.some((asked) => asked.verb === verb && asked.session === session);
  }

  /** Ends a process as a crash would. Gives what it had not answered, and whose completions it took. */
  async crash(place: number): Promise<{ verbs: Verb[]; consumed: string[] } | null> {
    const at = place % this.#members.length;
    const member = this.#members[at];
    if (!member) return null;
    const verbs = [...member.inFlight.values()];
    this.note({ what: 'crashing', who: member.who });
    await member.agent.crash();
    await Promise.allSettled(member.inFlight.keys());
    this.#members[at] = null;
    return { verbs, consumed: [...member.consumes] };
  }

  /** Lets a process end in order, its store closed while other things are still on their way. */
  async leave(place: number): Promise<void> {
    const at = place % this.#members.length;
    const member = this.#members[at];
    if (!member) return;
    await this.thaw(member);
    this.ask(member, { verb: 'closeStore', session: 'idle' }, () => undefined);
    await Promise.allSettled(member.inFlight.keys());
    this.note({ what: 'crashing', who: member.who });
    await member.agent[Symbol.asyncDispose]();
    this.#members[at] = null;
  }

  freeze(member: Member): void {
    process.kill(member.agent.pid, 'SIGSTOP');
    member.frozen = true;
  }

  /** Has it stop itself at one of its next calls. */
  freezeAtCall(member: Member, calls: number): void {
    this.#pauseIn(member, calls).catch(() => undefined);
    member.frozen = true;
  }

  async #pauseIn({ agent }: Member, calls: number): Promise<void> {
    await agent.run((_, more) => (globalThis as unknown as WithPauses).diesAtCall.pauseIn(more), calls);
  }

  /** Lets some processes go on, for good: one may stop itself only now. */
  async thaw(...members: readonly Member[]): Promise<void> {
    const frozen = members.filter((member) => member.frozen);
    const thawing = setInterval(() => {
      for (const { agent } of frozen) goOn(agent.pid);
    }, thawEveryMs);
    await Promise.allSettled(frozen.map((member) => this.#pauseIn(member, 0)));
    clearInterval(thawing);
    for (const member of frozen) {
      goOn(member.agent.pid);
      member.frozen = false;
    }
  }

  /** All processes go on, and have answered everything. */
  async calm(): Promise<void> {
    for (const pid of this.#frozenShims) goOn(pid);
    this.#frozenShims.clear();
    await this.thaw(...this.members);
    const late = await this.#late;
    const all = [...this.members, ...(late === undefined ? [] : [late])];
    await Promise.allSettled(all.flatMap(({ inFlight }) => [...inFlight.keys()]));
  }

  /** The command of a task, which waits at a gate of its own. */
  commandOf({ tag, kind, leftovers }: Expected): string {
    if (kind === 'quick') return 'exit 3';
    const path = join(this.world.base, `gate-${tag}`);
    execFileSync('mkfifo', [path]);
    this.#gates.set(tag, openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    // Who is waited for must end by himself.
    const child = leftovers === 'wait' ? 'sleep 0.3 &' : 'setsid sleep 1000 &';
    const before = { plain: '', stubborn: "trap '' TERM;", leaves: child }[kind];
    return `${before} read -r code <>${quote(path)}; exit "$code"`;
  }

  /** Opens the gate of a task: its command ends with a code. */
  finish(tag: string, code: number): void {
    const gate = this.#gates.get(tag);
    if (gate !== undefined) writeSync(gate, `${code}\n`);
  }

  /** Ends the shim of a task by SIGKILL, if it is there. */
  killShim({ taskId }: Expected): boolean {
    const shim = taskId === null ? undefined : livePids().find((pid) => isShimOf(pid, taskId));
    if (shim !== undefined) process.kill(shim, 'SIGKILL');
    return shim !== undefined;
  }

  /** Stops the shim of a task, if it is there, until all is calm. Others may continue it before. */
  freezeShim({ taskId }: Expected): void {
    const shim = taskId === null ? undefined : livePids().find((pid) => isShimOf(pid, taskId));
    if (shim === undefined) return;
    this.#frozenShims.add(shim);
    process.kill(shim, 'SIGSTOP');
  }

  note(entry: Entry): void {
    appendFileSync(this.journal, `${JSON.stringify(entry)}\n`);
  }

  entries(): Entry[] {
    if (!existsSync(this.journal)) return [];
    const lines = readFileSync(this.journal, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Entry);
  }

  /** Ends all processes, and lets the gates go. */
  async end(): Promise<void> {
    for (const pid of this.#frozenShims) goOn(pid);
    for (const [place, member] of this.#members.entries()) if (member) await this.crash(place);
    await (await this.#late)?.agent.crash();
    this.#late = undefined;
    await (await this.#spare)?.crash();
    this.#spare = undefined;
    for (const gate of this.#gates.values()) closeSync(gate);
    this.#gates.clear();
  }
}

function memberOf(who: string, agent: Agent): Member {
  return { who, agent, inFlight: new Map(), open: new Set(), consumes: new Set(), frozen: false };
}

/** Lets a process go on that was stopped; it may have ended. */
function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has.
  }
}
