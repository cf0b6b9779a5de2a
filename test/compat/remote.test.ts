import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordReader, type RemoteRecord } from '../../src/cli/remote/records.ts';
import { encodeRequest, type RemoteRequest, readRequest } from '../../src/cli/remote/request.ts';

// What an outlive of protocol 1 sends to another machine, as it stood on the wire. It is never changed.
const sent =
  '296\n{"protocol":1,"version":"0.1.0","words":["run","-e","A=b","--","printf","é\\n"],"stdin":"data","terminal":{"stdin":false,"stdout":true,"stderr":true,"columns":120,"rows":40},"colours":true,"names":{"OUTLIVE_SESSION":"s","CODEX_THREAD_ID":"t"},"intoAgent":false,"prefix":["--host","ssh://me@box"]}';
const request: RemoteRequest = {
  protocol: 1,
  version: '0.1.0',
  words: ['run', '-e', 'A=b', '--', 'printf', 'é\n'],
  stdin: 'data',
  terminal: { stdin: false, stdout: true, stderr: true, columns: 120, rows: 40 },
  colours: true,
  names: { OUTLIVE_SESSION: 's', CODEX_THREAD_ID: 't' },
  intoAgent: false,
  prefix: ['--host', 'ssh://me@box'],
};

test('a request of protocol 1 is still read, and written as before', () => {
  let at = 0;
  const bytes = Buffer.from(sent);
  const read = (count: number): Buffer => {
    at += count;
    return bytes.subarray(at - count, at);
  };
  assert.deepEqual(readRequest(read), request);
  assert.equal(encodeRequest(request).toString(), sent);
});

test('records of protocol 1 are still read', () => {
  const nonce = 'ab'.repeat(16);
  const taken: RemoteRecord[] = [];
  const reader = new RecordReader(nonce, (record) => taken.push(record));
  const stream = `\x1e${nonce} {"kind":"hello","protocol":1,"version":"0.1.0"}\x1eouter\x1e${nonce} {"kind":"arrived"}\x1e words\x1e${nonce} {"kind":"bye","status":122}\x1e`;
  assert.equal(reader.pass(Buffer.from(stream)).toString(), 'outer words');
  assert.deepEqual(taken, [
    { kind: 'hello', protocol: 1, version: '0.1.0' },
    { kind: 'arrived' },
    { kind: 'bye', status: 122 },
  ]);
});
