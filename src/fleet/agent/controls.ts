import type { Msg } from '@nats-io/transport-node';
import { OutliveError } from '../../errors/error.ts';
import { isForeseen } from '../../errors/expected.ts';
import type { Control } from '../wire/control.ts';
import { readControl } from '../wire/control.ts';
import type { Refusal } from '../wire/messages.ts';
import { type ControlVerb, controlVerbs, wireVersion } from '../wire/names.ts';
import { open, SeenNonces } from '../wire/signed.ts';
import type { Parts } from './parts.ts';

/** Controls that are performed at a time. */
const mostAtOnce = 64;

/** Takes what the coordinator tells this host to do. Only what it has signed for this host counts, once. */
export class Controls {
  readonly #parts: Parts;
  readonly #issuers: ReadonlySet<string>;
  readonly #perform: (control: Control) => Promise<object>;
  readonly #seen = new SeenNonces();
  #working = 0;
  /** The coordinator's clock less this one's, in milliseconds. */
  clockOffsetMs = 0;

  /** @param perform does it, and returns the answer without its version. */
  constructor(parts: Parts, issuers: ReadonlySet<string>, perform: (control: Control) => Promise<object>) {
    this.#parts = parts;
    this.#issuers = issuers;
    this.#perform = perform;
  }

  /** Listens from now on. @returns ends it. */
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
      // A sender that did not sign it gets no answer.
      this.#parts.report('taking a control message', error);
      return;
    }
    // Another agent may have the credential, and the lease: it answers.
    if (!this.#parts.lease.isValid) return;
    const answer = await this.#answer(asked.control);
    const { connection } = this.#parts;
    if (asked.reply !== null && connection.isConnected)
      connection.raw.publish(asked.reply, JSON.stringify(answer));
  }

  /**
   * What a message asks for, when it is right.
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
          `expected at most ${mostAtOnce} requests to a host at a time; found that it has as many. Ask again.`,
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
 * An answer goes where the signed body says, and only if the message says the same: with a reply subject of somebody else a host
 * would put its answer where it may not write itself.
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
