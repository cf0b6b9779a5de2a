import { OutliveError } from '../../errors/error.ts';
import { type Bus, connectBus } from '../bus/connect.ts';
import { Authority } from '../bus/jwt.ts';
import { signAccount } from './account.ts';
import type { CoordinatorCredentials } from './credentials.ts';
import type { Members } from './members.ts';
import { memberTokenMs } from './token-age.ts';

/** Removes members: the servers close their connections, and let nobody in with their keys. */
export class Revocation {
  readonly #credentials: CoordinatorCredentials;
  readonly #members: Members;
  readonly #keep: (revoked: Readonly<Record<string, number>>) => void;
  /** The removed keys in the file. The servers may lose theirs while this process runs. */
  #kept: Readonly<Record<string, number>>;

  /** @param keep stores the removed keys, in case the servers lose all their data. */
  constructor(
    credentials: CoordinatorCredentials,
    members: Members,
    keep: (revoked: Readonly<Record<string, number>>) => void,
  ) {
    this.#credentials = credentials;
    this.#members = members;
    this.#keep = keep;
    this.#kept = credentials.revoked;
  }

  /**
   * Sends the servers the list of all removed keys. Several coordinators may do so at the same time, and the list of
   * one replaces the list of another. So each coordinator checks the list again after sending it.
   * @throws OutliveError `FLEET_UNREACHABLE` if the servers do not take the list.
   */
  async enforce(): Promise<void> {
    const authority = await Authority.load();
    await using bus = await this.#systemBus(authority);
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const wanted = await this.#wanted();
      const there = await this.#lookUp(bus);
      const known = authority.revokedIn(there);
      if (Object.entries(wanted).every(([key, at]) => (known[key] ?? -1) >= at)) return;
      this.#keep(wanted);
      this.#kept = wanted;
      await this.#bring(bus, await signAccount(authority, this.#credentials, wanted, there));
    }
    throw new OutliveError(
      'FLEET_UNREACHABLE',
      'expected the servers to take the list of removed members; found that they still had another list after ten attempts. Try again.',
    );
  }

  /** Removed members that could still have a valid token. */
  async #wanted(): Promise<Readonly<Record<string, number>>> {
    const removed = [...(await this.#members.all('revoked'))];
    const seconds = removed.map(([key, { at }]) => [key, Math.floor(at / 1000)] as const);
    const all = { ...this.#kept, ...Object.fromEntries(seconds) };
    const oldest = (Date.now() - memberTokenMs) / 1000 - 86_400;
    // Only the token of the first admin never expires.
    const isNeeded = ([key, at]: [string, number]) => at > oldest || key === this.#credentials.admin.key;
    return Object.fromEntries(Object.entries(all).filter(isNeeded));
  }

  async #systemBus(authority: Authority): Promise<Bus> {
    const { fleet, system } = this.#credentials;
    return await connectBus({
      servers: fleet.servers,
      ca: fleet.ca,
      name: authority.keyOf(system.seed).publicKey,
      seed: system.seed,
      token: () => system.token,
    });
  }

  async #lookUp(bus: Bus): Promise<string> {
    const subject = `$SYS.REQ.ACCOUNT.${this.#credentials.account}.CLAIMS.LOOKUP`;
    return Buffer.from(await bus.ask(subject, Buffer.alloc(0))).toString();
  }

  async #bring(bus: Bus, token: string): Promise<void> {
    const said = Buffer.from(await bus.ask('$SYS.REQ.CLAIMS.UPDATE', Buffer.from(token))).toString();
    const { error } = JSON.parse(said) as { error?: { description?: string } };
    if (error === undefined) return;
    throw new OutliveError(
      'FLEET_UNREACHABLE',
      `expected the servers to take the list of removed members; found ${error.description ?? 'an error'}.`,
    );
  }
}
