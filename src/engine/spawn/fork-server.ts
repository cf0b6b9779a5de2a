import { type ChildProcess, spawn } from 'node:child_process';
import { fstatSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { isSystemError } from '../../errors/error.ts';
import { expected } from '../../errors/expected.ts';
import { Turns } from '../../util/turns.ts';
import { after, monotonicMs, type Timer } from '../../util/wait.ts';
import { type Place, report } from '../session/background.ts';
import type { ForkServer, Handover, Launch, LaunchEnd } from '../session/context.ts';

/** A server that has been idle for this long ends: a burst is over. */
const idleMs = 1_000;

/** How many starts it passes on before other work gets a turn of the event loop. */
const launchesATurn = 5;

/** If this many servers die before they answer, something prevents them, and Node forks. */
const mostFailures = 3;

/** Linux hands at most 6 MB to a program. A launch has at most three times as many bytes as characters. */
const mostCharacters = 8 * 1024 * 1024;

/** Of the 128 Ki that a server takes. */
const mostFields = 100_000;

/** What is written to a server that has just ended gets lost; its end is told to those who wait. */
const endedMeanwhile = expected('EPIPE', 'ECONNRESET');

/**
 * Starts shims by a small process that forks, when several are started within a second: to fork this process takes a
 * millisecond, in which nothing else goes on here. The server lives for a second after the last one; a single spawn needs
 * none. Linux only.
 */
export class BurstForkServer implements ForkServer {
  readonly #place: Place;
  readonly #turns = new Turns(launchesATurn);
  #server: Server | null = null;
  #underWay = 0;
  #isClosed = false;
  #failures = 0;
  /** When the last one was started. */
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(dir: string) {
    this.#place = { store: { dir } };
  }

  async launch(launch: Launch, directly: () => Promise<LaunchEnd>): Promise<LaunchEnd> {
    const isBurst = this.#underWay > 0 || monotonicMs() - this.#lastMs < idleMs;
    this.#underWay += 1;
    try {
      const isServed =
        isBurst && process.platform === 'linux' && !this.#isClosed && this.#failures < mostFailures;
      return (isServed ? await this.#serveInTurn(launch) : null) ?? (await directly());
    } finally {
      this.#underWay -= 1;
      this.#lastMs = monotonicMs();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  /** A hundred requests in one go would hold the event loop for a fifth of a second. */
  async #serveInTurn(launch: Launch): Promise<LaunchEnd | null> {
    const serving = await this.#turns.run(
      () => ({ end: this.#serve(launch) }),
      () => 1,
    );
    return await serving.end;
  }

  /** @returns `null` when nothing was started: there is no server, or it could not. */
  async #serve(launch: Launch): Promise<LaunchEnd | null> {
    const handover = launch.prepare();
    const { bell } = handover;
    // A pipe is made with the process that Node starts.
    if (bell === 'pipe') return null;
    const traits = ownTraits();
    if (this.#server?.serves(launch.program, bell, traits) !== true) this.#end();
    if (traits !== null) this.#server ??= new Server(this.#place, launch.program, bell, traits);
    return (await this.#server?.launch(launch, handover)) ?? null;
  }

  #end(): void {
    if (this.#server?.hasFailed === true) this.#failures += 1;
    this.#server?.end();
    this.#server = null;
  }
}

class Server {
  /** It died before it answered anything. */
  hasFailed = false;
  #hasAnswered = false;
  readonly #traits: string;
  readonly #program: string;
  readonly #bell: number | null;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastNumber = 0;
  #isOver = false;
  #idle: Timer | null = null;
  #part = '';

  constructor(place: Place, program: string, bell: number | null, traits: string) {
    [this.#program, this.#bell, this.#traits] = [program, bell, traits];
    this.#child = spawn(program, ['serve'], {
      argv0: 'outlive-fork-server',
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore', 'ignore', ...(bell === null ? [] : [bell])],
    });
    this.#child.on('error', () => {
      // A signal that the system refuses is an error, too: then there is a server, and it sees the end of its input.
      if (this.#child.pid === undefined) this.#over();
    });
    // What it has answered is still to be read, but it starts nothing more.
    this.#child.on('exit', () => {
      this.#isOver = true;
    });
    this.#child.on('close', () => this.#over());
    this.#child.stdout?.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    const failed = (error: Error): void =>
      report(place, 'writing to the fork server', error, { codes: endedMeanwhile });
    for (const stream of [this.#child.stdin, this.#child.stdout]) stream?.on('error', failed);
    this.#hold(false);
  }

  serves(program: string, bell: number | null, traits: string | null): boolean {
    return !this.#isOver && program === this.#program && bell === this.#bell && traits === this.#traits;
  }

  /** @returns `null` when nothing was started. */
  async launch(launch: Launch, { environment }: Handover): Promise<LaunchEnd | null> {
    const { stdin, pid } = this.#child;
    if (this.#isOver || pid === undefined || !stdin?.writable) return null;
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const { dev, ino } = fstatSync(launch.log, { bigint: true });
    const { program, task, cwd, logPath } = launch;
    const variables = Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    const fields = [number, program, task, cwd, logPath, dev, ino, ...variables];
    const text = netstring(fields.map((field) => netstring(String(field))).join(''));
    // Node says of it what is wrong, and here it would harm those that come after it.
    if (text.length > mostCharacters || fields.length > mostFields) return null;
    this.#idle?.cancel();
    return await new Promise((resolve) => {
      this.#waiting.set(number, { answer: resolve, isBegun: false });
      this.#hold(true);
      stdin.write(text);
    });
  }

  /** It goes on until what was asked for is done. */
  end(): void {
    this.#isOver = true;
    this.#idle?.cancel();
    this.#child.stdin?.end();
    // One that was stopped by a signal would never see it.
    this.#child.kill('SIGCONT');
  }

  #take(text: string): void {
    const lines = (this.#part + text).split('\n');
    this.#part = lines.pop() ?? '';
    for (const line of lines) {
      const [number, kind, value] = /^(\d+) ([bns]?)(\d*)$/.exec(line)?.slice(1) ?? [];
      const waiting = this.#waiting.get(Number(number));
      this.#hasAnswered = true;
      if (waiting === undefined) continue;
      waiting.isBegun = true;
      if (kind === 'b') continue;
      this.#waiting.delete(Number(number));
      waiting.answer(kind === 'n' ? null : { code: kind === 's' ? null : Number(value) });
    }
    if (this.#waiting.size > 0) return;
    this.#hold(false);
    this.#idle = after(idleMs, () => this.end());
  }

  /** The starts that it had begun may have happened; that is not known. The rest did not. */
  #over(): void {
    this.#isOver = true;
    this.hasFailed = !this.#hasAnswered;
    this.#idle?.cancel();
    for (const { answer, isBegun } of this.#waiting.values()) answer(isBegun ? { code: null } : null);
    this.#waiting.clear();
  }

  /** Only a pending launch keeps this process alive. */
  #hold(holds: boolean): void {
    if (holds) this.#child.ref();
    else this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout]) {
      const pipe = stream as ((Readable | Writable) & { ref?: () => void; unref?: () => void }) | null;
      if (holds) pipe?.ref?.();
      else pipe?.unref?.();
    }
  }
}

interface Waiting {
  readonly answer: (end: LaunchEnd | null) => void;
  /** Then it is not known whether it was done, if the server dies. */
  isBegun: boolean;
}

function netstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

/**
 * What a child inherits of this process, beside what is said at each launch: a server that was started before one of these
 * changed would hand on what was. `null` where it cannot be read: then nobody serves.
 */
function ownTraits(): string | null {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    const lines = status.split('\n').filter((line) => inherited.test(line));
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const groups = readFileSync('/proc/self/cgroup', 'latin1');
    const score = readFileSync('/proc/self/oom_score_adj', 'latin1');
    return [...lines, getPriority(), limits, groups, score].join('\n');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null;
  }
}

const inherited = /^(?:Umask|Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp|Cpus_allowed|Mems_allowed):/;
