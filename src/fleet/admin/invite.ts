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

/** How long the coordinator may take to write something down and to bring it to the servers. */
const decisionMs = 10_000;

/** A client of a fleet that asks its coordinator. */
export interface ClientLink extends AsyncDisposable {
  readonly bus: Bus;
  /**
   * Asks for an operation.
   * @throws OutliveError what the coordinator refused with; `FLEET_UNREACHABLE` when none answers.
   */
  ask(operation: Operation, request: object, withinMs?: number): Promise<unknown>;
  /** Whether the connection is over: it was closed, or the servers have refused its credential. */
  isClosed(): boolean;
  /** When the data of the fleet was made, as the last answer has said it; `null`: none has yet. */
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
 * Makes an invitation. Its secret is made here, and the coordinator is told only what it has to look like.
 * @param forMs for how long it is good.
 * @returns the line.
 * @throws OutliveError `FLEET_REFUSED` when the client is no admin.
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
 * Stops letting a member in. @throws OutliveError `FLEET_HOST` when there is none, `FLEET_REFUSED` when the client is
 * no admin.
 */
export async function remove(link: ClientLink, request: RemoveRequest): Promise<void> {
  await link.ask('remove', request, decisionMs);
}

/** The token in an answer. */
export function tokenIn(value: unknown): string {
  return readValue(value, (fields) => fields.formed('token', tokenForm));
}
