import type { Msg } from '@nats-io/transport-node';
import { OutliveError } from '../../errors/error.ts';
import { isForeseen } from '../../errors/expected.ts';
import type { Control } from '../wire/control.ts';
import { readControl } from '../wire/control.ts';
import type { Refusal } from '../wire/messages.ts';
import { type ControlVerb, controlVerbs, wireVersion } from '../wire/names.ts';
import { open, SeenNonces } from '../wire/signed.ts';
import type { Parts } from './parts.ts';

/** How many control messages are carried out at a time. */
const mostAtOnce = 64;

/** Carries out the coordinator's control messages. Each must be signed for this host, and counts only once. */
export class Controls {
  readonly #parts: Parts;
  readonly #issuers: ReadonlySet<string>;
  readonly #perform: (control: Control) => Promise<object>;
  readonly #seen = new SeenNonces();
  #working = 0;
  /** The coordinator's clock minus this one's, in milliseconds. */
  clockOffsetMs = 0;

  /** @param perform carries out a control message, and returns the answer without its version. */
  constructor(parts: Parts, issuers: ReadonlySet<string>, perform: (control: Control) => Promise<object>) {
    this.#parts = parts;
    this.#issuers = issuers;
    this.#perform = perform;
  }

  /** Listens from now on. @returns a function that ends this. */
  start(): () => void {
    const { connection, host, inBackground } = this.#parts;
    const subscription = connection.raw.subscribe(`ctl.${host}.*`, {
      callback: (error, message) => {
        if (error === null) inBackground('carrying out a request of the coordinator', this.#take(message));
      },
    });
    return () => subscription.unsubscribe();
  }

  async #take(message: Msg): Promise<void> {
    let asked: ReturnType<Controls['understand']>;
    try {
      asked = this.understand(message);
    } catch (error) {
      // A sender without a valid signature gets no answer.
      this.#parts.report('taking a control message', error);
      return;
    }
    // Without a lease, another agent with the same credential may have it. That agent answers.
    if (!this.#parts.lease.isValid) return;
    const answer = await this.#answer(asked.control);
    const { connection } = this.#parts;
    if (asked.reply !== null && connection.isConnected)
      connection.raw.publish(asked.reply, JSON.stringify(answer));
  }

  /**
   * Checks a message, and returns what it asks for.
   * @throws OutliveError `FLEET_FORGED`.
   */
  understand(message: Msg): { readonly control: Control; readonly reply: string | null } {
    const { host } = this.#parts;
    const verb = controlVerbs.find((one) => message.subject === `ctl.${host}.${one}`);
    if (verb === undefined) throw forged(host, 'an unknown verb');
    const now = Date.now() + this.clockOffsetMs;
    const expectation = { audience: `host:${host}`, subject: message.subject, issuers: this.#issuers };
    const { body } = open(message.data, { ...expectation, seen: this.#seen, now });
    const asked = readControl(verb satisfies ControlVerb, body);
    checkReply(host, asked.reply, message.reply);
    return asked;
  }

  async #answer(control: Control): Promise<object> {
    if (this.#working >= mostAtOnce)
      return refusal(
        new OutliveError(
          'FLEET_BUSY',
          `expected at most ${mostAtOnce} requests to a host at a time; found more. Ask again.`,
        ),
      );
    this.#working += 1;
    try {
      return { v: wireVersion, ...(await this.#perform(control)) };
    } catch (error) {
      if (!isForeseen(error)) throw error;
      return refusal(error as OutliveError);
    } finally {
      this.#working -= 1;
    }
  }
}

/**
 * The answer goes to the reply subject in the signed body, and only if the message names the same one. Otherwise a
 * sender could make the host answer on a subject to which the host may not write by itself.
 */
function checkReply(host: string, signed: string | null, said: string | undefined): void {
  if (signed === null) return;
  if (signed !== said) throw forged(host, 'another reply subject than the signed one');
  if (!/^_INBOX\.[\w.-]+$/.test(signed)) throw forged(host, 'a reply subject that is not an inbox');
}

function forged(host: string, found: string): OutliveError {
  return new OutliveError('FLEET_FORGED', `expected a control message for ${host}; found ${found}.`);
}

function refusal({ code, message }: OutliveError): Refusal {
  return { v: wireVersion, code, message };
}
