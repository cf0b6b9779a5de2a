import { setTimeout as sleep } from 'node:timers/promises';
import { OutliveError } from '../../errors/error.ts';
import { randomHex } from '../../util/crypto.ts';
import { messageIdOf } from '../wire/assignment.ts';
import { streams, subjects } from '../wire/names.ts';
import type { SigningKey } from '../wire/signed.ts';
import { warranted } from '../wire/warrant.ts';
import { apiCode, type Bus, isBusError, wrongLastSequence } from './bus.ts';
import type { Decision } from './decide.ts';
import type { StoredMessage } from './fold.ts';
import { seal } from './seal.ts';

/** How long a write is tried, in milliseconds. The longest measured change of the leader took 9.2 s. */
const writeForMs = 15_000;
const pauseMs = 50;

export interface WriterOptions {
  readonly bus: Bus;
  readonly key: SigningKey;
  /** When the servers created the stream that the ledger has; `null`: that stream may be gone. */
  readonly era: () => string | null;
  /** Called when the stream does not answer, for example while it has no leader. */
  readonly onSilence: () => void;
}

/** Writes transitions to the stream of assignments, each under its condition. */
export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Writes a decision.
   * @returns the stored message; `null`: another message came first. Read the journal.
   * @throws OutliveError `FLEET_UNREACHABLE` when the stream gives no answer. Then the message may be stored or not.
   */
  async write(decision: Decision): Promise<StoredMessage | null> {
    const { bus, key } = this.#options;
    const { after, scope } = decision;
    const isNew = decision.assignment.state === 'assigned';
    const assignment = isNew
      ? warranted({ ...decision.assignment, ...this.#newNames() }, key)
      : decision.assignment;
    const subject = subjects.assignment(assignment.host, assignment.task);
    const bytes = Buffer.from(JSON.stringify(assignment));
    const headers = bus.headers();
    seal(headers, key, subject, after, bytes);
    const expect = {
      streamName: streams.assignments,
      lastSubjectSequence: after,
      ...(scope === 'task' ? { lastSubjectSequenceSubject: `assign.*.${assignment.task}` } : {}),
    };
    const seq = await this.#store(subject, bytes, { headers, expect, msgID: messageIdOf(assignment, after) });
    return seq === null ? null : { seq, after, assignment, isWarranted: () => true };
  }

  async #store(subject: string, bytes: Uint8Array, options: PublishOptions): Promise<number | null> {
    const { bus, onSilence } = this.#options;
    const until = performance.now() + writeForMs;
    const begun = await this.#era(until);
    let { msgID } = options;
    for (let pause = pauseMs; ; pause = Math.min(pause * 2, 1000)) {
      try {
        // In another stream the sequence number in the condition may belong to another message.
        if ((await this.#era(until)) !== begun) return null;
        const { seq, duplicate } = await bus.stream.publish(subject, bytes, { ...options, msgID });
        if (!duplicate) return seq;
        // Ask the leader: another replica may not have the message yet.
        const there = await bus.manager.streams.getMessage(streams.assignments, { seq });
        // An earlier try of ours wrote it, or another coordinator that decided the same.
        if (there?.subject === subject) return Buffer.compare(there.data, bytes) === 0 ? seq : null;
        // A host used our id on its own subject to prevent this write. Nobody can guess the next id.
        msgID = `${options.msgID}.${randomHex(8)}`;
      } catch (error) {
        // An earlier try of ours may have been stored without an answer. The journal shows it.
        if (apiCode(error) === wrongLastSequence) return null;
        if (!isBusError(error)) throw error;
        // An error with a code is an answer. Two writers may use one subject at the same moment (10158, 10164).
        if (apiCode(error) === undefined) onSilence();
        if (performance.now() > until || bus.connection.isClosed()) throw noAnswer(error);
        await sleep(pause);
      }
    }
  }

  #newNames(): { readonly nonce: string; readonly era?: string } {
    const era = this.#options.era();
    return { nonce: randomHex(16), ...(era !== null && { era }) };
  }

  async #era(until: number): Promise<string> {
    for (;;) {
      const era = this.#options.era();
      if (era !== null) return era;
      if (performance.now() > until) throw noAnswer(new Error('the connection is gone'));
      await sleep(pauseMs);
    }
  }
}

interface PublishOptions {
  readonly headers: ReturnType<Bus['headers']>;
  readonly expect: { readonly streamName: string; readonly lastSubjectSequence: number };
  readonly msgID: string;
}

/** The error for a write or a read without an answer. */
export function noAnswer(cause: unknown): OutliveError {
  return new OutliveError(
    'FLEET_UNREACHABLE',
    'expected the stream of assignments to answer; found that it does not, so nobody knows whether it has stored the message. Ask again with the same request: that starts nothing twice.',
    { cause },
  );
}
