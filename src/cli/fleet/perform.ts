import { OutliveError } from '../../errors/error.ts';
import type { Fleet } from '../../fleet/client/fleet.ts';
import { openFleet } from '../../fleet/client/open-fleet.ts';
import type { Io } from '../io.ts';
import { completionsInFleet } from './completions.ts';
import { killInFleet, sendInFleet, showInFleet, waitInFleet } from './handle.ts';
import { logsInFleet } from './logs.ts';
import { psInFleet } from './ps.ts';
import { runInFleet } from './run.ts';
import { attachInFleet, resizeInFleet, screenInFleet } from './terminal.ts';

/** A verb as it was typed. */
export interface TypedVerb {
  readonly name: string;
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** A verb of a fleet: what does it, and which of the options of the verb it has. */
interface FleetVerb {
  readonly perform: (io: Io, fleet: Fleet, operands: readonly string[], options: never) => Promise<number>;
  readonly options: readonly string[];
}

const common = ['json', 'session', 'fleet'];

const verbs: Readonly<Record<string, FleetVerb>> = {
  run: {
    perform: runInFleet,
    options: [
      ...['on', 'startBy', 'redispatch', 'cwd', 'env', 'secret', 'name', 'label', 'timeout', 'stdin'],
      ...['tty', 'size'],
      ...['key', 'wait', 'follow', 'anyway'],
    ],
  },
  ps: { perform: psInFleet, options: ['all', 'allSessions', 'quiet'] },
  logs: { perform: logsInFleet, options: ['follow', 'lines', 'offset', 'bytes'] },
  wait: { perform: waitInFleet, options: ['timeout', 'any'] },
  show: { perform: showInFleet, options: [] },
  kill: { perform: killInFleet, options: ['grace'] },
  send: { perform: sendInFleet, options: ['enter', 'press', 'eof', 'paste'] },
  screen: { perform: screenInFleet, options: [] },
  attach: { perform: attachInFleet, options: ['readOnly', 'detachKey'] },
  resize: { perform: resizeInFleet, options: [] },
  completions: { perform: completionsInFleet, options: ['ack', 'follow'] },
};

/**
 * Does a verb in the fleet that this machine is a client of.
 * @returns the exit status.
 * @throws OutliveError `USAGE` for options that it has for tasks of this machine alone, before anything is done.
 */
export async function performInFleet(io: Io, { name, operands, options }: TypedVerb): Promise<number> {
  const verb = verbs[name];
  if (verb === undefined) throw new Error(`expected a verb that a fleet has; found ${name}`);
  checkOptions(name, verb, options);
  await using fleet = await openFleet();
  return await verb.perform(io, fleet, operands, options as never);
}

function checkOptions(name: string, verb: FleetVerb, options: TypedVerb['options']): void {
  const known = new Set([...common, ...verb.options]);
  const unknown = Object.keys(options).filter(
    (option) => !known.has(option) && options[option] !== undefined,
  );
  if (unknown.length === 0) return;
  const has = verb.options.map(flagOf).sort().join(', ');
  throw new OutliveError(
    'USAGE',
    `expected options that ${name} has for a fleet; found ${unknown.map(flagOf).join(', ')}. It has: ${has}. See: outlive ${name} --help`,
  );
}

function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
