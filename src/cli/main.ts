import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { onForgotten } from '../engine/session/forgotten.ts';
import { OutliveError, shown, systemCode } from '../errors/error.ts';
import { isForeseen } from '../errors/expected.ts';
import { onWarning, sayWarning, warn } from '../errors/warnings.ts';
import { holdProcess } from '../util/wait.ts';
import { checkCount, checkWords } from './check-words.ts';
import { exitStatus } from './exit-status.ts';
import { isForFleet } from './fleet/meant.ts';
import { takeHosts } from './hosts.ts';
import { type Io, printFailed, processIo, ReaderGone } from './io.ts';
import { ourOption } from './program/other-options.ts';
import { ourWords, verbOf } from './program/other-words.ts';
import { buildProgram, type Perform } from './program.ts';
import { whenReaderIsGone } from './reader.ts';
import type { Host, Verb } from './verb.ts';
import { packageVersion } from './version.ts';

/** What an outlive on another machine runs here. No help names it. */
const answering = '__remote';

/** Verbs for the shells of this machine, also where the environment names another one. */
const isDoneHere: ReadonlySet<string> = new Set(['completion']);

/** Shells ask this for every key. */
const completing = '__complete';

let performed: string | null = null;

/** The verb that this process does or has done; null: none, as when help is printed, or it has failed. */
export function performedVerb(): string | null {
  return performed;
}

/**
 * Runs the command line.
 * @param words what was typed, without the program's name.
 * @param host what it is put together with.
 * @returns the exit status; see docs/cli.md.
 */
export async function main(words: readonly string[], host: Host): Promise<number> {
  // The verb still awaits something. A silent end of this process must not look like a verb with no output.
  const release = holdProcess();
  try {
    return await runVerb(words, host, unprintable());
  } finally {
    release();
  }
}

async function runVerb(typed: readonly string[], host: Host, failure: Promise<Error>): Promise<number> {
  const { hosts, isTyped, words: own } = takeHosts(typed, process.env.OUTLIVE_HOST);
  const words = withoutAlias(own);
  if (words[0] === answering)
    return await answer(words.slice(1), async (asked) => await runVerb(asked, host, failure));
  // No help names it, and it prints no errors.
  if (words[0] === completing) return await completeQuietly(words.slice(1));
  const call: { io: Io; work?: () => Promise<number> } = { io: processIo(asksForJson(words)) };
  onWarning((warning) => {
    call.io.note(`warning: ${sayWarning(warning)}`);
    return true;
  });
  onForgotten(({ taskId, facts, reason }) => {
    if (facts.includes('delivered') || facts.includes('seen'))
      call.io.note(
        `warning: the acknowledgement of ${taskId} could not be recorded, so its end stays pending: ${reason}`,
      );
  });
  try {
    checkCount(own);
    checkWords(own);
    checkRemoval(own);
    parse(words, (load, operands, command) => {
      const { json, store } = command.opts<{ json?: boolean; store?: string }>();
      const io = processIo(json === true, store);
      call.io = io;
      const options = command.opts();
      if (options.follow === true || options.watch === true)
        whenReaderIsGone(store, () => process.exit(exitStatus.brokenPipe));
      if (hosts.length > 0 && (isTyped || !isDoneHere.has(command.name()))) {
        call.work = async () => {
          const { performThere } = await import('./remote/perform.ts');
          return await performThere(io, { name: command.name(), hosts, isTyped, words, operands, options });
        };
        return;
      }
      if (isForFleet(command.name(), operands, options)) {
        call.work = async () => {
          const { performInFleet } = await import('./fleet/perform.ts');
          return await performInFleet(io, { name: command.name(), operands, options });
        };
        return;
      }
      if (store !== undefined && !makeStores.has(command.name())) checkStore(store);
      call.work = async () => await ((await load()) as Verb)(io, operands, options, host);
    });
    // Help does not wait; it reports failed writes in the next turn.
    if (call.work === undefined)
      return await Promise.race([
        thrown(failure),
        new Promise<number>((ok) => setImmediate(ok, exitStatus.ok)),
      ]);
    performed = hosts.length > 0 ? 'host' : (words[0] ?? null);
    return await Promise.race([call.work(), thrown(failure)]);
  } catch (error) {
    performed = null;
    // Of stderr, which the output of a task may go to.
    if (error instanceof ReaderGone) return exitStatus.brokenPipe;
    const { report } = await import('./report.ts');
    const status = report(call.io, error);
    // A verb that continued would print to nothing.
    if (error instanceof OutliveError && error.code === 'PRINT_FAILED') process.exit(status);
    return status;
  }
}

/** Does what an outlive on another machine asks for. */
async function answer(
  words: readonly string[],
  run: (words: readonly string[]) => Promise<number>,
): Promise<number> {
  try {
    const { serve } = await import('./remote/serve.ts');
    return await serve(words, run);
  } catch (error) {
    if (systemCode(error) === 'EPIPE') return exitStatus.brokenPipe;
    const { report } = await import('./report.ts');
    return report(processIo(false), error);
  }
}

/** A verb that finds no store creates one, or says that there is none. */
const makeStores: ReadonlySet<string> = new Set(['run', 'mcp', 'doctor', 'setup', 'completion', 'fleet']);

