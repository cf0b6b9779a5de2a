import type { Command, Option } from 'commander';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded, statusReasons } from '../model/words.ts';
import { taskIdPattern } from '../tasklog/paths.ts';
import { visible } from '../util/visible.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, sessionIdOf, withStoreToRead } from './open.ts';

/** Of many tasks the newest are offered. */
const mostTasks = 50;

/** Verbs whose operands are tasks, and how many of them. */
const takesTasks: Readonly<Record<string, number>> = {
  show: 1,
  logs: Number.POSITIVE_INFINITY,
  wait: Number.POSITIVE_INFINITY,
  watch: 1,
  send: 1,
  screen: 1,
  attach: 1,
  resize: 1,
  kill: Number.POSITIVE_INFINITY,
  restart: 1,
  prune: Number.POSITIVE_INFINITY,
};

/** What a shell is to complete by itself, as an answer says it: no word begins with a colon. */
const shellsOwn = { files: ':files', folders: ':folders', command: ':command' } as const;

const pathOptions: Readonly<Record<string, string>> = {
  '--cwd': shellsOwn.folders,
  '--store': shellsOwn.folders,
  '--token-file': shellsOwn.files,
  '--plugin': shellsOwn.folders,
  '--shell': shellsOwn.files,
};

/** Words that an option takes, with what each means. */
const wordsOfOptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '--for': {
    exit: 'its end',
    'pattern=': 'a line of output with this regular expression',
    'port=': 'it listens at this port',
    'port=any': 'it listens at any port',
    'idle=': 'no output for this time',
    'screen=': 'its terminal shows this regular expression',
    input: 'it likely waits for input',
  },
  '--status': Object.fromEntries(Object.keys(statusReasons).map((word) => [word, ''])),
  '--signal': Object.fromEntries(
    ['TERM', 'INT', 'HUP', 'QUIT', 'KILL', 'USR1', 'USR2'].map((word) => [word, '']),
  ),
  '--bind-to': { session: 'the end of the session' },
};

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/**
 * Prints the words that may replace the last word, one a line. Where a description says more, a tab and the description
 * follow.
 * @param isElsewhere the tasks are on another machine, which completion does not ask.
 */
export async function complete(
  io: Io,
  words: readonly string[],
  program: Command,
  isElsewhere = false,
): Promise<number> {
  const current = words.at(-1) ?? '';
  const candidates = await candidatesFor(program, words.slice(0, -1), current, isElsewhere);
  const lines = candidates
    .filter(({ word }) => word.startsWith(current) || word.startsWith(':'))
    .map(({ word, about }) => `${word}${about === '' ? '' : `\t${visible(about)}`}\n`);
  await io.out(lines.join(''));
  return exitStatus.ok;
}

async function candidatesFor(
  program: Command,
  before: readonly string[],
  current: string,
  isElsewhere: boolean,
): Promise<readonly Candidate[]> {
  const [verb] = before;
  if (verb === undefined) return current.startsWith('-') ? optionsOf(program) : verbsOf(program);
  if (verb === 'help') return before.length === 1 ? verbsOf(program) : [];
  const command = program.commands.find((known) => known.name() === verb);
  if (command === undefined) return [];
  const places = operandPlaces(command, before);
  if (verb === 'run' && places.length > 0) return [own(`${shellsOwn.command} ${places[0]}`)];
  if (before.includes('--')) return verb === 'run' ? [own(`${shellsOwn.command} ${before.length}`)] : [];
  const option = optionNamed(command, before.at(-1) ?? '');
  if (option?.required) return await valuesOf(option, verb, before, isElsewhere);
  const assigned = /^(--[a-z-]+=)/.exec(current)?.[1];
  if (assigned !== undefined) return await assignedTo(command, assigned, before, isElsewhere);
  if (current.startsWith('-')) return optionsOf(command);
  if (verb === 'run') return [own(`${shellsOwn.command} ${before.length}`)];
  if (places.length < (takesTasks[verb] ?? 0)) {
    if (isElsewhere) return [];
    const named = new Set(places.map((place) => before[place]));
    return (await tasksFor(verb, before)).filter(({ word }) => !named.has(word));
  }
  const [operand] = command.registeredArguments;
  if (operand === undefined || (places.length > 0 && !operand.variadic)) return [];
  const given = places.map((place) => before[place]);
  const choices = (operand.argChoices ?? []).filter((word) => !given.includes(word));
  return choices.map((word) => ({ word, about: '' }));
}

