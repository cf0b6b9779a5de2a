import { OutliveError } from '../../errors/error.ts';
import { sleep } from '../../util/wait.ts';
import type { Operation } from '../wire/names.ts';

/** How a client asks the coordinator. */
export interface Asking {
  /** @throws OutliveError what the coordinator refused with; `FLEET_UNREACHABLE` when none answers. */
  ask(operation: Operation, request: object, withinMs?: number): Promise<unknown>;
  /** Whether it was closed: then it cannot ask. @default never */
  isClosed?(): boolean;
}

/** The longest time that an immediate answer takes, in milliseconds: three disks, a new leader. */
const answerMs = 5_000;

/** How long it repeats a request that does no harm twice, in milliseconds: a change of leader takes 4 to 9 s. */
const patienceMs = 12_000;

/** Where nobody listens at all, the answer comes at once. */
const pauseMs = 250;

/**
 * Asks until there is an answer. Only for what may be asked twice: it reads, or carries the id of its request.
 * @param waitMs how long the coordinator itself may wait before it answers.
 * @throws OutliveError as `ask`.
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
