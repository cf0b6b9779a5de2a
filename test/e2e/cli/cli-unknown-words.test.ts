import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildProgram } from '../../../src/cli/program.ts';
import { CommandLine } from '../../support/command-line.ts';

const verbs = buildProgram('0.0.0', () => undefined).commands;

/** Operands that are enough for each verb. */
const enough: Record<string, readonly string[]> = {
  completion: ['bash'],
  attach: ['x'],
  fleet: ['cordon', 'x'],
  logs: ['x'],
  resize: ['x', '80x24'],
  screen: ['x'],
  restart: ['x'],
  send: ['x', 'y'],
  show: ['x'],
  wait: ['x'],
  watch: ['x', 'y'],
};

/** Of these the last operand may be repeated. */
const takesMore = new Set(['run', 'logs', 'wait', 'kill', 'prune', 'setup']);

for (const verb of verbs) {
  const name = verb.name();
  test(`${name} refuses an unknown option by name, and nothing is done`, async () => {
    await using cli = new CommandLine();
    const [option] = verb.options.filter(({ long }) => long !== undefined);
    assert.ok(option?.long);
    const slip = `${option.long}x`;
    for (const [word, says] of [
      ['--nonsense', "unknown option '--nonsense'"],
      [slip, `unknown option '${slip}' (Did you mean`],
      ['-Z', "unknown option '-Z'"],
    ] as const) {
      const { status, stdout, stderr } = await cli.run(name, word, ...(enough[name] ?? []));
      assert.deepEqual({ status, stdout }, { status: 64, stdout: '' });
      assert.ok(
        stderr.startsWith(`outlive: ${says}`) && stderr.endsWith(`See: outlive ${name} --help\n`),
        stderr,
      );
    }
    assert.deepEqual(cli.files(), []);
  });

  if (takesMore.has(name)) continue;
  test(`${name} refuses one argument too many`, async () => {
    await using cli = new CommandLine();
    const { status, stdout, stderr } = await cli.run(name, ...(enough[name] ?? []), 'more', '--json');
    assert.deepEqual({ status, stdout }, { status: 64, stdout: '' });
    const { code, message } = JSON.parse(stderr).error;
    assert.equal(code, 'USAGE');
    assert.match(message, new RegExp(`^too many arguments for '${name}'\\. .*See: outlive ${name} --help$`));
    assert.deepEqual(cli.files(), []);
  });
}

for (const [words, says] of [
  [['help', 'pss'], /expected a verb after help; found "pss"/],
  [['help', 'ps', 'logs'], /expected one verb after help; found 2/],
  [['pss'], /unknown command 'pss' \(Did you mean ps\?\)/],
  [['start', 'x'], /expected a verb; found "start"\. Here that is: outlive run\./],
  [['help', 'delete'], /found "delete"\. Here that is: outlive prune TASK\./],
  [['rm'], /expected the tasks to remove; found none/],
  [['--nonsense', 'ps'], /unknown option '--nonsense'/],
  [['-s', 'x', 'ps'], /unknown option '-s'\. It comes after the verb: outlive ps /],
  [['--store=/x', 'ps'], /unknown option '--store=\/x'\. It comes after the verb/],
  [['--json', 'ps'], /It comes after the verb/],
  [['logs', 'x', '--tail', '3'], /unknown option '--tail'\. Here that is: -n\. See: outlive logs --help/],
  [['tail', 'x', '--tail=3'], /unknown option '--tail=3'\. Here that is: -n\. See: outlive logs --help/],
  [['run', '-d', 'true'], /unknown option '-d'\. Leave it out: run leaves the command in the background\./],
  [['kill', '--force', 'x'], /unknown option '--force'\. Here that is: -9\./],
  [['ps', '--all=yes'], /unknown option '--all=yes'/],
] as const) {
  test(`outlive ${words.join(' ')} is refused`, async () => {
    await using cli = new CommandLine();
    const { status, stdout, stderr } = await cli.run(...words);
    assert.deepEqual({ status, stdout }, { status: 64, stdout: '' });
    assert.match(stderr, says);
  });
}
