import { isUtf8 } from 'node:buffer';
import { OutliveError } from '../../errors/error.ts';
import type { Facts } from '../../model/fold.ts';
import { cookieVariable } from '../../platform/system.ts';
import type { SessionContext } from '../session/context.ts';
import type { Observed } from '../session/observe.ts';
import { type InheritedEnvironment, isOurs, ownEnvironment } from './spawn-environment.ts';

/** How many names of variables a message has; `details` has all. */
const namedVariables = 8;

/**
 * What a task that is run again inherits of variables. While it runs, they are read from its process, where the system
 * shows them. Else they are those of this process; what its spawner had set to other values is asked for by name, since
 * values are never written down.
 * @param env what the caller says of variables.
 * @throws OutliveError `INVALID_ENV`, with the names that are missing.
 */
export async function inheritedAgain(
  context: SessionContext,
  { facts, alive }: Observed,
  env: Readonly<Record<string, unknown>>,
): Promise<InheritedEnvironment> {
  const { setNames = [], unsetNames = [], taskId = '' } = facts.spec ?? {};
  const names = { setNames, unsetNames };
  const block = alive === 'yes' ? await blockOf(context, facts) : null;
  if (block !== null) return { ...entriesOf(block), ...names };
  const own = ownEnvironment();
  const isThere = (name: string): boolean => own.environment[name] !== undefined || Object.hasOwn(env, name);
  const missing = setNames.filter((name) => !isThere(name));
  if (missing.length > 0) throw missingVariables(taskId, missing);
  const environment = { ...own.environment };
  for (const name of unsetNames) delete environment[name];
  return { ...own, environment, ...names };
}

/** The environment of the command while it runs; null where it is not shown, or is not what the command was given. */
async function blockOf({ store }: SessionContext, { spec, started }: Facts): Promise<Buffer | null> {
  if (started === undefined || spec === undefined) return null;
  const { pid, start, shimPid } = started;
  const block = (await store.system.environmentOf?.({ pid, start }, shimPid)) ?? null;
  // A program may have written over it, or was started with none of what the task was given.
  return block?.includes(`${cookieVariable}=${spec.cookie}\0`) ? block : null;
}

function entriesOf(block: Buffer): Pick<InheritedEnvironment, 'environment' | 'undecoded'> {
  const environment: NodeJS.ProcessEnv = {};
  const undecoded: { name: string; bytes: Buffer }[] = [];
  for (let at = 0; at < block.length; ) {
    const end = block.indexOf(0, at);
    const bytes = block.subarray(at, end < 0 ? undefined : end);
    at += bytes.length + 1;
    const text = bytes.toString('utf8');
    const name = text.slice(0, text.indexOf('='));
    // Shells set `_` for each program.
    if (name === '' || name === '_' || isOurs(name)) continue;
    if (isUtf8(bytes)) environment[name] = text.slice(name.length + 1);
    else undecoded.push({ name, bytes: Buffer.from(bytes) });
  }
  return { environment, undecoded };
}

function missingVariables(taskId: string, missing: readonly string[]): OutliveError {
  const named = missing.slice(0, namedVariables).join(', ') + (missing.length > namedVariables ? ' ...' : '');
  return new OutliveError(
    'INVALID_ENV',
    `expected the variables that ${taskId} was spawned with; found no value of ${named}, because outlive never records values. Give them in the option env.`,
    { details: { missing } },
  );
}
