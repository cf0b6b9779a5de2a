import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hintsOnTerminal } from '../../../src/cli/hints.ts';

test('on a terminal there is a hint about the 30 minutes for commands that look like servers, not for jobs', () => {
  const { stderr } = process;
  const before = Object.getOwnPropertyDescriptor(stderr, 'isTTY');
  Object.defineProperty(stderr, 'isTTY', { value: true, configurable: true });
  try {
    const isTold = (command: string): boolean => hintsOnTerminal(command, {}).length > 0;
    const servers = [
      'npm run dev',
      'npm start',
      'node server.js',
      'node dist/server.mjs --port 1',
      'python3 -m http.server 0',
      'python manage.py runserver',
      'uvicorn app:app',
      'flask run',
      'php -S localhost:8000',
      'vite',
      'PORT=1 vite --host',
    ];
    const jobs = [
      'npm test',
      'make',
      'cargo build --release',
      'node build.js',
      'echo observer',
      'ls /var/servers',
    ];
    assert.deepEqual(
      servers.filter((command) => !isTold(command)),
      [],
    );
    assert.deepEqual(jobs.filter(isTold), []);
    assert.deepEqual(hintsOnTerminal('node server.js', { timeout: 'none' }), []);
  } finally {
    if (before === undefined) Reflect.deleteProperty(stderr, 'isTTY');
    else Object.defineProperty(stderr, 'isTTY', before);
  }
});
