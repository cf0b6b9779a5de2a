import type { Told } from './told.ts';

/**
 * Tracks which texts the model has read: those in messages that it has answered. The messages are the evidence, in
 * whatever form a host has them. So a text that the host loses, leaves out or never sends does not count as read.
 */
export class Reading {
  readonly #open = new Map<Told, string>();
  readonly #sent = new Set<Told>();

  /** Notes a text that will be in a message. */
  add(told: Told): void {
    if (!told.isOver) this.#open.set(told, told.text);
  }

  /** Notes a message of the conversation that the model did not write. */
  saw(message: unknown): void {
    if (this.#open.size === 0) return;
    const texts = textsIn(message);
    for (const [told, text] of this.#open) if (texts.some((one) => one.includes(text))) this.#sent.add(told);
  }

  /** Notes that the model has answered all messages that were seen. */
  async answered(): Promise<void> {
    const read = [...this.#sent];
    for (const told of read) this.#forget(told);
    await Promise.all(read.map((told) => told.ack()));
  }

  /** Gives back the texts that are in no message: they are lost. */
  giveBackUnseen(): void {
    for (const told of [...this.#open.keys()]) if (!this.#sent.has(told)) this.giveBack(told);
  }

  /** Gives back a text that the model will not read. */
  giveBack(told: Told): void {
    this.#forget(told);
    told.giveBack();
  }

  /** Begins to read the conversation again from its start. */
  again(): void {
    this.#sent.clear();
  }

  #forget(told: Told): void {
    this.#open.delete(told);
    this.#sent.delete(told);
  }
}

/** All texts in a message, however deep. */
export function textsIn(message: unknown): string[] {
  if (typeof message === 'string') return [message];
  if (typeof message !== 'object' || message === null) return [];
  return Object.values(message).flatMap(textsIn);
}
