// Makes the pictures of docs/guide/dashboard.md from a real run, in both themes:
//   npm run build && node build/scripts/screenshots.js
// A day's work of three agents, short: builds, tests that fail, servers, a REPL. It needs Debian's chromium-headless-shell.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { openStore, type Store } from '../src/index.ts';
import { startUiServer } from '../src/ui/server.ts';

const out = join(import.meta.dirname, '..', '..', 'docs', 'guide', 'pictures');
const executablePath = process.env.OUTLIVE_BROWSER ?? '/usr/bin/chromium-headless-shell';

const [width, height] = [1100, 640];

const work: readonly (readonly [session: string, name: string, command: string])[] = [
  ['web', 'install', 'sleep 2; echo "added 252 packages in 2s"'],
  ['web', 'build', 'for i in 1 2 3; do echo "compiling module $i"; sleep 1; done; echo done'],
  [
    'web',
    'test',
    'for i in 1 2 3 4 5 6; do echo "ok $i - it works"; sleep 0.5; done; echo "not ok 7 - the cart is empty"; exit 1',
  ],
  [
    'web',
    'dev',
    'echo "listening at http://localhost:3000"; i=0; while :; do i=$((i+1)); echo "GET /cart/$i 200"; sleep 0.4; done',
  ],
  ['api', 'migrate', 'sleep 1; echo "3 migrations applied"'],
  ['api', 'api-tests', 'sleep 4; echo "412 passed"'],
  [
    'api',
    'load',
    'awk "BEGIN { for (i = 0; i < 90000; i++) print i, \\"request took\\", (i * 7919) % 400, \\"ms\\" }"; while :; do :; done',
  ],
  ['api', 'deploy', 'sleep 1; echo "no rights to deploy" >&2; exit 3'],
  ['docs', 'links', 'sleep 2; echo "0 broken links"'],
  ['docs', 'spell', 'sleep 1; exit 0'],
  ['docs', 'preview', `exec node -e 'require("http").createServer().listen(0, "127.0.0.1")'`],
];

if (!existsSync(executablePath)) {
  console.error(
    `expected a browser at ${executablePath}; found none. Debian has it: apt-get install chromium-headless-shell`,
  );
  process.exit(1);
}
const dir = mkdtempSync(join(tmpdir(), 'outlive-screenshots-'));
const store = await openStore({ dir: join(dir, 'store') });
try {
  const shown = await play(store);
  mkdirSync(out, { recursive: true });
  await using server = await startUiServer({ store });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
    await page.goto(`${server.url}#token=${server.token}`);
    await pictures(page, colorScheme, shown);
    await page.close();
  }
  await browser.close();
} finally {
  for (const id of store.sessions()) await (await store.session(id)).shutdown({ graceMs: 0 });
  await store.close();
  rmSync(dir, { recursive: true });
}

/** Runs the day's work; the ids by name. */
async function play(into: Store): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const [sessionId, name, command] of work) {
    const session = await into.session(sessionId);
    ids.set(name, (await session.spawn(command, { name, cwd: tmpdir() })).id);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  const repl = await (await into.session('docs')).spawn(['python3', '-q'], {
    name: 'python',
    tty: { cols: 100, rows: 24 },
    cwd: tmpdir(),
  });
  ids.set('python', repl.id);
  await repl.waitFor({ input: true, timeoutMs: 60_000, ack: false });
  for (const line of ['import math', '[round(math.sqrt(n), 3) for n in range(8)]', 'math.factorial(30)']) {
    await repl.send(`${line}\n`);
    await repl.waitFor({ input: true, timeoutMs: 60_000, ack: false });
  }
  const tests = (await into.session('api')).task(ids.get('api-tests') ?? '');
  await tests.wait();
  await (await into.session('web')).task(ids.get('test') ?? '').wait({ ack: false });
  return ids;
}

async function pictures(page: Page, theme: string, ids: ReadonlyMap<string, string>): Promise<void> {
  const save = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(out, `${name}-${theme}.png`) });
  };
  const open = async (name: string): Promise<void> => {
    await page.evaluate(`location.hash = '#/task/${ids.get(name)}'`);
    await page.locator('header h1', { hasText: name }).waitFor();
  };
  await page.locator('.spark').first().waitFor();
  // So that the lines of CPU are more than a dot.
  await page.waitForTimeout(9_000);
  await save('list');
  await open('load');
  await page.getByLabel('Search in the whole output').fill(' 399 ms');
  await page.keyboard.press('Enter');
  await page.locator('.hits', { hasText: 'lines' }).waitFor();
  await page.waitForTimeout(300);
  await save('output');
  await open('test');
  await page.getByRole('tab', { name: 'Facts' }).click();
  await page.getByText('How we know').waitFor();
  await save('facts');
  await open('python');
  await page.locator('.xterm-rows', { hasText: '265252859812191058636308480000000' }).waitFor();
  await save('terminal');
}
