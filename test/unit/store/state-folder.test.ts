import assert from 'node:assert/strict';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import { homeFolderIfAny } from '../../../src/platform/home-folder.ts';
import { defaultStoreFolder } from '../../../src/platform/state-folder.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

test('the store is where OUTLIVE_HOME says', () => {
  assert.equal(defaultStoreFolder({ OUTLIVE_HOME: '/a/b', XDG_STATE_HOME: '/c' }), '/a/b');
});

test('a leading ~/ in OUTLIVE_HOME is the home folder, since no shell expands the configuration of an agent', () => {
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
  'without OUTLIVE_HOME the store is in the state folder of the user, and never in a temporary one',
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

test(
  'an empty or relative HOME is ignored: the store is in the home folder of the user database, not in the current folder',
  notOnWindows('the home folder is in USERPROFILE'),
  () => {
    const { HOME } = process.env;
    try {
      for (const home of ['', 'relative', '.', '~', undefined]) {
        if (home === undefined) delete process.env.HOME;
        else process.env.HOME = home;
        const listed = userInfo().homedir;
        assert.equal(defaultStoreFolder({}), join(listed, '.local', 'state', 'outlive'), String(home));
        assert.equal(defaultStoreFolder({ OUTLIVE_HOME: '~/x' }), join(listed, 'x'), String(home));
        assert.equal(homeFolderIfAny(), listed);
      }
    } finally {
      if (HOME === undefined) delete process.env.HOME;
      else process.env.HOME = HOME;
    }
  },
);
