import { OutliveError, shown } from '../../errors/error.ts';

/** The name of the unit. */
export const unitName = 'outlive-fleet.service';

/** By its first line a unit is known as one that outlive has written. */
const mark = '# Written by: outlive fleet join --service';

/** What a unit runs. */
export interface UnitOptions {
  /** The program and its words. The first is an absolute path. */
  readonly command: readonly string[];
  /** Variables of the agent, and of the commands that it starts, beside those of the user's service manager. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The text of a unit of the user's service manager that runs the host agent.
 * @throws OutliveError `INVALID_ARGUMENT` for a word with a control character, which a unit cannot hold on its line.
 */
export function unitText({ command: [program = '', ...words], environment }: UnitOptions): string {
  const variables = Object.entries(environment).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
  );
  // Variables are put into all words but the program.
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
    '# Wrong usage does not get better.',
    'RestartPreventExitStatus=64',
    '# Tasks are in the group of the unit. Only the agent ends with it, and tasks go on.',
    'KillMode=process',
    '# A task that runs out of memory does not end the agent.',
    'OOMPolicy=continue',
    'TasksMax=infinity',
    '',
    '[Install]',
    'WantedBy=default.target',
  ].join('\n')}\n`;
}

/** Whether a text is that of a unit which outlive has written. */
export function isOwnUnit(text: string): boolean {
  return text.startsWith(`${mark}\n`);
}

/** A word as one word of a unit: in quotes, without its special characters. */
function quoted(word: string): string {
  if (/\p{Cc}/u.test(word))
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected words without control characters, which a unit of systemd cannot hold; found ${shown(word)}.`,
    );
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
