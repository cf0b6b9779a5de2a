import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LiveScreen } from '../../../src/terminal/live-screen.ts';
import { TerminalFilter } from '../../../src/terminal/terminal-filter.ts';
import type { Properties } from './properties.ts';
import { terminalBytes, terminalSize } from './screens.ts';

/** What has no place in what a person's terminal gets: strings but titles and links, queries, and control characters. */
// biome-ignore-start lint/suspicious/noControlCharactersInRegex: they are what is looked for
const forbidden =
  /[\x00-\x06\x10-\x1a\x1c-\x1f\x7f]|[\u0080-\u009f]|\x1b[PX^_Zc%]|\x1b\](?![0128];)|\x1b\[[^@-~]*[cntix]|\x1b\[[?$]*[^@-~]*\$p|\x1b\[[>?][^@-~]*q|\x1b\[\?[^@-~]*u/;

/** Pushing and popping the title are ours. */
const own = /\x1b\[2[23];0t/g;

/** A reset is passed as far as it goes; what a character is that is to be repeated after a query, each terminal sees in its own way. */
const otherwise = /\x1bc|\x1b\[[^@-~]*b/g;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above

/** Properties of what a person's terminal gets. */
export const filterProperties: Properties = {
  'what passes asks nothing and commands nothing, and passes again as it is': fc.property(
    terminalBytes,
    (bytes) => {
      const passed = new TerminalFilter().pass(bytes).toString();
      assert.equal(Buffer.from(passed).toString(), passed);
      assert.doesNotMatch(passed.replace(own, ''), forbidden);
      const again = new TerminalFilter().pass(Buffer.from(passed)).toString();
      assert.equal(again.replace(own, ''), passed.replace(own, ''));
    },
  ),
  'how bytes are cut into pieces changes nothing of what passes': fc.property(
    terminalBytes,
    fc.array(fc.nat({ max: 400 }), { maxLength: 8 }),
    (bytes, cuts) => {
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      const filter = new TerminalFilter();
      const pieces = at.slice(1).map((end, index) => filter.pass(bytes.subarray(at[index], end)));
      assert.equal(Buffer.concat(pieces).toString(), new TerminalFilter().pass(bytes).toString());
    },
  ),
  'a terminal that gets what passes shows what the task has drawn, and answers nothing': fc.asyncProperty(
    terminalSize,
    terminalBytes,
    async (size, bytes) => {
      const drawn = Buffer.from(bytes.toString('latin1').replace(otherwise, ''), 'latin1');
      let answers = '';
      using whole = await LiveScreen.open({ from: size });
      using filtered = await LiveScreen.open({
        from: size,
        answer: (text) => {
          answers += text;
        },
      });
      whole.feed(drawn);
      filtered.feed(new TerminalFilter().pass(drawn), true);
      const seen = (live: LiveScreen): object => ({ ...live.screen({ cells: true }), title: '' });
      assert.deepEqual(seen(filtered), seen(whole));
      assert.equal(answers, '');
    },
  ),
  'after leaving a terminal is as it was': fc.asyncProperty(
    terminalSize,
    terminalBytes,
    async (size, bytes) => {
      const filter = new TerminalFilter();
      using before = await LiveScreen.open({ from: size });
      using after = await LiveScreen.open({ from: size });
      after.feed(filter.pass(bytes));
      after.feed(Buffer.from(filter.modesReset()));
      assert.deepEqual(settingsOf(after), settingsOf(before));
      assert.equal(filter.modesReset(), '');
    },
  ),
};

/** What decides what a terminal does with what comes next, but for where the cursor is. */
function settingsOf(live: LiveScreen): object {
  const moment = live.moment();
  assert.ok(moment);
  const { modes, pen, charsets, charset, charsetLevel, showsAlternate, normal } = moment.state;
  const { top, bottom } = normal;
  // A style of the cursor that is the usual one.
  const { cursorBlinks: _, cursorStyle: __, ...rest } = modes;
  return { modes: rest, pen, charsets, charset, charsetLevel, showsAlternate, top, bottom };
}
