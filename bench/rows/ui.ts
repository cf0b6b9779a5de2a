import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium, type Page } from 'playwright-core';
import { WebSocket } from 'ws';
import type { Challenge } from '../../src/ui/handshake.ts';
import { keyOf, newNonce, proofFor } from '../../src/ui/page/proof.ts';
import { exitOf } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { median, must, p95, pause } from '../measure.ts';
import { cpuMs } from '../processes.ts';
import { judge, noLimit, type Row, under } from '../row.ts';
import { makeThousandTasks } from '../thousand-tasks.ts';

const root = join(import.meta.dirname, '../../..');
const dist = join(root, 'dist');
const browserPath = process.env.OUTLIVE_BROWSER ?? '/usr/bin/chromium-headless-shell';

const windowMs = 30_000;
/** Before that Node compiles what has run often. */
const settleMs = 30_000;
const starts = 20;

/**
 * The dashboard on 1,000 tasks in 50 sessions, a tenth of which run: what its server uses with nobody there and with one viewer, how
 * soon a page shows something, and how large it is. The rows that need a browser are left out where there is none.
 */
export async function dashboard(ground: Ground): Promise<Row[]> {
  await makeThousandTasks(ground);
  const server = spawn(
    process.execPath,
    [join(dist, 'bin/outlive.cjs'), 'ui', '--no-open', '--store', ground.storeDir],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const [printed] = await must('the address', once(server.stdout, 'data'));
  const address = String(printed).trim();
  const rows = [
    sizeOfPage(),
    growthOfPackage(),
    judge(
      { what: '`outlive ui` with no page open: CPU', ...(await cpuOf(server)) },
      under(0.05, 'under 0.05 % of one core'),
    ),
    await viewed(server, address, false),
    await viewed(server, address, true),
    ...(existsSync(browserPath) ? await inBrowser(ground, address) : []),
  ];
  server.kill('SIGINT');
  await exitOf(server);
  return rows;
}

function sizeOfPage(): Row {
  const measured = zipped(['index.html', 'page.js', 'page.css'].map((file) => join(dist, 'page', file)));
  const what = 'the page of the dashboard, with gzip, without the terminal';
  return judge({ what, measured, beside: '', besideMeasured: null, unit: 'KiB' }, under(40, 'under 40 KiB'));
}

/** What is in the package for the dashboard. One bundle has `top` and `setup` as well. */
const ofDashboard = [
  'dist/page',
  'dist/bin/program-with-more.cjs',
  'src/ui',
  'docs/guide/dashboard.md',
  'docs/guide/pictures',
];

function growthOfPackage(): Row {
  const files = ofDashboard.flatMap((path) => filesIn(join(root, path)));
  const measured = zipped(files);
  const code = zipped(files.filter((file) => !file.endsWith('.png')));
  const what = 'what the package grew by with the dashboard, with gzip';
  const note = `${Math.round(code)} KiB without the pictures of the guide. Its one dependency, ws, is a package of its own`;
  return judge({ what, measured, beside: '', besideMeasured: null, unit: 'KiB', note }, noLimit);
}

/** In KiB, each file by itself. */
function zipped(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0) / 1024;
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

async function cpuOf({ pid = 0 }: ChildProcess) {
  await pause(settleMs);
  const [before, begin] = [cpuMs([pid]), performance.now()];
  await pause(windowMs);
  const measured = (cpuMs([pid]) - before) / ((performance.now() - begin) / 100);
  return { measured, beside: '', besideMeasured: null, unit: '% of a core' };
}

/** One page that takes what it is sent. */
async function viewed(server: ChildProcess, address: string, usage: boolean): Promise<Row> {
  const { origin, host, hash } = new URL(address);
  const token = hash.replace('#token=', '');
  const pageNonce = newNonce();
  const answer = await must(
    'the challenge',
    fetch(`${origin}/challenge`, { method: 'POST', body: pageNonce }),
  );
  const { nonce } = (await answer.json()) as Challenge;
  const proof = proofFor(keyOf(token), { host, pageNonce, nonce });
  const socket = new WebSocket(`ws://${host}/socket`, ['outlive.ui.1', proof], { headers: { origin } });
  await must('the socket', once(socket, 'open'));
  socket.on('message', (data) => {
    socket.send(JSON.stringify({ type: 'credit', amount: String(data).length }));
  });
  socket.send(JSON.stringify({ type: 'open', id: 1, request: { kind: 'tasks', usage } }));
  const figures = await cpuOf(server);
  socket.close();
  const [most, words] = usage ? [2.5, 'with CPU and memory'] : [0.3, 'without CPU and memory'];
  const what = `one viewer of 1,000 tasks, ${words}: CPU of the server`;
  return judge({ what, ...figures }, under(most, `under ${most} % of one core`));
}

/** Notes when each row was first seen with each status, by the clock that the tasks' times are of. */
const watcher = `(() => {
  window.seen = {};
  const look = () => {
    for (const row of document.querySelectorAll('.rows .row')) {
      window.first ??= performance.now();
      const status = row.querySelector('.status')?.className.split(' ').pop();
      window.seen[row.id.slice(4) + ' ' + status] ??= Date.now();
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
})()`;

async function inBrowser(ground: Ground, address: string): Promise<Row[]> {
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
  try {
    const firsts: number[] = [];
    let page: Page | undefined;
    for (let turn = 0; turn < 5; turn += 1) {
      await page?.close();
      page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
      await page.addInitScript(watcher);
      await page.goto(address);
      await until(page, 'window.first !== undefined');
      firsts.push(Number(await page.evaluate('window.first')));
    }
    if (page === undefined) return [];
    const { begun, over } = await latencies(ground, page);
    const beside = { beside: '', besideMeasured: null, unit: 'ms' };
    const row = (what: string, of: readonly number[], most: number): Row =>
      judge({ what, measured: median(of), p95: p95(of), ...beside }, under(most, `under ${most} ms`));
    return [
      row('the first rows of 1,000 tasks, from the request for the page', firsts, 500),
      row('start of a task to its row in the page', begun, 100),
      row('end of a task to its row in the page', over, 100),
    ];
  } finally {
    await browser.close();
  }
}

/** Waits for what the page has noted. Its policy lets no text become a program there, so it is asked from here. */
async function until(page: Page, condition: string): Promise<void> {
  const wait = async (): Promise<void> => {
    while (!(await page.evaluate(condition))) await pause(20);
  };
  await must(condition, wait());
}

async function latencies(ground: Ground, page: Page): Promise<{ begun: number[]; over: number[] }> {
  const session = await ground.session('latency');
  const [begun, over]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < starts; turn += 1) {
    const task = await session.spawn('sleep 0.5');
    const { startedAt, endedAt } = await task.wait();
    await until(page, `window.seen['${task.id} completed'] !== undefined`);
    const seenAt = async (status: string): Promise<number> =>
      Number(await page.evaluate(`window.seen['${task.id} ${status}']`));
    begun.push((await seenAt('running')) - (startedAt ?? 0));
    over.push((await seenAt('completed')) - (endedAt ?? 0));
  }
  return { begun, over };
}
