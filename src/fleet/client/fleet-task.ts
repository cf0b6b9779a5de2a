import type { AttachEnd, AttachOptions, Viewer } from '../../engine/interact/attach.ts';
import type { SendOptions } from '../../engine/interact/send.ts';
import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { OutliveError } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { TerminalSize } from '../../model/words.ts';
import type { Screen } from '../../terminal/screen.ts';
import { unlessAborted } from '../../util/abort.ts';
import { sleep } from '../../util/wait.ts';
import type { ClientLink } from '../admin/invite.ts';
import { wireFields } from '../wire/fields.ts';
import { isTaskId, wireVersion } from '../wire/names.ts';
import { isFinal, type RemoteTask } from '../wire/operations.ts';
import {
  readScreen,
  readViewState,
  type ViewMessage,
  type ViewState,
  writeTyped,
  writeView,
} from '../wire/terminal.ts';
import { type FollowedOutput, followOutput } from './follow-output.ts';
import { askAgain } from './requests.ts';

/** A range of the output of a remote task. */
export interface RemoteStretch {
  /** The offset of the first byte. */
  readonly offset: number;
  readonly nextOffset: number;
  /** The size of the whole output. */
  readonly size: number;
  readonly bytes: Buffer;
}

/** The options of {@link FleetTask.wait}. */
export interface RemoteWaitOptions {
  /** @default 'ended' */
  readonly until?: 'accepted' | 'ended';
  /** In milliseconds. @default none */
  readonly timeoutMs?: number;
  readonly abortSignal?: AbortSignal;
}

/** What else to send to a remote task, in this order: the input, keys, the end of the input. */
export type RemoteSendOptions = Pick<SendOptions, 'press' | 'paste' | 'eof'>;

const sendOptions: OptionNames<RemoteSendOptions> = { press: true, paste: true, eof: true };

/** How long the coordinator waits in one request, in milliseconds. */
const waitMs = 20_000;
/** The most bytes in one range. */
export const stretchBytes = 256 * 1_024;
/**
 * How long a host may take to start a task that it has accepted, and the pause between two requests, in milliseconds.
 */
const startMs = 5_000;
const pauseMs = 100;
/** How long a host may take to stop a task in addition to the grace, in milliseconds. */
const stopMs = 25_000;

/** A task of a fleet. */
export class FleetTask {
  readonly #link: ClientLink;
  #known: RemoteTask;

  constructor(link: ClientLink, known: RemoteTask) {
    this.#link = link;
    this.#known = known;
  }

  /** The task as the coordinator last described it. */
  get known(): RemoteTask {
    return this.#known;
  }

  /** Its id in the fleet. */
  get id(): string {
    return this.#known.task;
  }

  /** The host that has it. Another attempt may be on another host. */
  get host(): string {
    return this.#known.host;
  }

  /** Its name in the fleet: `host/id`. */
  get reference(): string {
    return `${this.host}/${this.id}`;
  }

  /** What the coordinator knows about it now. */
  async show(): Promise<RemoteTask> {
    this.#known = (await this.#ask('show', {})) as RemoteTask;
    return this.#known;
  }