/** A slip in the name of a store would else be a store without tasks. */
function checkStore(dir: string): void {
  if (existsSync(dir)) return;
  throw new OutliveError(
    'USAGE',
    `expected a store at ${shown(dir, 4096)}; found nothing there. The first task creates it: outlive run --store ...`,
  );
}

/** The same words with the verb by its own name, also where help is asked for. */
function withoutAlias(words: readonly string[]): readonly string[] {
  const at = words[0] === 'help' ? 1 : 0;
  const verb = words[at];
  return verb === undefined ? words : words.with(at, verbOf(verb));
}

/** `rm` needs the names of tasks: only `prune` removes tasks because they are old. */
function checkRemoval([verb, ...more]: readonly string[]): void {
  if (verb !== 'rm' || asksForHelp(more) || more.some((word) => !word.startsWith('-'))) return;
  throw new OutliveError(
    'USAGE',
    'expected the tasks to remove; found none. To remove old tasks: outlive prune',
  );
}

async function completeQuietly(words: readonly string[]): Promise<number> {
  // A shell that asks for words shows no warnings and no errors: only NODE_DEBUG=outlive does.
  onWarning(() => true);
  try {
    const { complete } = await import('./complete.ts');
    const { hosts, words: own } = takeHosts(words, process.env.OUTLIVE_HOST);
    performed = completing;
    return await complete(
      processIo(false),
      [verbOf(own[0] ?? ''), ...own.slice(1)].slice(0, own.length),
      buildProgram(packageVersion(), () => undefined),
      hosts.length > 0,
    );
  } catch (error) {
    if (!isForeseen(error)) warn({ doing: 'completing a word', error });
    return exitStatus.failed;
  }
}

function parse(words: readonly string[], perform: Perform): void {
  const program = buildProgram(packageVersion(), perform, words[0]);
  quieten(program);
  if (words[0] === 'help') checkHelp(program, words.slice(1));
  try {
    program.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help or the version was asked for, and is printed.
    if (error.exitCode !== 0) throw usageError(error, verbNamed(program, words[0]));
  }
}

/** Of a verb that it does not know commander says nothing here, nor of words that follow the verb. */
function checkHelp(program: Command, [verb, ...more]: readonly string[]): void {
  if (more.length > 0)
    throw new OutliveError(
      'USAGE',
      `expected one verb after help; found ${more.length + 1}. See: outlive --help`,
    );
  if (verb === undefined || verb.startsWith('-') || verb === 'help' || verbNamed(program, verb)) return;
  throw new OutliveError(
    'USAGE',
    `expected a verb after help; found ${shown(verb)}. ${instead(verb) ?? 'See: outlive --help'}`,
  );
}

function verbNamed(program: Command, word: string | undefined): Command | undefined {
  return program.commands.find((command) => command.name() === word);
}

/** Errors are printed here, once and in one form. */
function quieten(program: Command): void {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: () => undefined });
  }
}

function usageError(error: CommanderError, verb: Command | undefined): OutliveError {
  // Help was printed in the place of an error message.
  if (error.code === 'commander.help') return new OutliveError('USAGE', 'expected a verb; found none.');
  const said = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const page = verb === undefined ? 'outlive --help' : `outlive ${verb.name()} --help`;
  const [, unknown] =
    error.code === 'commander.unknownCommand' ? (/unknown command '([^']*)'/.exec(said) ?? []) : [];
  const better = unknown === undefined ? null : instead(unknown);
  if (better !== null)
    return new OutliveError('USAGE', `expected a verb; found ${shown(unknown)}. ${better}`);
  return new OutliveError('USAGE', `${inOurOptions(said, verb?.name()).replace(/\.?$/, '.')} See: ${page}`);
}

/** What looks a little like an option of another program is seldom what is meant. */
function inOurOptions(said: string, verb = ''): string {
  const [, option = ''] = /^unknown option '([^']*)'/.exec(said) ?? [];
  if (/^--host(?:=|$)/.test(option) && verb !== '')
    return `unknown option '${option}' of ${verb}. Write it before the verb: outlive --host ssh://user@box ${verb}`;
  const ours = ourOption(verb, option);
  return ours === null ? said : `unknown option '${option}'. ${ours}`;
}

/** What to write for a word of another program. */
function instead(word: string): string | null {
  const ours = ourWords(word);
  return ours === null ? null : `Here that is: outlive ${ours}. See: outlive --help`;
}

function asksForHelp(words: readonly string[]): boolean {
  return words.includes('--help') || words.includes('-h');
}

/** The error when stdout takes no more output: whatever the verb prints then is lost. */
async function unprintable(): Promise<Error> {
  const [error] = await once(process.stdout, 'error');
  // A reader of our output may stop early (`outlive logs x | head`). Nothing is wrong, and nothing is left to do.
  if (systemCode(error) === 'EPIPE') process.exit(exitStatus.brokenPipe);
  return printFailed(error);
}

async function thrown(failure: Promise<Error>): Promise<never> {
  throw await failure;
}

/** What can be told before the options are parsed: good enough for an error of the parsing itself. */
function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? words.length : end).includes('--json');
}
