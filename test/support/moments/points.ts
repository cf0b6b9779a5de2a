import type { TestContext } from 'node:test';
import { Chance, endOfBudget } from '../chance.ts';
import { type Role, roles } from './at-call.ts';
import { failuresOf } from './failures.ts';
import { type LifeName, lifeNames } from './lives.ts';
import { acts } from './observer.ts';
import type { SpawnerCase, SpawnerStage } from './spawner-stage.ts';
import type { Case, Stage } from './stage.ts';

/** What happens to a process: it is killed, or stopped by SIGSTOP and later continued. */
export type Action = 'kill' | 'stop';

/**
 * Some lives, chosen by chance, for the few cases of a file of test/crash: to find the calls of a life costs as much as a case.
 * @param always lives that are among them.
 */
export function someLives(t: TestContext, ...always: LifeName[]): LifeName[] {
  const chance = new Chance(t);
  const chosen = new Set(always);
  while (chosen.size < always.length + 3) chosen.add(chance.of(lifeNames));
  return [...chosen];
}

/** Which cases there are. */
interface Which {
  /** The spawner has the same fate at the same moment. */
  readonly both?: boolean;
  /** All by default. */
  readonly names?: readonly LifeName[];
}

/** Every call of every process of a spawn, in some lives. */
export async function shimPoints(
  stage: Stage,
  action: Action,
  { both = false, names = lifeNames }: Which = {},
): Promise<Case[]> {
  const points: Case[] = [];
  for (const life of names) {
    const calls = await stage.calls(life);
    for (const role of roles) {
      const first = action === 'stop' ? 0 : 1;
      for (let number = first; number <= calls[role].length; number += 1)
        points.push(...withActs({ life, role, number, action, both }));
    }
  }
  return points;
}

/** A pump under a flood makes the same calls again and again. */
const mostCalls = 200;

/** Every way in which a call of a process of a spawn may fail, in some lives. */
export async function failingPoints(stage: Stage, names: readonly LifeName[] = lifeNames): Promise<Case[]> {
  const points: Case[] = [];
  for (const life of names) {
    const calls = await stage.calls(life);
    for (const role of roles)
      for (const [at, call] of calls[role].slice(0, mostCalls).entries())
        for (const failure of failuresOf(call))
          points.push({ life, role, number: at + 1, action: 'fail', act: 'look', failure });
  }
  return points;
}

/** Every call of a spawner in some lives. */
export async function spawnerPoints(
  stage: SpawnerStage,
  action: Action,
  names: readonly LifeName[] = lifeNames,
): Promise<SpawnerCase[]> {
  const points: SpawnerCase[] = [];
  for (const life of names) {
    const calls = await stage.calls(life);
    for (const [at, call] of calls.entries())
      points.push(...withActs({ life, number: at + 1, call, action }));
  }
  return points;
}

/** The same, and at any of the first calls of its shim that happens to it as well. */
export async function pairs(
  stage: SpawnerStage,
  action: Action,
  names: readonly LifeName[] = lifeNames,
): Promise<SpawnerCase[]> {
  const plans = roles.flatMap((role: Role) =>
    Array.from({ length: role === 'shim' ? 60 : 16 }, (_, at) => ({ role, number: at + 1, action })),
  );
  const points = await spawnerPoints(stage, action, names);
  return points.flatMap((point) => plans.map((shim) => ({ ...point, shim })));
}

/** So many calls are more than anybody makes who opens a session with one task and closes it. */
const mostOfSweeper = 40;

/** A spawner is stopped at any of its calls, then a process that sweeps its session at any of its own. */
export async function sweptPoints(
  stage: SpawnerStage,
  names: readonly LifeName[] = lifeNames,
): Promise<SpawnerCase[]> {
  const points = (await spawnerPoints(stage, 'stop', names)).filter(({ act }) => act === 'look');
  return points.flatMap((point) =>
    Array.from({ length: mostOfSweeper }, (_, at) => ({ ...point, sweeper: at + 1 })),
  );
}

/** Of one that is dead nobody can ask anything while it is; of one that is stopped others can do all that they like. */
function withActs<T extends { readonly life: LifeName; readonly action: Action }>(
  point: T,
): (T & { act: (typeof acts)[number] })[] {
  return (point.action === 'kill' ? (['look'] as const) : acts).map((act) => ({ ...point, act }));
}

/** Failures that have found something. */
export function hasFoundSomething({ life, role, failure }: Case): boolean {
  const { call, code, times } = failure ?? {};
  // The command ran, and was told not to have run.
  if (life === 'ends' && role === 'child') return call === 1 && code === 'EIO';
  if (life === 'ends' && role === 'shim') return call === 0 && code === 'EIO';
  // A terminal that could be had in part was read from without an end.
  if (life === 'shows' && role === 'shim') return call === 16 && code === 'EIO';
  // The end of a task was told without the reason for its stop, which the disk had not taken.
  if (life === 'times' && role === 'shim') return call === 1 && code === 'ENOSPC';
  // The pump ended in the middle of a stop by force, and its shim waited for that end for ever.
  if (life === 'floods' && role === 'shim') return call === 62 && code === 'EPERM' && times === 12;
  // No pump could be started before the shim had nothing else to do, and what was in the pipe was lost.
  return life === 'pumps' && role === 'shim' && call === 56 && times === 12;
}

/** How many cases are played. */
export interface Effort<T> {
  /** Those that have found something before: as many of them are played as of the others, and before these. */
  readonly first?: (point: T) => boolean;
  /** So many of each; by default all that there is time for. */
  readonly most?: number;
  /** The part of the time that a file of test/prove has. */
  readonly share?: number;
}

/** Whether a case that fails beside others is played once more by itself: on a busy machine some wait in vain for a turn. */
const playsAgain = process.env.OUTLIVE_PROVE_AGAIN === '1';

/** Where a case can be played: one at a time. */
interface Playable<T> {
  play(one: T): Promise<unknown>;
}

/** Plays some cases in an order that chance chooses, on several stages at once. All that fail are told. */
export async function playSome<T>(
  t: TestContext,
  stage: Playable<T> | readonly Playable<T>[],
  points: readonly T[],
  { first = () => false, most = Number.POSITIVE_INFINITY, share = 1 }: Effort<T> = {},
): Promise<void> {
  const chance = new Chance(t);
  const end = endOfBudget(share);
  const found: { readonly one: T; readonly why: string }[] = [];
  let played = 0;
  for (const isFirst of [true, false]) {
    const left = points.filter((point) => first(point) === isFirst);
    let of = 0;
    const playOn = async (stage: Playable<T>): Promise<void> => {
      while (left.length > 0 && of < most && performance.now() < end) {
        const [one] = left.splice(chance.number(left.length), 1) as [T];
        of += 1;
        played += 1;
        await stage.play(one).catch((error: unknown) => found.push({ one, why: String(error) }));
      }
    };
    await Promise.all([stage].flat().map((one) => playOn(one as Playable<T>)));
  }
  t.diagnostic(`${played} of ${points.length} cases`);
  const failed: string[] = [];
  for (const { one, why } of found) {
    const again = playsAgain ? await failureOf(one, [stage].flat()[0] as Playable<T>) : why;
    if (again === null) t.diagnostic(`failed at first, and passed by itself: ${why}`);
    else failed.push(why);
  }
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${played} cases failed:\n${failed.join('\n\n')}`);
}

async function failureOf<T>(one: T, stage: Playable<T>): Promise<string | null> {
  return await stage.play(one).then(() => null, String);
}
