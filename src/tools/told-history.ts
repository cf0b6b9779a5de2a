import { Reading, textsIn } from './reading.ts';
import type { Told } from './told.ts';

/** How a host writes messages. */
export interface MessageForm<Message> {
  /** A message of the user's role with this text. */
  write(text: string): Message;
  /** Whether the model has written a message. */
  isModels(message: Message): boolean;
}

/** A text that was told in a message of its own, and its place. */
interface Insertion {
  readonly told: Told;
  /** How many messages of the host come before it. */
  readonly at: number;
}

/** How many of our messages it keeps for a host that never saves them. */
const mostKept = 500;

/**
 * The news that a conversation was told between the messages that its host keeps. A host lets us change the messages
 * that it sends to the model, but forgets the changes: the news would be missing from the next request. So every
 * request has the news at the place where it was told, and {@link saved} returns the conversation with the news, for
 * the host to keep.
 */
export class ToldHistory<Message> {
  readonly #form: MessageForm<Message>;
  readonly #reading = new Reading();
  #insertions: Insertion[] = [];

  constructor(form: MessageForm<Message>) {
    this.#form = form;
  }

  /** The answer of a tool, which the host will have among its messages. */
  answered(told: Told): string {
    this.#reading.add(told);
    return told.text;
  }

  /**
   * The messages of the next request to the model.
   * @param messages the messages of the host, with or without earlier news.
   * @param next the news to add now, if there is any.
   */
  async sending(messages: readonly Message[], next: () => Promise<Told | null>): Promise<Message[]> {
    await this.#read(messages);
    this.#reading.giveBackUnseen();
    const told = await next();
    if (told !== null) this.#insert(told, this.#without(messages).length);
    return this.#with(messages);
  }

  /**
   * The conversation to be saved: the messages of the host, with the news between them. What the model has answered to
   * is acknowledged.
   */
  async saved(messages: readonly Message[]): Promise<Message[]> {
    const all = this.#with(messages);
    await this.#read(all);
    // From now on our messages are messages of the host. Those that it does not keep are given back.
    this.#insertions = [];
    return all;
  }

  #insert(told: Told, at: number): void {
    this.#reading.add(told);
    this.#insertions.push({ told, at });
    if (this.#insertions.length > mostKept) this.#insertions.shift();
  }

  /** Learns from the conversation what the model has answered to. */
  async #read(messages: readonly Message[]): Promise<void> {
    this.#reading.again();
    for (const message of this.#with(messages))
      if (this.#form.isModels(message)) await this.#reading.answered();
      else this.#reading.saw(message);
  }

  #with(messages: readonly Message[]): Message[] {
    const own = this.#without(messages);
    const all: Message[] = [];
    for (const [index, message] of own.entries()) {
      all.push(...this.#at(index), message);
    }
    return [
      ...all,
      ...this.#insertions.filter(({ at }) => at >= own.length).map(({ told }) => this.#form.write(told.text)),
    ];
  }

  #at(index: number): Message[] {
    return this.#insertions.filter(({ at }) => at === index).map(({ told }) => this.#form.write(told.text));
  }

  /** The messages without our own: some hosts keep ours for the run, and some do not. */
  #without(messages: readonly Message[]): Message[] {
    const ours = new Set(this.#insertions.map(({ told }) => told.text));
    return messages.filter((message) => {
      if (this.#form.isModels(message)) return true;
      const texts = textsIn(message);
      return !texts.some((text) => ours.has(text));
    });
  }
}
