import { readFileSync } from 'node:fs';
import type { Session, SpawnOptions, TaskSnapshot } from '../../src/index.ts';

/** Runs a command to its end: how it ended, and all that it wrote. */
export async function ran(
  session: Session,
  command: string,
  options: SpawnOptions = {},
): Promise<{ readonly snapshot: TaskSnapshot; readonly text: string }> {
  const { snapshot } = await session.run(command, { ...options, waitMs: 20_000 });
  return { snapshot, text: readFileSync(snapshot.output.path, 'utf8') };
}
