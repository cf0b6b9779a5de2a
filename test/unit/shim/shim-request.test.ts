import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRequest, type ShimRequest } from '../../../src/shim/request.ts';
import { anyText } from '../model/arbitrary-facts.ts';

const least: ShimRequest = {
  task: 'bgb-0123abcd0123',
  cookie: 'bgb-0123abcd0123.00',
  exitProof: 'e1',
  goneProof: 'e2',
  logOffset: 812,
  timeoutMs: null,
  graceMs: 3_000,
  maxOutputBytes: null,
  out: '/out',
  err: null,
  pumped: false,
  slots: null,
  leftovers: 'report',
  bound: null,
  queued: false,
  bell: false,
  stays: false,
  limits: {},
  words: ['/bin/sh', '-c', 'true', 'sh'],
};

test('a request is one netstring of netstrings, each a name with its value', () => {
  assert.deepEqual(fieldsOf({}), [
    'task=bgb-0123abcd0123',
    'cookie=bgb-0123abcd0123.00',
    'exitProof=e1',
    'goneProof=e2',
    'logOffset=812',
    'graceMs=3000',
    'out=/out',
    'pumped=0',
    'leftovers=report',
    'queued=0',
    'bell=0',
    'stays=0',
    'word=/bin/sh',
    'word=-c',
    'word=true',
    'word=sh',
  ]);
  assert.match(encodeRequest(least), /^\d+:21:task=bgb-0123abcd0123,.*,7:word=sh,,$/);
});

test('lengths are in bytes, whatever the words contain', () => {
  const words = ['한국어', 'a,b:c=d\n', '', '7:'];
  assert.match(encodeRequest({ ...least, words }), /,14:word=한국어,13:word=a,b:c=d\n,5:word=,7:word=7:,,$/);
});

test('any words come back, in order', () => {
  fc.assert(
    fc.property(fc.array(anyText.map(inBytes), { maxLength: 5 }), (words) => {
      const found = fieldsOf({ words }).filter((field) => field.startsWith('word='));
      assert.deepEqual(
        found.map((field) => field.slice('word='.length)),
        words,
      );
    }),
  );
});

test('times are whole milliseconds, rounded up', () => {
  const fields = fieldsOf({ timeoutMs: 0.25, graceMs: 2_999.001 });
  assert.ok(fields.includes('timeoutMs=1') && fields.includes('graceMs=3000'), fields.join(' '));
  assert.ok(fieldsOf({ graceMs: 0 }).includes('graceMs=0'));
});

test('a request contains only the options that were given', () => {
  const named = names(fieldsOf({ bound: { pid: 500, start: null } }));
  const absent = [
    ...['timeoutMs', 'maxOutputBytes', 'boundStart', 'bound', 'limits', 'words'],
    ...['cgroup', 'memoryBytes', 'cpuSeconds', 'processes', 'nicer'],
  ];
  for (const name of absent) assert.ok(!named.includes(name), name);
});

test('a request can contain every option', () => {
  const fields = fieldsOf({
    timeoutMs: 60_000,
    maxOutputBytes: 1_024,
    bound: { pid: 500, start: 9_000 },
    err: '/err',
    queued: true,
    bell: true,
    stays: true,
    bashPipes: '/pipes',
    hook: 'notify',
    hookMs: 60_000,
    hookOutput: '/hook',
    hookFolder: '/folder',
    leftovers: 'wait',
    limits: { cgroup: '/sys/fs/cgroup/a', memoryBytes: 1, cpuSeconds: 2, processes: 3, nicer: -4 },
  });
  const asked = [
    ...['timeoutMs=60000', 'maxOutputBytes=1024', 'boundPid=500', 'boundStart=9000'],
    ...['err=/err', 'queued=1', 'bell=1', 'stays=1', 'bashPipes=/pipes', 'leftovers=wait'],
    ...['hook=notify', 'hookMs=60000', 'hookOutput=/hook', 'hookFolder=/folder'],
    ...['cgroup=/sys/fs/cgroup/a', 'memoryBytes=1', 'cpuSeconds=2', 'processes=3', 'nicer=-4'],
  ];
  for (const field of asked) assert.ok(fields.includes(field), field);
  assert.equal(new Set(names(fields)).size, fields.length - least.words.length + 1, 'a name stands twice');
});

/** The fields of a request, read as its reader does. */
function fieldsOf(more: Partial<ShimRequest>): string[] {
  const outer = netstrings(Buffer.from(encodeRequest({ ...least, ...more })));
  assert.equal(outer.length, 1);
  return netstrings(outer[0] ?? Buffer.of()).map((field) => field.toString('utf8'));
}

function netstrings(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const colon = bytes.indexOf(':', at);
    const end = colon + 1 + Number(bytes.toString('latin1', at, colon));
    assert.equal(bytes.toString('latin1', end, end + 1), ',');
    found.push(bytes.subarray(colon + 1, end));
    at = end + 1;
  }
  return found;
}

/** Half a surrogate pair has no bytes of its own. */
function inBytes(text: string): string {
  return Buffer.from(text).toString('utf8');
}

function names(fields: readonly string[]): string[] {
  return fields.map((field) => field.split('=')[0] ?? '');
}
