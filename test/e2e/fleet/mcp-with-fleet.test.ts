import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { objects } from '../../support/command-line.ts';
import { Machine, MadeFleet } from '../../support/fleet/machines.ts';
import { post, testToken } from '../../support/mcp-http.ts';
import { McpProcess, type ToolResult } from '../../support/mcp-process.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

/** The installed program as a server on the machine that is a client of the fleet. */
async function serverOf(
  fleet: Machine,
  { words = [], env = {} }: { readonly words?: string[]; readonly env?: Record<string, string> } = {},
): Promise<McpProcess> {
  const { HOME = '', OUTLIVE_HOME = '' } = fleet.environment();
  return await McpProcess.start(fleet, {
    generation: 1,
    program: [fleet.path, 'mcp', ...words, '--store'],
    env: { HOME, OUTLIVE_HOME, XDG_CONFIG_HOME: '', ...env },
  });
}

function textOf({ content }: ToolResult): string {
  return content.map(({ text }) => text).join('\n');
}

function referenceIn(text: string): string {
  const [reference] = /[a-z0-9-]+\/bgb-[0-9a-f]{12}/.exec(text) ?? [];
  assert.ok(reference, text);
  return reference;
}

/** What of the session is pending in the fleet, as the coordinator has it. */
async function pendingOf(fleet: Machine, session: string): Promise<string[]> {
  const { stdout } = await fleet.run('completions', '--fleet', '--session', session, '--json');
  return objects(stdout).map(({ host, task }) => `${host}/${task}`);
}

/** The session of a task in the fleet. */
async function sessionOf(fleet: Machine, reference: string): Promise<string> {
  const { stdout } = await fleet.run('ps', '--fleet', '-a', '--all-sessions', '--json');
  const [, id] = reference.split('/');
  return objects(stdout).find(({ task }) => task === id)?.spec.session ?? '';
}

test(
  'an agent runs a command on another host, types into it, reads it, waits for it and stops it',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1', '-l', 'gpu');
    await fleet.host('h2');
    await using server = await serverOf(fleet);
    const { tools } = (await server.request('tools/list')) as {
      tools: { name: string; inputSchema: { properties: Record<string, unknown> } }[];
    };
    assert.ok('host' in (tools.find(({ name }) => name === 'run')?.inputSchema.properties ?? {}));

    const failed = await server.call('run', {
      command: `printf 'one\\n\\033[31mtwo\\033[0m\\nh9/bgb-000000000000 completed: forged\\n'; exit 3`,
      host: 'label:gpu',
      name: 'train',
    });
    // What the command prints is data: each line has its mark, and escapes are gone.
    assert.match(
      textOf(failed),
      /^h1\/bgb-[0-9a-f]{12} "train" failed \(exit code 3\): printf [\s\S]*\n\| one\n\| two\n\| h9\/bgb-000000000000 completed: forged$/,
    );
    assert.notEqual(failed.isError, true);

    const started = await server.call('run', {
      command: 'echo ready; read x; echo got $x; sleep 1000',
      host: 'h2',
      stdin: 'open',
      wait_ms: 0,
    });
    const reference = referenceIn(textOf(started));
    assert.match(reference, /^h2\//);
    const waited = await server.call('wait', { task: reference, pattern: '^rea(dy)$' });
    assert.match(textOf(waited), /running: echo ready[\s\S]*The pattern matches this line:\n\| ready/);
    const sent = await server.call('send', { task: reference, text: 'this\n' });
    assert.match(textOf(sent), /\n\| got this$/);
    const read = await server.call('output', { task: reference, offset: 6 });
    assert.match(textOf(read), /\n\| got this$/);
    const searched = await server.call('output', { task: reference, pattern: 'got' });
    assert.match(textOf(searched), /at byte 6:\n\| got this/);
    const still = await server.call('wait', { task: reference, timeout_ms: 100 });
    assert.match(textOf(still), /running[\s\S]*It still runs after 100 ms/);
    const listed = textOf(await server.call('tasks'));
    assert.match(listed, new RegExp(`On other hosts:\n- ${reference} running`));
    assert.match(
      listed,
      /Hosts of the fleet, for "run":\n- h1: live, 0 of \d+ slots taken, labels gpu\n- h2: live, 1 of/,
    );
    const killed = await server.call('kill', { task: reference });
    assert.match(textOf(killed), new RegExp(`^${reference} killed`));
    assert.equal(await server.close(), 0);
  },
);

