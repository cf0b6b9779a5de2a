// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expansions of a shell
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Session } from '../../../src/index.ts';
import { findShell } from '../../../src/platform/shells.ts';
import { cookieVariable } from '../../../src/platform/system.ts';
import { World } from '../../support/world.ts';

/** What a command leaves behind: what it printed, and how it ended. */
interface Trace {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

/** Prints 1 where the shell is the parent, and 0 where the program has taken its place. */
const isChild = 'sh -c "echo \\$((PPID == $$))"';

/** Texts with what the shell tells of their pipelines; null: that depends on how far it came. */
type Told = readonly (readonly [command: string, pipeStatus: readonly number[] | null])[];

const told: Told = [
  ['false | true', [1, 0]],
  ['true | sh -c "exit 4"', [0, 4]],
  ['sh -c "exit 3" | cat | cat', [3, 0, 0]],
  ['! false | true', [1, 0]],
  ['env | cat', [0, 0]],
  ['env; env | cat', [0, 0]],
  ['export -p | cat', [0, 0]],
  ['export A=1; env | cat', [0, 0]],
  ['sh -c env | cat', [0, 0]],
  ['tr "\\0" "\\n" < /dev/null; echo $_ | cat', [0, 0]],
  ['echo "$_" "$?" "${PIPESTATUS[@]}" "${pipestatus[@]}" | cat', [0, 0]],
  ['echo "$0" "$#" "$-" "$SHLVL" "$BASH_EXECUTION_STRING" "$LINENO" | cat', [0, 0]],
  ['ls /nonexistent | cat', [2, 0]],
  ['set -x; false | sh -c "exit 3"', [1, 3]],
  ['set -x; echo a | cat', [0, 0]],
  ['set -euo pipefail; true | cat', [0, 0]],
  ['IFS=:; set -u; false | true', [1, 0]],
  ['IFS=; false | true', [1, 0]],
  ['readonly IFS; false | true', [1, 0]],
  ['readonly PATH; false | true', [1, 0]],
  ['ulimit -f 0; true | cat', [0, 0]],
  ['umask 777; true | cat', [0, 0]],
  ['exec 2>&-; false | true', [1, 0]],
  ['exec >&-; false | true', [1, 0]],
  ['exec 3>&1; echo a | cat >&3', [0, 0]],
  ['cd / && pwd | cat', [0, 0]],
  ['echo a | cat\necho b | cat', [0, 0]],
  ['cat <<E | tr a b\na\nE', [0, 0]],
  [`true | { ${isChild}; }`, [0, 0]],
  [`{ ${isChild}; } | cat`, [0, 0]],
  [`(true; ${isChild}) | cat`, [0, 0]],
  [`echo $(${isChild}) | cat`, [0, 0]],
  [`${isChild} | cat; true | cat`, [0, 0]],
  ['sleep 0.1 & true | cat', [0, 0]],
  ['(exit 3); false | cat', [1, 0]],
  ['f() { return 4; }; f | cat', [4, 0]],
  ['yes | head -n 1', [141, 0]],
  ['kill -TERM 0 | cat', null],
  ['{ sleep 0.05; kill -TERM $$; } | cat', null],
  ['{ sleep 0.05; kill -INT $$; } | sh -c "sleep 0.1; exit 7"', null],
  ['{ sleep 0.05; kill -USR1 $$; } | cat', null],
  ['{ sleep 0.05; kill -PIPE $$; } | cat', null],
];

/** Texts of which no shell tells anything: they have no pipeline at their end, or would show that it was asked. */
const untold: readonly string[] = [
  `${isChild} # a|b`,
  `true | cat; ${isChild}`,
  `true | cat && ${isChild}`,
  'trap -p',
  'trap -p | cat',
  'trap "echo bye" EXIT; false | true',
  'trap "echo \\"$BASH_COMMAND\\"" DEBUG; false | true',
  'set -v\nfalse | true',
  'false || true',
  'echo "a | b"',
  'exec cat < /dev/null # |',
];

const bashOnly: Told = [
  // Zsh has a defect: it may crash when it calls a function of its end while it handles SIGHUP.
  ['{ sleep 0.05; kill -HUP $$; } | cat', null],
  ['set -euo pipefail; true | false', [0, 1]],
  ['for i in 1 2; do sh -c "exit $i" | cat; done', [2, 0]],
  ['if true; then false | true; fi', [1, 0]],
  ['set -o posix; false | true', [1, 0]],
  ['set -C; false | true', [1, 0]],
  ['shopt -s lastpipe; echo a | read x', [0, 0]],
  ['enable -n echo printf; false | true', [1, 0]],
  ['readonly _; false | true', [1, 0]],
  ['ls | grep (foo)', []],
  ['true | cat\nls | grep (foo)', []],
  ['coproc cat; false | true', []],
  ['IFS=/; false | true', []],
  ['compgen -v | grep -c .', [0, 0]],
  ['echo "${BASH_SOURCE[@]}" "${FUNCNAME[@]}" | cat', [0, 0]],
  ['caller | cat', [1, 0]],
  ['type -t _outlive | cat', [1, 0]],
];

const zshOnly: Told = [
  ['setopt ksharrays; false | true', [1, 0]],
  ['emulate sh; false | true', [1, 0]],
  ['emulate ksh; false | true', [1, 0]],
  ['setopt xtrace verbose; false | sh -c "exit 3"', [1, 3]],
  ['setopt ignorebraces nounset noglob noclobber; false | true', [1, 0]],
  ['zshaddhistory() { :; }; false | cat', [1, 0]],
  ['ls | grep (foo)', null],
  ['(sleep 0.1; exit 3) & false | cat', [1, 0]],
  ['case x in a|x) false | true;; esac', []],
  ['print -l $0 $funcstack $funcfiletrace | cat', [0, 0]],
];

for (const [name, own] of [
  ['bash', bashOnly],
  ['zsh', zshOnly],
] as const) {
  test(`${name} tells how its pipeline ended, and the command shows no trace of the question`, async () => {
    await using world = new World();
    const session = await world.session('a "session"');
    const shell = findShell(name, process.env.PATH);
    for (const [command, pipeStatus] of [...told, ...own]) {
      const found = await sameAsBare(world, session, [shell, name], command);
      if (pipeStatus !== null) assert.deepEqual(found, pipeStatus, command);
    }
  });
}

const unasked: readonly (readonly [name: string, commands: readonly string[]])[] = [
  [
    'bash',
    [
      ...untold,
      'ulimit -f 0; true | cat; exit 4',
      'set | wc -l',
      'declare -p | wc -l',
      'false | true &',
      'echo "$BASH_ENV" | cat',
    ],
  ],
  [
    'zsh',
    [...untold.filter((text) => !text.startsWith('set -v')), 'functions | cat', 'echo "$ZDOTDIR" | cat'],
  ],
  ['dash', [...untold, ...told.map(([command]) => command)]],
  ['mksh', [...untold, 'false | true', 'env | cat', 'set -x; false | true']],
  ['ash', [...untold, 'false | true', 'env | cat', 'set -x; false | true']],
];

for (const [name, commands] of unasked) {
  test(`if ${name} would show the question, or cannot answer, nothing is asked`, async () => {
    await using world = new World();
    const session = await world.session();
    const shell = name === 'ash' ? busyboxAs(world, name) : findShell(name, process.env.PATH);
    for (const command of commands)
      assert.deepEqual(await sameAsBare(world, session, [shell, name], command), [], command);
  });
}

/** Runs a command with and without outlive and compares the two; the statuses that were told. */
async function sameAsBare(
  world: World,
  session: Session,
  [shell, name]: readonly [shell: string, name: string],
  command: string,
): Promise<readonly number[]> {
  const bare = await runBare(world, shell, name, command);
  const task = await session.spawn(command, { shell, separate: true, cwd: world.base });
  const { exitCode, pipeStatus } = await task.wait();
  const [out, err] = await Promise.all([task.read({ stream: 'stdout' }), task.read({ stream: 'stderr' })]);
  assert.deepEqual(comparable({ out: out.text, err: err.text, code: exitCode }), comparable(bare), command);
  return pipeStatus ?? [];
}

/** Busybox is the shell by whose name it is called. */
function busyboxAs(world: World, name: string): string {
  const path = join(world.base, name);
  symlinkSync(findShell('busybox', process.env.PATH), path);
  return path;
}

/** The same shell with the same words and the same environment, and nothing of outlive's. */
async function runBare(world: World, shell: string, name: string, command: string): Promise<Trace> {
  const [out, err] = [join(world.base, 'bare.out'), join(world.base, 'bare.err')];
  const files = [out, err].map((path) => openSync(path, 'w'));
  const child = spawn(shell, ['-c', command, name], {
    cwd: world.base,
    env: { [cookieVariable]: 'bare', ...process.env },
    stdio: ['ignore', ...files],
    detached: true,
  });
  const [code, killSignal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  for (const file of files) closeSync(file);
  return {
    out: readFileSync(out, 'utf8'),
    err: readFileSync(err, 'utf8'),
    code: killSignal === null ? code : 128 + constants.signals[killSignal],
  };
}

/** The cookie is each task's own. Two processes of a pipeline write to stderr at once, in pieces. */
function comparable({ out, err, code }: Trace): Trace {
  return {
    out: out.replace(new RegExp(`(${cookieVariable}=)\\S+`, 'g'), '$1'),
    err: [...err].sort().join(''),
    code,
  };
}
