import type { Told } from './told.ts';

/**
 * Which of the texts that were told the model has had: it has answered to messages with them. The messages are the evidence, in
 * whatever form a host has them, so that what a host loses, leaves out or never sends is not taken for read.
 */
export class Reading {
  readonly #open = new Map<Told, string>();
  readonly #sent = new Set<Told>();

  /** Something is told: it will be in a message. */
  add(told: Told): void {
    if (!told.isOver) this.#open.set(told, told.text);
  }

  /** A message stands in the conversation that the model did not write. */
  saw(message: unknown): void {
    if (this.#open.size === 0) return;
    const texts = textsIn(message);
    for (const [told, text] of this.#open) if (texts.some((one) => one.includes(text))) this.#sent.add(told);
  }

  /** The model has answered to all messages that were seen. */
  async answered(): Promise<void> {
    const read = [...this.#sent];
    for (const told of read) this.#forget(told);
    await Promise.all(read.map((told) => told.ack()));
  }

  /** Gives back what is in no message: it is lost. */
  giveBackUnseen(): void {
    for (const told of [...this.#open.keys()]) if (!this.#sent.has(told)) this.giveBack(told);
  }

  /** The model will not have this. */
  giveBack(told: Told): void {
    this.#forget(told);
    told.giveBack();
  }

  /** Begins to read the conversation once more: nothing of it is seen. */
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
