import { Reading, textsIn } from './reading.ts';
import type { Told } from './told.ts';

/** How a host writes messages. */
export interface MessageForm<Message> {
  /** A message of the user's role with this text. */
  write(text: string): Message;
  /** Whether the model has written a message. */
  isModels(message: Message): boolean;
}

/** What was told in a message of its own, and where. */
interface Insertion {
  readonly told: Told;
  /** How many messages of the host come before it. */
  readonly at: number;
}

/** How many of our messages it keeps for a host that never saves them. */
const mostKept = 500;

/**
 * What a conversation was told between the messages that its host keeps. Hosts hand what they send to the model to be changed, and
 * forget the changes: what was told would be gone with the next request. So it stands in each request at the place where it was
 * told, and {@link saved} gives the conversation with it, for the host to keep.
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

  /** The conversation to be saved: the messages of the host, with what was told between them. What the model has answered to is acknowledged. */
  async saved(messages: readonly Message[]): Promise<Message[]> {
    const all = this.#with(messages);
    await this.#read(all);
    // They are messages of the host from now on. What it does not keep is given back.
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

  /** Without what was told in a message of its own: some hosts keep it for the run, and some do not. */
  #without(messages: readonly Message[]): Message[] {
    const ours = new Set(this.#insertions.map(({ told }) => told.text));
    return messages.filter((message) => {
      if (this.#form.isModels(message)) return true;
      const texts = textsIn(message);
      return !texts.some((text) => ours.has(text));
    });
  }
}
