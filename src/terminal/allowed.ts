import type { ControlSequence } from './escape-reader.ts';

/**
 * What a program may write to a person's terminal. What is in none of these lists stays away: it could read the
 * clipboard or type into the task by an answer (queries, title reports), print, resize or rename things, or make the
 * terminal read its input in another way. A sequence that is new somewhere is not in them.
 */

/** Control characters: back, tab, line feeds, return, other character sets, and the bell. */
const controls = new Set([0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]);

/** Escapes without intermediates: cursor, tab stops, lines, keypad, and character sets. */
const escapes = new Set('6789=>DEHMNOno|}~');

/** What designates a character set, each with the letter of one. `ESC %` would take UTF-8 away. */
const designators = new Set('()*+-./');

/** Sizes of lines, and the pattern that fills a screen. */
const lineSizes = new Set('34568');

/** Control sequences that have nothing but numbers. */
const plainSequences = new Set('@ABCDEFGHIKLMPSXZ`abdefgmrsu');

/** Modes of `CSI h`: insert, and line feeds that return. Others lock the keyboard, or echo what is typed. */
const ansiModes = new Set([4, 20]);

/**
 * Modes of `CSI ? h`: cursor keys, colours, wrapping, the cursor, the keypad, the mouse, the alternate screen, pastes,
 * and output that is shown at once. Others change the size, the language of the terminal, or what it reports by itself.
 */
const privateModes = new Set([
  1, 5, 6, 7, 9, 12, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1048, 1049, 2004,
  2026,
]);

/** A larger number is none that anybody means, and makes some terminals slow. */
const largestNumber = 65_535;

const longNumber = /\d{5}/;

/** Commands: titles. Links are looked at by themselves. */
const titleCommands = new Set(['0', '1', '2']);
const linkCommand = '8';

const longestTitle = 256;
const longestLink = 2048;

/** Whether a control character may pass. */
export function allowsControl(code: number): boolean {
  return controls.has(code);
}

/** Whether an escape may pass. */
export function allowsEscape(intermediates: string, final: string): boolean {
  if (intermediates === '') return escapes.has(final);
  if (intermediates === '#') return lineSizes.has(final);
  return intermediates.length === 1 && designators.has(intermediates);
}

/** What may pass of a control sequence: the whole of it, less (some of its modes), or null. */
export function allowedSequence(found: ControlSequence): ControlSequence | null {
  const sequence = longNumber.test(found.parameters)
    ? { ...found, parameters: bounded(found.parameters) }
    : found;
  const { parameters } = sequence;
  const { prefix, intermediates, final } = sequence;
  if (final === 'h' || final === 'l') return allowedModes(sequence);
  const kind = `${prefix}|${intermediates}|${final}`;
  // `3 J` erases what a person's terminal keeps above the screen.
  if (final === 'J' && intermediates === '' && (prefix === '' || prefix === '?'))
    return allowedErasure(sequence);
  if (prefix === '' && intermediates === '') return allowsPlain(parameters, final) ? sequence : null;
  return others[kind]?.(parameters) === true ? sequence : null;
}

function bounded(parameters: string): string {
  return parameters.replace(/\d+/g, (digits) => String(Math.min(Number(digits), largestNumber)));
}

/** Those that are more than numbers and a letter, with what their numbers may be. */
const others: Readonly<Record<string, (parameters: string) => boolean>> = {
  // What is protected stays when the rest is erased.
  '?||K': () => true,
  '|"|q': () => true,
  // Tab stops each 8 columns.
  '?||W': (parameters) => parameters === '5',
  '| |q': (parameters) => /^[0-6]?$/.test(parameters),
  '| |@': () => true,
  '| |A': () => true,
  "|'|}": () => true,
  "|'|~": () => true,
  // A soft reset.
  '|!|p': (parameters) => parameters === '',
  // Keys that have no sequence of their own: how xterm reports them, and how kitty does.
  '>||m': (parameters) => /^4(?:;[0-2])?$/.test(parameters),
  '>||u': (parameters) => /^\d*$/.test(parameters),
  '=||u': (parameters) => /^\d*(?:;[1-3]?)?$/.test(parameters),
  '<||u': (parameters) => /^\d*$/.test(parameters),
};

function allowsPlain(parameters: string, final: string): boolean {
  // `T` with five numbers follows the mouse.
  if (final === 'T') return parameters.split(';').length < 5;
  return plainSequences.has(final);
}

function allowedErasure(sequence: ControlSequence): ControlSequence | null {
  const [what = ''] = sequence.parameters.split(/[;:]/);
  return Number(what) > 2 ? null : { ...sequence, parameters: what };
}

function allowedModes(sequence: ControlSequence): ControlSequence | null {
  const { prefix, parameters, intermediates } = sequence;
  if (intermediates !== '' || (prefix !== '' && prefix !== '?') || parameters.includes(':')) return null;
  const known = prefix === '?' ? privateModes : ansiModes;
  const modes = parameters.split(';').filter((mode) => known.has(Number(mode)));
  return modes.length === 0 ? null : { ...sequence, parameters: modes.join(';') };
}

/** What may pass of a command: a title without control characters, a link to a page of the web; null: nothing. */
export function allowedCommand(text: string): string | null {
  const [command = '', ...rest] = text.split(';');
  if (titleCommands.has(command)) return `${command};${cleaned(rest.join(';')).slice(0, longestTitle)}`;
  if (command !== linkCommand || text.length > longestLink) return null;
  const [parameters = '', ...address] = rest;
  const link = cleaned(address.join(';'));
  if (link !== '' && !/^https?:\/\//i.test(link)) return null;
  return `${linkCommand};${/^[\w=:.-]*$/.test(parameters) ? parameters : ''};${link}`;
}

function cleaned(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, '');
}