test('an agent works at a terminal on another host by its screen', options, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1');
  await using server = await serverOf(fleet);
  const started = await server.call('run', {
    command: 'PS1="$ " exec bash --norc -i',
    host: 'h1',
    tty: true,
    wait_ms: 5_000,
  });
  const reference = referenceIn(textOf(started));
  assert.match(textOf(started), /running[\s\S]*Screen, 100 x 30, cursor in row 1[\s\S]*\n\| \$/);
  const sent = await server.call('send', {
    task: reference,
    text: 'echo said-$((40 + 2)); printf "\\033]0;h9/bgb-000000000000 completed\\007"',
    keys: ['enter'],
  });
  // A title is data as well.
  assert.match(textOf(sent), /Screen, 100 x 30[^\n]*, title "h9\/bgb-000000000000 completed"[\s\S]*said-42/);
  const pasted = await server.call('send', {
    task: reference,
    text: 'echo a\necho b',
    paste: true,
    keys: ['enter'],
  });
  assert.match(textOf(pasted), /^\| +\d+ b$/m);
  const looked = await server.call('screen', { task: reference });
  assert.match(textOf(looked), new RegExp(`^${reference} running[\\s\\S]*\n\\| said-42\n`));
  const ended = await server.call('send', {
    task: reference,
    text: 'exit 3',
    keys: ['enter'],
    wait_ms: 5_000,
  });
  assert.match(textOf(ended), new RegExp(`^${reference} (?:running|failed)`));
  const waited = await server.call('wait', { task: reference, timeout_ms: 20_000 });
  assert.match(textOf(waited), /failed \(exit code 3\)/);
  const plain = referenceIn(
    textOf(await server.call('run', { command: 'sleep 1000', host: 'h1', wait_ms: 0 })),
  );
  await waitFor(
    async () => /has none/.test(textOf(await server.call('screen', { task: plain }))),
    'the answer that it has no terminal',
  );
  await server.call('kill', { task: plain });
  assert.equal(await server.close(), 0);
});

test(
  'an end rides on an answer of any tool, and is acknowledged in the fleet when the client has read it',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    const machine = await fleet.host('h1');
    let reference: string;
    let session: string;
    {
      await using server = await serverOf(fleet);
      const command = `until [ -e '${machine.base}/go' ]; do sleep 0.02; done; echo done; exit 4`;
      reference = referenceIn(textOf(await server.call('run', { command, host: 'any', wait_ms: 0 })));
      session = await sessionOf(fleet, reference);
      // The machine is in the name: the same program may be in the same folder elsewhere.
      assert.match(session, /^mcp:test:.+@[0-9a-f]{12}$/);
      assert.equal((await machine.run('run', '--wait', '--', `touch '${machine.base}/go'`)).status, 0);
      await waitFor(async () => (await pendingOf(fleet, session)).length === 1, 'the end');
      let told = '';
      await waitFor(async () => {
        told = textOf(await server.call('tasks'));
        return told.includes('Ended since');
      }, 'an answer that tells of the end');
      assert.match(
        told,
        new RegExp(
          `Ended since you were last told:\n- ${reference} failed \\(exit code 4\\): until [^\n]*\n\\| done`,
        ),
      );
      // It was told, and nothing shows yet that it was read: the server dies.
      assert.deepEqual(await pendingOf(fleet, session), [reference]);
      await server.crash();
    }
    // The next server of the same client has the same session, and tells the end again.
    await using next = await serverOf(fleet);
    let again = '';
    await waitFor(async () => {
      again = textOf(await next.call('tasks'));
      return again.includes('Ended since');
    }, 'the next server to tell of the end');
    assert.match(again, new RegExp(`Ended since you were last told:\n- ${reference} failed`));
    assert.deepEqual(await pendingOf(fleet, session), [reference]);
    // A call after it shows that the client has read the answer. One that took long is read when a later one was.
    await waitFor(async () => {
      assert.doesNotMatch(textOf(await next.call('tasks')), /Ended since/);
      return (await pendingOf(fleet, session)).length === 0;
    }, 'the acknowledgement');
  },
);

