// Writes what docs/cli.md and man/outlive.1 say of verbs and options, from the program itself:
//   npm run build && node build/scripts/cli-page.js
// A test compares the two files with what this makes.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command, Option } from 'commander';
import { buildProgram } from '../src/cli/program.ts';

const root = join(import.meta.dirname, '..', '..');

/** The page that holds the reference, and the manual. */
export const pages = { cli: join(root, 'docs', 'cli.md'), manual: join(root, 'man', 'outlive.1') };

const begin = '<!-- verbs: written by scripts/cli-page.ts -->';
const end = '<!-- end of verbs -->';

/** docs/cli.md with the reference in its place. */
export function cliPage(page: string): string {
  const [head, rest] = page.split(begin);
  const tail = rest?.split(end)[1];
  if (head === undefined || tail === undefined)
    throw new Error(`expected "${begin}" and "${end}" in docs/cli.md`);
  return `${head}${begin}\n\n${verbs().map(section).join('\n')}\n${end}${tail}`;
}

function verbs(): readonly Command[] {
  return buildProgram('0.0.0', () => undefined).commands.filter((command) => command.name() !== 'help');
}

function section(command: Command): string {
  const operands = command.registeredArguments.map((argument) => [
    `\`${argument.required ? '<' : '['}${argument.name()}${argument.variadic ? '...' : ''}${argument.required ? '>' : ']'}\``,
    withChoices(argument.description, argument.argChoices),
  ]);
  const rows = [...operands, ...own(command).map((option) => [`\`${flags(option)}\``, about(option)])];
  const table = rows.map(([term = '', text = '']) => `| ${cell(term)} | ${cell(text)} |`).join('\n');
  const lines = [`### ${command.name()}`, '', command.description(), '', ...fenced('text', [usage(command)])];
  if (rows.length > 0) lines.push('| | |', '|---|---|', table, '');
  return [
    ...lines,
    ...fenced(
      'console',
      examples(command).map((line) => `$ ${line}`),
    ),
  ].join('\n');
}

function fenced(language: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`\`\`\`${language}`, ...lines, '```', ''];
}

/** The options of this verb alone: those that all have are told once. */
function own(command: Command): readonly Option[] {
  return command.options.filter((option) => !isCommon(option));
}

function isCommon({ long }: Option): boolean {
  return ['--session', '--store', '--json'].includes(long ?? '');
}

function flags(option: Option): string {
  return option.optional ? option.flags.replace(' [', '[=') : option.flags;
}

function about(option: Option): string {
  return withChoices(option.description, option.argChoices);
}

function withChoices(text: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? text : `${text}: ${choices.join(', ')}`;
}

function usage(command: Command): string {
  return `outlive ${command.name()} ${command.usage()}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** The lines after "Examples:" in the help of a verb. */
function examples(command: Command): string[] {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  const [, lines = ''] = help.split('Examples:\n');
  return lines
    .split('\n')
    .filter((line) => line.startsWith('  $ '))
    .map((line) => line.slice('  $ '.length));
}

/** The manual page, in the macros of man(7). */
export function manualPage(): string {
  const lines = [
    '.\\" Written by scripts/cli-page.ts',
    '.TH OUTLIVE 1',
    '.SH NAME',
    'outlive \\- shell commands that outlive the agent that started them',
    '.SH SYNOPSIS',
    '.B outlive',
    '.I verb',
    '[\\fIoptions\\fR] [\\fIarguments\\fR]',
    '.SH VERBS',
    ...verbs().flatMap(manualEntry),
    '.SH OPTIONS OF EVERY VERB',
    ...(verbs()[0]?.options ?? [])
      .filter(isCommon)
      .flatMap((option) => ['.TP', `.B ${roff(flags(option))}`, roff(option.description)]),
    '.SH OPTIONS BEFORE THE VERB',
    '.TP',
    `.B ${roff('--host <address>')}`,
    roff(hostOption()),
    '.SH EXIT STATUS',
    ...statuses.flatMap(([status, text]) => ['.TP', `.B ${status}`, roff(text)]),
    '.SH FILES',
    'The store is $OUTLIVE_HOME, else $XDG_STATE_HOME/outlive, else ~/.local/state/outlive.',
    '.SH ENVIRONMENT',
    '$OUTLIVE_HOST: the machines that are meant where no \\-\\-host is given, with commas between them. $OUTLIVE_SSH: the command for ssh, with options.',
  ];
  return `${lines.join('\n')}\n`;
}

/** What help says of it. */
function hostOption(): string {
  const program = buildProgram('0.0.0', () => undefined);
  return program.options.find(({ long }) => long === '--host')?.description ?? '';
}

const statuses = [
  ['the command\\(aqs own', 'of "run --wait" and "wait"'],
  ['1', 'wait --for: the task ended first, with 0; doctor: a problem is left; setup: you answered no'],
  ['64', 'wrong usage'],
  ['117', 'the key of another machine is unknown, or another one than ssh knows; nothing was done there'],
  ['118', 'another machine is out of reach, the connection to it broke, or a task of a fleet is unknown'],
  ['119', 'a task started here would end with this shell call, in a sandbox; nothing was started'],
  ['120', 'no such task'],
  ['121', 'the task is lost'],
  ['122', "it is still running: the wait's own time was up"],
  ['123', 'stopped by outlive'],
  ['124', 'timed out'],
  ['125', 'outlive itself failed'],
] as const;

function manualEntry(command: Command): string[] {
  const lines = [`.SS ${roff(usage(command))}`, roff(command.description())];
  for (const option of own(command)) lines.push('.TP', `.B ${roff(flags(option))}`, roff(about(option)));
  const shown = examples(command);
  return shown.length === 0 ? lines : [...lines, '.PP', '.EX', ...shown.map(roff), '.EE'];
}

/** A dash that is no hyphen, no line that begins like a request, and no letters that old formatters do not know. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replace(/^([.'])/, '\\&$1');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(pages.cli, cliPage(readFileSync(pages.cli, 'utf8')));
  writeFileSync(pages.manual, manualPage());
}
