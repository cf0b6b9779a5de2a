import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fillStore, type Use } from '../../bench/old-store.ts';
import { openStore } from '../../src/index.ts';
import { installedCommand } from './packed.ts';
import { World } from './world.ts';

/** The session that is asked, in both stores. */
const mine = 'mine';

/** More calls than this are not a matter of the moment: a verb goes through what is old. */
const slack = 40;

/** Why calls of a process cannot be counted here; false where they can. */
export function whyNoStrace(): string | false {
  return spawnSync('strace', ['--version']).error !== undefined && 'there is no strace';
}

/** The verbs, and what they are asked of a task that has ended. */
function questions(taskId: string): readonly (readonly string[])[] {
  const ofTask = ['wait', 'logs', 'show', 'kill'].map((verb) => [verb, taskId]);
  return [['ps'], ['completions'], ['run', 'true'], ...ofTask];
}

/**
 * Asks the same of a store that is new and of one that is old. The answers must be the same, and the second one must not
 * cost more calls to the system: time would tell of the machine as well.
 */
export async function compareWithOldStore(t: TestContext, use: Use): Promise<void> {
  await using world = new World();
  const [young, old] = [`${world.base}/young`, `${world.base}/old`];
  await fillStore(old, use);
  const [inYoung, inOld] = [await oneTask(young), await oneTask(old)];
  for (const [at, words] of questions(inYoung).entries()) {
    const sameOfOld = questions(inOld)[at] ?? [];
    const [before, now] = [
      { dir: young, words },
      { dir: old, words: sameOfOld },
    ].map(({ dir, words: asked }) => ask(world, dir, asked)) as [Answer, Answer];
    const [verb] = words;
    t.diagnostic(`${verb}: ${before.calls} calls in a new store, ${now.calls} in an old one`);
    assert.equal(withoutIds(now.text), withoutIds(before.text), verb);
    assert.ok(
      now.calls <= before.calls + slack,
      `${verb}: ${now.calls} calls, and ${before.calls} in a new store`,
    );
  }
}

async function oneTask(dir: string): Promise<string> {
  await using store = await openStore({ dir });
  const task = await (await store.session(mine)).spawn('echo hello');
  await task.wait();
  return task.id;
}

interface Answer {
  readonly text: string;
  /** Calls to the system that name a file, or read a folder. */
  readonly calls: number;
}

function ask(world: World, dir: string, [verb = '', ...operands]: readonly string[]): Answer {
  const trace = `${world.base}/trace`;
  // What follows a command belongs to it.
  const words = [verb, '--session', mine, '--store', dir, ...operands];
  const own = [process.execPath, installedCommand(), ...words];
  const tracer = ['-qq', '-y', '-e', 'trace=%file,getdents64', '-o', trace];
  const text = execFileSync('strace', [...tracer, ...own], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // How many processes the machine has is not the store's doing.
  const lines = readFileSync(trace, 'utf8').split('\n');
  return { text, calls: lines.filter((line) => !line.includes('/proc')).length };
}

/** Ids, times and the store's folder differ. */
function withoutIds(text: string): string {
  return text
    .replaceAll(/bgb-[0-9a-f]+/g, 'ID')
    .replaceAll(/\d+(?:\.\d+)?/g, '0')
    .replaceAll(/\/(?:young|old)\b/g, '/store')
    .replaceAll(/-[0-9a-f]{16}\b/g, '-HASH');
}
