import { resolve } from 'node:path';
import { OutliveError } from '../../errors/error.ts';
import { readCredentials } from '../../fleet/admin/credentials.ts';
import type { FleetFolder } from '../../fleet/admin/folder.ts';
import { installUnit, removeUnit, type UnitChange } from '../../fleet/service/user-service.ts';
import { lineOf } from '../../util/quote.ts';
import { exitStatus } from '../exit-status.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../present/task.ts';

/** What says where the store, the keys and programs are. The user's service manager has its own. */
const kept = ['PATH', 'OUTLIVE_HOME', 'OUTLIVE_SHIM', 'OUTLIVE_CGROUP', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME'];

/** Has systemd run the agent of this host. */
export async function installService(
  io: Io,
  folder: FleetFolder,
  { fence, store }: { readonly fence?: 'keep' | 'stop'; readonly store?: string },
): Promise<number> {
  if (readCredentials.host(folder) === null)
    throw new OutliveError(
      'FLEET_CREDENTIALS',
      `expected a host of a fleet; found no credentials of one in ${folder.path}. Join with an invitation: outlive fleet join --service 'outlive+tls://...'`,
      { details: { path: folder.path } },
    );
  const environment = Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const change = await installUnit({
    command: [
      ...[process.execPath, resolve(process.argv[1] ?? 'outlive'), 'fleet', 'join'],
      ...(fence === undefined ? [] : ['--fence', fence]),
      ...(store === undefined ? [] : ['--store', resolve(store)]),
    ],
    environment,
  });
  const status = await tell(io, change, 'systemd runs the agent of this host');
  if (change.failed !== null)
    io.note(
      `until systemd runs it, this host gets no task. To run the agent without systemd: ${io.hint('fleet', 'join')}`,
    );
  return status;
}

/** Ends that, and removes the unit. Tasks go on. */
export async function removeService(io: Io): Promise<number> {
  return await tell(io, await removeUnit(), 'removed the unit; the tasks of this host keep running');
}

/** @returns the exit status: what systemd has not done is not done. */
async function tell(io: Io, { path, failed, left }: UnitChange, done: string): Promise<number> {
  const status = failed === null ? exitStatus.ok : exitStatus.failed;
  if (io.json) {
    await io.out(jsonLine({ unit: path, failed, left }));
    return status;
  }
  if (failed === null) await io.out(`${done}: ${path}\n`);
  else io.note(`systemd did not start the unit (${failed}); it is ${path}`);
  if (left.length > 0)
    io.note(`run these commands yourself:\n${left.map((words) => `  ${lineOf(words)}`).join('\n')}`);
  return status;
}
