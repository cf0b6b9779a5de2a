import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, axeFaults, listOf, TestBrowser } from '../support/browser.ts';
import { meet, startUi } from '../support/ui.ts';
import { World, waitFor } from '../support/world.ts';

test('a page opens with the token in its address, which it then hides, and shows starts and ends by itself', async () => {
  await using world = new World();
  const session = await world.session('work');
  await (await session.spawn('exit 3', { name: 'old' })).wait({ ack: false });
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(addressOf(server));
  await listOf(page);
  assert.equal(new URL(page.url()).hash, '#/');
  const row = (name: string) => page.locator('.rows .row', { hasText: name });
  await row('old').getByText('failed, exit 3').waitFor();
  const task = await session.spawn('echo hello; read x; echo bye', { name: 'fresh', stdin: 'open' });
  await row('fresh').getByText('running').waitFor();
  assert.equal(await page.title(), '(1) outlive');
  await row('fresh').click();
  await page.locator('.log', { hasText: 'hello' }).waitFor();
  assert.match(page.url(), new RegExp(`#/task/${task.id}$`));
  await task.send('\n');
  await page.locator('.log', { hasText: 'bye' }).waitFor();
  await page.locator('header .status.completed').waitFor();
  await page.locator('.said', { hasText: 'fresh: completed' }).waitFor();
  // The tab has the token, and so has another one of the same reader.
  await page.reload();
  await page.locator('.log', { hasText: 'bye' }).waitFor();
  const second = await browser.another(page.context(), server.url);
  await listOf(second);
  await row('fresh').isVisible();
  assert.deepEqual(browser.faults, []);
});

test('without the token, or with a wrong one, a page shows nothing and asks', async () => {
  await using world = new World();
  const session = await world.session();
  await (await session.spawn('true', { name: 'hidden-one' })).wait();
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  for (const hash of ['', '#token=wrong', `#token=${server.token.slice(1)}x`, '#code=wrong']) {
    const page = await browser.page(server.url + hash);
    await page.getByLabel('Token or address').waitFor();
    assert.equal((await page.content()).includes('hidden-one'), false, hash);
  }
  const page = await browser.page(server.url);
  await page.getByLabel('Token or address').fill('wrong');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByText('That is not the token of this server.').waitFor();
  await page.getByLabel('Token or address').fill(addressOf(server));
  await page.getByRole('button', { name: 'Open' }).click();
  await listOf(page);
  const opened = await browser.page(server.urlForOpener());
  await listOf(opened);
});

test('a page of another origin gets nothing, whether by a request, a socket or a frame', async () => {
  await using world = new World();
  await using server = await startUi(world);
  await using other = await startUi(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(addressOf(other));
  await listOf(page);
  const { proof } = await meet(server.url, server.token);
  const tried = await page.evaluate(
    async ({ url, proof }) => {
      const fetched = await fetch(`${url}challenge`, { method: 'POST', body: 'x'.repeat(43) }).then(
        ({ status }) => `answered ${status}`,
        () => 'refused',
      );
      const socket = await new Promise((resolve) => {
        const opened = new WebSocket(`${url.replace('http', 'ws')}socket`, ['outlive.ui.1', proof]);
        opened.onopen = () => resolve('opened');
        opened.onerror = () => resolve('refused');
      }).catch(() => 'refused');
      return [fetched, socket];
    },
    { url: server.url, proof },
  );
  assert.deepEqual(tried, ['refused', 'refused']);
  const linked = await page
    .context()
    .request.get(server.url, { headers: { 'sec-fetch-site': 'cross-site' } });
  assert.equal(linked.status(), 403);
});

const hostile = '<img src=x onerror=alert(1)>\u202e gpj\u2066\x07';

test('hostile names, commands, sessions and output are shown as text, with invisible characters made visible', async () => {
  await using world = new World();
  const session = await world.session(`<svg onload=alert(2)> ${hostile.slice(0, -1)}`);
  const task = await session.spawn(
    `printf '<script>alert(3)</script>\\n\\033]0;title\\007\\033[2J\\342\\200\\256exe\\n"><img src=x onerror=alert(4)>\\n'; : '</pre><b>'`,
    { name: hostile, labels: { '<b>': '"><i>' } },
  );
  await task.wait({ ack: false });
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(addressOf(server));
  await listOf(page);
  const row = page.locator('.rows .row').first();
  await row.getByText('<img src=x onerror=alert(1)>\\u{202e} gpj\\u{2066}\\u{7}').waitFor();
  await row.click();
  await page.locator('.log', { hasText: '<script>alert(3)</script>' }).waitFor();
  await page.locator('.log', { hasText: '\\u{202e}exe' }).waitFor();
  await page.getByRole('tab', { name: 'Facts' }).click();
  await page.getByText('How we know').waitFor();
  await page.getByText('"><i>').waitFor();
  assert.equal(await page.locator('#page img, #page script, #page b, #page i, #page svg[onload]').count(), 0);
  assert.deepEqual(browser.faults, []);
  // Text that is to become markup is an error, even in a script of the page's own.
  const refused = await page.evaluate(
    `(() => { try { document.body.innerHTML = '<b>x</b>'; return false; } catch { return true; } })()`,
  );
  assert.equal(refused, true);
});

test('axe finds nothing wrong on any screen in both themes', async () => {
  await using world = new World();
  const session = await world.session('work');
  for (const [name, command] of [
    ['good', 'seq 1 5000'],
    ['bad', 'exit 3'],
  ] as const)
    await (await session.spawn(command, { name })).wait({ ack: name === 'good' });
  const running = await session.spawn('sleep 1000', { name: 'runs' });
  const shell = await session.spawn('cat', { name: 'shell', tty: { cols: 80, rows: 24 } });
  await waitFor(() => shell.snapshot().status === 'running', 'the shell');
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.page(addressOf(server), { colorScheme });
    const isClean = async (screen: string): Promise<void> =>
      assert.deepEqual(await axeFaults(page), [], `${screen}, ${colorScheme}`);
    await listOf(page);
    await page.locator('.rows .row').nth(3).waitFor();
    await isClean('the list');
    await page.getByLabel(/^Select all/).check();
    await isClean('the list with a selection');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('dialog').waitFor();
    await isClean('the question');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Keys and words' }).click();
    await isClean('help');
    await page.keyboard.press('Escape');
    for (const name of ['good', 'bad', 'runs', 'shell']) {
      await page.locator('.rows .row .task', { hasText: name }).click();
      for (const tab of await page.getByRole('tab').all()) {
        await tab.click();
        await page.waitForLoadState('networkidle');
        await isClean(`${name}, ${await tab.textContent()}`);
      }
      await page.getByRole('link', { name: 'All tasks' }).click();
    }
    await page.close();
    const entry = await browser.page(server.url, { colorScheme });
    await entry.getByLabel('Token or address').waitFor();
    assert.deepEqual(await axeFaults(entry), [], `the entry, ${colorScheme}`);
  }
  assert.deepEqual(browser.faults, []);
  await running.kill({ graceMs: 0 });
  await shell.kill({ graceMs: 0 });
});
