import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { OutliveError, shown } from '../../errors/error.ts';
import { defaults } from '../../model/limits.ts';
import type { TerminalSize } from '../../model/words.ts';
import { randomHex } from '../../util/crypto.ts';
import type { ClientCredentials } from '../admin/credentials.ts';
import { type ClientLink, invite, remove } from '../admin/invite.ts';
import type { RemoteSpec } from '../wire/assignment.ts';
import type { Invited } from '../wire/membership.ts';
import type { AttemptName } from '../wire/messages.ts';
import { isHostName, isTaskId, wireVersion } from '../wire/names.ts';
import type { RemoteHost, RemoteTask } from '../wire/operations.ts';
import { FleetTask } from './fleet-task.ts';
import { placementOf } from './placement.ts';
import { askAgain } from './requests.ts';

/** How to start a task in a fleet. */
export interface FleetSpawnOptions {
  /**
   * The name of a host; `label:KEY` or `label:KEY=VALUE`, several with commas; `any` or `least`: the least loaded host.
   */
  readonly on: string;
  /** The session that gets the completion. @default 'default' */
  readonly session?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** An absolute path on the host. @default the home of the user there */
  readonly cwd?: string;
  /** Variables for the command, in addition to those of its host. No other variable of this machine goes along. */
  readonly env?: Readonly<Record<string, string>>;
  /** For each variable, the name of its value in the host's secrets file. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The host stops the task after this many milliseconds; `null`: never. @default 1_800_000 (30 min), as for a local task */
  readonly timeoutMs?: number | null;
  /** @default 'none', with a `tty` 'open' */
  readonly stdin?: 'none' | 'open';
  /** Gives the command a terminal of this size. */
  readonly tty?: TerminalSize;
  /** After this many milliseconds no host may accept the task; `null`: no limit. @default 600_000 */
  readonly startByMs?: number | null;
  /**
   * How many times the task may start again on another host when its host is lost. It may then run twice.
   * @default 0
   */
  readonly redispatch?: number;
  /** The same key of the same client gives the same task. @default a new key */
  readonly key?: string;
  /**
   * How long to wait for the host to accept the task, in milliseconds, at most 60,000.
   * @default 0: it is only assigned
   */
  readonly acceptMs?: number;
}

/** Which tasks of a fleet to list. */
export interface FleetTasksOptions {
  readonly session?: string;
  readonly host?: string;
}

const pageOf = 500;
/** How long the coordinator waits in one request, in milliseconds. */
const waitMs = 20_000;
const startByDefaultMs = 600_000;
/** The longest wait of a coordinator before it answers. */
const mostAcceptMs = 60_000;

/** A fleet of machines, as a client sees it. The store of its host is the truth about a task. */
export class Fleet implements AsyncDisposable {
  readonly #link: ClientLink;
  readonly #credentials: ClientCredentials;

  constructor(link: ClientLink, credentials: ClientCredentials) {
    this.#link = link;
    this.#credentials = credentials;
  }

  /** Whether the connection is over: it was closed, or the servers have refused the credential of this machine. */
  get isClosed(): boolean {
    return this.#link.isClosed();
  }

