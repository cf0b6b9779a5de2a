import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** What some work has cost. */
export interface Cost {
  /** Bytes that were asked for of files, all in all, at once, and in the turn of the event loop with the most. */
  readonly bytes: number;
  readonly mostAtOnce: number;
  readonly mostInATurn: number;
  /** How often JSON was parsed. */
  readonly parses: number;
  readonly turns: number;
}

/** Does some work of this process, and counts what it costs: bytes and turns say more than milliseconds. */
export async function costOf(work: () => Promise<void>): Promise<Cost> {
  const { readSync, readFileSync } = fs;
  const { parse } = JSON;
  const cost = { bytes: 0, mostAtOnce: 0, mostInATurn: 0, parses: 0, turns: 0 };
  let inTurn = 0;
  let isOver = false;
  const read = (bytes: number): void => {
    cost.bytes += bytes;
    inTurn += bytes;
    cost.mostAtOnce = Math.max(cost.mostAtOnce, bytes);
    cost.mostInATurn = Math.max(cost.mostInATurn, inTurn);
  };
  const turn = (): void => {
    cost.turns += 1;
    inTurn = 0;
    if (!isOver) setImmediate(turn);
  };
  fs.readSync = ((...args: Parameters<typeof readSync>) => {
    const count = Reflect.apply(readSync, fs, args) as number;
    read(count);
    return count;
  }) as typeof readSync;
  fs.readFileSync = ((...args: Parameters<typeof readFileSync>) => {
    const content = Reflect.apply(readFileSync, fs, args) as Buffer | string;
    read(content.length);
    return content;
  }) as typeof readFileSync;
  JSON.parse = (...args: Parameters<typeof parse>): unknown => {
    cost.parses += 1;
    return parse(...args);
  };
  syncBuiltinESMExports();
  setImmediate(turn);
  try {
    await work();
  } finally {
    isOver = true;
    Object.assign(fs, { readSync, readFileSync });
    JSON.parse = parse;
    syncBuiltinESMExports();
  }
  return cost;
}
