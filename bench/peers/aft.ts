import { findReference, Reference } from '../reference.ts';
import type { Peer, PeerKind } from './peer.ts';
import { until } from './programs.ts';

/** One version of the reference system. */
export function aft(version: string): PeerKind {
  return {
    name: `aft ${version}`,
    isProgram: false,
    how: 'background commands of its program, over its stdin and stdout; the benchmark waits for its pushes. It kills that program.',
    note: '',
    start: async (ground) => {
      const program = await findReference(version);
      const folders = [ground.newFolder(), ground.newFolder()] as const;
      const again = async (): Promise<Reference> => await Reference.start(program, ...folders);
      return new Aft(again, await again());
    },
  };
}

class Aft implements Peer {
  readonly #again: () => Promise<Reference>;
  #reference: Reference;

  constructor(again: () => Promise<Reference>, reference: Reference) {
    this.#again = again;
    this.#reference = reference;
  }

  async spawn(command: string): Promise<string> {
    return await this.#reference.spawn(command);
  }

  async wait(taskId: string): Promise<{ readonly told: Promise<void> }> {
    return { told: this.#reference.completion(taskId) };
  }

  async many(count: number): Promise<void> {
    const reference = this.#reference;
    const one = async (): Promise<void> => await reference.completion(await reference.spawn('true'));
    await Promise.all(Array.from({ length: count }, one));
  }

  async kill(taskId: string): Promise<void> {
    await this.#reference.kill(taskId);
  }

  async killManager(): Promise<void> {
    await this.#reference.stop();
  }

  async exitCodeAfterwards(taskId: string): Promise<number | null> {
    this.#reference = await this.#again();
    return await until(() => this.#reference.exitCode(taskId), 5_000);
  }

  unmarked(): number[] {
    return [];
  }

  async stop(): Promise<void> {
    await this.#reference.stop();
  }
}
