import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notingPipeStatus } from '../../src/shim/pipe-status.ts';

test('a command without a pipeline is run as it was given', () => {
  for (const command of ['make', 'a || b', 'a && b || c', 'a ||b||c', ''])
    assert.equal(notingPipeStatus(command, 'bash', '/log'), command);
});

test('a shell that cannot tell the statuses of a pipeline gets the command as it was given', () => {
  for (const shell of ['sh', 'dash', 'fish', 'constructor', '__proto__'])
    assert.equal(notingPipeStatus('a | b', shell, '/log'), 'a | b');
});

test('a pipeline keeps its text and its line numbers, behind a note on the same line', () => {
  for (const [shell, command] of [
    ['bash', 'a | b'],
    ['zsh', 'a|\n b'],
    ['bash', 'a |& b'],
    ['bash', 'x || a | b # end'],
  ] as const) {
    const noting = notingPipeStatus(command, shell, '/log');
    assert.ok(noting.startsWith('trap ') && noting.endsWith(`; ${command}`), noting);
    assert.equal(noting.split('\n').length, command.split('\n').length);
  }
});