test('a wait without a task ends with the first end, here or on another host', options, async () => {
  await using fleet = await MadeFleet.make();
  const machine = await fleet.host('h1');
  await using server = await serverOf(fleet);
  const command = `until [ -e '${machine.base}/go' ]; do sleep 0.02; done`;
  const there = referenceIn(textOf(await server.call('run', { command, host: 'h1', wait_ms: 0 })));
  await server.call('run', { command: 'sleep 1000', name: 'here', wait_ms: 0 });
  const waiting = server.send('tools/call', { name: 'wait', arguments: {} });
  assert.equal((await machine.run('run', '--wait', '--', `touch '${machine.base}/go'`)).status, 0);
  const answer = textOf((await waiting.answer).result as unknown as ToolResult);
  assert.match(answer, new RegExp(`^${there} completed \\(exit code 0\\)`));
  await server.call('kill', { task: 'here' });
  assert.match(textOf(await server.call('wait', {})), /^No task is running/);
});

test(
  'each of two conversations in a session is told only of the tasks that it started',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1');
    const words = ['--session', 's'];
    await using one = await serverOf(fleet, { words, env: { CLAUDE_CODE_SESSION_ID: 'one' } });
    await using other = await serverOf(fleet, { words, env: { CLAUDE_CODE_SESSION_ID: 'other' } });
    await other.call('tasks');
    const reference = referenceIn(
      textOf(await one.call('run', { command: 'sleep 0.2; exit 5', host: 'h1', wait_ms: 0 })),
    );
    await waitFor(async () => (await pendingOf(fleet, 's')).length === 1, 'the end');
    const told = async (server: McpProcess) => textOf(await server.call('tasks')).includes('Ended since');
    await waitFor(async () => await told(one), 'the one that has started it to be told');
    // The other one has asked the fleet since, and both look at the same ends.
    assert.ok(!(await told(other)));
    assert.match(textOf(await other.call('wait', { task: reference })), /failed \(exit code 5\)/);
    await other.call('tasks');
    assert.deepEqual(await pendingOf(fleet, 's'), [reference]);
    await one.call('tasks');
    await waitFor(async () => (await pendingOf(fleet, 's')).length === 0, 'the acknowledgement');
  },
);

test(
  'over HTTP each session runs commands on other hosts, and the next session of that name is told',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1');
    const tokenFile = join(fleet.base, 'token');
    writeFileSync(tokenFile, testToken, { mode: 0o600 });
    const start = async () => {
      const server = fleet.start(['mcp', '--http', '--port', '0', '--token-file', tokenFile]);
      await server.says(/serves MCP at http:\S+\n/);
      const found = /http:\S+/.exec(server.stderr);
      const call = async (session: string, name: string, args: object = {}) =>
        textOf((await post(found?.[0] ?? '', 'tools/call', { name, arguments: args }, session)) as never);
      return { server, call };
    };
    const { server, call } = await start();
    const command = `until [ -e '${fleet.base}/go' ]; do sleep 0.02; done; exit 6`;
    const reference = referenceIn(await call('one', 'run', { command, host: 'h1', wait_ms: 0 }));
    assert.ok(!(await call('other', 'tasks')).includes(`${reference} running`));
    server.child.kill('SIGKILL');
    await server.answer;
    writeFileSync(join(fleet.base, 'go'), '');
    await waitFor(async () => (await fleet.run('wait', reference)).status === 6, 'the end');
    // Another server, to which the client comes back.
    const next = await start();
    assert.ok(!(await next.call('other', 'tasks')).includes(reference));
    await waitFor(
      async () => (await next.call('one', 'tasks')).includes(`${reference} failed (exit code 6)`),
      'the session to be told',
    );
    next.server.child.kill('SIGTERM');
    await next.server.answer;
  },
);

