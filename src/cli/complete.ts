import type { Command, Option } from 'commander';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, sessionIdOf, withStore } from './open.ts';
import { visible } from './present/text.ts';

/** Of many tasks the newest are offered. */
const mostTasks = 50;

/** Verbs whose operands are tasks. */
const takesTasks: ReadonlySet<string> = new Set(['show', 'logs', 'wait', 'kill']);

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** Prints what may stand in the place of the last word, one a line, with what it is (where that says more) behind a tab. */
export async function complete(io: Io, words: readonly string[], program: Command): Promise<number> {
  const current = words.at(-1) ?? '';
  const candidates = await candidatesFor(program, words.slice(0, -1), current);
  const lines = candidates
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, about }) => `${word}${about === '' ? '' : `\t${visible(about)}`}\n`);
  await io.out(lines.join(''));
  return exitStatus.ok;
}

async function candidatesFor(
  program: Command,
  before: readonly string[],
  current: string,
): Promise<readonly Candidate[]> {
  const [verb] = before;
  if (verb === undefined) return current.startsWith('-') ? optionsOf(program) : verbsOf(program);
  if (verb === 'help') return verbsOf(program);
  const command = program.commands.find((known) => known.name() === verb);
  // The words behind `--`, and those of the command that `run` runs, are the shell's business.
  if (command === undefined || before.includes('--')) return [];
  const option = optionNamed(command, before.at(-1) ?? '');
  if (option?.required) return await valuesOf(option, before);
  if (current.startsWith('-')) return optionsOf(command);
  if (takesTasks.has(verb)) return await tasksFor(verb, before);
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  return choices.map((word) => ({ word, about: '' }));
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

async function valuesOf(option: Option, before: readonly string[]): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((word) => ({ word, about: '' }));
  if (option.long !== '--session') return [];
  return await withStore(optionsIn(before), async (store) =>
    store
      .sessions()
      .filter(isPlain)
      .map((word) => ({ word, about: 'session' })),
  );
}

async function tasksFor(verb: string, before: readonly string[]): Promise<readonly Candidate[]> {
  const options = optionsIn(before);
  return await withStore(options, async (store) => {
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
  return /^[\w@%+:,./-]+$/.test(word) && !word.startsWith('-');
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
