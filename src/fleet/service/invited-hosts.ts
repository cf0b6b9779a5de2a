import type { HostMember, Members } from '../admin/members.ts';
import type { InvitedAs } from '../coordinator/core.ts';

/** As what each host was invited. A host says of itself what it likes, so placing goes by this. */
export class InvitedHosts implements AsyncDisposable {
  readonly #known = new Map<string, InvitedAs>();
  #stop: () => Promise<void> = async () => undefined;

  /** Reads all that is there, and listens to what changes. */
  static async read(members: Members): Promise<InvitedHosts> {
    const hosts = new InvitedHosts();
    hosts.#stop = await members.watch('host', (name, host) => hosts.#take(name, host));
    try {
      for (const [name, host] of await members.all('host')) hosts.#take(name, host);
    } catch (error) {
      await hosts.#stop();
      throw error;
    }
    return hosts;
  }

  /** What is known of a host; `null`: nothing. */
  get(host: string): InvitedAs | null {
    return this.#known.get(host) ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }

  #take(name: string, host: HostMember | null): void {
    if (host === null) this.#known.delete(name);
    else this.#known.set(name, host);
  }
}
