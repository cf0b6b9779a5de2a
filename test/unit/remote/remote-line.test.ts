import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from '../../../src/cli/remote/address.ts';
import { encodeRecord, RecordReader, type RemoteRecord } from '../../../src/cli/remote/records.ts';
import {
  encodeRequest,
  protocol,
  type RemoteRequest,
  readRequest,
  requestOfWord,
  requestWord,
} from '../../../src/cli/remote/request.ts';
import { remoteLine, sshWords } from '../../../src/cli/remote/ssh.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { filesUnder, root } from '../../support/repository.ts';

const nonce = '0123456789abcdef0123456789abcdef';

/** A request with any words. */
function requestOf(words: readonly string[]): RemoteRequest {
  return {
    protocol,
    version: '0.1.0',
    words,
    stdin: 'held',
    terminal: null,
    colours: true,
    names: {},
    intoAgent: false,
    prefix: [],
  };
}

/** An input of which bytes are read. */
function inputOf(bytes: Buffer): { read: (count: number) => Buffer; rest: () => Buffer } {
  let at = 0;
  return {
    read: (count) => {
      at += count;
      return bytes.subarray(at - count, at);
    },
    rest: () => bytes.subarray(at),
  };
}

const someWords = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 8 });

test('a request with any words is read as it was written, and not a byte more', () => {
  fc.assert(
    fc.property(someWords, fc.uint8Array({ maxLength: 50 }), (words, rest) => {
      const request = requestOf(words);
      const bytes = Buffer.concat([encodeRequest(request), rest]);
      const input = inputOf(bytes);
      assert.deepEqual(readRequest(input.read), request);
      assert.deepEqual(input.rest(), Buffer.from(rest));
      assert.deepEqual(requestOfWord(requestWord(request)), request);
    }),
  );
});

test('an invalid request is refused', () => {
  for (const text of ['', 'x', '12', '5\n{}', '2\n{}', '4\nnull', '99999999999\n', `20\n{"protocol":1}`]) {
    assert.throws(() => readRequest(inputOf(Buffer.from(text)).read), { code: 'USAGE' }, text);
  }
});

test('records are found in any stream, however it is cut, and everything else is passed on', () => {
  const records: RemoteRecord[] = [
    { kind: 'hello', protocol: 1, version: 'x' },
    { kind: 'arrived' },
    { kind: 'bye', status: 255 },
  ];
  const part = fc.oneof(
    fc.constantFrom(...records),
    fc.uint8Array({ maxLength: 30 }),
    fc
      .constantFrom('\x1e', `\x1e${nonce}`, `\x1e${nonce} {"kind":"bye","status":256}\x1e`, '\x1e\x1e')
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.integer({ min: 1, max: 40 }), (parts, size) => {
      // A record that follows a half one is part of that one.
      const isBytes = (one: (typeof parts)[number]): one is Uint8Array<ArrayBuffer> =>
        one instanceof Uint8Array;
      const stream = Buffer.concat(
        parts.map((one) =>
          isBytes(one) ? Buffer.concat([one, Buffer.from('.')]) : Buffer.from(encodeRecord(nonce, one)),
        ),
      );
      const taken: RemoteRecord[] = [];
      const reader = new RecordReader(nonce, (record) => taken.push(record));
      const passed: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size)
        passed.push(reader.pass(stream.subarray(at, at + size)));
      passed.push(reader.end());
      assert.deepEqual(
        Buffer.concat(passed),
        Buffer.concat(parts.filter(isBytes).map((one) => Buffer.concat([one, Buffer.from('.')]))),
      );
      assert.deepEqual(
        taken,
        parts.filter((one) => !isBytes(one)),
      );
    }),
  );
});

const shells = [['dash'], ['bash'], ['busybox', 'sh'], ['zsh'], ['fish'], ['mksh']] as const;

for (const [shell, ...applet] of shells)
  test(
    `the login shell ${shell} runs the line correctly`,
    notOnWindows('the shells are those of Unix'),
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'outlive-test-'));
      try {
        const program = join(folder, 'a b ~=%,@x', 'outlive');
        spawnSync('mkdir', ['-p', join(program, '..')]);
        writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$#" "$@"; cat; exit 9\n');
        chmodSync(program, 0o755);
        for (const feeds of [false, true]) {
          const word = requestWord(requestOf(["'", '$HOME']));
          const line = remoteLine({ program, nonce, verb: 'run', word, feeds });
          const { status, stdout } = spawnSync(shell, [...applet, '-c', line], {
            input: 'bytes\0\xff',
            encoding: 'latin1',
          });
          assert.equal(stdout, `4\n__remote\n${nonce}\nrun\n${word}\nbytes\0\xff`);
          assert.equal(status, 9);
        }
        const missing = remoteLine({ program: '/nowhere', nonce, verb: 'ps', word: null, feeds: false });
        assert.equal(spawnSync(shell, [...applet, '-c', missing]).status, 113);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

test('an address is parsed, and one that could be an option or contains a password is refused', () => {
  const { user, host, port, program, shown } = addressOf('ssh://me@box.example:2222/opt/outlive/bin/outlive');
  assert.deepEqual([user, host, port, program], ['me', 'box.example', 2222, '/opt/outlive/bin/outlive']);
  assert.equal(shown, 'me@box.example:2222/opt/outlive/bin/outlive');
  const plain = addressOf('ssh://build_box/');
  assert.deepEqual(
    [plain.user, plain.host, plain.port, plain.program, plain.shown],
    [null, 'build_box', null, null, 'build_box'],
  );
  assert.equal(addressOf('ssh://[fe80::1%eth0]:22').host, 'fe80::1%eth0');
  for (const text of [
    ...[
      '',
      'box',
      'ssh:box',
      'ssh://',
      'SSH://box',
      'http://box',
      'ssh://-box',
      'ssh://@box',
      'ssh://-l@box',
    ],
    ...[
      'ssh://a@b@c',
      'ssh://a:b@c',
      'ssh://box:',
      'ssh://box:0',
      'ssh://box:65536',
      'ssh://box:22x',
      'ssh://box:-1',
    ],
    ...['ssh://bo x', 'ssh://box\n', 'ssh://box;id', 'ssh://$(id)', 'ssh://[::1', 'ssh://::1', 'ssh://[box]'],
    ...[
      "ssh://box/a'b",
      'ssh://box/a\nb',
      'ssh://box/a/../b',
      'ssh://box/$x',
      'ssh://box/a/',
      'ssh://box?x',
      'ssh://box-',
    ],
  ])
    assert.throws(() => addressOf(text), { code: 'USAGE' }, text);
});

test('ssh gets the machine as an operand, and never an option that skips the key check', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), (terminal, nobody) => {
      const address = addressOf('ssh://me@box:2222');
      const words = sshWords({ address, line: 'line', terminal, nobody, stdin: 'pipe', stdout: 'pipe' });
      assert.deepEqual(words.slice(-7), ['-l', 'me', '-p', '2222', '--', 'box', 'line']);
      assert.equal(words.includes('BatchMode=yes'), nobody);
      assert.equal(words[0], terminal ? '-tt' : '-T');
      assert.ok(!words.some((word) => /StrictHostKeyChecking|KnownHosts/i.test(word)));
    }),
  );
});

test('the code for other machines is loaded only when it is used', () => {
  const importers = filesUnder('src', '.ts')
    .filter((file) => !file.startsWith('src/cli/remote/'))
    .filter((file) => /from '[./a-z-]*\/remote\//.test(readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(importers, []);
});
