// npm run test:ui: the dashboard in a real browser, Debian's chromium-headless-shell. Nothing is downloaded.
//   npm run test:ui -- WORD ...   only the files of test/ui, or the tests, whose name contains one of the words
//   --short                       what CI has: open, rows that live, output, hostile text, the token, Host and Origin, axe, lines that flow;
//                                 without it, lines flow for ten minutes
// Without a browser nothing is tested; that is said loudly, and is no failure. OUTLIVE_BROWSER names another one of that kind.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { build, filesUnder, install, root } from './prepare.mjs';

process.chdir(root);
install();
await build();

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const isShort = process.argv.includes('--short');
const browser = [process.env.OUTLIVE_BROWSER, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(
  (path) => path && existsSync(path),
);
if (browser === undefined) {
  console.error(
    '\n!!! The dashboard was NOT tried in a browser: expected chromium-headless-shell; found none. Debian has it as a package.\n',
  );
  process.exit(0);
}
const all = filesUnder('build/test/ui').filter((file) => file.endsWith('.ui.js'));
const chosen = all.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
if (chosen.length === 0) {
  console.error(`npm run test:ui: no file of test/ui is called ${words.join(' or ')}`);
  process.exit(2);
}
const files = isShort ? chosen.filter((file) => file.includes('short')) : chosen;
const reporter = process.stdout.isTTY ? 'spec' : 'tap';
const child = spawn(
  process.execPath,
  ['--enable-source-maps', '--test', `--test-reporter=${reporter}`, '--test-concurrency=1', ...files],
  {
    stdio: 'inherit',
    env: { ...process.env, OUTLIVE_BROWSER: browser, OUTLIVE_UI_SHORT: isShort ? '1' : '' },
  },
);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
child.on('close', (code, killSignal) => {
  process.exitCode = code ?? 128 + constants.signals[killSignal];
});
