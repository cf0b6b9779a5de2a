import type { Bus } from '../bus/connect.ts';
import { Authority } from '../bus/jwt.ts';
import { readAnswer } from '../wire/answer.ts';
import { plainBytes, type RenewRequest } from '../wire/membership.ts';
import { hostAudience, subjects } from '../wire/names.ts';
import { issuedAt } from '../wire/signed.ts';
import { type ClientCredentials, type HostCredentials, writeCredentials } from './credentials.ts';
import type { FleetFolder } from './folder.ts';
import { type ClientLink, tokenIn } from './invite.ts';
import { isHalfOver } from './token-age.ts';

/**
 * Renews the token of a host when half of its lifetime is over. The agent calls this once in a while, and the
 * connection uses the new token at its next connect.
 * @param now epoch milliseconds.
 * @returns the credentials from now on, which are also in the folder.
 * @throws OutliveError `FLEET_UNREACHABLE`: try again later. `FLEET_REFUSED` if the host was removed.
 */
export async function renewHost(
  folder: FleetFolder,
  bus: Bus,
  has: HostCredentials,
  now: number = Date.now(),
): Promise<HostCredentials> {
  if (!isHalfOver((await Authority.load()).read(has.token), now)) return has;
  const subject = subjects.renewal(has.name);
  const request: RenewRequest = { token: has.token };
  const to = { audience: hostAudience(has.name), subject };
  const bytes = await bus.ask(subject, plainBytes(request));
  const { value } = readAnswer(bytes, has.fleet.coordinator, to, issuedAt(bytes));
  const renewed = { ...has, token: tokenIn(value) };
  writeCredentials.host(folder, renewed);
  return renewed;
}

/** Renews the token of a client in the same way. */
export async function renewClient(
  folder: FleetFolder,
  link: ClientLink,
  has: ClientCredentials,
  now: number = Date.now(),
): Promise<ClientCredentials> {
  if (!isHalfOver((await Authority.load()).read(has.token), now)) return has;
  const renewed = { ...has, token: tokenIn(await link.ask('renew', {})) };
  writeCredentials.client(folder, renewed);
  return renewed;
}
