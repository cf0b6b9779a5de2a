import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { type Answer, type CallOptions, CommandLine } from './command-line.ts';
import { Legacy } from './mcp-clients.ts';
import { installedPackage, runProgram } from './packed.ts';
import { root } from './repository.ts';
import { printsAsSaid, type Sample, samplesOf } from './samples.ts';
import { Terminal } from './terminal.ts';
import { quote } from './world.ts';

/**
 * Tests of pages: somebody reads one and types what it says, from its first block to its last, in a home, a folder and a store of
 * their own. What a reader cannot see is in a comment right before a block; several are set apart by semicolons:
 *
 *     exits 122               its exit status is that, instead of 0
 *     when NAME has ended     time has passed until then
 *     in a terminal: C-\ d    it takes over a terminal; these keys are pressed in it
 *     install                 it is for a clone: what npm installs globally goes into a folder of the test
 *     compiled: REASON        a program that is compiled, and cannot be run here
 *     not run: REASON         it cannot be run here
 *
 * More lines of the comment come before the text, for what only the test needs: files, programs, declarations.
 */
export function testPages(pages: readonly string[], options: { skip: string | false }): void {
  const samples = pages.flatMap(samplesOf);
  const programs = new Map<Sample, string>();
  before(() => {
    if (!options.skip)
      compile(
        samples.filter(({ lang }) => lang === 'ts'),
        programs,
      );
  });
  for (const page of pages)
    test(`the samples of ${page} work as the page says`, options, async () => {
      await using reader = new Reader(programs);
      for (const sample of samples.filter((each) => each.page === page)) await reader.tries(sample);
    });
}

class Reader implements AsyncDisposable {
  readonly #programs: ReadonlyMap<Sample, string>;
  readonly #cli = new CommandLine();
  readonly #env = this.#cli.environment({ PATH: `${dirname(this.#cli.path)}:${process.env.PATH}` });
  #client: Legacy | null = null;

  constructor(programs: ReadonlyMap<Sample, string>) {
    this.#programs = programs;
  }

  async tries(sample: Sample): Promise<void> {
    const { prints } = sample;
    if (noteOf(sample, /^(?:not run|compiled): (.+)/) !== undefined) return;
    const name = noteOf(sample, /^when (\S+) has ended$/);
    if (name !== undefined) await this.#cli.until(name, ({ endedAt }) => endedAt !== null);
    const keys = noteOf(sample, /^in a terminal: (.+)$/);
    if (keys !== undefined) return await this.#inTerminal(sample, keys.split(' '));
    const answer = await this.#answerTo(sample);
    if (answer === null) return;
    const wanted = Number(noteOf(sample, /^exits (\d+)$/) ?? 0);
    const report = `${placeOf(sample)}\n${sample.text}\n----\n${answer.stdout}${answer.stderr}`;
    assert.equal(answer.status, wanted, report);
    if (prints !== null && !printsAsSaid(answer.stdout, prints))
      assert.equal(answer.stdout, prints, placeOf(sample));
  }

  async #answerTo(sample: Sample): Promise<Answer | null> {
    switch (sample.lang) {
      case 'sh':
        return noteOf(sample, /^(install)$/) === undefined
          ? await this.#shell(`${sample.lead}${sample.text}`)
          : await this.#inClone(sample.text);
      case 'ts':
        return await this.#shell(
          `${quote(process.execPath)} ${quote(this.#programs.get(sample) ?? '')}; exit $?`,
        );
      case 'json':
        return await this.#tool(sample);
      default:
        return null;
    }
  }

  /** Runs a text in bash, which ends with the first command that fails; stdout and stderr come together, as on a terminal. */
  async #shell(text: string, options: CallOptions = {}): Promise<Answer> {
    const words = ['bash', '-c', 'bash -eo pipefail -c "$1" 2>&1; exit $?', 'bash', text];
    return await this.#cli.call([], { env: this.#env, ...options, before: words });
  }

  /** Runs a text at the top of this clone, with a folder of its own for what npm installs globally. */
  async #inClone(text: string): Promise<Answer> {
    const prefix = `${this.#cli.base}/npm`;
    const packed = (): string[] => readdirSync(root).filter((name) => name.endsWith('.tgz'));
    const before = packed();
    try {
      const PATH = `${prefix}/bin:${process.env.PATH}`;
      const env = { ...this.#env, ...configOfNpm(), npm_config_prefix: prefix, PATH };
      return await this.#shell(text, { cwd: root, env });
    } finally {
      for (const name of packed()) if (!before.includes(name)) rmSync(join(root, name));
    }
  }

  /** Calls a tool of the MCP server. Configurations of agents have a test of their own, and need only be JSON here. */
  async #tool({ text }: Sample): Promise<Answer | null> {
    const { name, arguments: args } = JSON.parse(text);
    if (name === undefined) return null;
    this.#client ??= await Legacy.start(this.#cli, 'guide');
    const { content } = await this.#client.client.callTool({ name, arguments: args });
    const stdout = (content as { text?: string }[]).map((part) => part.text ?? '').join('\n');
    return { status: 0, stdout, stderr: '' };
  }

  async #inTerminal({ lead, text }: Sample, keys: readonly string[]): Promise<void> {
    const command = `bash -eo pipefail -c ${quote(lead + text)}; echo "ended with $?"; exec cat`;
    await using terminal = await Terminal.open(this.#cli.base, { command, env: this.#env });
    await terminal.shows(/\S/);
    await terminal.press(...keys);
    await terminal.shows(/ended with 0/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    await this.#cli[Symbol.asyncDispose]();
  }
}

/** How npm is set up for who runs the test: where packages come from, and those that are here already. */
function configOfNpm(): NodeJS.ProcessEnv {
  const asked = execFileSync('npm', ['config', 'get', 'registry', 'cache', 'userconfig', 'globalconfig'], {
    encoding: 'utf8',
  });
  const config = asked
    .trim()
    .split('\n')
    .map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? [])
    .map(([key, value]) => [`npm_config_${key}`, value]);
  return { ...Object.fromEntries(config), npm_config_prefer_offline: 'true' };
}

const sdks = ['@anthropic-ai/claude-agent-sdk', 'ai', '@openai/agents', '@earendil-works/pi-coding-agent'];

/** Compiles programs beside the packed package and against it, as its users do. */
function compile(sources: readonly Sample[], programs: Map<Sample, string>): void {
  const folder = mkdtempSync(join(installedPackage(), 'samples-'));
  const files = sources.map((sample, index) => {
    const name = `${sample.page.replaceAll(/\W/g, '-')}-${index}`;
    writeFileSync(join(folder, `${name}.ts`), `${sample.lead}${sample.text}\nexport {};\n`);
    programs.set(sample, join(folder, `${name}.js`));
    return `${name}.ts`;
  });
  if (files.length === 0) return;
  // The SDKs of others are not installed here: test:agents runs ours with each of them.
  writeFileSync(join(folder, 'sdks.d.ts'), sdks.map((name) => `declare module '${name}';\n`).join(''));
  files.push('sdks.d.ts');
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmitOnError: true,
    // The types of those SDKs are missing in the declarations of our adapters.
    skipLibCheck: true,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  runProgram(process.execPath, [tsc, '--project', folder], folder);
}

function noteOf({ note }: Sample, pattern: RegExp): string | undefined {
  const found = note.split('; ').flatMap((part) => pattern.exec(part)?.slice(1) ?? []);
  return found[0];
}

function placeOf({ page, line }: Sample): string {
  return `${page}:${line}`;
}
