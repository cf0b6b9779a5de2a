import { fitted, fittedEnd, textWidth } from '../present/width.ts';
import { shownField } from './view.ts';

/** More is not typed into one line. */
const mostTyped = 1_000;

/** What the last row of the screen is for just now. */
type Use =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'question'; readonly text: string; readonly yes: () => void }
  | {
      readonly kind: 'typing';
      readonly label: string;
      readonly text: string;
      readonly entered: (text: string) => void;
    };

/** The last row: a message, a question, or a line that somebody types. */
export class LastRow {
  #use: Use = { kind: 'said', text: '' };

  /** Somebody is to answer first: other keys mean nothing. */
  get isAsking(): boolean {
    return this.#use.kind !== 'said';
  }

  /** Says something, unless somebody is about to answer. */
  say(text: string): void {
    if (!this.isAsking) this.#use = { kind: 'said', text };
  }

  ask(text: string, yes: () => void): void {
    this.#use = { kind: 'question', text, yes };
  }

  read(label: string, text: string, entered: (text: string) => void): void {
    this.#use = { kind: 'typing', label, text, entered };
  }

  pasted(text: string): void {
    const use = this.#use;
    if (use.kind === 'typing') this.#type(use.text + text.replace(/\s+/g, ' '));
  }

  /** A key, while it {@link LastRow.isAsking}. */
  press(key: string): void {
    const use = this.#use;
    const isLeft = key === 'escape' || key === 'ctrl-c';
    if (use.kind === 'question') {
      const isYes = key === 'y' || key === 'Y';
      this.#use = { kind: 'said', text: isYes ? '' : 'nothing was done' };
      if (isYes) use.yes();
    } else if (use.kind === 'typing') {
      if (key === 'enter' || isLeft) this.#use = { kind: 'said', text: '' };
      if (key === 'enter') use.entered(use.text);
      else if (key === 'backspace' && use.text === '') this.#use = { kind: 'said', text: '' };
      else if (key === 'backspace') this.#type([...use.text].slice(0, -1).join(''));
      else if (key === 'ctrl-u') this.#type('');
      else if (key === 'ctrl-w') this.#type(use.text.replace(/\S*\s*$/, ''));
      else if ([...key].length === 1) this.#type(use.text + key);
    }
  }

  /** The row, and the column at which somebody types. @param hint what is shown when nothing else is. */
  draw(hint: string, columns: number): { readonly text: string; readonly cursor: number | null } {
    const use = this.#use;
    if (use.kind === 'typing') {
      const room = Math.max(1, columns - textWidth(use.label) - 1);
      const text = `${use.label}${fittedEnd(shownField(use.text), room)}`;
      return { text, cursor: Math.min(columns - 1, textWidth(text)) };
    }
    if (use.kind === 'question') {
      const end = ' y/n';
      const text = `${fitted(use.text, Math.max(1, columns - end.length))}${end}`;
      return { text, cursor: Math.min(columns - 1, textWidth(text)) };
    }
    return { text: fitted(use.text === '' ? hint : shownField(use.text), columns), cursor: null };
  }

  #type(text: string): void {
    if (this.#use.kind === 'typing') this.#use = { ...this.#use, text: text.slice(0, mostTyped) };
  }
}
