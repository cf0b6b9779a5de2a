import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemCode } from '../../../src/errors/error.ts';
import { LiveScreen } from '../../../src/terminal/live-screen.ts';
import type { TerminalSize } from '../../../src/terminal/state.ts';
import { TerminalFilter } from '../../../src/terminal/terminal-filter.ts';
import { kept, told } from '../../support/fuzz/screens.ts';
import { Terminal } from '../../support/terminal.ts';
import { quote, waitFor } from '../../support/world.ts';

// What a program writes is shown by tmux, and recorded; our screen of the same bytes has the same rows, and the same cursor.

/** tmux tells the letters of lines that programs draw by another character set. */
const lineDrawing: Readonly<Record<string, string>> = {
  '─': 'q',
  '│': 'x',
  '┌': 'l',
  '┐': 'k',
  '└': 'm',
  '┘': 'j',
};

/** What is compared of a screen. */
interface Seen {
  readonly lines: string;
  readonly cursor: string;
  readonly visible: string;
  readonly alternate: string;
}

interface Program {
  readonly command: string;
  /** Keys by the names that tmux has, each once the screen shows something. */
  readonly keys?: readonly (readonly [shows: RegExp, ...keys: string[]])[];
  readonly shows: RegExp;
}

const bar = `import curses, time
def main(screen):
    curses.curs_set(0)
    curses.start_color()
    curses.init_pair(1, curses.COLOR_WHITE, curses.COLOR_BLUE)
    for done in range(0, 41, 4):
        screen.addstr(2, 4, "[" + "#" * done + " " * (40 - done) + "]", curses.color_pair(1))
        screen.addstr(4, 4, f"{done * 100 // 40} percent")
        screen.refresh()
    screen.border()
    screen.refresh()
    screen.getch()
curses.wrapper(main)`;

const text = Array.from({ length: 200 }, (_, at) => `${at} ${'lorem ipsum 한국어 '.repeat(at % 9)}`).join(
  '\n',
);

const programs: Record<string, Program> = {
  vim: {
    command: 'vim -u NONE -i NONE -n -N -c "syntax on" -c "set number ruler hlsearch showcmd" text.txt',
    keys: [
      [/lorem/, '/', 'i', 'p', 's', 'u', 'm', 'Enter'],
      [/ipsum/, 'C-d', 'C-d', 'C-u', 'd', 'd', 'o', 'n', 'e', 'w', 'Escape'],
      [/new/, ':', 's', 'p', 'l', 'i', 't', 'Enter', 'G'],
    ],
    shows: /199[^\n]*lorem[\s\S]*text.txt/,
  },
  less: {
    command: 'less text.txt',
    keys: [
      [/lorem/, 'Space', 'j', 'j', 'k', 'k', 'k'],
      [/lorem/, '/', '1', '5', '0', 'Enter'],
    ],
    shows: /^150 /m,
  },
  top: { command: 'top -d 600', shows: /PID +USER/ },
  'a progress bar by curses': { command: 'python3 bar.py', shows: /100 percent/ },
  'npm init': {
    command: 'npm init',
    keys: [
      [/package name:/, 'a', 'b', 'BSpace', 'c', 'Enter'],
      [/version:/, 'Enter'],
      [/description:/, 'x'],
    ],
    shows: /description: x$/m,
  },
  'the REPL of Node': {
    command: 'node',
    keys: [
      [/>$/m, '[', '1', ',', '2', ']', '.', 'm', 'a', 'p', '(', 'S', 't', 'r', 'i', 'n', 'g', ')', 'Enter'],
      [/'2'/, 'p', 'r', 'o', 'c', 'e', 's', 's', '.', 'v', 'e', 'r', 's', 'i', 'o', 'n'],
    ],
    // What the line comes to is shown below it before Enter.
    shows: /process\.version\n'v/,
  },
  'the REPL of Python': {
    command: 'python3 -q',
    keys: [
      [/>>>$/m, 'f', 'o', 'r', 'Space', 'i', 'Space', 'i', 'n', 'Space', '"', 'a', 'b', '"', ':', 'Enter'],
      [/\.\.\.$/m, 'Space', 'p', 'r', 'i', 'n', 't', '(', 'i', ')', 'Enter', 'Enter'],
    ],
    shows: /^b$/m,
  },
  bash: {
    command: 'PS1="$ " bash --norc --noprofile -i',
    keys: [
      [/\$$/m, 'e', 'c', 'h', 'o', 'Space', 'x', 'y', 'z', 'C-a', 'C-k', 'C-y', 'Left', 'Left', 'q', 'Enter'],
    ],
    shows: /^xqyz|xyqz$/m,
  },
  gdb: {
    command: 'gdb -q -nx',
    keys: [[/\(gdb\)$/m, 'h', 'e', 'l', 'p', 'Enter']],
    shows: /Classes|List of classes/,
  },
  'wide characters, and what has no width': {
    command: `printf '한국어 字 🚀 e\\u0301 ±\\r\\n'; printf '%098d한국' 1; printf '\\r\\nabc\\033[1G한\\033[5Gx done'; cat`,
    shows: /done/,
  },
};

