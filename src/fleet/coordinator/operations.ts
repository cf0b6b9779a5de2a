import type { Msg } from '@nats-io/transport-node';
import { internal, OutliveError } from '../../errors/error.ts';
import { warn } from '../../errors/warnings.ts';
import { checkRole } from '../admin/roles.ts';
import { wireFields } from '../wire/fields.ts';
import type { Role } from '../wire/membership.ts';
import type { Refusal } from '../wire/messages.ts';
import { coordinatorAudience, type Operation, operations, wireVersion } from '../wire/names.ts';
import type { Answer } from '../wire/operations.ts';
import {
  readAcknowledge,
  readCompletions,
  readFollow,
  readKill,
  readList,
  readOfHost,
  readRead,
  readResize,
  readRun,
  readSend,
  readShow,
  readViewRequest,
  readWait,
} from '../wire/read-operation.ts';
import { claimedIssuer, open, SeenNonces, sign } from '../wire/signed.ts';
import type { Core } from './core.ts';
import { follow, inspect, read, resize, screen, send, view } from './forward.ts';
import { cordon, drain, forget, remove } from './hosts.ts';
import { run } from './run.ts';
import { acknowledge, completions, kill, list, show, wait } from './tasks.ts';
import { hostsTold } from './told.ts';

/**
 * Performs an operation for a client that may ask for it. If it throws an OutliveError, that is the answer.
 * @param client the public key of the client.
 */
export type Handler = (body: unknown, client: string) => unknown;

type RoleOf = (publicKey: string, reply: string) => Role | null | Promise<Role | null>;

/** The most requests in progress at a time, including those that wait. */
const mostAtOnce = 5000;

/** The servers of a fleet take no larger message than 512 KiB. */
const mostAnswerBytes = 500_000;

/** Answers what clients ask for. */
export class Operations {
  readonly #core: Core;
  readonly #roleOf: RoleOf;
  readonly #handlers: ReadonlyMap<Operation, Handler>;
  readonly #seen = new SeenNonces();
  #working = 0;

  /** @param more handlers of operations that are not about tasks and hosts. */
  constructor(core: Core, roleOf: RoleOf, more: Readonly<Partial<Record<Operation, Handler>>>) {
    this.#core = core;
    this.#roleOf = roleOf;
    const all = { ...handlersOf(core), ...more };
    this.#handlers = new Map(operations.flatMap((one) => (all[one] ? [[one, all[one]] as const] : [])));
  }

  /** The operations that have a handler. */
  get names(): Operation[] {
    return [...this.#handlers.keys()];
  }

  /** Answers a request. Never rejects. */
  async answer(message: Msg): Promise<void> {
    // On any other subject a client could make the coordinator publish something.
    if (message.reply === undefined || !/^_INBOX\.[\w.-]+$/.test(message.reply)) return;
    const said = await this.#perform(message, message.reply);
    const { bus, key, journal } = this.#core;
    const to = { audience: claimOf(message.data), subject: message.subject };
    const signed = (part: typeof said): Uint8Array =>
      sign({ v: wireVersion, era: journal.era, ...part }, key, to);
    const bytes = signed(said);
    const answer =
      bytes.length <= mostAnswerBytes ? bytes : signed({ refusal: refusalOf(tooLarge(bytes.length)) });
    if (!bus.connection.isClosed() && !bus.connection.isDraining()) message.respond(answer);
  }

  async #perform(message: Msg, reply: string): Promise<Pick<Answer, 'value' | 'refusal'>> {
    this.#working += 1;
    try {
      if (this.#working > mostAtOnce) throw tooMany();
      const asking = claimedIssuer(message.data);
      const role = await this.#roleOf(asking, reply);
      const { body, issuer } = open(message.data, {
        audience: coordinatorAudience,
        subject: message.subject,
        issuers: new Set(role === null ? [] : [asking]),
        seen: this.#seen,
        now: Date.now(),
      });
      const handler = this.#handlerFor(message.subject, role);
      return { value: (await handler(body, issuer)) ?? null };
    } catch (error) {
      const refused = error instanceof OutliveError ? error : internal('answering a client', error);
      if (refused !== error) warn({ doing: 'answering a client', error });
      return { refusal: refusalOf(refused) };
    } finally {
      this.#working -= 1;
    }
  }

  #handlerFor(subject: string, role: Role | null): Handler {
    const name = subject.slice('op.'.length) as Operation;
    const handler = this.#handlers.get(name);
    if (role !== null && handler !== undefined) {
      checkRole(role, name);
      return handler;
    }
    throw new OutliveError(
      'FLEET_REFUSED',
      `expected a client of this fleet, and a known request; found ${role === null ? 'a client that is not a member' : name}. Ask an admin of the fleet.`,
    );
  }
}

function handlersOf(core: Core): Partial<Record<Operation, Handler>> {
  return {
    run: (body, client) => run(core, readRun(body), client),
    list: (body) => list(core, readList(body)),
    show: (body) => show(core, readShow(body)),
    wait: (body) => wait(core, readWait(body)),
    inspect: (body) => inspect(core, readShow(body)),
    read: (body) => read(core, readRead(body)),
    follow: (body) => follow(core, readFollow(body)),
    send: (body, client) => send(core, readSend(body), client),
    screen: (body) => screen(core, readShow(body)),
    resize: (body, client) => resize(core, readResize(body), client),
    view: (body, client) => view(core, readViewRequest(body), client),
    kill: (body, client) => kill(core, readKill(body), client),
    completions: (body) => completions(core, readCompletions(body)),
    acknowledge: (body, client) => acknowledge(core, readAcknowledge(body), client),
    hosts: (body) => wireFields(body, 'a request for hosts').versioned() && hostsTold(core),
    cordon: (body, client) => cordon(core, readOfHost(body), client),
    drain: (body, client) => drain(core, readOfHost(body), client),
    remove: (body, client) => remove(core, readOfHost(body), client),
    forget: (body, client) => forget(core, readOfHost(body), client),
  };
}

/** The audience of the answer: the signer that the request names. The answer is useless to anyone else. */
function claimOf(bytes: Uint8Array): string {
  try {
    return claimedIssuer(bytes);
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return 'nobody';
  }
}

function refusalOf({ code, message }: OutliveError): Refusal {
  return { v: wireVersion, code, message };
}

function tooLarge(bytes: number): OutliveError {
  return new OutliveError(
    'FLEET_BUSY',
    `expected an answer of at most ${mostAnswerBytes} bytes; found ${bytes}. Ask for less at a time.`,
  );
}

function tooMany(): OutliveError {
  return new OutliveError(
    'FLEET_BUSY',
    `expected at most ${mostAtOnce} requests at a time; found more. Ask again later.`,
  );
}
