import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { root } from '../../support/repository.ts';
import { samplesOf } from '../../support/samples.ts';

// The examples of docs/cli.md are those of `--help` and of the manual.
const examples = samplesOf('docs/cli.md').flatMap(({ lang, text }) =>
  lang === 'console' ? text.split('\n').map((line) => line.replace(/^\$ /, '')) : [],
);

/** Examples that do not end by themselves or ask a person, and what tries their verbs. */
const triedElsewhere: Readonly<Record<string, string>> = {
  'outlive ps --all-sessions --watch': 'test/e2e/cli/cli-ps.test.ts',
  'outlive logs --all -f': 'test/e2e/cli/cli-logs-of-several.test.ts',
  'outlive completions --follow --ack': 'test/e2e/cli/cli-completions.test.ts',
  'outlive completions --follow --ack --json': 'test/e2e/cli/cli-completions.test.ts',
  'outlive attach repl': 'test/e2e/cli/cli-attach.test.ts',
  'outlive attach --read-only build': 'test/e2e/cli/cli-attach.test.ts',
  'outlive attach repl --detach-key ctrl-q': 'test/e2e/cli/cli-attach.test.ts',
  'outlive top': 'test/e2e/cli/cli-top.test.ts',
  'outlive top --here': 'test/e2e/cli/cli-top.test.ts',
  'outlive top --read-only -s conversation-42': 'test/e2e/cli/cli-top.test.ts',
  'outlive ui': 'test/e2e/cli/cli-ui.test.ts',
  'outlive ui --read-only --no-open --port 7358': 'test/e2e/cli/cli-ui.test.ts',
  'outlive ui --idle 10m': 'test/e2e/cli/cli-ui.test.ts',
  'outlive mcp --http --port 7357 --token-file ~/.outlive-token': 'test/e2e/cli/cli-mcp.test.ts',
  'outlive run --on label:gpu --start-by 1h -- make train': 'test/e2e/fleet/fleet-verbs.test.ts',
  'outlive fleet init': 'test/e2e/fleet/fleet-verbs.test.ts',
  'outlive fleet server': 'test/e2e/fleet/fleet-verbs.test.ts',
  'outlive fleet invite -l gpu --slots 8': 'test/e2e/fleet/fleet-verbs.test.ts',
  "outlive fleet join 'outlive+tls://box:4222/#...'": 'test/e2e/fleet/fleet-verbs.test.ts',
  'outlive fleet join --service': 'test/e2e/fleet/fleet-service.test.ts',
  'outlive fleet hosts': 'test/e2e/fleet/fleet-verbs.test.ts',
  'outlive fleet drain h3': 'test/e2e/fleet/fleet-verbs.test.ts',
  'outlive setup claude': 'test/e2e/setup/setup-asks.test.ts',
  'outlive setup claude --undo': 'test/e2e/setup/setup-agents.test.ts',
};

/** What the examples find in their folder: programs, files and tasks with the names that they use. */
const stage = `
mkdir -p ~/.zsh/completions ~/.config/fish/completions
printf 'pear\\napple\\n' > words
outlive run -n dev --tty 'echo listening on 3000; sleep 600'
outlive run -n repl --tty cat
outlive run -n sorter --stdin sort
outlive run -n web 'sleep 600'
outlive run -n worker 'sleep 600'
outlive run --label group=e2e 'sleep 600'
`;

const programs = { npm: 'echo "npm $*"', make: 'echo "make $*"', cargo: 'echo "cargo $*"', jq: 'cat' };

test('every example that is listed as tested elsewhere exists, and so does its test', () => {
  assert.ok(examples.length > 60);
  for (const [line, file] of Object.entries(triedElsewhere))
    assert.ok(examples.includes(line) && existsSync(join(root, file)), line);
});

test(
  'every example of the help does what it says without an error',
  notOnWindows('the examples are for shells of Unix'),
  async () => {
    await using cli = new CommandLine();
    const bin = join(cli.base, 'bin');
    mkdirSync(bin);
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o700 });
    const env = cli.environment({ PATH: `${bin}:${dirname(cli.path)}:${process.env.PATH}` });
    const shell = async (text: string): Promise<string> => {
      const before = ['bash', '-c', 'bash -eo pipefail -c "$1" 2>&1; exit $?', 'bash', text];
      const { status, stdout } = await cli.call([], { env, before });
      assert.equal(status, 0, `${text}\n${stdout}`);
      return stdout;
    };
    await shell(stage);
    for (const line of examples) {
      if (Object.hasOwn(triedElsewhere, line)) continue;
      // Each id stands for a task of its own, which ends soon.
      const withIds = line.replaceAll(/\bbgb-\w+/g, '$(outlive run "echo ready; sleep 0.3")');
      await shell(withIds);
    }
  },
);
