import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasFact } from './logs.ts';
import { quote, type World, waitFor } from './world.ts';

/** A hook that writes a line for each of its runs, with what it is told. */
export function notingHook(world: World): string {
  return `echo "$OUTLIVE_TASK_ID $OUTLIVE_STATUS [$OUTLIVE_EXIT_CODE]" >>${quote(notes(world))}`;
}

/** What it has written. */
export function notedBy(world: World): string[] {
  return existsSync(notes(world)) ? readFileSync(notes(world), 'utf8').split('\n').slice(0, -1) : [];
}

function notes(world: World): string {
  return join(world.base, 'notes');
}

/** Waits until the hook of a task has ended. */
export async function untilHooked(world: World, { id }: { readonly id: string }): Promise<void> {
  await waitFor(() => hasFact(world.logOf(id), 'hooked'), `the hook of ${id} to end`);
}
