import { InvalidArgumentError } from 'commander';
import { OutliveError } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { fits, matcherOf } from '../ps-filter.ts';
import { label, status } from '../values.ts';

/** Tells whether a task is meant. */
export type Meant = (task: TaskSnapshot) => boolean;

/** A word, or a key, a colon and a value, in which quotes keep blanks. */
const wordForm = /(?:"[^"]*"?|[^\s"])+/g;

/** Words that choose by one thing, as the options of `ps` do. */
const chosenBy: Readonly<Record<string, (value: string) => Meant>> = {
  status: (value) => matcherOf({ status: status(value) }),
  label: (value) => matcherOf({ label: label(value, undefined) }),
  name: (value) => matcherOf({ name: value }),
  session:
    (value) =>
    ({ sessionId }) =>
      fits(sessionId, value),
};

/**
 * What is meant by the words of a filter, all of them: `status:failed,lost`, `label:k=v`, `name:web*`, `session:x*`, and
 * others, which stand in the id, the name, the command, the folder or the session, in upper or lower case.
 * @throws OutliveError `USAGE`.
 */
export function filterOf(text: string): Meant {
  const tests = (text.match(wordForm) ?? []).map((word) => meantBy(word.replaceAll('"', '')));
  return (task) => tests.every((test) => test(task));
}

function meantBy(word: string): Meant {
  const [, key = '', value = ''] = /^([a-z]+):(.*)$/s.exec(word) ?? [];
  const choose = Object.hasOwn(chosenBy, key) ? chosenBy[key] : undefined;
  if (choose === undefined) return holding(word.toLowerCase());
  try {
    return value === '' ? () => true : choose(value);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new OutliveError('USAGE', `${key}: ${error.message}`);
  }
}

function holding(text: string): Meant {
  return ({ taskId, name, command, cwd, sessionId }) =>
    [taskId, name ?? '', command, cwd, sessionId].some((field) => field.toLowerCase().includes(text));
}
