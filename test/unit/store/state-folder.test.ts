import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import { defaultStoreFolder } from '../../../src/platform/state-folder.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

test('the store is where OUTLIVE_HOME says', () => {
  assert.equal(defaultStoreFolder({ OUTLIVE_HOME: '/a/b', XDG_STATE_HOME: '/c' }), '/a/b');
});

test('a leading ~/ in OUTLIVE_HOME is the home folder: no shell reads the configuration of an agent', () => {
  assert.equal(defaultStoreFolder({ OUTLIVE_HOME: '~/.x' }), join(homedir(), '.x'));
  assert.equal(defaultStoreFolder({ OUTLIVE_HOME: '~' }), homedir());
});

for (const home of [
  'x',
  './x',
  '../x',
  '$HOME/x',
  ['$', '{HOME}/y'].join(''),
  '/home/$USER/x',
  '~root/x',
  '~/$X',
  ' /x',
  'file:///x',
])
  test(`OUTLIVE_HOME ${JSON.stringify(home)} is refused`, () => {
    const isClear = (error: unknown): boolean =>
      error instanceof OutliveError &&
      error.code === 'INVALID_ARGUMENT' &&
      error.message.includes('expected OUTLIVE_HOME to be an absolute path') &&
      error.message.includes(JSON.stringify(home));
    assert.throws(() => defaultStoreFolder({ OUTLIVE_HOME: home }), isClear);
  });

test(
  'else it is in the folder for state that programs keep, and never in a temporary one',
  notOnWindows('the folder is another: %LOCALAPPDATA%'),
  () => {
    const home = join(homedir(), '.local', 'state', 'outlive');
    assert.equal(defaultStoreFolder({ XDG_STATE_HOME: '/c' }), '/c/outlive');
    assert.equal(defaultStoreFolder({}), home);
    assert.equal(defaultStoreFolder({ OUTLIVE_HOME: '', XDG_STATE_HOME: '' }), home);
    assert.equal(
      defaultStoreFolder({ XDG_STATE_HOME: 'relative' }),
      home,
      'the XDG specification wants it so',
    );
  },
);
