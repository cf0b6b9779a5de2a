import { type Deed, deeds } from './deeds.ts';
import type { RoleCase, RoleStage } from './role-stage.ts';

/** Every call of a process that does something, with everything that others may do meanwhile. */
export async function rolePoints(stage: RoleStage, role: Deed): Promise<RoleCase[]> {
  const calls = await stage.count(role);
  const numbers = Array.from({ length: calls + 2 }, (_, at) => at + 1);
  // Nobody else knows of a store that was made just now.
  const others = role === 'make' ? (['make'] as const) : deeds;
  return numbers.flatMap((number) => others.map((meanwhile) => ({ role, number, meanwhile })));
}
