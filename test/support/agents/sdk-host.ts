import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TaskSnapshot } from '../../../src/index.ts';
import { root } from '../repository.ts';
import { type World, waitFor } from '../world.ts';
import type { Seen } from './exchange.ts';
import { FakeModel } from './fake-model.ts';
import { installed } from './installed.ts';
import { writeJson } from './write.ts';

/** No host takes this long unless it hangs. */
const hostMs = 150_000;

/** What the examples ask their model. */
const prompt = 'Start the build, and tell me when it is done.';

/** A host: an SDK, or an agent with extensions, for which there is an adapter and an example. */
export interface SdkHost {
  readonly name: string;
  /** Its key in the list of versions. */
  readonly key: string;
  /** A program, below examples/adapters; or of test/fixtures, with its words. */
  readonly example?: string;
  readonly fixture?: readonly [file: string, ...words: string[]];
  /** The agent whose program it runs, where that is another package. */
  readonly program?: string;
  /** What stands before the names of tools. */
  readonly prefix: string;
  readonly words: (place: { readonly modules: string; readonly file: string }) => readonly string[];
  readonly env: (place: { readonly modelUrl: string; readonly program: string }) => Record<string, string>;
  /** For a program that is asked on stdin: what it reads, and what it prints when it is idle. */
  readonly asks?: { readonly line: string; readonly idle: string };
}

const example = ({ file }: { readonly file: string }): readonly string[] => [file];

const aiSdk: Pick<SdkHost, 'prefix' | 'words' | 'env'> = {
  ...{ prefix: '', words: example },
  env: ({ modelUrl }) => ({ MODEL_URL: `${modelUrl}/v1`, OPENAI_API_KEY: 'made-up' }),
};

const sdkHosts: readonly SdkHost[] = [
  { ...aiSdk, name: 'the Vercel AI SDK', key: 'ai-sdk', example: 'with-ai-sdk' },
  {
    ...{ name: 'the OpenAI Agents SDK', key: 'openai-agents', prefix: '', words: example },
    example: 'with-openai-agents',
    env: ({ modelUrl }) => ({
      ...{ OPENAI_BASE_URL: `${modelUrl}/v1`, OPENAI_API_KEY: 'made-up' },
      OPENAI_AGENTS_DISABLE_TRACING: '1',
    }),
  },
  {
    ...{ name: 'the Claude Agent SDK', key: 'claude-agent-sdk', words: example },
    ...{ example: 'with-claude-agent-sdk', program: 'claude-code', prefix: 'mcp__outlive__' },
    env: ({ modelUrl, program }) => ({
      ...{ ANTHROPIC_API_KEY: 'sk-ant-made-up', ANTHROPIC_BASE_URL: modelUrl },
      CLAUDE_CODE: join(program, `@anthropic-ai/claude-code-linux-${process.arch}/claude`),
      ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', DISABLE_TELEMETRY: '1' },
    }),
  },
  {
    ...{ name: 'pi', key: 'pi', example: 'pi-extension', prefix: '' },
    words: ({ modules, file }) => [
      join(modules, '@earendil-works/pi-coding-agent/dist/bundle/cli.js'),
      ...['--model', 'fake/model', '--mode', 'rpc', '--extension', file],
    ],
    env: () => ({ PI_OFFLINE: '1', PI_TELEMETRY: '0', PI_SKIP_VERSION_CHECK: '1' }),
    asks: { line: JSON.stringify({ type: 'prompt', message: prompt }), idle: '"type":"agent_settled"' },
  },
];

/** Every version of the Vercel AI SDK that the adapter is for, with and without streams. */
const aiHosts: readonly SdkHost[] = ['ai-sdk', 'ai-sdk-6', 'ai-sdk-5'].flatMap((key) =>
  ['generate', 'stream'].map((way) => ({
    ...aiSdk,
    ...{ key, name: `${key}, which ${way}s` },
    fixture: ['ai-sdk-turns.mjs', way] as const,
  })),
);

/** The hosts that a run has. */
export function hostsHad(): readonly SdkHost[] {
  return had(sdkHosts);
}

/** The versions of the Vercel AI SDK that a run has, each in two ways. */
export function aiHostsHad(): readonly SdkHost[] {
  return had(aiHosts);
}

function had(hosts: readonly SdkHost[]): readonly SdkHost[] {
  const { modules } = installed();
  return hosts.filter(
    ({ key, program = key }) => modules[key] !== undefined && modules[program] !== undefined,
  );
}