  /** The hosts, sorted by name. */
  async hosts(): Promise<RemoteHost[]> {
    return (await this.#read('hosts', {})) as RemoteHost[];
  }

  /**
   * Starts a task on a host. Resolves when the task is assigned, or with `acceptMs` when the host has accepted it. The
   * command may start later: see {@link FleetTask.wait}.
   * @throws OutliveError `FLEET_BUSY` when no host may take it, `FLEET_UNREACHABLE` when no coordinator answers. Then
   * the task may have been assigned, and the same `key` gives that task.
   */
  async spawn(command: string | readonly string[], options: FleetSpawnOptions): Promise<FleetTask> {
    checkOptions('fleet.spawn()', options, spawnOptions);
    const tty = options.tty === undefined ? null : await checkedSize(options.tty);
    const acceptMs = checkAcceptMs(options.acceptMs ?? 0);
    // If the servers lose their data, a repeated request could start the task again. So the request names its era.
    if (this.#link.era() === null) await this.hosts();
    const asked = {
      request: options.key ?? randomHex(16),
      spec: specOf(command, options, tty),
      placement: placementOf(options.on),
      startByMs: options.startByMs === undefined ? startByDefaultMs : options.startByMs,
      redispatch: options.redispatch ?? 0,
      era: this.#link.era(),
      acceptMs,
    };
    return new FleetTask(this.#link, (await this.#read('run', asked, acceptMs)) as RemoteTask);
  }

  /** All tasks that the fleet remembers, sorted by id. */
  async *tasks({ session, host }: FleetTasksOptions = {}): AsyncGenerator<RemoteTask, void, undefined> {
    let after: string | null = null;
    for (;;) {
      const asked = { session: session ?? null, host: host ?? null, after, most: pageOf };
      const page = (await this.#read('list', asked)) as RemoteTask[];
      // Large tasks make a page short. Only an empty page marks the end.
      if (page.length === 0) return;
      yield* page;
      after = page.at(-1)?.task ?? null;
    }
  }

  /**
   * The task of a reference: `host/id`, or the id alone.
   * @throws OutliveError `TASK_NOT_FOUND`; `FLEET_HOST` when the task is on another host than the reference says.
   */
  async task(reference: string): Promise<FleetTask> {
    const [first = '', second] = reference.split('/');
    const [host, task] = second === undefined ? [null, first] : [first, second];
    if (!isTaskId(task) || (host !== null && !isHostName(host)))
      throw new OutliveError(
        'INVALID_ARGUMENT',
        `expected a task of the fleet, as in h3/bgb-0123456789ab; found ${shown(reference)}. List them with: outlive ps --fleet`,
      );
    const found = (await this.#read('show', { task })) as RemoteTask;
    if (host !== null && found.host !== host)
      throw new OutliveError(
        'FLEET_HOST',
        `expected ${task} on ${host}; found it on ${found.host}, as attempt ${found.attempt}. Name it ${found.host}/${task}.`,
        { details: { host: found.host } },
      );
    return new FleetTask(this.#link, found);
  }

  /**
   * The tasks of a session that have ended and are not acknowledged, the oldest first.
   * @param forMs how long to wait for the first, in milliseconds. @default 0
   */
  async completions(session: string, { forMs = 0, most = 100 } = {}): Promise<RemoteTask[]> {
    const endAt = performance.now() + forMs;
    for (;;) {
      const left = Math.max(0, Math.min(waitMs, endAt - performance.now()));
      const asked = { session, most, waitMs: Math.floor(left) };
      const found = (await this.#read('completions', asked, left)) as RemoteTask[];
      if (found.length > 0 || performance.now() >= endAt) return found;
    }
  }

  /** Acknowledges ends for a session. @returns the ends that are noted. A task that has not ended is left out. */
  async acknowledge(session: string, ends: readonly AttemptName[]): Promise<AttemptName[]> {
    const named = ends.map(({ task, attempt }) => ({ task, attempt }));
    return (await this.#read('acknowledge', { session, ends: named })) as AttemptName[];
  }

  /** Stops new tasks from starting on a host, or allows them again. Running tasks continue. */
  async cordon(host: string, on = true): Promise<void> {
    await this.#read('cordon', { host, on });
  }

  /** Cordons a host, and moves tasks that have not started there to other hosts where possible. */
  async drain(host: string, on = true): Promise<void> {
    await this.#read('drain', { host, on });
  }

  /**
   * Creates an invitation for a host or a client.
   * @param forMs how long it is valid, in milliseconds: a minute to 30 days.
   * @returns the line that `outlive fleet join` takes. Anyone who has the line may use it, once.
   */
  async invite(invited: Invited, forMs: number): Promise<string> {
    return await invite(this.#link, this.#credentials, invited, forMs);
  }

  /** Removes a host: its credential is revoked, and it gets no more leases. Running tasks continue. */
  async remove(host: string): Promise<void> {
    await remove(this.#link, { kind: 'host', member: host });
  }

  /** Forgets a host that will not come back: its tasks are revoked. */
  async forget(host: string): Promise<void> {
    await this.#read('forget', { host, on: true });
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #read(operation: Parameters<ClientLink['ask']>[0], body: object, wait = 0): Promise<unknown> {
    return await askAgain(this.#link, operation, { v: wireVersion, ...body }, wait);
  }
}

const spawnOptions: OptionNames<FleetSpawnOptions> = {
  on: true,
  session: true,
  name: true,
  labels: true,
  cwd: true,
  env: true,
  secrets: true,
  timeoutMs: true,
  stdin: true,
  tty: true,
  startByMs: true,
  redispatch: true,
  key: true,
  acceptMs: true,
};

function checkAcceptMs(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= mostAcceptMs) return value;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected acceptMs to be a whole number from 0 to ${mostAcceptMs}; found ${shown(value)}.`,
  );
}

async function checkedSize(size: TerminalSize): Promise<TerminalSize> {
  const { checkSize } = await import('../../engine/spawn/stdin-request.ts');
  return checkSize('tty', size);
}

function specOf(
  command: string | readonly string[],
  options: FleetSpawnOptions,
  tty: TerminalSize | null,
): RemoteSpec {
  return {
    command,
    session: options.session ?? 'default',
    name: options.name ?? null,
    labels: options.labels ?? {},
    cwd: options.cwd ?? null,
    env: options.env ?? {},
    secrets: options.secrets ?? {},
    timeoutMs: options.timeoutMs === undefined ? defaults.timeoutMs : options.timeoutMs,
    stdin: options.stdin ?? (tty === null ? 'none' : 'open'),
    tty,
  };
}
