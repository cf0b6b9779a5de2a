import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../repository.ts';
import type { World } from '../world.ts';
import { seedsOf } from './native-seeds.ts';

/** The targets of native/fuzz, and the sources of the shim that each includes, to see what is private there. */
export const targets = {
  request: ['main'],
  log: ['after', 'turn', 'hook'],
  facts: ['pipes'],
  clients: ['clients', 'input'],
} as const;

export type Target = keyof typeof targets;

/** Every finding ends the run. */
const flags = [
  '-std=c11',
  '-O1',
  '-g',
  '-Wall',
  '-Wextra',
  '-Wno-unused-function',
  '-Werror',
  '-D_GNU_SOURCE',
  '-fno-omit-frame-pointer',
  '-fsanitize=fuzzer,address,undefined',
  '-fno-sanitize-recover=all',
];

/** Compiles a target with the sources of the shim. @returns the path of the program. */
export function compileTarget({ base }: World, target: Target): string {
  const program = join(base, `fuzz-${target}`);
  const included: readonly string[] = targets[target].map((name) => `${name}.c`);
  const sources = readdirSync(join(root, 'native', 'src'))
    .filter((name) => name.endsWith('.c') && !included.includes(name))
    .map((name) => join('native', 'src', name));
  // libFuzzer has a main of its own.
  const main = included.includes('main.c') ? [] : ['-Dmain=shim_main'];
  const own = [`native/fuzz/${target}.c`, 'native/fuzz/fuzz.c'];
  const words = [...flags, ...main, ...sources, ...own, '-o', program];
  const { status, stderr, error } = spawnSync('clang', words, { cwd: root, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(
      `expected clang and its libFuzzer (Debian: clang, libclang-rt-dev) to compile native/fuzz/${target}.c: ${error?.message ?? stderr}`,
    );
  return program;
}

/** Runs a target for some seconds, with inputs of its own after those that are known. @returns how many. An error says what it found, and where the input is that does it again. */
export async function fuzz(
  { base }: World,
  target: Target,
  program: string,
  { seconds, seed }: { readonly seconds: number; readonly seed: number },
): Promise<number> {
  const corpus = join(base, `corpus-${target}`);
  const seeds = join(base, `seeds-${target}`);
  const kept = join(root, 'build', 'prove');
  for (const folder of [corpus, seeds, kept]) mkdirSync(folder, { recursive: true });
  for (const [index, content] of seedsOf(target).entries())
    writeFileSync(join(seeds, String(index)), content);
  const options = {
    max_total_time: Math.max(1, Math.round(seconds)),
    // 0 would be one of chance.
    seed: (seed % (2 ** 31 - 1)) + 1,
    timeout: 60,
    max_len: 8192,
    print_final_stats: 1,
    artifact_prefix: join(kept, `fuzz-${target}-`),
  };
  const words = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
  const { code, text } = await run(program, [...words, corpus, seeds]);
  if (code !== 0)
    throw new Error(`the fuzz target ${target} found something (${code}):\n${text.slice(-8_000)}`);
  return Number(/number_of_executed_units: (\d+)/.exec(text)?.[1] ?? 0);
}

async function run(
  program: string,
  words: readonly string[],
): Promise<{ code: number | null; text: string }> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
  });
}
