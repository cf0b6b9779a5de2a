import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { quote } from '../world.ts';

/** One process of a tree, how it was started, and how it behaves. */
export interface Sprout {
  /**
   * `daemon`: by a double fork, in a session of its own. `group`: in a process group of its own. `bare`: without its
   * environment, and so without the cookie. `shed`: as a daemon that has no environment either.
   */
  readonly how: 'plain' | 'setsid' | 'daemon' | 'group' | 'bare' | 'shed';
  readonly ignores: 'nothing' | 'TERM' | 'INT' | 'all';
  /** It stops itself when it has started its children. */
  readonly stops: boolean;
  /** It goes on forking short processes, so many. */
  readonly forks: number;
  /** It starts its children when it is told to end. */
  readonly late: boolean;
  readonly children: readonly Sprout[];
}

/** Random trees of up to some twenty processes. */
export const anyTree: fc.Arbitrary<Sprout> = fc.letrec<{ sprout: Sprout }>((tie) => ({
  sprout: fc.record({
    how: fc.constantFrom('plain', 'setsid', 'daemon', 'group', 'bare', 'shed'),
    ignores: fc.constantFrom('nothing', 'nothing', 'TERM', 'INT', 'all'),
    stops: fc.oneof({ arbitrary: fc.constant(false), weight: 4 }, fc.boolean()),
    forks: fc.constantFrom(0, 0, 0, 0, 40),
    late: fc.oneof({ arbitrary: fc.constant(false), weight: 4 }, fc.boolean()),
    children: fc.oneof(
      { maxDepth: 3 },
      { arbitrary: fc.constant([]), weight: 1 },
      { arbitrary: fc.array(tie('sprout'), { minLength: 1, maxLength: 3 }), weight: 3 },
    ),
  }),
})).sprout;

/** How many processes say that they are there when the whole tree has grown. */
export function early(tree: Sprout): number {
  return 1 + (tree.late ? 0 : tree.children.reduce((sum, child) => sum + early(child), 0));
}

/**
 * Writes the programs of a tree into a folder. Each appends its pid to `pids` there.
 * @returns the command that grows it.
 */
export function plant(tree: Sprout, dir: string): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'pids'), '');
  let count = 0;
  const write = (sprout: Sprout): string => {
    const path = join(dir, `sprout-${count}.sh`);
    count += 1;
    const starts = sprout.children.map((child) => start(child, write(child)));
    writeFileSync(path, programOf(sprout, starts, join(dir, 'pids')));
    return path;
  };
  return `exec sh ${quote(write(tree))}`;
}

function start({ how }: Sprout, path: string): string {
  const run = `sh ${quote(path)}`;
  switch (how) {
    case 'plain':
      return `${run} &`;
    case 'setsid':
      return `setsid ${run} &`;
    case 'daemon':
      return `(setsid ${run} & ) &`;
    case 'group':
      return `bash -c 'set -m; "$@" & disown' - ${run}`;
    case 'bare':
      return `env -i PATH="$PATH" ${run} &`;
    case 'shed':
      return `(env -i PATH="$PATH" setsid ${run} & ) &`;
  }
}

function programOf(sprout: Sprout, starts: readonly string[], pids: string): string {
  const ignored = { nothing: [], TERM: ['TERM'], INT: ['INT'], all: ['TERM', 'INT', 'HUP'] }[sprout.ignores];
  const lines = [
    ...ignored.map((name) => `trap '' ${name}`),
    ...(sprout.late
      ? [`late() { trap '' TERM\n${starts.join('\n')}\nsleep 1000\n}`, 'trap late TERM']
      : starts),
    `echo $$ >>${quote(pids)}`,
    ...(sprout.forks > 0
      ? [`n=0; while [ $n -lt ${sprout.forks} ]; do n=$((n + 1)); sleep 0.01; (sleep 0.2 &) ; done &`]
      : []),
    ...(sprout.stops ? ['kill -STOP $$'] : []),
    'while :; do sleep 1000 & wait $!; done',
  ];
  return `${lines.join('\n')}\n`;
}
