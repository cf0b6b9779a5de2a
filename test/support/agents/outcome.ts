import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one agent did in one scene, for the table. */
export interface Outcome {
  readonly scene: string;
  readonly agent: string;
  /** The sentence of the test, where a scene has several with that agent. */
  readonly test?: string;
  /** The compiled test file. */
  readonly file: string | undefined;
  readonly passed: boolean;
  /** What was seen, where more than one thing is right. */
  readonly seen?: unknown;
}

/** Keeps an outcome for the table, in the place of what was noted before of that scene with that agent. */
export function note(outcome: Outcome): void {
  const folder = process.env.OUTLIVE_AGENTS_RESULTS;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const { scene, agent, test = '' } = outcome;
  writeFileSync(join(folder, `${wordOf(`${scene} ${agent} ${test}`.trim())}.json`), JSON.stringify(outcome));
}

/** The name of a scene as a file can have it. */
export function wordOf(name: string): string {
  return name.replaceAll(/\W+/g, '-');
}
