import type { Msg } from '@nats-io/transport-node';
import { OutliveError } from '../../errors/error.ts';
import { expected, isForeseen, tolerate } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';
import type { Bus } from '../bus/connect.ts';
import { Authority } from '../bus/jwt.ts';
import { type AnswerTo, answer, refuse } from '../wire/answer.ts';
import { readRequest, signerForm } from '../wire/membership.ts';
import {
  coordinatorAudience,
  coordinators,
  hostAudience,
  hostForm,
  isInboxOf,
  subjects,
} from '../wire/names.ts';
import { claimedIssuer, open, SeenNonces, type SigningKey, signingKey } from '../wire/signed.ts';
import type { CoordinatorCredentials } from './credentials.ts';
import { Members } from './members.ts';
import { Registrar } from './registrar.ts';
import { Revocation } from './revocation.ts';
import { checkRole } from './roles.ts';
import { Roster } from './roster.ts';

/** A forged message gets no answer, because no member of the fleet has sent it. */
const forged = expected('FLEET_FORGED');

/** An operation on members. The role of the signer is checked before it is called. */
type OnMembers = (body: unknown, signer: string) => Promise<object>;

/** How a running coordinator manages the members. */
export interface Membership extends AsyncDisposable {
  readonly members: Members;
  /** The clients and their roles, for all operations. */
  readonly roster: Roster;
  /** The handlers of `op.invite`, `op.renew` and `op.remove`, for the code that answers clients. */
  readonly operations: Readonly<Record<'invite' | 'renew' | 'remove', OnMembers>>;
}

/**
 * Lets members in and renews their tokens: answers `op.enrol` and `renew.<host>` until it is disposed. The streams and
 * buckets must exist. Several coordinators may do this at the same time.
 * @param keep stores the removed keys in the coordinator's own file.
 */
export async function serveMembership(
  bus: Bus,
  credentials: CoordinatorCredentials,
  keep: (revoked: Readonly<Record<string, number>>) => void,
): Promise<Membership> {
  const members = await Members.open(bus);
  const revocation = new Revocation(credentials, members, keep);
  const registrar = new Registrar(await Authority.load(), credentials, members, revocation);
  await registrar.begin();
  const roster = await Roster.open(members);
  const desk = new Desk(bus, credentials);
  serveNewcomers(desk, members, registrar);
  serveRenewals(desk, registrar);
  await bus.connection.flush();
  return {
    members,
    roster,
    operations: {
      invite: async (body) => await registrar.invite(readRequest.invite(body)),
      renew: async (_body, signer) => await registrar.renewClient(signer),
      remove: async (body) => await registrar.remove(readRequest.remove(body)),
    },
    [Symbol.asyncDispose]: async () => {
      await desk.close();
      await roster[Symbol.asyncDispose]();
    },
  };
}

/**
 * Answers only `op.invite`, `op.renew` and `op.remove`. A coordinator that answers all operations of clients uses
 * {@link Membership.operations} instead.
 */
export async function serveMemberOperations(
  bus: Bus,
  credentials: CoordinatorCredentials,
  { roster, operations }: Membership,
): Promise<AsyncDisposable> {
  const desk = new Desk(bus, credentials);
  for (const operation of ['invite', 'renew', 'remove'] as const) {
    const subject = subjects.operation(operation);
    desk.listen(subject, async ({ data, reply }) => {
      const signer = claimedIssuer(data);
      const role = roster.roleOf(signer);
      // Never answer on the inbox of another party: that party would get what this sender asked for.
      if (role === null || !roster.isAnsweredOn(signer, reply)) return;
      await desk.settle(reply, { audience: signer, subject }, async () => {
        const body = desk.open(signer, data, subject);
        checkRole(role, operation);
        return await operations[operation](body, signer);
      });
    });
  }
  await bus.connection.flush();
  return { [Symbol.asyncDispose]: async () => await desk.close() };
}

function serveNewcomers(desk: Desk, members: Members, registrar: Registrar): void {
  const subject = subjects.operation('enrol');
  desk.listen(subject, async ({ data, reply }) => {
    const invitation = claimedIssuer(data);
    if (!signerForm.test(invitation)) return;
    const found = await members.get('invitation', invitation);
    if (found === null || !isInboxOf(found.record.key, reply)) return;
    await desk.settle(reply, { audience: invitation, subject }, async () => {
      const request = readRequest.enrol(desk.open(invitation, data, subject));
      return await registrar.enrol({ ...request, invitation });
    });
  });
}

function serveRenewals(desk: Desk, registrar: Registrar): void {
  desk.listen('renew.*', async ({ data, reply, subject }) => {
    // The servers let a host send only to the subject with its own name.
    const host = subject.slice('renew.'.length);
    if (!hostForm.test(host) || !isInboxOf(host, reply)) return;
    await desk.settle(reply, { audience: hostAudience(host), subject }, async () =>
      registrar.renewHost(host, readRequest.renew(data)),
    );
  });
}

/** Answers the messages on some subjects, each independently. */
class Desk {
  readonly #bus: Bus;
  readonly #key: SigningKey;
  readonly #subscriptions: { drain(): Promise<void> }[] = [];
  readonly #seen = new SeenNonces();

  constructor(bus: Bus, { signingSeed }: CoordinatorCredentials) {
    this.#bus = bus;
    this.#key = signingKey(Buffer.from(signingSeed, 'base64url'));
  }

  /** Each message goes to one of the coordinators. */
  listen(subject: string, take: (message: Msg) => Promise<void>): void {
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) void this.#take(take(message), subject);
      else warn({ doing: `listening to ${subject}`, error });
    };
    this.#subscriptions.push(this.#bus.connection.subscribe(subject, { queue: coordinators, callback }));
  }

  /**
   * The body of a message that the signer has signed for the coordinator. Accepts it once.
   * @throws OutliveError `FLEET_FORGED`.
   */
  open(signer: string, data: Uint8Array, subject: string): unknown {
    const { body } = open(data, {
      audience: coordinatorAudience,
      subject,
      issuers: new Set([signer]),
      seen: this.#seen,
      now: Date.now(),
    });
    return body;
  }

  /** Does the work, and answers with the result or the refusal. */
  async settle(reply: string, to: AnswerTo, work: () => Promise<object>): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = answer(await work(), this.#key, to);
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      bytes = refuse(error, this.#key, to);
    }
    this.#bus.connection.publish(reply, bytes);
  }

  async close(): Promise<void> {
    await Promise.all(this.#subscriptions.map((one) => one.drain()));
  }

  async #take(work: Promise<void>, subject: string): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (isForeseen(error)) tolerate(error, forged, `answering ${subject}`);
      // The servers do not answer, or it is a mistake. The sender gets no answer, and asks again.
      else warn({ doing: `answering ${subject}`, error });
    }
  }
}