/** Makes a folder with the packages of a host, and outlive as npm would install it. */
export function installBeside(folder: string, modules: string): void {
  const here = join(folder, 'node_modules');
  mkdirSync(join(here, 'outlive'), { recursive: true });
  for (const name of readdirSync(modules).filter((one) => !one.startsWith('.')))
    symlinkSync(join(modules, name), join(here, name));
  for (const name of ['re2js', '@xterm']) symlinkSync(join(root, 'node_modules', name), join(here, name));
  copyFileSync(join(root, 'package.json'), join(here, 'outlive/package.json'));
  cpSync(join(root, 'dist'), join(here, 'outlive/dist'), { recursive: true });
  writeJson(join(folder, 'package.json'), { type: 'module' });
}

/** An example at work in its host, with outlive installed beside it as users have it, and a fake model. */
export class HostAtWork implements AsyncDisposable {
  readonly world: World;
  readonly model: FakeModel;
  readonly #host: SdkHost;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<unknown[]>;
  #printed = '';
  #last: Seen | undefined;

  private constructor(host: SdkHost, world: World, model: FakeModel) {
    this.#host = host;
    this.world = world;
    this.model = model;
    const { node, modules } = installed();
    const place = { modules: modules[host.key] ?? '', program: modules[host.program ?? host.key] ?? '' };
    const folder = join(world.base, host.key);
    installBeside(folder, place.modules);
    const { example, fixture: [fixture = `${example}.js`, ...more] = [] } = host;
    const from = example === undefined ? 'test/fixtures' : 'build/examples/adapters';
    copyFileSync(join(root, from, fixture), join(folder, fixture));
    writeJson(join(folder, '.pi/agent/models.json'), {
      providers: {
        fake: {
          ...{ baseUrl: `${model.url}/v1`, api: 'openai-completions', apiKey: 'made-up' },
          models: [{ id: 'model' }],
        },
      },
    });
    this.#plays(folder);
    const env = {
      ...{ HOME: folder, PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', SHELL: '/bin/bash' },
      OUTLIVE_HOME: world.dir,
      ...host.env({ modelUrl: model.url, program: place.program }),
    };
    const words = host.words({ modules: place.modules, file: join(folder, fixture) });
    this.#child = spawn(node, [...words, ...more], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#printed += text;
      });
    if (host.asks === undefined) this.#child.stdin.end();
    else this.#child.stdin.write(`${host.asks.line}\n`);
  }

  static async start(host: SdkHost, world: World): Promise<HostAtWork> {
    const patience = { tool: `${host.prefix}run`, meanwhile: { say: 'There are no tools.' } };
    const records = process.env.OUTLIVE_AGENTS_RECORDS;
    const model = await FakeModel.start(patience, records && join(records, 'sdk', host.key));
    return new HostAtWork(host, world, model);
  }

  /** Waits until its agent has started the build and is idle. */
  async idle(): Promise<void> {
    await this.#until(() => this.#printed.includes('It runs.') && this.#turns() >= 1, 'the agent to be idle');
  }

  /** Lets the build end. */
  release(): void {
    writeFileSync(join(this.world.base, this.#host.key, 'go'), '');
  }

  /** Waits until the agent was woken and is done. Returns what its model was shown at last. */
  async woken(): Promise<Seen> {
    await this.#until(() => this.#last !== undefined && this.#turns() >= 2, 'the agent to be woken');
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), hostMs);
    const [code, killSignal] = await this.#closed;
    clearTimeout(timer);
    assert.equal(code ?? killSignal, 0, `the host ended otherwise, and printed:\n${this.#printed}`);
    return this.#last ?? assert.fail();
  }

  /** The task of its agent. */
  async build(): Promise<TaskSnapshot> {
    const tasks = await (await this.world.store()).tasks();
    return tasks.find(({ command }) => command.includes(this.#line)) ?? assert.fail('no build');
  }

  /** What the build prints at its end. Its command does not show it whole. */
  get line(): string {
    return `${this.#line}-42`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
    await this.model[Symbol.asyncDispose]();
  }

  get #line(): string {
    return `built-${this.#host.key}`;
  }

  #turns(): number {
    const idle = this.#host.asks?.idle;
    if (idle !== undefined) return this.#printed.split(idle).length - 1;
    return ['It runs.', 'It failed.'].filter((said) => this.#printed.includes(said)).length;
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    await waitFor(condition, what, hostMs).catch((error: Error) => {
      throw new Error(`${error.message}; it printed:\n${this.#printed}`);
    });
  }

  #plays(folder: string): void {
    const command = `until [ -e ${folder}/go ]; do sleep 0.1; done; echo ${this.#line}-$((40+2)); exit 3`;
    const input = { command, name: 'build', wait_ms: 0 };
    this.model.plays(prompt, [
      () => ({ calls: [{ tool: `${this.#host.prefix}run`, input }] }),
      () => ({ say: 'It runs.' }),
      (seen) => {
        this.#last = seen;
        return { say: 'It failed.' };
      },
    ]);
  }
}
