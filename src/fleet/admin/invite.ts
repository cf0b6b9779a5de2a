import { type Bus, connectBus } from '../bus/connect.ts';
import { Authority } from '../bus/jwt.ts';
import { readAnswer } from '../wire/answer.ts';
import {
  bodyOf,
  type Invited,
  type InviteRequest,
  type RemoveRequest,
  readValue,
  tokenForm,
} from '../wire/membership.ts';
import { coordinatorAudience, type Operation, subjects } from '../wire/names.ts';
import { sign, signingKey } from '../wire/signed.ts';
import { pinOf } from './certificates.ts';
import type { ClientCredentials } from './credentials.ts';
import { invitationText, signerOfInvitation } from './invitation.ts';

/** How long the coordinator may take to store a change and to send it to the servers. */
const decisionMs = 10_000;

/** The connection of a client to the coordinator. */
export interface ClientLink extends AsyncDisposable {
  readonly bus: Bus;
  /**
   * Asks for an operation.
   * @throws OutliveError the coordinator's refusal; `FLEET_UNREACHABLE` when no coordinator answers.
   */
  ask(operation: Operation, request: object, withinMs?: number): Promise<unknown>;
  /** Whether the connection is over: it was closed, or the servers have refused its credential. */
  isClosed(): boolean;
  /** The era in the last answer: when the servers created the stream of assignments; `null`: no answer had one yet. */
  era(): string | null;
}

/** Connects a client. @throws OutliveError as `connectBus`. */
export async function connectClient(credentials: ClientCredentials): Promise<ClientLink> {
  const { fleet, seed, token } = credentials;
  const authority = await Authority.load();
  const key = signingKey(Buffer.from(credentials.signingSeed, 'base64url'));
  const name = authority.keyOf(seed).publicKey;
  const bus = await connectBus({ servers: fleet.servers, ca: fleet.ca, name, seed, token: () => token });
  let era: string | null = null;
  return {
    bus,
    era: () => era,
    isClosed: () => bus.connection.isClosed(),
    ask: async (operation, request, withinMs) => {
      const subject = subjects.operation(operation);
      const message = sign(bodyOf(request), key, { audience: coordinatorAudience, subject });
      const bytes = await bus.ask(subject, message, withinMs);
      const said = readAnswer(bytes, fleet.coordinator, { audience: key.publicKey, subject });
      era = said.era ?? era;
      return said.value;
    },
    [Symbol.asyncDispose]: async () => await bus[Symbol.asyncDispose](),
  };
}

/**
 * Creates an invitation. Its secret is made here, and the coordinator gets only the public keys.
 * @param forMs how long it is valid, in milliseconds.
 * @returns the line for `outlive fleet join`.
 * @throws OutliveError `FLEET_REFUSED` if the client is not an admin.
 */
export async function invite(
  link: ClientLink,
  { fleet }: ClientCredentials,
  invited: Invited,
  forMs: number,
): Promise<string> {
  const { publicKey, seed } = (await Authority.load()).newKey('user');
  const signer = signerOfInvitation(seed).publicKey;
  const request: InviteRequest = { key: publicKey, signer, forMs, invited };
  const token = tokenIn(await link.ask('invite', request, decisionMs));
  const [server] = fleet.servers;
  if (server === undefined) throw new Error('a fleet without a server');
  return invitationText({
    kind: invited.kind,
    server,
    pin: fleet.ca === null ? null : pinOf(fleet.ca),
    coordinator: fleet.coordinator,
    seed,
    token,
  });
}

/**
 * Removes a member.
 * @throws OutliveError `FLEET_HOST` if there is no such member, `FLEET_REFUSED` if the client is not an admin.
 */
export async function remove(link: ClientLink, request: RemoveRequest): Promise<void> {
  await link.ask('remove', request, decisionMs);
}

/** Reads the token in an answer. */
export function tokenIn(value: unknown): string {
  return readValue(value, (fields) => fields.formed('token', tokenForm));
}
