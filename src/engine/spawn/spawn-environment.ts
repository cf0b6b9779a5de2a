import { undecodedVariables } from '../../platform/environment-bytes.ts';
import { cookieVariable } from '../../platform/system.ts';
import { isRequestVariable } from '../../shim/request.ts';
import { fail, isWhole } from '../session/validate.ts';

/** Names of variables that a record keeps of a task, of each kind. */
const recordedNames = 512;

/** What a command gets of variables, before its spawner says more. */
export interface InheritedEnvironment {
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** More variables, as bytes with name, equals sign and value: they are no UTF-8. */
  readonly undecoded: readonly { readonly name: string; readonly bytes: Buffer }[];
  /** The names that count as set, or as removed, by a spawner although they are not in `env`. */
  readonly setNames: readonly string[];
  readonly unsetNames: readonly string[];
}

/** What a command gets of variables. */
export interface SpawnEnvironment {
  readonly environment: NodeJS.ProcessEnv;
  /** More variables, as bytes with name, equals sign and value: they are no UTF-8. */
  readonly undecoded: readonly Buffer[];
  /** The names that the spawner has set to values of its own, and those that it has removed. */
  readonly setNames: readonly string[];
  readonly unsetNames: readonly string[];
}

/** The variables of this process. */
export function ownEnvironment(): InheritedEnvironment {
  const environment = { ...process.env };
  return { environment, undecoded: undecodedVariables(environment), setNames: [], unsetNames: [] };
}

/**
 * The environment of a command: what it inherits, and what the caller says of it.
 * @param env variables to set; `null` or `undefined` removes one.
 * @throws OutliveError `INVALID_ENV`.
 */
export function checkEnvironment(
  env: Readonly<Record<string, string | null | undefined>>,
  inherited?: InheritedEnvironment,
): SpawnEnvironment {
  if (typeof env !== 'object' || env === null || Array.isArray(env)) {
    fail('INVALID_ENV', `expected env to be an object of names and values; found ${typeof env}.`);
  }
  const base = inherited ?? ownEnvironment();
  const environment: NodeJS.ProcessEnv = { ...base.environment };
  const undecoded = base.undecoded.filter(({ name }) => !Object.hasOwn(env, name));
  for (const { name } of undecoded) delete environment[name];
  for (const name of Object.keys(environment)) if (isRequestVariable(name)) delete environment[name];
  const set = new Set(base.setNames);
  const unset = new Set(base.unsetNames);
  for (const [name, value] of Object.entries(env)) {
    checkName(name);
    checkValue(name, value);
    if (value === null || value === undefined) {
      set.delete(name);
      unset.add(name);
      removeVariable(environment, name);
      continue;
    }
    unset.delete(name);
    // A caller that passes its own environment has set nothing by that.
    if (environment[name] !== value) set.add(name);
    environment[name] = value;
  }
  return {
    environment,
    undecoded: undecoded.map(({ bytes }) => bytes),
    setNames: [...set].slice(0, recordedNames),
    unsetNames: [...unset].slice(0, recordedNames),
  };
}

/** The names about which a spawner has said something, as keys of an object. */
export function namesSaid(...names: readonly (readonly string[])[]): Readonly<Record<string, true>> {
  return Object.fromEntries(names.flat().map((name) => [name, true]));
}

function checkName(name: string): void {
  if (name !== '' && !/[=\0]/.test(name) && isWhole(name) && !isOurs(name)) return;
  fail(
    'INVALID_ENV',
    `expected the name of an environment variable: whole characters, not empty, without "=" and NUL, and none that outlive uses (OUTLIVE_TASK, OUTLIVE_REQUEST); found ${JSON.stringify(name)}.`,
  );
}

/** The value may be a secret: it is never repeated. */
function checkValue(name: string, value: unknown): void {
  if (value === null || value === undefined) return;
  if (typeof value === 'string' && !value.includes('\0') && isWhole(value)) return;
  const found =
    typeof value !== 'string' ? typeof value : value.includes('\0') ? 'a NUL character' : 'half a character';
  fail(
    'INVALID_ENV',
    `expected the value of ${name} to be text of whole characters without NUL, or null to remove it; found ${found}.`,
  );
}

/** Through these, outlive tells the shim, and a process that searches for the processes of a task, what they need. */
export function isOurs(name: string): boolean {
  return name === cookieVariable || isRequestVariable(name);
}

/** Windows does not tell upper from lower case in names. */
function removeVariable(environment: NodeJS.ProcessEnv, name: string): void {
  delete environment[name];
  if (process.platform !== 'win32') return;
  for (const key of Object.keys(environment))
    if (key.toUpperCase() === name.toUpperCase()) delete environment[key];
}
