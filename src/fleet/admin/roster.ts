import type { Role } from '../wire/membership.ts';
import { isInboxOf } from '../wire/names.ts';
import type { ClientMember, Members } from './members.ts';

/** The clients of the fleet, kept in memory so that no request waits for the servers. */
export class Roster implements AsyncDisposable {
  readonly #clients = new Map<string, ClientMember>();
  #stop: () => Promise<void> = async () => undefined;

  /** Reads all clients, and follows their changes. */
  static async open(members: Members): Promise<Roster> {
    const roster = new Roster();
    roster.#stop = await members.watch('client', (signer, client) => {
      if (client === null) roster.#clients.delete(signer);
      else roster.#clients.set(signer, client);
    });
    try {
      for (const [signer, client] of await members.all('client')) roster.#clients.set(signer, client);
    } catch (error) {
      await roster.#stop();
      throw error;
    }
    return roster;
  }

  /** The role of the client that signs with a key; `null` if there is no such client, or it was removed. */
  roleOf(signer: string): Role | null {
    const client = this.#clients.get(signer);
    return client === undefined || client.removedAt !== null ? null : client.role;
  }

  /** Whether the signer is a client of the fleet, and the reply subject is in its own inbox. */
  isAnsweredOn(signer: string, reply: string | undefined): reply is string {
    const client = this.#clients.get(signer);
    return client !== undefined && client.removedAt === null && isInboxOf(client.key, reply);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
