import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Aftermath } from './aftermath.ts';
import { withoutKeeper } from './orphans.ts';
import { onWindows } from './processes.ts';
import { root } from './repository.ts';
import { World } from './world.ts';

/** What the program had told before it died, put together. */
export interface Told {
  /** What should not have happened: errors without a code, descriptors that are left. */
  readonly wrong: string[];
  /** The ids that it was answered. */
  readonly spawned: string[];
  /** The ids of tasks that were to be restarted. */
  readonly restarts: string[];
  readonly acked: string[];
  readonly stopped: string[];
  readonly prunes: string[];
  readonly pruned: string[];
  /** Which calls were refused, and with what code. */
  readonly refused: string[];
  /** Tasks with a durable watch, and the matches that were acknowledged. */
  readonly watched: string[];
  readonly seen: string[];
  /** How many calls it made; only of one that lived to the end. */
  readonly calls: number | null;
}

/** A life takes a second or two, in Wine ten. */
const brokenAfterMs = onWindows ? 60_000 : 20_000;

/** So many lives at a time: a part of a life after a crash is waiting. */
const atATime = 2;

const library = new URL('../../src/index.js', import.meta.url).href;
const fixtures = join(root, 'test', 'fixtures');

/**
 * At every so manieth call a life dies, from a call on that chance chooses: over some runs it is every one.
 * `OUTLIVE_CRASH_STEP=1` dies at every call in one run, which takes minutes. In Wine it is a few calls of each life.
 */
const step = Number(process.env.OUTLIVE_CRASH_STEP ?? (onWindows ? 40 : 24));

/** Whether each call is to be tried. */
const isWhole = step === 1;

/**
 * Lets a life of fixtures/crash-scenario.mjs die before its n-th call, for every n or a part of them, and looks each
 * time at what another process finds.
 * @param rarer that many times as rarely as usual, for a life that makes many calls or takes long.
 * @returns the number of calls.
 */
export async function crashAtEveryCall(
  life: string,
  check: (after: Aftermath) => Promise<void> = async () => undefined,
  rarer = 1,
): Promise<number> {
  await using world = new World();
  const { calls } = await live(world, life, 0, check);
  assert.ok(calls !== null && calls > 20, 'the calls of a life are counted');
  await atSomeCalls(calls, async (at) => void (await live(world, life, at, check)), rarer);
  return calls;
}

/** Does something for every so manieth of the calls of a life, two at a time. */
export async function atSomeCalls(
  calls: number,
  work: (at: number) => Promise<void>,
  rarer = 1,
): Promise<void> {
  // Who asks for every call gets every call.
  const stride = isWhole ? 1 : step * (onWindows ? Math.min(rarer, 2) : rarer);
  let next = 1 + Math.floor(Math.random() * Math.min(stride, calls));
  const worker = async (): Promise<void> => {
    // No two lives make quite the same calls; a few more numbers than the first one needed do no harm.
    while (next <= calls + 3) {
      const at = next;
      next += stride;
      await work(at);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

/**
 * Does something for some of the calls of a life that can fail by a mistake, which are all calls of the file system. There
 * are hundreds in a life: of eight in a row one is tried, which chance chooses, and of these as many as of deaths.
 */
export async function atSomeMistakes(calls: number, work: (at: number) => Promise<void>): Promise<void> {
  const together = isWhole ? 1 : 8;
  const offset = Math.floor(Math.random() * together);
  await atSomeCalls(Math.ceil(calls / together), (nth) => work(nth * together - offset));
}

async function live(
  world: World,
  life: string,
  diesAt: number,
  check: (after: Aftermath) => Promise<void>,
): Promise<Told> {
  const dir = `${world.base}/${life}-${diesAt}`;
  const { text, code, killSignal } = await lead('dies-at-call.mjs', dir, life, {
    DIES_AT_CALL: String(diesAt),
  });
  const told = parse(text);
  try {
    assert.ok(isKilled(killSignal, text) || code === 0, `the program ended with ${code ?? killSignal}`);
    await using after = await Aftermath.of(dir, told);
    await after.check();
    await check(after);
    await after.checkNothingIsLeft();
  } catch (error) {
    throw new Error(`after a death before call ${diesAt} of the life "${life}": ${text}\n${error}`, {
      cause: error,
    });
  }
  return told;
}

/** Whether a life ended where it was to die. Windows tells of no signal, so there it has said so. */
export function isKilled(killSignal: string | null, text: string): boolean {
  return onWindows ? text.includes('{"died":') : killSignal === 'SIGKILL';
}

/** Leads a life of fixtures/crash-scenario.mjs to its end, behind the module that makes it hard. */
export async function lead(
  module: string,
  dir: string,
  life: string,
  env: NodeJS.ProcessEnv,
): Promise<{ text: string; code: number | null; killSignal: string | null }> {
  const program = [
    '--import',
    pathToFileURL(join(fixtures, module)).href,
    join(fixtures, 'crash-scenario.mjs'),
  ];
  const child = spawn(process.execPath, [...program, library, dir, life], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // With a keeper, each life on Windows would have to be waited for.
    env: { ...process.env, ...withoutKeeper, ...env },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const force = setTimeout(() => {
    text += '{"wrong":"it does not come to its end"}\n';
    child.kill('SIGKILL');
  }, brokenAfterMs);
  const [code, killSignal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(force);
  return { text, code, killSignal };
}

/** What a life has told, line by line. */
export function parse(text: string): Told {
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const ids = (key: string): string[] => lines.flatMap((line) => (line[key] ?? []) as string | string[]);
  const calls = lines.find((line) => 'calls' in line)?.calls ?? null;
  return {
    wrong: ids('wrong'),
    spawned: ids('spawned'),
    restarts: ids('restarts'),
    acked: ids('acked'),
    stopped: ids('stopped'),
    prunes: ids('prunes'),
    pruned: ids('pruned'),
    refused: ids('refused'),
    watched: ids('watched'),
    seen: ids('seen'),
    calls: calls as number | null,
  };
}
