import { isOurs } from '../../engine/spawn/spawn-environment.ts';
import { OutliveError } from '../../errors/error.ts';
import type { Assignment } from '../wire/assignment.ts';

/** Variables of the agent that a command has as well: who and where it is, and how people write there. */
const ofTheHost = /^(?:HOME|USER|LOGNAME|PATH|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR)$/;

/**
 * What a remote command gets of variables: those that say who and where it is, what its client has named, secrets of the host,
 * and which attempt it is. All others of the agent are removed (`null`): its credentials are none of the command's.
 * @param secrets values by variables.
 * @throws OutliveError `INVALID_ENV` where a name is asked for twice.
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
