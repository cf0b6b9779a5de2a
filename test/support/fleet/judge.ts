import { join } from 'node:path';
import type { RemoteTask } from '../../../src/fleet/client/index.ts';
import { type Dispatching, statusOf } from './dispatching.ts';
import type { Absence } from './part.ts';
import { type ProcessFleet, readLines } from './process-fleet.ts';

/** What a run has come to. */
export interface Verdict {
  /** Each violation, in words. */
  readonly wrong: readonly string[];
  /** What ended on a host; what was revoked, and proved not to have started; what started more than once because that was asked for. */
  readonly ended: number;
  readonly revoked: number;
  readonly again: number;
}

/** What was asked for, and what the consumer was told. */
export type Asked = Pick<Dispatching, 'dispatched' | 'told' | 'wrong'>;

/**
 * Compares what hosts have started with what the consumer was told.
 * @param starts the attempts of each key that have started, on whatever host.
 */
export function judge(starts: ReadonlyMap<string, readonly number[]>, asked: Asked): Verdict {
  const wrong = [...asked.wrong];
  let [ended, revoked, again] = [0, 0, 0];
  for (const key of starts.keys())
    if (!asked.dispatched.has(key)) wrong.push(`${key} has started, and nobody was told that it was taken`);
  for (const { key, task, redispatch } of asked.dispatched.values()) {
    const attempts = starts.get(key) ?? [];
    if (new Set(attempts).size < attempts.length)
      wrong.push(`${key} has started twice: attempts ${attempts}`);
    if (attempts.length > 1 + redispatch) wrong.push(`${key} has started ${attempts.length} times`);
    if (attempts.length > 1) again += 1;
    const told = asked.told.get(key) ?? [];
    const [end] = told;
    if (end === undefined) {
      wrong.push(`${key} has no end; it has started ${attempts.length} times`);
      continue;
    }
    if (new Set(told.map(essence)).size > 1) wrong.push(`${key} has two ends: ${told.map(essence)}`);
    if (end.task !== task) wrong.push(`${key} is ${task}, and its end is that of ${end.task}`);
    if (end.end === null) revoked += 1;
    else ended += 1;
    wrong.push(...judgeEnd(key, end, attempts));
  }
  return { wrong, ended, revoked, again };
}

function judgeEnd(key: string, { end, attempt, reason }: RemoteTask, attempts: readonly number[]): string[] {
  if (end === null)
    return attempts.length === 0 ? [] : [`${key} has started, and its end says that it has not: ${reason}`];
  if (!attempts.includes(attempt))
    return [`${key} has not started as attempt ${attempt}, and ended ${end.status}: ${reason}`];
  return end.exitCode === statusOf(key)
    ? []
    : [`${key} ended with ${end.status} ${end.exitCode}; ${statusOf(key)} was its status`];
}

function essence({ attempt, end, state }: RemoteTask): string {
  return `${attempt} ${end === null ? 'revoked' : `${state === 'revoked'} ${end.status} ${end.exitCode}`}`;
}

/** The attempts of each key that have started, on whatever host. */
export function startsOf(fleet: ProcessFleet): ReadonlyMap<string, readonly number[]> {
  const starts = new Map<string, number[]>();
  for (const { world } of fleet.hosts)
    for (const line of readLines(join(world.base, 'starts'))) {
      const [key = '', attempt = ''] = line.split(' ');
      starts.set(key, [...(starts.get(key) ?? []), Number(attempt)]);
    }
  return starts;
}

/** An entry of the audit that says that a task is unknown. */
export interface SaidUnknown {
  readonly host: string;
  readonly task: string;
  readonly at: number;
}

/**
 * Which of these were not true: the host was there, and so were all servers, for all the time in which it is said to have been
 * silent.
 * @param lostMs a host that is silent for so long is lost.
 */
export function falselyUnknown(
  fleet: ProcessFleet,
  said: readonly SaidUnknown[],
  lostMs: number,
): readonly SaidUnknown[] {
  const ofServers = fleet.servers.flatMap((part) => part.away());
  return said.filter(({ host, at }) => {
    const ofHost = fleet.hosts.find(({ name }) => name === host)?.agent.away() ?? [];
    const wasAway = ({ from, until }: Absence): boolean => from < at && until > at - lostMs;
    return ![...ofHost, ...ofServers].some(wasAway);
  });
}
