import type { z } from 'zod';
import { OutliveError } from '../../errors/error.ts';
import { isFinal, type RemoteHost, type RemoteTask } from '../../fleet/wire/operations.ts';
import type { taskSchema } from '../text/schemas.ts';
import type { RemoteCalls } from './remote-delivery.ts';
import { presentRemote, sayHosts, sayRemote } from './remote-text.ts';
import { within } from './wait-there.ts';

/** How long the list waits for the fleet to answer, in milliseconds. Then it goes without the fleet. */
const listMs = 2_000;

/** How many hosts an answer names. */
const mostHosts = 30;

/** The part of the list of `tasks` that is about the fleet. */
export interface ListedThere {
  readonly lines: readonly string[];
  readonly tasks: readonly z.infer<typeof taskSchema>[];
  readonly omitted: number;
}

/** The list when there is no fleet. */
export const noneThere: ListedThere = { lines: [], tasks: [], omitted: 0 };

/** The tasks of the caller's session on other hosts, the newest first, and the hosts. */
export async function listThere(
  remote: RemoteCalls,
  { all, limit }: { readonly all: boolean; readonly limit: number },
): Promise<ListedThere> {
  const asked = await within(listMs, ask(remote, all)).catch((error: unknown) => {
    if (error instanceof OutliveError) return null;
    throw error;
  });
  if (asked === null)
    return {
      ...noneThere,
      lines: ['The fleet does not answer, so tasks on other hosts are not in this list.'],
    };
  const { tasks, hosts } = asked;
  const shown = tasks.slice(0, limit);
  const omitted = tasks.length - shown.length;
  const lines = [
    ...(shown.length > 0 ? ['On other hosts:', ...shown.map((task) => `- ${sayRemote(task)}`)] : []),
    ...(omitted > 0 ? [`${omitted} more on other hosts are not shown.`] : []),
    ...sayHostsOf(hosts),
  ];
  return { lines, tasks: shown.map(presentRemote), omitted };
}

function sayHostsOf(hosts: readonly RemoteHost[]): string[] {
  const said = sayHosts(hosts);
  if (said.length === 0) return ['The fleet has no hosts.'];
  const more = said.length > mostHosts ? [`${said.length - mostHosts} more hosts are not shown.`] : [];
  return ['Hosts of the fleet, for "run":', ...said.slice(0, mostHosts), ...more];
}

async function ask(remote: RemoteCalls, all: boolean) {
  const fleet = await remote.fleet();
  const hosts = await fleet.hosts();
  const tasks: RemoteTask[] = [];
  for await (const task of fleet.tasks({ session: remote.session }))
    if (all || !isFinal(task)) tasks.push(task);
  return { hosts, tasks: tasks.sort((a, b) => b.at - a.at) };
}
