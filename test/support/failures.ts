import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Aftermath } from './aftermath.ts';
import { lead, parse, type Told } from './crashes.ts';
import type { World } from './world.ts';

/** How calls fail. */
export interface Failure {
  /** As `ENOSPC`. */
  readonly with: string;
  /** So many calls, one after another. */
  readonly for: number;
  /** A pattern of the names of calls that work all the time. */
  readonly never?: string;
}

/** Every life has a folder of its own. */
let lives = 0;

/**
 * One life whose calls fail from the `at`-th on (0: none does), and what another process finds after it.
 * @param at also the name of a call and a number: from the n-th of these on.
 */
export async function live(
  world: World,
  life: string,
  failure: Failure,
  at: number | `${string} ${number}`,
  check: (after: Aftermath) => Promise<void> = async () => undefined,
): Promise<Told> {
  lives += 1;
  const dir = join(
    world.base,
    `${life}-${failure.with}-${failure.for}-${String(at).replace(' ', '-')}-${lives}`,
  );
  const { text, code, killSignal } = await lead('fails-at-call.mjs', dir, life, {
    FAILS_AT_CALL: String(at),
    FAILS_FOR: String(failure.for),
    FAILS_WITH: failure.with,
    FAILS_NEVER: failure.never ?? '',
  });
  const told = parse(text);
  try {
    assert.deepEqual(told.wrong, []);
    assert.equal(code, 0, `the program ended with ${code ?? killSignal}`);
    await using after = await Aftermath.of(dir, told);
    await after.check();
    await check(after);
    await after.checkNothingIsLeft();
  } catch (error) {
    const what = `${failure.for} calls with ${failure.with} from call ${at} on`;
    throw new Error(`after ${what} in the life "${life}": ${text}\n${error}`, { cause: error });
  }
  return told;
}