  /**
   * What its host knows about it now: the snapshot in the host's own store.
   * @throws OutliveError `HOST_UNREACHABLE`, with the last output in `details.lastSeen` if it is known;
   * `TASK_NOT_FOUND` if it has not started.
   */
  async inspect(): Promise<TaskSnapshot> {
    return ((await this.#askHost('inspect', {})) as { readonly snapshot: TaskSnapshot }).snapshot;
  }

  /**
   * Waits until the task has ended (or was accepted), was revoked, or its host is lost. The result says which.
   * @returns `null`: the time is up.
   * @throws OutliveError like `openFleet`; the reason of `abortSignal`, as soon as it is aborted.
   */
  async wait({
    until = 'ended',
    timeoutMs,
    abortSignal,
  }: RemoteWaitOptions = {}): Promise<RemoteTask | null> {
    if (until === 'accepted' && this.#known.state === 'accepted') return this.#known;
    const endAt = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    for (;;) {
      abortSignal?.throwIfAborted();
      const left = Math.floor(Math.max(0, Math.min(waitMs, endAt - performance.now())));
      const asked = this.#ask('wait', { until, waitMs: left }, left);
      this.#known = (await unlessAborted(abortSignal, asked)) as RemoteTask;
      if (isThere(this.#known, until)) return this.#known;
      if (performance.now() >= endAt) return null;
    }
  }

  /** A range of its output, from its host. @throws OutliveError like {@link inspect}. */
  async read({ offset = 0, maxBytes = stretchBytes } = {}): Promise<RemoteStretch> {
    // These fields come from the host. The coordinator passes them on without a check.
    const fields = wireFields(await this.#askHost('read', { offset, maxBytes }), 'the output of a host');
    const found = {
      offset: fields.whole('offset'),
      nextOffset: fields.whole('nextOffset'),
      size: fields.whole('size'),
      bytes: Buffer.from(fields.text('bytes', 2 * stretchBytes), 'base64'),
    };
    if (found.bytes.length === 0 || found.nextOffset > offset) return found;
    throw new OutliveError(
      'FLEET_FORGED',
      'expected the output of a host to continue; found that it does not.',
    );
  }

  /** Its output from an offset to the end. It reads lost pieces again, so no byte is missing. */
  follow(options: { offset?: number; abortSignal?: AbortSignal } = {}): AsyncGenerator<FollowedOutput> {
    return followOutput(this.#link.bus.connection, this, options);
  }

  /** Asks its host to publish the output. @returns the offset of the next byte that is published. */
  async publishOutput(offset: number, forMs: number): Promise<number> {
    return ((await this.#askHost('follow', { offset, forMs })) as { readonly offset: number }).offset;
  }

  /**
   * Types into it, like {@link Task.send}. It sends the request only once. Without an answer, the input may have
   * arrived.
   * @throws OutliveError as there, and like {@link inspect}.
   */
  async send(input: string | Uint8Array, options: RemoteSendOptions = {}): Promise<void> {
    const { press = [], paste = false, eof = false } = checkOptions('task.send()', options, sendOptions);
    const typed = {
      data: Buffer.from(input as string),
      isText: typeof input === 'string',
      press,
      paste,
      eof,
    };
    await this.#link.ask('send', { v: wireVersion, task: this.id, ...writeTyped(typed) });
  }

  /**
   * What its terminal shows now, or showed at its end.
   * @throws OutliveError `NO_TERMINAL`, and like {@link inspect}.
   */
  async screen(): Promise<Screen> {
    return readScreen(((await this.#askHost('screen', {})) as { readonly screen?: unknown }).screen);
  }

  /** Sets the size of its terminal. @throws OutliveError like {@link Task.resize}, and like {@link inspect}. */
  async resize(size: TerminalSize): Promise<void> {
    const { checkSize } = await import('../../engine/spawn/stdin-request.ts');
    await this.#askHost('resize', checkSize('task.resize()', size));
  }

  /**
   * Shows its terminal to a person, like {@link Task.attach}.
   * @throws OutliveError as there; `HOST_UNREACHABLE` and `FLEET_UNREACHABLE` when its host is silent for 10 s.
   */
  async attach(viewer: Viewer, options: AttachOptions = {}): Promise<AttachEnd> {
    const { attachThere } = await import('./attach-there.ts');
    return await attachThere(this.#link.bus.connection, this, viewer, options);
  }

  /** Tells its host what a person does at its terminal, for {@link attach}. */
  async view(message: ViewMessage): Promise<ViewState> {
    const body = { v: wireVersion, task: this.id, ...writeView(message) };
    return readViewState(await this.#link.ask('view', body));
  }

  /** Stops it. If no host has accepted it, nothing starts. Otherwise its host stops all its processes. */
  async kill({ graceMs = null }: { graceMs?: number | null } = {}): Promise<RemoteTask> {
    this.#known = (await this.#ask('kill', { graceMs }, stopMs + (graceMs ?? 0))) as RemoteTask;
    return this.#known;
  }

  /** Asks its host. Between the acceptance and the start the host has no task yet, so this asks again for a while. */
  async #askHost(operation: Parameters<ClientLink['ask']>[0], body: object): Promise<unknown> {
    const endAt = performance.now() + startMs;
    const hadStarted = this.#known.localId !== null;
    for (;;) {
      try {
        return await this.#ask(operation, body);
      } catch (error) {
        if (error instanceof OutliveError && error.code === 'HOST_UNREACHABLE')
          throw await this.#unreachable(error);
        const isMissing = error instanceof OutliveError && error.code === 'TASK_NOT_FOUND';
        if (!isMissing || performance.now() > endAt) throw error;
        const { state, localId } = await this.show();
        // Another coordinator may answer now, which has not read everything yet.
        if (state !== 'accepted' && !(hadStarted && localId === null)) throw error;
        await sleep(pauseMs);
      }
    }
  }

  /** Adds to the error what the coordinator knows about the task. */
  async #unreachable(error: OutliveError): Promise<OutliveError> {
    const { host, end, lastSeen = null } = await this.show();
    const last = end === null ? lastSeen : { tail: end.tail, outputBytes: end.outputBytes, agoMs: null };
    const details = { host, ...(last !== null && { lastSeen: last }) };
    return new OutliveError('HOST_UNREACHABLE', error.message, { details, cause: error });
  }

  async #ask(operation: Parameters<ClientLink['ask']>[0], body: object, wait = 0): Promise<unknown> {
    if (!isTaskId(this.id))
      throw new OutliveError('FLEET_FORGED', 'expected a task in the answer; found none.');
    return await askAgain(this.#link, operation, { v: wireVersion, task: this.id, ...body }, wait);
  }
}

function isThere(task: RemoteTask, until: 'accepted' | 'ended'): boolean {
  return isFinal(task) || task.state === 'unknown' || (until === 'accepted' && task.state === 'accepted');
}
