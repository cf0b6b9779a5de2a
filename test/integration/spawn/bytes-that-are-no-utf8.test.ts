import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { World } from '../../support/world.ts';

/** Starts a command with more variables, which bash makes of its own escapes: Node hands on text alone. */
const withVariables = (...escaped: string[]): string[] => [
  'bash',
  '-c',
  `exec env ${escaped.map((variable) => `$'${variable}'`).join(' ')} "$@"`,
  'bash',
];

/** The entries of the environment, as a command has it, in hex, that begin with X. */
const printsThem = `env -0 | od -An -v -tx1 | tr -d ' \\n' | sed 's/00/\\n/g' | grep '^58'`;

const odd = [
  'X1=\\xff',
  'X2=a\\xe9z%41%zz%',
  'X3=\\xc0\\xaf\\xed\\xa0\\x80\\xf5',
  'X4=\\xe2\\x82',
  'X5=ok \\xc3\\xbc %ff \\xef\\xbf\\xbd',
  'X\\xff6=name',
  'X7\\xfe=\\x80\\x81\\xff',
  'X8=line\\nbreak\\xff',
];

/** The same bytes, in hex. */
const expected = odd
  .map((variable) =>
    execFileSync('bash', ['-c', `printf %s $'${variable}' | od -An -v -tx1 | tr -d ' \\n'`]).toString(),
  )
  .sort();

test('unchanged variables reach the command byte for byte', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before: withVariables(...odd) });
  const text = await agent.run(
    async ({ session }, command) => (await session.run(command)).output.text,
    printsThem,
  );
  // "00" at an odd place of the hex is no end of an entry; none of them has one.
  assert.deepEqual(text.trim().split('\n').sort(), expected);
});

test('variables that were changed, set or removed since are passed on as they are now', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, {
    before: withVariables('X1=\\xff', 'X2=\\xff', 'X3=\\xff', 'X4=\\xff'),
  });
  const text = await agent.run(async ({ session }, command) => {
    process.env.X1 = 'changed';
    delete process.env.X2;
    process.env.X5 = 'set \uFFFD';
    return (await session.run(command, { env: { X3: 'ü', X4: null } })).output.text;
  }, printsThem);
  const hex = (entry: string): string => Buffer.from(entry).toString('hex');
  assert.deepEqual(
    text.trim().split('\n').sort(),
    [hex('X1=changed'), hex('X3=ü'), hex('X5=set \uFFFD')].sort(),
  );
});

test('such variables reach a queued task, and none stays visible in its shim', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, {
    before: withVariables('X1=s3cret\\xff'),
    session: { maxRunning: 1 },
  });
  const { text, environment } = await agent.run(async ({ session, fs }, command) => {
    const first = await session.spawn('sleep 1000');
    const second = await session.spawn(`${command}; sleep 1000`, { onLimit: 'queue' });
    await first.kill({ graceMs: 0 });
    const { match, snapshot } = await second.waitFor({ pattern: '58' });
    const shown = fs.readFileSync(`/proc/${snapshot.shimPid}/environ`, 'latin1');
    return { text: match?.line ?? '', environment: shown };
  }, printsThem);
  assert.equal(Buffer.from(text, 'hex').toString('latin1'), 'X1=s3cret\xff');
  assert.match(environment, /^OUTLIVE_TASK=/);
  assert.doesNotMatch(environment, /s3cret|REQUEST/);
});

test('variables with the reserved names of the shim are not passed on', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, {
    before: withVariables('OUTLIVE_REQUEST_0=X1=mine', 'OUTLIVE_REQUEST=x'),
  });
  const text = await agent.run(
    async ({ session }) => (await session.run('env | grep -c -e OUTLIVE_REQUEST -e ^X1')).output.text,
  );
  assert.equal(text, '0\n');
  const session = await world.session();
  for (const name of ['OUTLIVE_REQUEST', 'OUTLIVE_REQUEST_0', 'OUTLIVE_REQUEST_', 'OUTLIVE_TASK'])
    await assert.rejects(session.spawn('true', { env: { [name]: 'x' } }), { code: 'INVALID_ENV' }, name);
});

test('a current folder whose path is not UTF-8 is refused clearly, and a folder with a similar name is not used', async () => {
  await using world = new World();
  const before = [
    'bash',
    '-c',
    `cd "$0" && mkdir $'\\xff' $'\\xef\\xbf\\xbd' && cd $'\\xff' && exec "$@"`,
    world.base,
  ];
  await using agent = await Agent.start(world.dir, { before });
  const { errors, text } = await agent.run(async ({ session }, base) => {
    const refused = (error: { code: string; message: string }): [string, string] => [
      error.code,
      error.message,
    ];
    const found: unknown[] = [];
    for (const cwd of [undefined, '.', 'x'])
      found.push(await session.spawn('touch ran', cwd === undefined ? {} : { cwd }).catch(refused));
    // That name is one of whole characters: the folder is there.
    const { output } = await session.run('pwd', { cwd: `${base}/\uFFFD` });
    return { errors: found as [string, string][], text: output.text };
  }, world.base);
  for (const [code, message] of errors) {
    assert.equal(code, 'INVALID_CWD');
    assert.match(message, /^expected the current folder .* UTF-8 text; found that its path has other bytes/);
  }
  assert.ok(text.endsWith('/\uFFFD\n'), text);
});

test('if a folder with U+FFFD in its name is not found, the message says that it may stand for other bytes', async () => {
  await using world = new World();
  const session = await world.session();
  await assert.rejects(session.spawn('true', { cwd: `${world.base}/\uFFFD` }), {
    code: 'INVALID_CWD',
    message: /nothing there, and U\+FFFD in a name often stands for bytes that are not UTF-8/,
  });
});

test('a lone surrogate is refused wherever the system would get another character', async () => {
  await using world = new World();
  const session = await world.session();
  const half = 'a\ud800b';
  const refusals: [unknown, string][] = [
    [session.spawn(`echo ${half}`), 'INVALID_COMMAND'],
    [session.spawn('true', { cwd: `/${half}` }), 'INVALID_CWD'],
    [session.spawn('true', { env: { A: half } }), 'INVALID_ENV'],
    [session.spawn('true', { env: { [half]: 'x' } }), 'INVALID_ENV'],
    [session.spawn('true', { name: half }), 'INVALID_ARGUMENT'],
    [session.spawn('true', { labels: { [half]: '' } }), 'INVALID_ARGUMENT'],
    [world.store({ dir: `${world.base}/${half}` }), 'INVALID_ARGUMENT'],
    [world.store({ dir: `${world.base}/\uFFFD` }), 'INVALID_ARGUMENT'],
  ];
  for (const [refusal, code] of refusals) await assert.rejects(refusal as Promise<unknown>, { code });
  assert.deepEqual(await session.tasks(), []);
});
