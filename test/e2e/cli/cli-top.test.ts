import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { topIn } from '../../support/top.ts';
import { waitFor } from '../../support/world.ts';

test('sessions and tasks are shown, new and ended ones appear, and q restores the terminal', async () => {
  await using cli = new CommandLine();
  const old = await cli.ended('echo no; exit 3', '-n', 'old', '-s', 'one');
  await using terminal = await topIn(cli);
  await terminal.shows(/^outlive top +1 failed\nTASK .*\n▸ one +1 failed$/m);
  assert.equal(await terminal.state('alternate_on'), '1');
  const fresh = await cli.spawn('echo begun; sleep 1000', '-n', 'fresh', '-s', 'two');
  // What runs is shown with its session open, above what has ended.
  await terminal.shows(
    new RegExp(`^▾ two +1 running\\n +${fresh} +fresh +running [^\\n]*sleep 1000\\n▸ one`, 'm'),
  );
  await cli.run('kill', fresh, '-s', 'one');
  await terminal.shows(new RegExp(`^• ${fresh} +fresh +killed`, 'm'));
  await terminal.press('End', 'Right');
  await terminal.shows(new RegExp(`^▾ one +1 failed\\n• ${old} +old +failed 3`, 'm'));
  await terminal.press('?');
  await terminal.shows(/^x +stop what is selected/m);
  await terminal.press('Space');
  await terminal.shows(/^outlive top/);
  await terminal.press('q');
  const after = await terminal.shows(/status=0\nsame/);
  assert.match(after, /^what was before\nstatus=0/);
  assert.deepEqual([await terminal.state('alternate_on'), await terminal.state('cursor_flag')], ['0', '1']);
});

test('a filter takes the words of ps, and an invalid one changes nothing', async () => {
  await using cli = new CommandLine();
  await cli.ended('exit 3', '-n', 'web-1', '-l', 'kind=server');
  await cli.ended('true', '-n', 'web-2');
  await cli.spawn('sleep 1000', '-n', 'db', '-s', 'other');
  await using terminal = await topIn(cli);
  const filtered = async (words: string, shown: RegExp): Promise<void> => {
    await terminal.press('/', 'C-u');
    await terminal.type(words);
    await terminal.press('Enter');
    await terminal.shows(shown);
  };
  await terminal.shows(/db +running/);
  await filtered('status:failed', /filter: status:failed\n.*\n▾ default +1 failed\n.*web-1 +failed 3.*\n\n/);
  await filtered(
    'name:web* label:kind',
    /filter: name:web\* label:kind\n.*\n▾ default +1 failed\n.*web-1 .*\n\n/,
  );
  await filtered('session:oth* SLEEP', /filter: session:.*\n.*\n▾ other +1 running\n.*db .*\n\n/);
  await filtered('status:broken', /status: Expected some of: queued, /);
  assert.match(await terminal.screen(), /filter: session:oth\*/);
  await filtered('nowhere', /^no task matches this filter/m);
  await terminal.press('Escape');
  await terminal.shows(/^outlive top .*failed$/m);
});

test('selected tasks are stopped after a y, and their session is told', async () => {
  await using cli = new CommandLine();
  const ids = [await cli.spawn('sleep 1000', '-n', 'a'), await cli.spawn('sleep 1000', '-n', 'b')];
  const kept = await cli.spawn('sleep 1000', '-n', 'c');
  await using terminal = await topIn(cli);
  await terminal.shows(/ c +running/);
  // The newest is the first below its session.
  await terminal.press('Down', 'Down', 'Space', 'Space', 'x');
  await terminal.shows(/^Stop 2 tasks\? y\/n$/m);
  await terminal.press('n');
  await terminal.shows(/^nothing was done$/m);
  await terminal.press('x', 'y');
  await terminal.shows(/^2 tasks: 2 killed$/m);
  for (const id of ids) assert.deepEqual(await fateOf(cli, id), ['killed', false]);
  assert.deepEqual(await fateOf(cli, kept), ['running', false]);
  // Of those that have ended there is nothing to stop.
  await terminal.press('End', 'x');
  await terminal.shows(/there is nothing to stop$/m);
  await terminal.press('a');
  await terminal.shows(/^Acknowledge bgb-\w+ \(a\)\? It is not reported again\. y\/n$/m);
  await terminal.press('y');
  await terminal.shows(/^bgb-\w+ \(a\): acknowledged$/m);
  assert.deepEqual(await fateOf(cli, ids[0] ?? ''), ['killed', true]);
  assert.deepEqual(await fateOf(cli, ids[1] ?? ''), ['killed', false]);
});

test('a task is restarted, and stopped first if it runs; if it cannot be, the reason is shown', async () => {
  await using cli = new CommandLine();
  const old = await cli.spawn('echo from-$WHO; sleep 1000', '-n', 'dev', '-e', 'WHO=me');
  await using terminal = await topIn(cli);
  await terminal.shows(/dev +running/);
  await terminal.press('Down', 'r');
  await terminal.shows(/^Restart bgb-\w+ \(dev\)\? It is running, and will be stopped first\. y\/n$/m);
  await terminal.press('y');
  const said = await terminal.shows(/\(dev\): now bgb-\w+$/m);
  const [, fresh = ''] = /now (bgb-\w+)$/m.exec(said) ?? [];
  await cli.until(fresh, ({ output }) => output.preview === 'from-me\n');
  assert.deepEqual(await fateOf(cli, old), ['killed', false]);
  // Once it has ended, the value of its variable is nowhere.
  await cli.run('kill', fresh);
  await terminal.shows(new RegExp(`${fresh} +dev +killed`));
  await terminal.press('Home', 'Down', 'r', 'y');
  await terminal.shows(/WHO/);
});