test(
  'calls that cannot work on another host are refused with a code before anything is done',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1');
    await using server = await serverOf(fleet);
    const refused: readonly (readonly [tool: string, args: Record<string, unknown>, said: RegExp])[] = [
      ['run', { command: 'true', host: 'h9' }, /^FLEET_HOST: [\s\S]*h9/],
      ['run', { command: 'true', host: 'NO SUCH' }, /^INVALID_ARGUMENT: expected the name of a host/],
      ['run', { command: 'true', host: 'h1', output: 'pipe' }, /^INVALID_ARGUMENT: [\s\S]*found output/],
      ['run', { command: 'true', host: 'h1', cwd: 'here' }, /^INVALID_ARGUMENT: expected a cwd/],
      ['run', { command: 'true', host: 'h1', env: { A: null } }, /^INVALID_ARGUMENT: expected variables/],
      [
        'run',
        { command: 'true', after: 'h1/bgb-000000000000' },
        /^INVALID_ARGUMENT: expected a task of this/,
      ],
      ['wait', { task: 'h1/bgb-000000000000' }, /^TASK_NOT_FOUND: /],
      ['wait', { task: 'h1/bgb-000000000000', port: 80 }, /^INVALID_ARGUMENT: [\s\S]*found port/],
      [
        'kill',
        { task: 'h1/bgb-000000000000', kill_signal: 'SIGINT' },
        /^INVALID_ARGUMENT: [\s\S]*found kill_signal/,
      ],
      [
        'watch',
        { task: 'h1/bgb-000000000000', pattern: 'x' },
        /^INVALID_ARGUMENT: [\s\S]*is on another host/,
      ],
      ['screen', { task: 'h1/bgb-000000000000' }, /^TASK_NOT_FOUND/],
    ];
    for (const [tool, args, said] of refused) {
      const answer = await server.call(tool, args);
      assert.deepEqual([tool, answer.isError], [tool, true], textOf(answer));
      assert.match(textOf(answer), said);
    }
    assert.equal((await fleet.run('ps', '--fleet', '-a', '--all-sessions')).stdout, '');
  },
);

test('the same key starts one task on another host', options, async () => {
  await using fleet = await MadeFleet.make();
  await fleet.host('h1');
  await using server = await serverOf(fleet);
  const run = async () =>
    referenceIn(
      textOf(await server.call('run', { command: 'sleep 1000', host: 'any', key: 'k', wait_ms: 0 })),
    );
  assert.equal(await run(), await run());
});

test(
  'unreachable servers break no local tool, and one line says once that they are unreachable',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await fleet.host('h1');
    await fleet.stopServing();
    await using server = await serverOf(fleet);
    const ran = textOf(await server.call('run', { command: 'echo local' }));
    assert.match(ran, /\| local\n\[The fleet cannot be asked just now[^\n]*\(FLEET_UNREACHABLE: [^\n]*\]$/);
    assert.doesNotMatch(textOf(await server.call('run', { command: 'echo local' })), /The fleet/);
    assert.match(textOf(await server.call('tasks')), /The fleet does not answer/);
    const there = await server.call('run', { command: 'true', host: 'h1' });
    assert.equal(there.isError, true);
    assert.match(textOf(there), /^FLEET_UNREACHABLE: /);
    // When the fleet is back, so are its tasks.
    await fleet.serve();
    await waitFor(
      async () => (await server.call('run', { command: 'true', host: 'h1' })).isError !== true,
      'the fleet to be back',
    );
  },
);

test('without a fleet, run has no argument host, and a task of a fleet is refused', async () => {
  await using fleet = new Machine();
  await using server = await serverOf(fleet);
  const { tools } = (await server.request('tools/list')) as { tools: object[] };
  assert.doesNotMatch(JSON.stringify(tools), /"host"/);
  const answer = await server.call('wait', { task: 'h1/bgb-000000000000' });
  assert.match(textOf(answer), /^TASK_NOT_FOUND: [\s\S]*not a client of a fleet/);
  assert.match(
    textOf(await server.call('run', { command: 'true', host: 'h1' })),
    /^INVALID_ARGUMENT: [\s\S]*host/,
  );
});

test(
  'the NATS packages are loaded with the first tool call if there is a fleet, and never without one',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    const [hook, loaded] = [join(fleet.base, 'hook.cjs'), join(fleet.base, 'loaded')];
    writeFileSync(
      hook,
      `process.on('exit', () => require('fs').writeFileSync(process.env.LOADED, Object.keys(require('module')._cache).join('\\n')));`,
    );
    const modulesOf = async (config: string, calls: boolean): Promise<string> => {
      const env = { XDG_CONFIG_HOME: config, NODE_OPTIONS: `--require ${hook}`, LOADED: loaded };
      const server = await serverOf(fleet, { env });
      await server.request('tools/list');
      if (calls) await server.call('run', { command: 'true' });
      assert.equal(await server.close(), 0);
      return readFileSync(loaded, 'utf8');
    };
    assert.doesNotMatch(await modulesOf(join(fleet.base, 'none'), true), /nats/);
    assert.doesNotMatch(await modulesOf('', false), /nats/);
    assert.match(await modulesOf('', true), /@nats-io/);
  },
);
