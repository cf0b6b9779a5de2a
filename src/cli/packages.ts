import { createRequire } from 'node:module';
import type { StringValue } from 'ms';

const require = createRequire(import.meta.url);

/*
 * Packages of CommonJS that every start of the program needs. `import` reads each of their files twice, once to learn
 * what it exports: that takes half as long again, a good part of what a short verb takes altogether.
 */

/** Parses the command line. */
export type Command = import('commander').Command;
/** What is wrong with a command line, or that help was printed. */
export type CommanderError = import('commander').CommanderError;
/** One option of a verb. */
export type Option = import('commander').Option;
export const { Argument, Command, CommanderError, InvalidArgumentError, Option } =
  require('commander') as typeof import('commander');

/** Reads and writes sizes. Who prints data for programs needs none. */
export function bytes(): typeof import('bytes') {
  return require('bytes') as typeof import('bytes');
}

/** Reads durations. Few verbs are given one. */
export function parseDuration(text: StringValue): number {
  return (require('ms') as typeof import('ms'))(text);
}

/** Paints text, or leaves it as it is. */
export type Colours = ReturnType<typeof import('picocolors').createColors>;

/** Colours, or none. Who prints data for programs needs neither. */
export function colours(wanted: boolean): Colours {
  return (require('picocolors') as typeof import('picocolors')).createColors(wanted);
}
