import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultStoreFolder } from '../../src/platform/state-folder.ts';
import { notOnWindows } from '../support/not-on-windows.ts';

test('the store is where OUTLIVE_HOME says', () => {
  assert.equal(defaultStoreFolder({ OUTLIVE_HOME: '/a/b', XDG_STATE_HOME: '/c' }), '/a/b');
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
