import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import type { UiServer } from '../../src/ui/server.ts';
import { addressOf, axeFaults, listOf, rowOf, TestBrowser } from '../support/browser.ts';
import { startUi } from '../support/ui.ts';
import { World, waitFor } from '../support/world.ts';

const token = 'a-token-of-this-test';

function tokenFileOf(world: World): string {
  const file = `${world.base}/token`;
  writeFileSync(file, token, { mode: 0o600 });
  return file;
}

const portOf = ({ url }: UiServer): number => Number(new URL(url).port);
const strangerIsSaid = (page: Page) =>
  page.getByRole('alert').filter({ hasText: 'does not know the secret' });
const entryOf = (page: Page) => page.getByLabel('Token or address');

/** Somebody else's server at the port where a dashboard was: it notes all that it is sent. */
class Stranger implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly #server: Server;

  private constructor(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
    const note = async (asked: IncomingMessage): Promise<string> => {
      let body = '';
      for await (const part of asked) body += String(part);
      this.heard.push([asked.method, asked.url, ...asked.rawHeaders, body].join('\n'));
      return body;
    };
    this.#server = createServer((asked, response) => {
      void note(asked).then((body) => answer(asked, response, body));
    });
    this.#server.on('upgrade', (asked, socket) => {
      this.heard.push(['UPGRADE', asked.url, ...asked.rawHeaders].join('\n'));
      socket.destroy();
    });
  }

  static async at(
    port: number,
    answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  ): Promise<Stranger> {
    const stranger = new Stranger(answer);
    await new Promise<void>((resolve) => stranger.#server.listen(port, '127.0.0.1', resolve));
    return stranger;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Hands a request on to another server as if it were made there, and its answer back. */
function handOn(to: UiServer, asked: IncomingMessage, response: ServerResponse, body: string): void {
  const { host, origin } = new URL(to.url);
  const headers = { ...asked.headers, host, origin, 'content-length': String(body.length) };
  const onward = request(
    new URL(asked.url ?? '/', to.url),
    { method: asked.method ?? 'GET', headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    },
  );
  onward.end(body);
}

test('an open page tells a foreign server at its port nothing, and goes on when its own server is back', async () => {
  await using world = new World();
  const session = await world.session();
  const tokenFile = tokenFileOf(world);
  await using browser = await TestBrowser.start();
  const server = await startUi(world, { tokenFile });
  const port = portOf(server);
  const page = await browser.page(addressOf(server));
  await listOf(page);
  await server.close();
  await page.getByRole('alert').filter({ hasText: 'Disconnected' }).waitFor();
  {
    await using stranger = await Stranger.at(port, (_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ run: 'x', nonce: 'y'.repeat(72), proofs: ['z'.repeat(43)] }));
    });
    await strangerIsSaid(page).waitFor();
    assert.deepEqual(await axeFaults(page), []);
    assert.ok(stranger.heard.length > 0);
    for (const text of stranger.heard) {
      // A number that is used once is all that it gets, and no proof of the page.
      assert.match(text, /^POST\n\/challenge\n[\s\S]*\n[\w-]{43}$/);
      assert.equal(text.includes(token), false);
    }
  }
  // Or the stranger asks the server, which is elsewhere now, to prove itself in its place.
  await using elsewhere = await startUi(world, { tokenFile });
  {
    await using stranger = await Stranger.at(port, (asked, response, body) =>
      handOn(elsewhere, asked, response, body),
    );
    await strangerIsSaid(page).waitFor();
    await waitFor(() => stranger.heard.length > 0, 'the page to ask');
    const [before] = [stranger.heard.length];
    await waitFor(() => stranger.heard.length > before, 'the page to ask again');
    assert.equal(
      stranger.heard.some((text) => text.startsWith('UPGRADE') || text.includes(token)),
      false,
    );
    assert.equal(elsewhere.pages, 0);
  }
  const task = await session.spawn('sleep 1000', { name: 'meanwhile' });
  await using again = await startUi(world, { tokenFile, port });
  await rowOf(page, 'meanwhile').waitFor();
  assert.equal(again.pages, 1);
  await task.kill({ graceMs: 0 });
});

test('a tab keeps a pass for one run of the server: after that, a reloaded page asks for the token', async () => {
  await using world = new World();
  const tokenFile = tokenFileOf(world);
  await using browser = await TestBrowser.start();
  const server = await startUi(world, { tokenFile });
  const page = await browser.page(addressOf(server));
  await listOf(page);
  // In the same run it goes on, and a new tab gets it from this one.
  await page.reload();
  await listOf(page);
  const second = await browser.another(page.context(), server.url);
  await listOf(second);
  const kept = await page.evaluate(
    'JSON.stringify({ ...sessionStorage, ...localStorage }) + document.cookie',
  );
  assert.equal(String(kept).includes(token), false);
  assert.match(String(kept), /^\{"outlive-pass":"[\w-]{43}"\}$/);
  await server.close();
  await using again = await startUi(world, { tokenFile, port: portOf(server) });
  await strangerIsSaid(page).waitFor();
  assert.equal(again.pages, 0);
  await page.getByRole('button', { name: 'give the token' }).click();
  await entryOf(page).fill('a-wrong-token-of-this-test');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByText('That is not the token of this server.').waitFor();
  await entryOf(page).fill(token);
  await page.getByRole('button', { name: 'Open' }).click();
  await listOf(page);
  // The other tab asks its neighbours, and has it without a reader.
  await second.locator('.link.live').waitFor();
  await waitFor(() => again.pages === 2, 'both pages');
});

test('a server that is restarted with a new token does not accept the old pages', async () => {
  await using world = new World();
  await using browser = await TestBrowser.start();
  const server = await startUi(world);
  const page = await browser.page(addressOf(server));
  await listOf(page);
  await server.close();
  await using other = await startUi(world, { port: portOf(server) });
  await strangerIsSaid(page).waitFor();
  assert.equal(other.pages, 0);
});

test('a page from another machine over plain HTTP proves itself without the crypto functions of the browser', async () => {
  await using world = new World();
  const tokenFile = tokenFileOf(world);
  await using server = await startUi(world, { tokenFile, host: '0.0.0.0' });
  await using browser = await TestBrowser.start();
  const page = await browser.page(`http://${hostname()}:${portOf(server)}/#token=${token}`);
  await listOf(page);
  assert.equal(await page.evaluate('isSecureContext || crypto.subtle !== undefined'), false);
  await page.reload();
  await listOf(page);
  // The browser says that one of our headers means nothing there.
  assert.deepEqual(
    browser.faults.filter(
      (fault) => !fault.startsWith('The Cross-Origin-Opener-Policy header has been ignored'),
    ),
    [],
  );
});
