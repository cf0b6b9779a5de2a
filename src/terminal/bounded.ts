import { cellNumbers, isCombined, longestTitle } from './state.ts';
import { widthOf, type Xterm, type XtermInput, type XtermLine, type XtermParameters } from './xterm.ts';

/** Characters without width that join one: no writing of any language has more. */
const mostMarks = 32;

const firstMark = 0x300;

/** A repeated character fills a screen of this size, and no more. */
const mostRepeats = 64 * 1024;

/**
 * Bounds what a few bytes can make the emulator do: `CSI 2147483647 L` inserts that many lines, one after the other, and
 * `CSI 1 J` in the last cell of the screen fails. What is on the screen afterwards is the same.
 */
export function boundSequences(terminal: Xterm): void {
  const { _core: core } = terminal;
  const { _inputHandler: input } = core;
  const bound = (
    final: string,
    most: () => number,
    perform: (parameters: XtermParameters) => boolean,
  ): void => {
    terminal.parser.registerCsiHandler({ final }, ([count = 0]) => {
      if (typeof count !== 'number' || count <= most()) return false;
      return perform({ params: [most()], length: 1 });
    });
  };
  const rows = (): number => core.rows;
  const cols = (): number => core.cols;
  bound('L', rows, (parameters) => input.insertLines(parameters));
  bound('M', rows, (parameters) => input.deleteLines(parameters));
  bound('S', rows, (parameters) => input.scrollUp(parameters));
  bound('T', rows, (parameters) => input.scrollDown(parameters));
  bound('I', cols, (parameters) => input.cursorForwardTab(parameters));
  bound('Z', cols, (parameters) => input.cursorBackwardTab(parameters));
  bound(
    'b',
    () => Math.min(mostRepeats, core.cols * core.rows),
    (parameters) => input.repeatPrecedingCharacter(parameters),
  );
  for (const prefix of ['', '?']) {
    const id = prefix === '' ? { final: 'J' } : { prefix, final: 'J' };
    terminal.parser.registerCsiHandler(id, ([what]) => what === 1 && eraseAll(core, input, prefix === '?'));
  }
  // Links do not show, and the emulator keeps something of each of them.
  terminal.parser.registerOscHandler(8, () => true);
  boundTitles(terminal);
}

/** The emulator would keep ten megabytes of one. */
function boundTitles({ parser, _core: { _inputHandler: input } }: Xterm): void {
  const handle = (command: number, set: (title: string) => void): void => {
    parser.registerOscHandler(command, (title) => {
      set(title.slice(0, longestTitle));
      return true;
    });
  };
  const setTitle = (title: string): void => {
    input._windowTitle = title;
  };
  const setIconName = (title: string): void => {
    input._iconName = title;
  };
  handle(0, (title) => {
    setTitle(title);
    setIconName(title);
  });
  handle(1, setIconName);
  handle(2, setTitle);
}

/**
 * Makes characters take the cells that they have. The emulator gives one to a character without width that has none
 * to join, such as at the beginning of a row, and leaves the first half of a wide character that was written over at the edge.
 */
export function mendPrinting({ _core: core }: Xterm): void {
  const { _inputHandler: input } = core;
  const print = input.print.bind(input);
  const printFew: typeof print = (codes, start, end) => {
    let from = start;
    let marks = isMark(codes[start]) ? marksBefore(core) : 0;
    for (let at = start; at < end; at += 1) {
      marks = isMark(codes[at]) ? marks + 1 : 0;
      if (marks <= mostMarks) continue;
      if (at > from) print(codes, from, at);
      from = at + 1;
    }
    if (end > from) print(codes, from, end);
  };
  input.print = (codes, start, end) => {
    let at = start;
    // Nearly all text has no marks.
    while (at < end && (codes[at] as number) < firstMark) at += 1;
    if (at === end) print(codes, start, end);
    else printFew(codes, start, end);
    if (!core.coreService.decPrivateModes.wraparound) mendEdge(core, input._curAttrData);
  };
}

/** Whether a character has no width, and joins the one before it. */
function isMark(code = 0): boolean {
  return code >= firstMark && widthOf(code) === 0;
}

/**
 * How many marks the character before the cursor has; more than allowed if there is no character that they could join.
 */
function marksBefore({ buffers: { active } }: Xterm['_core']): number {
  const { x, y, ybase, lines } = active;
  const line = lines.get(ybase + y);
  if (x === 0 || line === undefined) return mostMarks;
  const width = line.getWidth(x - 1);
  const column = width === 0 ? x - 2 : x - 1;
  // In the middle of a wide character: what is written there takes its place.
  if (width === 2 || line.hasContent(column) === 0) return mostMarks;
  const content = line._data[column * cellNumbers] ?? 0;
  return content & isCombined ? [...(line._combined[column] ?? '')].length - 1 : 0;
}

function mendEdge({ buffers: { active }, cols }: Xterm['_core'], pen: XtermInput['_curAttrData']): void {
  const line: XtermLine | undefined = active.lines.get(active.ybase + active.y);
  const isHalf = line?.getWidth(cols - 2) === 2 && line.getWidth(cols - 1) !== 0;
  if (isHalf) line.setCellFromCodepoint(cols - 2, 0, 1, pen);
}

/** Erases up to the cursor where that is all, which the emulator cannot. @returns false where it can. */
function eraseAll(
  { cols, rows, buffers }: Xterm['_core'],
  input: XtermInput,
  keepProtected: boolean,
): boolean {
  const { x, y, lines } = buffers.active;
  if (y !== rows - 1 || x + 1 < cols || lines.get(y + 1) !== undefined) return false;
  input._restrictCursor(cols);
  input._eraseInBufferLine(y, 0, x + 1, true, keepProtected);
  for (let row = y - 1; row >= 0; row -= 1) input._resetBufferLine(row, keepProtected);
  return true;
}
