import { type Format, isSame } from './piece.ts';

/** A file that is setup's as a whole: its text is the value of its one piece, which has no path. */
export const wholeFormat: Format = {
  stateOf: (text, { value }) => (text === value ? 'same' : text === '' ? 'absent' : 'other'),
  insert: (_text, { value }) => [{ at: 0, text: String(value) }],
  remove: (text, { value }) => (isSame(text, value) ? '' : text),
  dataOf: () => undefined,
};
