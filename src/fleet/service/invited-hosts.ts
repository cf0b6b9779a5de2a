import type { HostMember, Members } from '../admin/members.ts';
import type { InvitedAs } from '../coordinator/core.ts';

/** The labels and slots from each invitation. A host may report anything about itself, so placement uses these. */
export class InvitedHosts implements AsyncDisposable {
  readonly #known = new Map<string, InvitedAs>();
  #stop: () => Promise<void> = async () => undefined;

  /** Reads all hosts, and follows their changes. */
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

  /** What the invitation of a host says; `null`: it is not known. */
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
