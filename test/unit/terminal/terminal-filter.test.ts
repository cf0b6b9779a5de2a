import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TerminalFilter } from '../../../src/terminal/terminal-filter.ts';

/** What passes of a text; of letters that stand for bytes where they are no UTF-8. */
function passed(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  return new TerminalFilter().pass(Buffer.from(text, encoding)).toString();
}

const passes: Record<string, string> = {
  'text of any script': 'Grüße, 한국어 🚀 e\u0301\r\n\tx\b',
  colours: '\x1b[1;38;5;200;48;2;1;2;3mred\x1b[0m\x1b[4:3m',
  movement: '\x1b[2;5H\x1b[A\x1b[10C\x1b[s\x1b[u\x1b7\x1b8\x1bM\x1b[3d\x1b[6G',
  erasure: '\x1b[J\x1b[2J\x1b[K\x1b[3X\x1b[2P\x1b[4@\x1b[L\x1b[M',
  'the scroll region and what scrolls': '\x1b[2;10r\x1b[3S\x1b[3T\x1b[!p',
  'the alternate screen': '\x1b[?1049h\x1b[?1049l',
  'modes of input': '\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002;1006h\x1b[?1004h\x1b[>4;1m\x1b[>1u',
  'modes of the cursor': '\x1b[?25l\x1b[?25h\x1b[3 q\x1b[?12h',
  'line drawing': '\x1b(0lqk\x1b(B\x0ex\x0f',
  'output that is shown at once': '\x1b[?2026hx\x1b[?2026l',
  'the bell': '\x07',
};
for (const [what, text] of Object.entries(passes))
  test(`${what} passes unchanged`, () => assert.equal(passed(text), text));

const stays: Record<string, string> = {
  'the clipboard (OSC 52)': '\x1b]52;c;cm0gLXJmIH4=\x07',
  'the clipboard, asked for': '\x1b]52;c;?\x1b\\',
  'a report of the title': '\x1b[21t',
  'a report of the icon': '\x1b[20t',
  'a window that moves, or gets another size': '\x1b[8;10;10t\x1b[3;0;0t',
  'device attributes': '\x1b[c\x1b[0c\x1b[>c\x1b[=c\x1bZ',
  'status reports': '\x1b[5n\x1b[6n\x1b[?6n\x1b[?15n\x1b[?996n',
  'a question for a mode': '\x1b[?2004$p\x1b[4$p',
  'the version of the terminal': '\x1b[>q\x1b[>0q',
  'terminal parameters': '\x1b[x\x1b[1x',
  'colours that are asked for': '\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;?\x1b\\\x1b]12;?\x07',
  'colours that are changed': '\x1b]4;1;rgb:ff/00/00\x07\x1b]11;#000000\x07\x1b]104\x07',
  'a question for the keyboard (kitty)': '\x1b[?u',
  'a question for how keys are reported': '\x1b[?4m',
  'a question for what images may be': '\x1b[?1;1S',
  ENQ: '\x05',
  'flow control and other control characters': '\x00\x01\x11\x13\x14\x7f',
  'a setting that is asked for (DECRQSS)': '\x1bP$qm\x1b\\',
  'a capability that is asked for (XTGETTCAP)': '\x1bP+q544e\x1b\\',
  images: '\x1bPq#0;2;0;0;0#0~~@@vv@@~~$-\x1b\\\x1b_Gf=100;AAAA\x1b\\',
  'a message to tmux': '\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\',
  'strings (APC, PM, SOS)': '\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\',
  printing: '\x1b[i\x1b[5i\x1b[?5i\x1b[4i',
  'a rectangle that is added up (DECRQCRA)': '\x1b[1;1;1;1;1;1*y',
  'notifications, folders and files':
    '\x1b]9;hi\x07\x1b]7;file:///x\x07\x1b]777;notify;a;b\x07\x1b]1337;File=:AA\x07',
  'a link that is none of the web': '\x1b]8;;file:///etc/passwd\x07',
  'another character encoding': '\x1b%@\x1b G\x1b F',
  'a terminal of 1978 (VT52)': '\x1b[?2l',
  '132 columns': '\x1b[?3h',
  'a locked keyboard, and an echo': '\x1b[2h\x1b[12l',
  'reports that nobody asks for': '\x1b[?2031h\x1b[?2048h',
  'what a terminal keeps above the screen': '\x1b[3J',
  'mouse tracking by regions': '\x1b[1;2;3;4;5T\x1b[?1001h',
  'saved modes': '\x1b[?1s\x1b[?1r',
};
for (const [what, text] of Object.entries(stays)) {
  test(`does not pass: ${what}`, () => assert.equal(passed(`a${text}b`), 'ab'));
  test(`does not pass, with two-byte control characters or byte by byte: ${what}`, () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
    const c1 = text.replace(/\x1b([@-_])/g, (_, letter: string) =>
      String.fromCharCode(letter.charCodeAt(0) + 0x40),
    );
    const filter = new TerminalFilter();
    const bytes = [...Buffer.from(`a${c1}b`)].map((byte) => filter.pass(Uint8Array.of(byte)));
    assert.equal(Buffer.concat(bytes).toString(), 'ab');
  });
}

