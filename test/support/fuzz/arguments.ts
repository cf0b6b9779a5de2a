import assert from 'node:assert/strict';
import { CommanderError } from 'commander';
import fc from 'fast-check';
import { buildProgram } from '../../../src/cli/program.ts';
import * as values from '../../../src/cli/values.ts';
import type { Properties } from './properties.ts';
import { hostileText } from './texts.ts';

const digits = fc.stringMatching(/^[+-]?\d{0,400}(?:\.\d{0,30})?(?:ms|s|m|h|d|w|k|kb|g|t|b|none)?$/);
const oddText = fc.oneof(
  hostileText,
  digits,
  fc.constantFrom(
    '',
    ' ',
    '-',
    '--',
    '0x10',
    '1e5',
    'Infinity',
    'NaN',
    '-0',
    '٣s',
    '=',
    'a=',
    '=a',
    '__proto__=1',
    'constructor=x',
    'exit',
    'pattern=',
    'pattern=[',
    'port=any',
    'port=-1',
    'port=1e9',
    'idle=1s',
    'SIGKILL',
    '9',
    'term',
    'SIGhup',
    '99',
  ),
);

const parsers = {
  duration: (text: string) => values.duration(text),
  durationOrNone: (text: string) => values.durationOrNone(text),
  waitDuration: (text: string) => values.waitDuration(text),
  size: (text: string) => values.size(text),
  sizeOrNone: (text: string) => values.sizeOrNone(text),
  whole: (text: string) => values.whole(text),
  integer: (text: string) => values.integer(text),
  bond: (text: string) => values.bond(text),
  condition: (text: string) => values.condition(text, undefined),
  pair: (text: string) => values.pair(text, { ['__proto__']: 'before' }),
  killSignalName: (text: string) => values.killSignalName(text),
};

/** Words of the command line, and others. */
const words = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...[
        'run',
        'ps',
        'show',
        'logs',
        'wait',
        'kill',
        'completions',
        'prune',
        'doctor',
        'mcp',
        'completion',
        'help',
      ],
    ),
    fc.constantFrom(
      '--json',
      '--store',
      '-s',
      '--session',
      '--help',
      '-V',
      '--',
      '-',
      '--wait',
      '--wait=',
      '--follow',
      '-n',
      '-t',
      '-e',
      '-l',
      '--for',
      '--any',
      '--timeout',
    ),
    fc.constantFrom(
      '--bytes',
      '--offset',
      '--grace',
      '--signal',
      '--memory',
      '--nice',
      '--bind-to',
      '--leftovers',
      'kill',
      '--queue',
      '--all',
      '--ack',
      '--mend',
      '--http',
      '--port',
      '-a',
    ),
    oddText,
    oddText.map((text) => `--${text}`),
    oddText.map((text) => `--timeout=${text}`),
  ),
  { maxLength: 8 },
);

/** Properties of everything that reads the command line. */
export const argumentProperties: Properties = {
  'a value on the command line is understood or refused with what was expected': fc.property(
    fc.constantFrom(...Object.keys(parsers)) as fc.Arbitrary<keyof typeof parsers>,
    oddText,
    (name, text) => {
      let parsed: unknown;
      try {
        parsed = parsers[name](text);
      } catch (error) {
        assert.ok(error instanceof CommanderError, `${name}: ${error}`);
        assert.match(error.message, /^Expected /);
        return;
      }
      assert.notEqual(parsed, undefined);
      if (typeof parsed === 'number') {
        assert.ok(Number.isFinite(parsed), `${name} gave ${parsed}`);
        assert.ok(parsed >= 0 || name === 'integer', `${name} gave ${parsed}`);
      }
    },
  ),
  'any words are one call of a verb, or a usage error, or help': fc.property(words, (typed) => {
    const calls: string[] = [];
    const program = buildProgram('1', (_load, _operands, command) => calls.push(command.name()));
    for (const command of [program, ...program.commands]) {
      command.exitOverride().configureOutput({
        outputError: () => undefined,
        writeOut: () => undefined,
        writeErr: () => undefined,
      });
    }
    try {
      program.parse(typed, { from: 'user' });
    } catch (error) {
      assert.ok(error instanceof CommanderError, String(error));
    }
    assert.ok(calls.length <= 1);
  }),
};
