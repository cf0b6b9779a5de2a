import type { TaskSnapshot } from '../../model/snapshot.ts';
import { visible } from '../../util/visible.ts';
import type { Io } from '../io.ts';
import { fitted, padded, textWidth } from '../present/width.ts';

/** A longer name is cut. */
const longestName = 24;

type Colour =
  | 'cyan'
  | 'yellow'
  | 'green'
  | 'magenta'
  | 'blue'
  | 'cyanBright'
  | 'yellowBright'
  | 'greenBright';

const palette: readonly Colour[] = [
  ...(['cyan', 'yellow', 'green', 'magenta'] as const),
  ...(['blue', 'cyanBright', 'yellowBright', 'greenBright'] as const),
];

/** What stands in front of the lines of each task: its name in a colour, or its id. */
export class Prefixes {
  readonly #io: Io;
  readonly #names = new Map<string, string>();
  readonly #colours = new Map<string, Colour>();
  #width = 0;
  /** As they are written. */
  readonly #made = new Map<string, Buffer>();

  constructor(io: Io) {
    this.#io = io;
  }

  /** Takes up a task. Of several tasks with one name the later ones are told by their ids as well. */
  add({ taskId, name }: TaskSnapshot): void {
    if (this.#names.has(taskId)) return;
    const own = name === null ? taskId : visible(name);
    const isTaken = [...this.#names.values()].includes(own);
    const shown = fitted(isTaken && own !== taskId ? `${own} ${taskId}` : own, longestName);
    this.#names.set(taskId, shown);
    this.#colours.set(taskId, this.#colourFor(shown));
    this.#width = Math.max(this.#width, textWidth(shown));
    this.#made.clear();
  }

  of(taskId: string): Buffer {
    const made = this.#made.get(taskId) ?? Buffer.from(this.#make(taskId));
    this.#made.set(taskId, made);
    return made;
  }

  #make(taskId: string): string {
    const paint = this.#io.colours[this.#colours.get(taskId) ?? 'cyan'];
    return paint(`${padded(this.#names.get(taskId) ?? taskId, this.#width)} | `);
  }

  /** The same name has the same colour each time, where no other task has taken that. */
  #colourFor(name: string): Colour {
    let sum = 0;
    for (const character of name) sum = (31 * sum + (character.codePointAt(0) ?? 0)) % 65_521;
    const taken = new Set(this.#colours.values());
    const order = palette.map((_, index) => palette[(sum + index) % palette.length] as Colour);
    return order.find((colour) => !taken.has(colour)) ?? (order[0] as Colour);
  }
}
