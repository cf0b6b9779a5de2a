import type { Chance } from '../chance.ts';
import { type Deed, deeds } from './deeds.ts';
import type { Halt, MoveCase, MoveStage } from './stage.ts';

const fates = ['go on', 'die'] as const;

/** Every call of a process that does something, looks among them, with all that others may do meanwhile. */
export async function movePoints(stage: MoveStage, deed: Deed): Promise<MoveCase[]> {
  const calls = await stage.count(deed);
  const halts = Array.from({ length: calls + 2 }, (_, at) =>
    fates.map((fate): Halt => ({ deed, number: at + 1, fate })),
  );
  return halts.flat().flatMap((halt) => deeds.map((meanwhile) => ({ halt, meanwhile })));
}

/** So many pairs of processes that are stopped each at a call of its own, of all that there are, as chance has it. */
export async function movePairs(stage: MoveStage, chance: Chance, count: number): Promise<MoveCase[]> {
  const calls = new Map<Deed, number>();
  for (const deed of deeds) calls.set(deed, await stage.count(deed));
  const halt = (deed: Deed): Halt => ({
    deed,
    number: 1 + chance.number(calls.get(deed) ?? 1),
    fate: chance.of(fates),
  });
  return Array.from({ length: count }, () => ({
    // One of them moves.
    halt: halt('move'),
    second: halt(chance.of(['move', ...deeds])),
    isSecondFirst: chance.number(2) === 1,
    ...(chance.number(2) === 1 && { meanwhile: chance.of(deeds) }),
  }));
}
