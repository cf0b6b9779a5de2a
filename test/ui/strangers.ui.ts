import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { test } from 'node:test';
import { addressOf, listOf, TestBrowser } from '../support/browser.ts';
import { startUi } from '../support/ui.ts';
import { World, waitFor } from '../support/world.ts';

/** A page of somebody else, on another site: `localhost` is another one than 127.0.0.1. */
async function siteWith(html: string): Promise<{ url: string; server: Server }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { url: `http://localhost:${typeof address === 'object' ? address?.port : ''}/`, server };
}

test('a page of another site gets nothing through pictures, scripts, styles, forms, frames, links or windows', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000', { name: 'hidden-one' });
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const reader = await browser.page(addressOf(server));
  await listOf(reader);
  const { url, server: site } = await siteWith(`<!doctype html>
    <link rel="stylesheet" href="${server.url}page.css" onload="loaded('style')" onerror="refused('style')">
    <script>
      const said = {};
      function loaded(what) { said[what] = 'loaded'; }
      function refused(what) { said[what] = 'refused'; }
    </script>
    <link rel="stylesheet" href="${server.url}terminal.css" onload="loaded('style')" onerror="refused('style')">
    <img src="${server.url}icon.svg" onload="loaded('picture')" onerror="refused('picture')">
    <script src="${server.url}page.js" onload="loaded('script')" onerror="refused('script')"></script>
    <iframe name="frame" src="${server.url}"></iframe>
    <form id="form" method="post" enctype="text/plain" action="${server.url}door" target="_blank"><input name="x" value="y"></form>
    <a id="link" href="${server.url}">link</a>`);
  try {
    // The same reader, whose browser has the pass of the server.
    const page = await reader.context().newPage();
    await page.goto(url);
    await waitFor(async () => (await page.evaluate('Object.keys(said).length')) === 3, 'all of them');
    assert.deepEqual(await page.evaluate('said'), {
      style: 'refused',
      picture: 'refused',
      script: 'refused',
    });
    assert.equal(await page.frameLocator('iframe').locator('#page').count(), 0);
    const tried = await page.evaluate(async (at) => {
      const of = async (path: string, init: RequestInit): Promise<string> =>
        await fetch(at + path, init).then(
          ({ type, status }) => `${type} ${status}`,
          () => 'refused',
        );
      return [
        await of('', {}),
        await of('challenge', { method: 'POST', body: 'x'.repeat(43) }),
        await of('challenge', { method: 'POST', body: 'x'.repeat(43), mode: 'no-cors' }),
        await of('door', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
      ];
    }, server.url);
    // An answer that may not be looked at is refused as well: it says that it is of its own origin alone.
    assert.deepEqual(tried, ['refused', 'refused', 'refused', 'refused']);
    const [posted] = await Promise.all([page.context().waitForEvent('page'), page.evaluate('form.submit()')]);
    await posted.waitForLoadState();
    assert.match((await posted.textContent('body')) ?? '', /expected no page of another origin/);
    await page.click('#link');
    await page.getByText('expected no request from another site').waitFor();
    assert.equal(server.pages, 1);
    assert.equal(task.snapshot().status, 'running');
  } finally {
    site.closeAllConnections();
    site.close();
  }
  await task.kill({ graceMs: 0 });
});

test('a foreign DNS name that points to this machine is refused', async () => {
  await using world = new World();
  await using server = await startUi(world);
  await using browser = await TestBrowser.start('--host-resolver-rules=MAP rebound.example 127.0.0.1');
  const { port } = new URL(server.url);
  const page = await browser.page(`http://rebound.example:${port}/#token=${server.token}`);
  await page.getByText('expected a Host by which this server is reached').waitFor();
  const tried = await page
    .evaluate(async (url) => {
      const status = await fetch('/challenge', { method: 'POST', body: 'x'.repeat(43) }).then(
        ({ status: is }) => is,
      );
      const socket = await new Promise((resolve) => {
        const opened = new WebSocket(url, 'outlive.ui.1');
        opened.onopen = () => resolve('opened');
        opened.onerror = () => resolve('refused');
      }).catch(() => 'refused');
      return [status, socket];
    }, `ws://rebound.example:${port}/socket`)
    .catch((error: Error) => error.message);
  // Its policy lets no request out, or the server refuses it.
  assert.doesNotMatch(JSON.stringify(tried), /200|opened/);
  assert.equal(server.pages, 0);
});