/** What a program needs that may not be there. */
function missing({ command }: Program): string | false {
  const name = /^(?:PS1=\S+ \S+ )?(\w+)/.exec(command)?.[1] ?? '';
  const found = spawnSync('sh', ['-c', `command -v tmux && command -v ${name}`]).status === 0;
  return !found && `there is no tmux, or no ${name}`;
}

for (const [name, program] of Object.entries(programs)) {
  test(`a screen of ${name} is what tmux shows`, { skip: missing(program) }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'outlive-screen-'));
    try {
      writeFileSync(join(folder, 'text.txt'), text);
      writeFileSync(join(folder, 'bar.py'), bar);
      await compare(folder, program);
    } finally {
      // Programs write to their home when their terminal is closed.
      await waitFor(() => isRemoved(folder), 'the folder to be gone');
    }
  });
}

function isRemoved(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true });
    return true;
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY') throw error;
    return false;
  }
}

async function compare(folder: string, { command, keys = [], shows }: Program): Promise<void> {
  const env = {
    ...process.env,
    HOME: folder,
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    NODE_REPL_HISTORY: '',
    HISTFILE: '/dev/null',
  };
  const begin = `cd ${quote(folder)}; read begin; export TERM=xterm-256color; ${command}`;
  await using terminal = await Terminal.open(folder, { command: begin, env });
  const recorded = join(folder, 'recorded');
  await terminal.record(recorded);
  await terminal.press('Enter');
  for (const [shown, ...names] of keys) {
    await terminal.shows(shown);
    await terminal.press(...names);
  }
  await terminal.shows(shows);
  const size = {
    cols: Number(await terminal.state('pane_width')),
    rows: Number(await terminal.state('pane_height')),
  };
  let [ours, theirs]: unknown[] = [];
  await waitFor(async () => {
    theirs = await shownBy(terminal);
    using live = await LiveScreen.open({ from: size });
    live.feed(readFileSync(recorded));
    const seen = seenOf(live);
    const lines = seen.lines.replace(/[─│┌┐└┘]/g, (drawn) => lineDrawing[drawn] ?? '');
    ours = { ...seen, lines };
    return JSON.stringify(ours) === JSON.stringify(theirs);
  }, 'our screen to show what tmux shows').catch(() => assert.deepEqual(ours, theirs));
  const bytes = readFileSync(recorded);
  await goesOnFromAnyMoment(bytes, size);
  await isDrawnAnew(folder, env, bytes, size);
}

/** So many places in what a program wrote are tried. */
const cuts = 40;

/** A screen that was kept on the way, and what came afterwards, make the same screen. */
async function goesOnFromAnyMoment(bytes: Buffer, size: TerminalSize): Promise<void> {
  using whole = await LiveScreen.open({ from: size });
  whole.feed(bytes);
  for (let cut = 0; cut < cuts; cut += 1) {
    using first = await LiveScreen.open({ from: size });
    first.feed(bytes.subarray(0, Math.floor((bytes.length * cut) / cuts)));
    let moment = first.moment();
    while (moment === null) {
      first.feed(bytes.subarray(first.offset, first.offset + 1));
      moment = first.moment();
    }
    using second = await LiveScreen.open({ from: kept(moment) });
    second.feed(bytes.subarray(second.offset));
    assert.deepEqual(told(second), told(whole));
  }
}

/** Another terminal that gets what a viewer gets who comes later shows the same. */
async function isDrawnAnew(
  folder: string,
  env: NodeJS.ProcessEnv,
  bytes: Buffer,
  size: TerminalSize,
): Promise<void> {
  using live = await LiveScreen.open({ from: size });
  live.feed(bytes);
  const anew = join(folder, 'anew');
  mkdirSync(anew);
  writeFileSync(join(anew, 'redraw'), new TerminalFilter().pass(live.redraw()));
  // As attach has a terminal: what comes is shown as it is.
  const command = `cd ${quote(anew)}; stty raw -echo; cat redraw; exec cat`;
  await using viewer = await Terminal.open(anew, { command, env, columns: size.cols, rows: size.rows + 1 });
  const wanted = seenOf(live);
  let seen: unknown;
  await waitFor(async () => {
    seen = await shownBy(viewer);
    return JSON.stringify(seen) === JSON.stringify(wanted);
  }, 'the viewer to show the same').catch(() => assert.deepEqual(seen, wanted));
}

function seenOf(live: LiveScreen): Seen {
  const { lines, cursor, alternate } = live.screen();
  return {
    lines: lines.join('\n').trimEnd(),
    cursor: `${cursor.x},${cursor.y}`,
    visible: cursor.visible ? '1' : '0',
    alternate: alternate ? '1' : '0',
  };
}

async function shownBy(terminal: Terminal): Promise<Seen> {
  const screen = await terminal.screen();
  const [x, y, width] = (await terminal.state('cursor_x},#{cursor_y},#{pane_width')).split(',').map(Number);
  return {
    lines: screen
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
    // After the last column tmux says where the next character would go.
    cursor: `${Math.min(x ?? 0, (width ?? 1) - 1)},${y}`,
    visible: await terminal.state('cursor_flag'),
    alternate: await terminal.state('alternate_on'),
  };
}
