import { isOurs } from '../../engine/spawn/spawn-environment.ts';
import { OutliveError } from '../../errors/error.ts';
import type { Assignment } from '../wire/assignment.ts';

/** Variables that a command gets from the agent: the user, the folders and the language. */
const ofTheHost = /^(?:HOME|USER|LOGNAME|PATH|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR)$/;

/**
 * The variables of a remote command: some of the agent's, those that its client has named, secrets of the host, and the
 * number of the attempt. All others of the agent are removed (`null`), because the command must not get its
 * credentials.
 * @param secrets the value of each variable.
 * @throws OutliveError `INVALID_ENV` if a variable has both a value and a secret.
 */
export function commandEnvironment(
  { spec, attempt }: Pick<Assignment, 'spec' | 'attempt'>,
  secrets: Readonly<Record<string, string>>,
  own: Readonly<NodeJS.ProcessEnv> = process.env,
): Readonly<Record<string, string | null>> {
  const twice = Object.keys(spec.env).find((name) => Object.hasOwn(secrets, name));
  if (twice !== undefined)
    throw new OutliveError(
      'INVALID_ENV',
      `expected a variable to have a value or a secret; found both for ${twice}. Leave out one of them.`,
    );
  const removed = Object.keys(own).filter((name) => !ofTheHost.test(name) && !isOurs(name));
  return {
    ...Object.fromEntries(removed.map((name) => [name, null])),
    ...spec.env,
    ...secrets,
    OUTLIVE_ATTEMPT: String(attempt),
  };
}