test('a log is followed, read from its beginning, and searched', async () => {
  await using cli = new CommandLine();
  await cli.spawn('seq -f "line %g" 1 90000; while read x; do echo "got $x"; done', '-n', 'log', '--stdin');
  await using terminal = await topIn(cli);
  await terminal.shows(/log +running/);
  await terminal.press('Down', 'Enter');
  await terminal.shows(/^line 90000\n+following /m);
  await cli.run('send', 'log', 'something\n');
  await terminal.shows(/^got something$/m);
  // From the end backwards, through more than is kept in memory, without regard to the case.
  await terminal.press('/');
  await terminal.type('LINE 77$');
  await terminal.press('Enter');
  await terminal.shows(/no match in the output/);
  await terminal.press('/');
  await terminal.type('line .*77$');
  await terminal.press('Enter');
  await terminal.shows(/^line 89977$/m);
  await terminal.press('n');
  await terminal.shows(/^line 89877$/m);
  await terminal.press('N');
  await terminal.shows(/^line 89977$/m);
  await terminal.press('g');
  await terminal.shows(/\nline 1\nline 2\n[\s\S]*\n0% of /);
  await terminal.press('Down', 'Down', 'PageDown', 'Up');
  await terminal.shows(/^bgb-.*\nline 23\nline 24\n/);
  await terminal.press('/');
  await terminal.type('line 89[0]01');
  await terminal.press('Enter');
  await terminal.shows(/^line 89001$/m);
  await terminal.press('/');
  await terminal.type('(unclosed');
  await terminal.press('Enter');
  await terminal.shows(/expected a regular expression/);
  await terminal.press('G');
  await terminal.shows(/^got something\n+following /m);
  await terminal.press('q');
  await terminal.shows(/^outlive top/);
});

test('a terminal is taken over and given back, and the log is passed to the pager', async () => {
  await using cli = new CommandLine();
  await cli.spawn('PS1="task> " bash --norc -i', '--tty', '-n', 'shell');
  await using terminal = await topIn(cli, '', {
    env: { PAGER: 'cat >paged; printf paging; read x </dev/tty' },
  });
  await terminal.shows(/shell +running/);
  await terminal.press('Down', 't');
  await terminal.shows(
    /^Take over the terminal of bgb-\w+ \(shell\)\? Ctrl-\\ and then d comes back here\. y\/n$/m,
  );
  await terminal.press('y');
  await terminal.shows(/task>/);
  await waitFor(async () => (await cli.snapshot('shell')).attached.length === 1, 'somebody to be attached');
  await terminal.enter('echo typed-$((40 + 2)); stty size');
  await terminal.shows(/typed-42\n24 100/);
  await terminal.press('C-\\');
  await terminal.type('d');
  await terminal.shows(/^outlive top[\s\S]*\(shell\) goes on$/m);
  await terminal.press('o');
  await terminal.shows(/paging/);
  assert.equal(await terminal.state('alternate_on'), '0');
  await terminal.press('Enter');
  await terminal.shows(/^outlive top/);
  await terminal.press('q');
  const after = await terminal.shows(/status=0\nsame/);
  assert.match(after, /^what was before\npaging\n+status=0/);
  await terminal.enter('clear; grep -c typed-42 paged');
  await terminal.shows(/^1$/m);
});

test('with --read-only nothing can be changed, and one session is shown without its row', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000', '-n', 'own', '--tty', '-s', 'one');
  await cli.spawn('sleep 1000', '-n', 'others', '-s', 'two');
  await using terminal = await topIn(cli, '--read-only -s one');
  await terminal.shows(new RegExp(`^outlive top +1 running\\nTASK [^\\n]*\\n +${taskId} +own`, 'm'));
  assert.doesNotMatch(await terminal.screen(), /others|▾/);
  for (const key of ['x', 'r', 'a', 't']) {
    await terminal.press(key);
    await terminal.shows(/top was started with --read-only/);
    await terminal.press('Home');
    await terminal.shows(/^\? keys/m);
  }
  assert.deepEqual(await fateOf(cli, taskId), ['running', false]);
});

test('without a terminal top says what to use instead, and reads nothing', async () => {
  await using cli = new CommandLine();
  for (const words of [[], ['--json'], ['--all-sessions', '-s', 'x']]) {
    const { status, stdout, stderr } = await cli.run('top', ...words);
    assert.deepEqual([status, stdout], [64, '']);
    assert.match(
      stderr,
      words.includes('--json') ? /^\{"error":\{"code":"USAGE"/ : /expected stdin and stdout to be a terminal/,
    );
  }
});

/** Its status, and whether its end was acknowledged. */
async function fateOf(cli: CommandLine, taskId: string): Promise<[string, boolean]> {
  const { status, delivered } = await cli.snapshot(taskId);
  return [status, delivered];
}
