import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cliPage, manualPage, pages } from '../../../scripts/cli-page.ts';
import { exitStatus } from '../../../src/cli/exit-status.ts';
import { buildProgram } from '../../../src/cli/program.ts';

const page = readFileSync(pages.cli, 'utf8');

test('docs/cli.md has every verb and option of the program', () => {
  assert.equal(page, cliPage(page), 'run: npm run build && node build/scripts/cli-page.js');
});

test('the manual page has every verb and option, too', () => {
  assert.equal(readFileSync(pages.manual, 'utf8'), manualPage(), 'run: node build/scripts/cli-page.js');
});

test('docs/cli.md and the manual page have every exit status', () => {
  for (const status of Object.values(exitStatus).filter((code) => code > 0 && code < 128)) {
    assert.match(page, new RegExp(`^\\| ${status} \\|`, 'm'));
    assert.match(manualPage(), new RegExp(`^\\.B ${status}$`, 'm'));
  }
});

test('the program takes each command in the table for users of other tools', () => {
  const section = page.split('## Coming from another tool')[1]?.split('\n## ')[0] ?? '';
  const commands = [...section.matchAll(/`outlive ([^`]+)`/g)].map(([, words = '']) => words.split(' '));
  assert.ok(commands.length > 20);
  for (const words of commands) {
    let performed = 0;
    const program = buildProgram('0.0.0', () => {
      performed += 1;
    });
    for (const command of [program, ...program.commands])
      command.exitOverride().configureOutput({ outputError: () => undefined });
    program.parse(words, { from: 'user' });
    assert.equal(performed, 1, words.join(' '));
  }
});
