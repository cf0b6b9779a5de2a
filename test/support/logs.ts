import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Fact } from '../../src/model/facts.ts';
import { parseLog } from '../../src/tasklog/read-log.ts';

/** The facts of one kind. */
export type FactOf<K extends Fact['fact']> = Extract<Fact, { fact: K }>;

/** The facts of a task log, in order; also of one that was put away since a test has asked for its path. */
export function factsOf(log: string): readonly Fact[] {
  return parseLog(readFileSync(existsSync(log) ? log : (putAway(log) ?? log), 'utf8')).list;
}

function putAway(log: string): string | undefined {
  const done = join(dirname(dirname(log)), 'done');
  const days = existsSync(done) ? readdirSync(done) : [];
  return days.map((day) => join(done, day, basename(log))).find(existsSync);
}

/** The first fact of a kind in a log. */
export function factOf<K extends Fact['fact']>(log: string, kind: K): FactOf<K> {
  const found = factsOf(log).find((fact): fact is FactOf<K> => fact.fact === kind);
  if (found === undefined) throw new Error(`expected a fact ${kind} in ${log}`);
  return found;
}

/** Whether a log holds a fact of that kind. */
export function hasFact(log: string, kind: Fact['fact']): boolean {
  return factsOf(log).some((fact) => fact.fact === kind);
}

/** Appends facts as anybody who can write to the log might. */
export function appendFacts(log: string, ...facts: object[]): void {
  appendFileSync(log, facts.map((fact) => `\n${JSON.stringify(fact)}\n`).join(''));
}

/** Changes a text in a log where it stands, for another of the same length: the shim has the file open. */
export function overwrite(log: string, text: string, replacement: string): void {
  const at = readFileSync(log, 'latin1').indexOf(text);
  if (at < 0 || text.length !== replacement.length) throw new Error(`cannot put ${replacement} for ${text}`);
  const descriptor = openSync(log, 'r+');
  writeSync(descriptor, replacement, at, 'latin1');
  closeSync(descriptor);
}

/** Removes the exit code of a task from beside its log, where it stays on Windows until somebody has seen it. */
export function dropExitMark(log: string): void {
  rmSync(log.replace(/\.jsonl$/, '.exit'), { force: true });
}

/** Makes the record of a task say that it was spawned on another machine. */
export function seemsElsewhere(log: string): void {
  const { by } = factOf(log, 'spec');
  overwrite(log, by.boot, by.boot.replace(/[0-9a-f]/g, '0'));
  overwrite(
    log,
    `"host":"${by.host}"`,
    `"host":"${by.host.replace(/^./, (first) => (first === 'x' ? 'y' : 'x'))}"`,
  );
  if (by.machine !== undefined) overwrite(log, by.machine, '0'.repeat(by.machine.length));
}
