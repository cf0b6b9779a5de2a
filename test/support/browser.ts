import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** A browser for the tests of a file. What a page says goes wrong fails the test that looks at `faults`. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  /** Errors and warnings of all pages. */
  readonly faults: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** @param args further arguments of the browser. */
  static async start(...args: readonly string[]): Promise<TestBrowser> {
    const executablePath = process.env.OUTLIVE_BROWSER ?? '/usr/bin/chromium-headless-shell';
    // Root has no sandbox, and tests show only pages of ours.
    const always = ['--no-sandbox', '--disable-dev-shm-usage'];
    return new TestBrowser(await chromium.launch({ executablePath, args: [...always, ...args] }));
  }

  /** A page of a reader of its own: it shares nothing with others. */
  async page(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    this.#contexts.push(context);
    return await this.another(context, url);
  }

  /** A further page of the same reader. */
  async another(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.faults.push(message.text());
    });
    page.on('dialog', (dialog) => {
      this.faults.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** What axe finds wrong with a page as it is: one line each. The page's policy lets no script in, so it is evaluated. */
export async function axeFaults(page: Page): Promise<string[]> {
  const cdp = await page.context().newCDPSession(page);
  try {
    const run = async (expression: string): Promise<unknown> => {
      const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description);
      return result.value;
    };
    await run(`${readFileSync(axePath, 'utf8')}; undefined`);
    return (await run(
      `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => id + ' at ' + target.join(' ') + ': ' + failureSummary)))`,
    )) as string[];
  } finally {
    await cdp.detach();
  }
}

/** What a page has: characters of the output of a task, and bytes of its heap without garbage. */
export async function weightOf(page: Page): Promise<{ text: number; heap: number }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  await cdp.detach();
  return { text: (await page.locator('.log').textContent())?.length ?? 0, heap: usedSize };
}

/** The row of a task in a page's list. */
export function rowOf(page: Page, name: string): Locator {
  return page.locator('.rows .row', { hasText: name });
}

/** Waits until a page's list is there. */
export async function listOf(page: Page): Promise<void> {
  await page.locator('.link.live').waitFor();
}

/** The address of a server with its token. */
export function addressOf({ url, token }: { readonly url: string; readonly token: string }): string {
  return `${url}#token=${token}`;
}
