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

/** For how long a write is tried, in milliseconds. The longest change of a leader that was measured took 9.2 s. */
const writeForMs = 15_000;
const pauseMs = 50;

/** What a writer has to know of the stream. */
export interface WriterOptions {
  readonly bus: Bus;
  readonly key: SigningKey;
  /** When the stream was made that the memory is of; `null`: just now it is not known which one is there. */
  readonly era: () => string | null;
  /** Called when the stream does not answer, as while it has no leader. */
  readonly onSilence: () => void;
}

/** Writes arrows into the stream of assignments, each on its condition. */
export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Writes what was decided.
   * @returns the message as it is stored; `null`: look into the journal, something was written there before.
   * @throws OutliveError `FLEET_UNREACHABLE` when the stream gives no answer. Then it may be stored, or not.
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
        // The number that it is conditional on may be that of something else in another stream.
        if ((await this.#era(until)) !== begun) return null;
        const { seq, duplicate } = await bus.stream.publish(subject, bytes, { ...options, msgID });
        if (!duplicate) return seq;
        // From the leader: any other replica may not have it yet.
        const there = await bus.manager.streams.getMessage(streams.assignments, { seq });
        // An earlier try of ours, or another coordinator that has decided the same.
        if (there?.subject === subject) return Buffer.compare(there.data, bytes) === 0 ? seq : null;
        // A host used our id on a subject of its own, to keep us from writing. The next one cannot be guessed.
        msgID = `${options.msgID}.${randomHex(8)}`;
      } catch (error) {
        // It may be an earlier try of ours that was stored without an answer: the journal tells.
        if (apiCode(error) === wrongLastSequence) return null;
        if (!isBusError(error)) throw error;
        // An error with a number is an answer, as when two write to one subject at the same moment (10158, 10164).
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

/** An error for who waits for a write or a read that gave no answer. */
export function noAnswer(cause: unknown): OutliveError {
  return new OutliveError(
    'FLEET_UNREACHABLE',
    'expected the stream of assignments to answer; found that it does not, so it is not known whether it was stored. Ask again with the same request, which starts nothing twice.',
    { cause },
  );
}
