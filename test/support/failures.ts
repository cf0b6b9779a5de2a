import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Aftermath } from './aftermath.ts';
import { atSomeCalls, lead, parse, type Told } from './crashes.ts';
import { World } from './world.ts';

/** How calls fail. */
export interface Failure {
  /** As `ENOSPC`. */
  readonly with: string;
  /** So many calls, one after another. */
  readonly for: number;
}

/**
 * Lets calls of a life of fixtures/crash-scenario.mjs fail, from its n-th on, for every n or a part of them. It asks
 * again what was refused, so it must come to its end; then another process looks at what is there.
 * @returns the number of calls that can fail so.
 */
export async function failAtEveryCall(
  life: string,
  failure: Failure,
  check: (after: Aftermath) => Promise<void> = async () => undefined,
): Promise<number> {
  await using world = new World();
  const { calls } = await live(world, life, failure, 0, check);
  assert.ok(calls !== null && calls > 0, 'the calls of a life are counted');
  await atSomeCalls(calls, async (at) => void (await live(world, life, failure, at, check)));
  return calls;
}

let lives = 0;

/** One life whose calls fail from the `at`-th on (0: none does), and what another process finds after it. */
export async function live(
  world: World,
  life: string,
  failure: Failure,
  at: number,
  check: (after: Aftermath) => Promise<void> = async () => undefined,
): Promise<Told> {
  lives += 1;
  const dir = join(world.base, `${life}-${failure.with}-${failure.for}-${at}-${lives}`);
  const { text, code, killSignal } = await lead('fails-at-call.mjs', dir, life, {
    FAILS_AT_CALL: String(at),
    FAILS_FOR: String(failure.for),
    FAILS_WITH: failure.with,
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
