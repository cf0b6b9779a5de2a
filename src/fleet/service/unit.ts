import { OutliveError, shown } from '../../errors/error.ts';

/** The name of the unit. */
export const unitName = 'outlive-fleet.service';

/** The first line of each unit that outlive writes, by which outlive knows it. */
const mark = '# Written by: outlive fleet join --service';

/** What a unit runs. */
export interface UnitOptions {
  /** The program and its arguments. The program is an absolute path. */
  readonly command: readonly string[];
  /** Variables of the agent, and of the commands that it starts, in addition to those of the user's service manager. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The text of a unit of the user's service manager that runs the host agent.
 * @throws OutliveError `INVALID_ARGUMENT` for a word with a control character, which a line of a unit cannot hold.
 */
export function unitText({ command: [program = '', ...words], environment }: UnitOptions): string {
  const variables = Object.entries(environment).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
  );
  // systemd expands variables in all words except the program.
  const run = [quoted(program), ...words.map((word) => quoted(word).replaceAll('$', '$$$$'))].join(' ');
  return `${[
    mark,
    '# To remove it: outlive fleet join --service --remove',
    '[Unit]',
    'Description=Host agent of an outlive fleet',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    `ExecStart=${run}`,
    ...variables,
    'Restart=on-failure',
    'RestartSec=5',
    '# Starting again does not help when the command line is wrong.',
    'RestartPreventExitStatus=64',
    '# Tasks are in the control group of the unit. Stop only the agent: tasks continue.',
    'KillMode=process',
    '# A task that runs out of memory does not end the agent.',
    'OOMPolicy=continue',
    'TasksMax=infinity',
    '',
    '[Install]',
    'WantedBy=default.target',
  ].join('\n')}\n`;
}

/** Whether outlive has written a unit with this text. */
export function isOwnUnit(text: string): boolean {
  return text.startsWith(`${mark}\n`);
}

/** Quotes a word for a unit, and escapes its special characters. */
function quoted(word: string): string {
  if (/\p{Cc}/u.test(word))
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected words without control characters, which a unit of systemd cannot hold; found ${shown(word)}.`,
    );
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
