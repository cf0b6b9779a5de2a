import type { KeyboardState } from './state.ts';
import type { Xterm } from './xterm.ts';

/** As many as kitty itself keeps, or more: of a program that puts on more, the oldest go. */
const mostFlags = 16;

/** All flags of kitty. */
const allFlags = 31;

/** The ways in which a program wants keys reported that have no sequence of their own. The emulator knows none of them. */
export class Keyboard {
  readonly #core: Xterm['_core'];
  #normal: readonly number[];
  #alternate: readonly number[];
  #otherKeys: number;

  constructor(terminal: Xterm, { normal, alternate, otherKeys }: KeyboardState = plainKeyboard) {
    const { parser, _core: core } = terminal;
    this.#core = core;
    this.#normal = normal;
    this.#alternate = alternate;
    this.#otherKeys = otherKeys;
    const handle = (prefix: string, final: string, take: (first: number, second: number) => void): void => {
      parser.registerCsiHandler({ prefix, final }, ([first, second]) => {
        take(numberOf(first), numberOf(second));
        return false;
      });
    };
    handle('>', 'u', (flags) => this.#put(flags & allFlags));
    handle('<', 'u', (count) => this.#take(count || 1));
    handle('=', 'u', (flags, how) => this.#change(flags & allFlags, how));
    handle('>', 'm', (resource, value) => {
      if (resource === 4 || resource === 0) this.#otherKeys = resource === 4 ? Math.min(value, 2) : 0;
    });
    parser.registerEscHandler({ final: 'c' }, () => {
      this.#normal = plainKeyboard.normal;
      this.#alternate = plainKeyboard.alternate;
      this.#otherKeys = 0;
      return false;
    });
  }

  get state(): KeyboardState {
    return { normal: this.#normal, alternate: this.#alternate, otherKeys: this.#otherKeys };
  }

  #put(flags: number): void {
    const [first = 0, ...others] = this.#flags;
    this.#flags = [first, ...[...others, flags].slice(1 - mostFlags)];
  }

  #take(count: number): void {
    this.#flags = count < this.#flags.length ? this.#flags.slice(0, -count) : [0];
  }

  /** @param how 1: these and no others; 2: these, too; 3: all but these. */
  #change(flags: number, how: number): void {
    const last = this.#flags.at(-1) ?? 0;
    const changed = how === 2 ? last | flags : how === 3 ? last & ~flags : flags;
    this.#flags = this.#flags.with(-1, changed);
  }

  get #flags(): readonly number[] {
    return this.#isAlternate ? this.#alternate : this.#normal;
  }

  set #flags(flags: readonly number[]) {
    if (this.#isAlternate) this.#alternate = flags;
    else this.#normal = flags;
  }

  get #isAlternate(): boolean {
    const { active, alt } = this.#core.buffers;
    return active === alt;
  }
}

/** No program has asked for anything. */
const plainKeyboard: KeyboardState = { normal: [0], alternate: [0], otherKeys: 0 };

/** Whether something could be a state of a keyboard. */
export function isKeyboard({ normal, alternate, otherKeys }: KeyboardState): boolean {
  const isFlags = (flags: unknown): boolean =>
    Array.isArray(flags) &&
    flags.length > 0 &&
    flags.length <= mostFlags &&
    flags.every((flag) => Number.isSafeInteger(flag) && flag >= 0 && flag <= allFlags);
  return isFlags(normal) && isFlags(alternate) && [0, 1, 2].includes(otherKeys);
}

/** Has another terminal report keys in these ways. What was put on it before by the same viewer is taken off. */
export function keyboardSequences(
  { normal, alternate, otherKeys }: KeyboardState,
  isAlternate: boolean,
): string {
  const [first = 0, ...others] = isAlternate ? alternate : normal;
  return [
    first === 0 && others.length === 0 ? '' : `\x1b[<${mostFlags}u`,
    first === 0 ? '' : `\x1b[=${first}u`,
    ...others.map((flags) => `\x1b[>${flags}u`),
    otherKeys === 0 ? '' : `\x1b[>4;${otherKeys}m`,
  ].join('');
}

function numberOf(parameter: number | number[] | undefined): number {
  return typeof parameter === 'number' ? parameter : 0;
}
