import { readFileSync } from 'node:fs';
import { OutliveError, systemCode } from '../errors/error.ts';
import { holdProcess } from '../util/wait.ts';
import { exitStatus } from './exit-status.ts';
import { type Io, processIo } from './io.ts';
import { type Command, CommanderError } from './packages.ts';
import { buildProgram, type Perform } from './program.ts';
import type { Host, Verb } from './verb.ts';

/**
 * Runs the command line.
 * @param words what was typed, without the program's name.
 * @param host what it is put together with.
 * @returns the exit status; see docs/cli.md.
 */
export async function main(words: readonly string[], host: Host): Promise<number> {
  process.stdout.on('error', endQuietly);
  // Whatever is awaited, nobody may take an end without a word for a verb that has nothing to say.
  const release = holdProcess();
  try {
    return await runVerb(words, host);
  } finally {
    release();
  }
}

async function runVerb(words: readonly string[], host: Host): Promise<number> {
  // Shells ask this for every key: no verb, no help, no errors.
  if (words[0] === '__complete') return await completeQuietly(words.slice(1));
  const call: { io: Io; work?: () => Promise<number> } = { io: processIo(asksForJson(words)) };
  try {
    parse(words, (load, operands, command) => {
      const { json, store } = command.opts<{ json?: boolean; store?: string }>();
      const io = processIo(json === true, store);
      call.io = io;
      call.work = async () => await ((await load()) as Verb)(io, operands, command.opts(), host);
    });
    return call.work === undefined ? exitStatus.ok : await call.work();
  } catch (error) {
    const { report } = await import('./report.ts');
    return report(call.io, error);
  }
}

async function completeQuietly(words: readonly string[]): Promise<number> {
  try {
    const { complete } = await import('./complete.ts');
    return await complete(
      processIo(false),
      words,
      buildProgram(version(), () => undefined),
    );
  } catch {
    return exitStatus.failed;
  }
}

function parse(words: readonly string[], perform: Perform): void {
  const program = buildProgram(version(), perform, words[0]);
  quieten(program);
  try {
    program.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help or the version was asked for, and is printed.
    if (error.exitCode !== 0) throw usageError(error);
  }
}

/** Errors are printed here, once and in one form. */
function quieten(program: Command): void {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: () => undefined });
  }
}

function usageError(error: CommanderError): OutliveError {
  // Help was printed in the place of an error message.
  if (error.code === 'commander.help') return new OutliveError('USAGE', 'expected a verb; found none.');
  const said = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return new OutliveError('USAGE', `${said.replace(/\.?$/, '.')} See: outlive help`);
}

/** Who reads us may stop early (`outlive logs x | head`): nothing is wrong, and there is nothing left to do. */
function endQuietly(error: Error): void {
  if (systemCode(error) !== 'EPIPE') throw error;
  process.exit(exitStatus.brokenPipe);
}

/** What can be told before the options are parsed: good enough for an error of the parsing itself. */
function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? words.length : end).includes('--json');
}

function version(): string {
  // The package's own file, beside dist/ or build/src.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      return String(JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')).version);
    } catch {
      // The other place.
    }
  }
  return 'unknown';
}
