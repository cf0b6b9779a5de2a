import type { TestContext } from 'node:test';
import { Chance, endOfBudget } from '../chance.ts';
import { type Role, roles } from './at-call.ts';
import { type LifeName, lifeNames } from './lives.ts';
import { acts } from './observer.ts';
import type { SpawnerCase, SpawnerStage } from './spawner-stage.ts';
import type { Case, Stage } from './stage.ts';

/** What happens to a process: it is killed, or stopped by SIGSTOP and later continued. */
export type Action = 'kill' | 'stop';

/** Every call of every process of a spawn, in every life; `both`: the spawner has the same fate at that moment. */
export async function shimPoints(stage: Stage, action: Action, both = false): Promise<Case[]> {
  const points: Case[] = [];
  for (const life of lifeNames) {
    const counts = await stage.counts(life);
    for (const role of roles) {
      const first = action === 'stop' ? 0 : 1;
      for (let number = first; number <= counts[role]; number += 1)
        points.push(...withActs({ life, role, number, action, both }));
    }
  }
  return points;
}

/** Every call of a spawner in every life. */
export async function spawnerPoints(stage: SpawnerStage, action: Action): Promise<SpawnerCase[]> {
  const points: SpawnerCase[] = [];
  for (const life of lifeNames) {
    const calls = await stage.count(life);
    for (let number = 1; number <= calls; number += 1) points.push(...withActs({ life, number, action }));
  }
  return points;
}

/** The same, and at any of the first calls of its shim that happens to it as well. */
export async function pairs(stage: SpawnerStage, action: Action): Promise<SpawnerCase[]> {
  const plans = roles.flatMap((role: Role) =>
    Array.from({ length: role === 'shim' ? 60 : 16 }, (_, at) => ({ role, number: at + 1, action })),
  );
  const points = await spawnerPoints(stage, action);
  return points.flatMap((point) => plans.map((shim) => ({ ...point, shim })));
}

/** Of one that is dead nobody can ask anything while it is; of one that is stopped others can do all that they like. */
function withActs<T extends { readonly life: LifeName; readonly action: Action }>(
  point: T,
): (T & { act: (typeof acts)[number] })[] {
  return (point.action === 'kill' ? (['look'] as const) : acts).map((act) => ({ ...point, act }));
}

/** How many cases are played. */
export interface Effort<T> {
  /** Those that are played whatever chance says: they have found something before. */
  readonly always?: (point: T) => boolean;
  /** So many of the others; by default all that there is time for. */
  readonly most?: number;
  /** The part of the time that a file of test/prove has. */
  readonly share?: number;
}

/** Plays some cases in an order that chance chooses. All that fail are told. */
export async function playSome<T>(
  t: TestContext,
  stage: { play(one: T): Promise<unknown> },
  points: readonly T[],
  { always = () => false, most = Number.POSITIVE_INFINITY, share = 1 }: Effort<T> = {},
): Promise<void> {
  const chance = new Chance(t);
  const end = endOfBudget(share);
  const chosen = points.filter(always);
  const left = points.filter((point) => !always(point));
  const found: string[] = [];
  let played = 0;
  const play = async (one: T): Promise<void> => {
    played += 1;
    await stage.play(one).catch((error: unknown) => found.push(String(error)));
  };
  for (const one of chosen) await play(one);
  while (left.length > 0 && played < chosen.length + most && performance.now() < end) {
    const [one] = left.splice(chance.number(left.length), 1);
    if (one !== undefined) await play(one);
  }
  t.diagnostic(`${played} of ${points.length} cases`);
  if (found.length > 0) throw new Error(`${found.length} of ${played} cases failed:\n${found.join('\n\n')}`);
}
