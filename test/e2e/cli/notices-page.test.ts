import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { root } from '../../support/repository.ts';
import { Terminal } from '../../support/terminal.ts';
import { quote, waitFor } from '../../support/world.ts';

const samples = [
  ...readFileSync(join(root, 'docs', 'notices.md'), 'utf8').matchAll(/^```sh\n(.*?)\n```$/gms),
].map(([, text = '']) => text);

/** A folder of programs of a user: `outlive`, a `make` that fails, and what shows notices, each of which notes its arguments. */
function programsIn(cli: CommandLine): { readonly env: NodeJS.ProcessEnv; noted(name: string): string } {
  const folder = join(cli.base, 'bin');
  mkdirSync(folder);
  const program = (name: string, text: string): void =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  program('make', 'exit 3');
  for (const name of ['notify-send', 'osascript'])
    program(name, `printf '%s\\n' "$@" > ${quote(join(cli.base, name))}`);
  const { PATH } = cli.environment();
  const env = cli.environment({ PATH: `${folder}:${dirname(cli.path)}:${PATH}`, HOOK_TOKEN: 'secret' });
  return {
    env,
    noted: (name) => {
      const file = join(cli.base, name);
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
  };
}

/** Runs a sample in a shell. */
async function runSample(cli: CommandLine, env: NodeJS.ProcessEnv, text: string): Promise<void> {
  const before = ['bash', '-c', text, 'bash'];
  const { status, stdout, stderr } = await cli.call([], { env, before });
  assert.deepEqual([status, stderr], [0, ''], text);
  assert.match(stdout, /^bgb-\w+\n$/);
}

function sampleWith(...words: string[]): string {
  const found = samples.filter((text) => words.every((word) => text.includes(word)));
  assert.equal(found.length, 1, words.join(' '));
  return found[0] ?? '';
}

/** What was sent to a server of ours, as `METHOD authorization body`. */
class Hook implements AsyncDisposable {
  readonly sent: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      this.sent.push(`${request.method} ${request.headers.authorization ?? '-'} ${body}`);
      response.end();
    });
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === 'object');
    return `http://127.0.0.1:${address.port}/hook`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('every sample of docs/notices.md is tried below', () => {
  assert.equal(samples.length, 7);
});

test('the samples for the desktop show how the task ended', async () => {
  await using cli = new CommandLine();
  const { env, noted } = programsIn(cli);
  await runSample(cli, env, sampleWith('notify-send', 'TASK_ID'));
  await waitFor(() => /^build: failed\nbgb-\w+\n$/.test(noted('notify-send')), 'a notice');
  await runSample(cli, env, sampleWith('osascript'));
  await waitFor(() => noted('osascript').includes('display notification "failed" with title "build"'), 'one');
});

test('the sample for failures says nothing about a success', async () => {
  await using cli = new CommandLine();
  const { env, noted } = programsIn(cli);
  const sample = sampleWith('completed ||');
  await runSample(cli, env, sample.replace(/make$/, 'true'));
  await waitFor(
    async () => /^hook +ended, exit 0$/m.test((await cli.run('show', 'build')).stdout),
    'the hook',
  );
  assert.equal(noted('notify-send'), '');
  await runSample(cli, env, sample);
  await waitFor(() => noted('notify-send') === 'build: failed\n', 'a notice');
});

test('the samples for webhooks send the end, the whole task, and a token that is in no record', async () => {
  await using cli = new CommandLine();
  await using hook = new Hook();
  const { env } = programsIn(cli);
  const url = await hook.open();
  for (const sample of samples.filter((text) => text.includes('https://example.com/hook')))
    await runSample(cli, env, sample.replace('https://example.com/hook', url));
  await waitFor(() => hook.sent.length === 3, 'three requests');
  const [plain, json, secret] = ['POST - build', 'POST - {', 'POST Bearer'].map((start) =>
    hook.sent.find((text) => text.startsWith(start)),
  );
  assert.equal(plain, 'POST - build failed, exit 3');
  const { status, exitCode, name } = JSON.parse(json?.slice('POST - '.length) ?? '');
  assert.deepEqual([status, exitCode, name], ['failed', 3, 'build']);
  assert.equal(secret, 'POST Bearer secret failed');
  assert.doesNotMatch((await cli.run('show', 'build', '--json')).stdout, /Bearer secret/);
});

test('the sample for a bell rings the terminal in which it was typed', async () => {
  await using cli = new CommandLine();
  const { env } = programsIn(cli);
  await using terminal = await Terminal.open(cli.base, {
    command: "PS1='> ' exec bash --norc",
    env,
    columns: 160,
  });
  await terminal.shows(/^> *$/m);
  const file = join(cli.base, 'recorded');
  await terminal.record(file);
  await terminal.enter(sampleWith('printf'));
  await waitFor(() => existsSync(file) && readFileSync(file, 'utf8').includes('\x07'), 'the bell');
});