test('a control character of one byte above 127 does not pass, and text after it is text', () => {
  assert.equal(passed('a\x9b6nb\x90q\x9c\x9d52;c;x\x07', 'latin1'), 'a6nbq52;c;x\x07');
});

test('a sequence without an end does not pass, and takes no memory', () => {
  const filter = new TerminalFilter();
  for (const begin of ['\x1b[', '\x1b]0;', '\x1bP', '\x1b_']) {
    filter.pass(Buffer.from(begin));
    for (let left = 64; left > 0; left -= 1)
      assert.equal(filter.pass(Buffer.alloc(64 * 1024, begin === '\x1b[' ? '1' : 'x')).length, 0);
    // An escape ends it.
    assert.equal(filter.pass(Buffer.from('\x1b[mx')).toString(), '\x1b[mx');
  }
});

test('of several modes the allowed ones pass, and numbers are limited to what terminals accept', () => {
  assert.equal(passed('\x1b[?3;25;2031;1006h'), '\x1b[?25;1006h');
  assert.equal(passed('\x1b[4294967296;1H'), '\x1b[65535;1H');
});

test('control characters within a sequence take effect before it, as in a terminal', () => {
  assert.equal(passed('\x1b[3\r1mx\x1b[\x00\x05Ay'), '\r\x1b[31mx\x1b[Ay');
  assert.equal(passed('\x1b[31\x18mx\x1b[1\x1b[2my'), 'mx\x1b[2my');
});

test('a title passes without control characters, and the previous one comes back on leaving', () => {
  const filter = new TerminalFilter();
  const set = filter.pass(Buffer.from(`\x1b]0;a\x01\n${'x'.repeat(400)}\x07`)).toString();
  assert.equal(set, `\x1b[22;0t\x1b]0;a${'x'.repeat(255)}\x1b\\`);
  assert.equal(filter.pass(Buffer.from('\x1b]2;b\x1b\\')).toString(), '\x1b]2;b\x1b\\');
  assert.equal(filter.modesReset(), '\x1b[23;0t');
});

test('a link to a page passes, and is closed on leaving', () => {
  const filter = new TerminalFilter();
  const link = '\x1b]8;id=1;https://example.org/a;b\x1b\\';
  assert.equal(filter.pass(Buffer.from(link)).toString(), link);
  assert.equal(filter.modesReset(), '\x1b]8;;\x1b\\');
});

test('leaving resets the modes that were switched, and nothing else', () => {
  const left = (text: string): string => {
    const filter = new TerminalFilter();
    filter.pass(Buffer.from(text));
    return filter.modesReset();
  };
  assert.equal(left('plain text\r\n'), '');
  assert.equal(
    left('\x1b[?1000h\x1b[?1006h\x1b[?1000l\x1b[?1006l\x1b[?25l\x1b[?25h\x1b[?1049h\x1b[?1049l'),
    '',
  );
  assert.equal(left('\x1b[?1049h\x1b[?25l'), '\x1b[?1049l\x1b[?25h');
  assert.equal(left('\x1b[?47h'), '\x1b[?47l');
  assert.equal(left('\x1b[?2004h\x1b[?1h\x1b='), '\x1b[?2004l\x1b[?1l\x1b>');
  assert.equal(left('\x1b[31m'), '\x1b[0"q\x1b[0m');
  assert.equal(left('\x1b[2;5r'), '\x1b7\x1b[r\x1b8');
  assert.equal(left('\x1b[>4;2m'), '\x1b[>4m');
  assert.equal(left('\x1b[2 q'), '\x1b[0 q');
});

test('a program can remove only its own keyboard modes', () => {
  const filter = new TerminalFilter();
  const write = (text: string): string => filter.pass(Buffer.from(text)).toString();
  // Those of the person's shell stay.
  assert.equal(write('\x1b[<u'), '');
  // What would change them lies on them.
  assert.equal(write('\x1b[=5;1u'), '\x1b[>u\x1b[=5;1u');
  assert.equal(write('\x1b[?1049h\x1b[>1u'), '\x1b[?1049h\x1b[>1u');
  assert.equal(write('\x1b[<9u'), '\x1b[<1u');
  assert.equal(write('\x1b[>1u'), '\x1b[>1u');
  assert.equal(filter.modesReset(), '\x1b[<1u\x1b[?1049l\x1b[<1u');
  // What a program leaves on the alternate screen is taken off there: on the other one it would be the shell's.
  assert.equal(write('\x1b[?1049h\x1b[>1u\x1b[?1049l'), '\x1b[?1049h\x1b[>1u\x1b[<1u\x1b[?1049l');
  assert.equal(filter.modesReset(), '');
});

test('a reset of the terminal resets the switched modes, and keeps the scrollback', () => {
  assert.equal(passed('\x1b[?1000h\x1bcx'), '\x1b[?1000h\x1b[?1000l\x1b[!p\x1b[H\x1b[2Jx');
});