function own(word: string): Candidate {
  return { word, about: '' };
}

/** Where the operands of a verb stand among the words that begin with it. */
function operandPlaces(command: Command, words: readonly string[]): number[] {
  const places: number[] = [];
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--')
      return [...places, ...Array.from({ length: words.length - at - 1 }, (_, index) => at + 1 + index)];
    if (!word.startsWith('-')) places.push(at);
    else if (optionNamed(command, word)?.required) at += 1;
  }
  return places;
}

function verbsOf(program: Command): Candidate[] {
  const verbs = program.commands.map((command) => ({ word: command.name(), about: command.description() }));
  return [
    ...verbs.filter(({ word }) => !word.startsWith('__')),
    { word: 'help', about: 'print help for a verb' },
  ];
}

function optionsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ word: option.long ?? option.short ?? '', about: option.description }));
}

function optionNamed(command: Command, word: string): Option | undefined {
  return command.options.find(({ long, short }) => word === long || word === short);
}

/** The values of an option that stands before an equals sign, with both. No shell completes paths there for us. */
async function assignedTo(
  command: Command,
  assigned: string,
  before: readonly string[],
  isElsewhere: boolean,
): Promise<readonly Candidate[]> {
  const option = optionNamed(command, assigned.slice(0, -1));
  if (!option?.required) return [];
  const values = await valuesOf(option, command.name(), before, isElsewhere);
  return values
    .filter(({ word }) => !word.startsWith(':'))
    .map(({ word, about }) => ({ word: assigned + word, about }));
}

async function valuesOf(
  option: Option,
  verb: string,
  before: readonly string[],
  isElsewhere: boolean,
): Promise<readonly Candidate[]> {
  const long = option.long ?? '';
  if (option.argChoices !== undefined) return option.argChoices.map((word) => ({ word, about: '' }));
  if (Object.hasOwn(pathOptions, long)) return [own(pathOptions[long] ?? '')];
  if (Object.hasOwn(wordsOfOptions, long))
    return Object.entries(wordsOfOptions[long] ?? {}).map(([word, about]) => ({ word, about }));
  // To ask another machine for each key would take too long.
  if (isElsewhere) return [];
  if (long === '--after') return await tasksFor('run', before);
  if (long === '--name' && verb === 'ps')
    return (await tasksFor('ps', before)).filter(({ word }) => !taskIdPattern.test(word));
  if (long !== '--session') return [];
  return await withStoreToRead(optionsIn(before), async (store) =>
    store
      .sessions()
      .filter(isPlain)
      .map((word) => ({ word, about: 'session' })),
  );
}

async function tasksFor(verb: string, before: readonly string[]): Promise<readonly Candidate[]> {
  const options = optionsIn(before);
  return await withStoreToRead(options, async (store) => {
    const tasks = await store.tasks({ sessionId: sessionIdOf(options) });
    const wanted = verb === 'kill' ? tasks.filter(canBeStopped) : tasks;
    const newest = wanted.sort((a, b) => b.createdAt - a.createdAt).slice(0, mostTasks);
    return [...newest.flatMap(nameOf), ...newest.map((task) => ({ word: task.taskId, about: about(task) }))];
  });
}

function canBeStopped({ status, leftovers }: TaskSnapshot): boolean {
  return !isEnded(status) || leftovers.length > 0;
}

function nameOf(task: TaskSnapshot): Candidate[] {
  return task.name !== null && isPlain(task.name) ? [{ word: task.name, about: about(task) }] : [];
}

function about({ status, command }: TaskSnapshot): string {
  return `${status}: ${command.slice(0, 60)}`;
}

/** A word that no shell takes for something else. */
function isPlain(word: string): boolean {
  return /^[\w@%+:,./-]+$/.test(word) && !/^[-:]/.test(word);
}

/** The store and the session that were named so far. */
function optionsIn(before: readonly string[]): CommonOptions {
  const session = valueIn(before, ['-s', '--session']);
  const store = valueIn(before, ['--store']);
  return { ...(session !== undefined && { session }), ...(store !== undefined && { store }) };
}

function valueIn(words: readonly string[], flags: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => flags.includes(word));
  const joined = words.findLast((word) => flags.some((flag) => word.startsWith(`${flag}=`)));
  return at >= 0 ? words[at + 1] : joined?.slice(joined.indexOf('=') + 1);
}
