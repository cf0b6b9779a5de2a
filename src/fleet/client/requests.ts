import { OutliveError } from '../../errors/error.ts';
import { sleep } from '../../util/wait.ts';
import type { Operation } from '../wire/names.ts';

/** How a client asks the coordinator. */
export interface Asking {
  /** @throws OutliveError the coordinator's refusal; `FLEET_UNREACHABLE` when no coordinator answers. */
  ask(operation: Operation, request: object, withinMs?: number): Promise<unknown>;
  /** Whether the connection is closed, so that it cannot ask. @default never */
  isClosed?(): boolean;
}

/** How long an immediate answer may take, in milliseconds: three disks, and a new leader. */
const answerMs = 5_000;

/** How long it repeats a request, in milliseconds. A change of the leader takes 4 to 9 s. */
const patienceMs = 12_000;

/** The pause between two tries, in milliseconds. If nobody listens, a try fails at once. */
const pauseMs = 250;

/**
 * Asks until there is an answer. Only for requests that may be repeated: they read, or have an id.
 * @param waitMs how long the coordinator itself may wait before it answers.
 * @throws OutliveError like `ask`.
 */
export async function askAgain(
  asking: Asking,
  operation: Operation,
  request: object,
  waitMs = 0,
): Promise<unknown> {
  const endAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return await asking.ask(operation, request, waitMs + answerMs);
    } catch (error) {
      const isSilence = error instanceof OutliveError && error.code === 'FLEET_UNREACHABLE';
      if (!isSilence || asking.isClosed?.() || performance.now() > endAt) throw error;
      await sleep(pauseMs);
    }
  }
}
