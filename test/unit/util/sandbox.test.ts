import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ancestor, endingSandbox } from '../../../src/platform/linux/sandbox.ts';

/** A process by its words; `first`: it is the first of a pid namespace. */
function program(line: string, isFirst = false, name?: string): Ancestor {
  const words = line.split(' ');
  return { name: name ?? words[0]?.split('/').at(-1)?.slice(0, 15) ?? '', words, isFirst };
}

const bwrap = 'bwrap --unshare-pid --die-with-parent --proc /proc -- bash -c outlive';
const call = program('/bin/bash -lc outlive');
const claude = program('claude', false);

const certain: readonly (readonly [string, readonly Ancestor[], string])[] = [
  ['directly in bubblewrap', [program(bwrap, true), program(bwrap), claude], 'bwrap'],
  ['in a shell in bubblewrap', [call, program(bwrap, true)], 'bwrap'],
  ['in a shell of a shell', [program('sh -ec outlive'), call, program(bwrap, true)], 'bwrap'],
  ['a script file', [program('bash -e build.sh'), call, program(bwrap, true)], 'bwrap'],
  ['zsh with its options', [program('zsh -c -l outlive'), program(bwrap, true)], 'bwrap'],
  [
    'bash with options that have values',
    [program('bash -o pipefail -c outlive'), program(bwrap, true)],
    'bwrap',
  ],
  ['wrappers', [program('timeout 9 outlive'), program('env A=b timeout'), program(bwrap, true)], 'bwrap'],
  [
    'npx',
    [
      { name: 'npm exec outliv', words: ['npm exec outlive run a/b'], isFirst: false },
      call,
      program(bwrap, true),
    ],
    'bwrap',
  ],
  [
    'Codex',
    [call, program('/opt/codex-linux-sandbox --sandbox-policy {}', true, 'codex')],
    'codex-linux-sandbox',
  ],
  [
    'Claude Code',
    [
      program('/bin/bash -c outlive'),
      program('/proc/self/fd/3 /bin/bash -c outlive', true, '3'),
      program('/proc/self/fd/3 /bin/bash -c outlive', false, '3'),
      program('/bin/bash -c outlive'),
      program(bwrap, true),
    ],
    'bwrap',
  ],
  [
    'a namespace of its own in the sandbox',
    [call, program('apply-seccomp bash -c outlive', true), call, program(bwrap, true)],
    'bwrap',
  ],
];
for (const [what, ancestors, sandbox] of certain)
  test(`a shell call in a sandbox ends with it: ${what}`, () => {
    assert.equal(endingSandbox(ancestors), sandbox);
  });

const uncertain: readonly (readonly [string, readonly Ancestor[]])[] = [
  ['nothing above', []],
  ['no namespace', [call, claude, program('systemd', true)]],
  ['docker exec', [call]],
  ['the entry shell of a container', [program('bash -c outlive', true)]],
  ['tini', [call, program('tini -- bash', true)]],
  ['a sleeping first process', [call, program('sleep infinity', true)]],
  ['sshd', [call, program('sshd: user@notty'), program('sshd -D', true)]],
  ['an agent that lives in the sandbox as a whole', [call, claude, program(bwrap, true)]],
  ['a person’s login shell in the sandbox', [program('-bash'), program(bwrap, true)]],
  ['a person’s shell with options', [program('bash -o vi --login'), program(bwrap, true)]],
  ['a script in a person’s shell', [program('sh x.sh'), program('bash -i'), program(bwrap, true)]],
  ['a person’s shell in the sandbox', [program('bash'), program(bwrap, true)]],
  ['another program by its descriptor', [program('/proc/self/fd/3 agent', true, '3'), program(bwrap, true)]],
  ['an application (Flatpak)', [program('bash'), program('code'), program(bwrap, true)]],
  ['bubblewrap that waits for all', [call, program('bwrap --unshare-pid -- bash -c outlive', true)]],
  ['bubblewrap without a namespace', [call, program(bwrap), claude, program('systemd', true)]],
];
for (const [what, ancestors] of uncertain)
  test(`tasks can outlive a shell call: ${what}`, () => {
    assert.equal(endingSandbox(ancestors), null);
  });
