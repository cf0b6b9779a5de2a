import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { appendFacts, createLog, writeSpec } from '../../../src/tasklog/log.ts';
import { RecentLogs, readLog, type TaskLog } from '../../../src/tasklog/read-log.ts';
import { anyFacts } from '../model/arbitrary-facts.ts';
import { delivered, exit, outcome, proven, sealedSpec, spec, started, stop } from '../model/sample-facts.ts';

const folder = mkdtempSync(join(tmpdir(), 'outlive-recent-logs-'));
after(() => rmSync(folder, { recursive: true }));

const logOf = (name: string, ...facts: Parameters<typeof appendFacts>[1][number][]): string => {
  const path = join(folder, name);
  writeFileSync(path, '');
  appendFacts(path, facts);
  return path;
};

const read = (logs: RecentLogs, path: string): TaskLog => {
  const log = logs.read(path);
  assert.ok(log);
  return log;
};

/** Writes bytes where others stand. */
const overwrite = (path: string, at: number, bytes: string | Uint8Array): void => {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.from(bytes), 0, null, at);
  closeSync(descriptor);
};

test('recently read facts are not parsed again, and new ones are added', () => {
  const logs = new RecentLogs();
  const path = logOf('grows', sealedSpec, started());
  const first = read(logs, path);
  const again = read(logs, path);
  assert.equal(again.list, first.list);
  assert.equal(again.facts, first.facts);
  appendFacts(path, [proven(0), outcome()]);
  const grown = read(logs, path);
  assert.deepEqual(grown.list, [sealedSpec, started(), proven(0), outcome()]);
  assert.equal(grown.list[0], first.list[0]);
  assert.equal(grown.facts.outcome?.id, outcome().id);
  assert.equal(first.facts.outcome, undefined);
  assert.deepEqual(grown, { ...readLog(path), text: grown.text });
});

test('our own new facts are known without parsing, as far as the log contains them', async () => {
  const logs = new RecentLogs();
  const path = join(folder, 'written');
  const descriptor = await createLog(path);
  const text = writeSpec(descriptor, sealedSpec);
  closeSync(descriptor);
  logs.wrote(path, text);
  appendFacts(path, [started(), proven(0)]);
  assert.deepEqual(read(logs, path), readLog(path));
  // Somebody has put another one in its place.
  logs.wrote(path, text);
  logOf('written', spec({ name: 'another' }), started());
  assert.deepEqual(read(logs, path), readLog(path));
  assert.equal(read(logs, path).facts.spec?.name, 'another');
  rmSync(path);
  logs.wrote(path, text);
  assert.equal(logs.read(path), null);
});

test('a log that was changed in place is read again, even if its size and times did not change', () => {
  const logs = new RecentLogs();
  const path = logOf('forged', spec({ name: 'ours' }), started(), exit(0));
  const before = read(logs, path);
  const { atime, mtime } = statSync(path);
  overwrite(path, before.text?.indexOf('"ours"') ?? -1, '"mine"');
  utimesSync(path, atime, mtime);
  const { spec: forged } = read(logs, path).facts;
  assert.equal(forged?.name, 'mine');
});

test('a forged fact in the middle counts from the next read on, even if new facts came after it', () => {
  const logs = new RecentLogs();
  const path = logOf('forged-and-grown', spec(), started(), exit(0));
  const before = read(logs, path);
  overwrite(path, before.text?.indexOf('"code":0') ?? -1, '"code":7');
  appendFacts(path, [delivered()]);
  const after = read(logs, path);
  assert.equal(after.facts.exit?.code, 7);
  assert.deepEqual(after.list.at(-1), delivered());
});

test('a log that became shorter, or was replaced, is read as it is now', () => {
  const logs = new RecentLogs();
  const path = logOf('shorter', spec(), started(), exit(0), outcome(), delivered());
  const before = read(logs, path);
  truncateSync(path, before.text?.indexOf('{"fact":"outcome"') ?? -1);
  assert.deepEqual(read(logs, path).list, [spec(), started(), exit(0)]);
  renameSync(logOf('other', spec({ command: 'other' })), path);
  assert.deepEqual(read(logs, path).list, [spec({ command: 'other' })]);
  rmSync(path);
  assert.equal(logs.read(path), null);
  logOf('shorter', stop('kill'));
  assert.deepEqual(read(logs, path).list, [stop('kill')]);
});

test('a fact that was read incomplete counts when it is complete', () => {
  const logs = new RecentLogs();
  const path = logOf('half', spec());
  const line = JSON.stringify(started());
  appendFileSync(path, `\n${line.slice(0, 20)}`);
  assert.deepEqual(read(logs, path).list, [spec()]);
  appendFileSync(path, line.slice(20));
  assert.deepEqual(read(logs, path).list, [spec(), started()]);
  appendFileSync(path, '\n');
  assert.deepEqual(read(logs, path).list, [spec(), started()]);
});

/** What may happen to a log between two reads. */
const anyChange = fc.oneof(
  { weight: 4, arbitrary: anyFacts.map((facts) => (path: string) => appendFacts(path, facts)) },
  fc
    .oneof(
      fc.constantFrom('\n', '{', '\n{', '}', '\n{"fact":"exit","code":', '\n'.repeat(20), 'é'),
      fc.constantFrom('\n{}'.repeat(999), '\n{}\n'.repeat(1_001), '\n{"fact":"turn"}'.repeat(700)),
    )
    .map((text) => (path: string) => appendFileSync(path, text)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => (path: string) => appendFileSync(path, bytes)),
  fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.uint8Array({ minLength: 1, maxLength: 4 }))
    .map(([share, bytes]) => (path: string) => {
      const { size } = statSync(path);
      overwrite(path, Math.floor(share * size), bytes);
    }),
  fc.double({ min: 0, max: 1, noNaN: true }).map((share) => (path: string) => {
    truncateSync(path, Math.floor(share * statSync(path).size));
  }),
);

test('whatever happens to a log, a read gives the same as a first read', () => {
  const path = join(folder, 'any');
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 12 }), (changes) => {
      const logs = new RecentLogs();
      writeFileSync(path, '');
      for (const change of changes) {
        change(path);
        assert.deepEqual(logs.read(path), readLog(path));
      }
    }),
    { numRuns: 400 },
  );
});

test('the 64 logs that were read last are cached', () => {
  const logs = new RecentLogs();
  const paths = Array.from({ length: 65 }, (_, index) => logOf(`many-${index}`, spec()));
  const first = paths.map((path) => read(logs, path).list);
  assert.equal(read(logs, paths[64] ?? '').list, first[64]);
  assert.equal(read(logs, paths[1] ?? '').list, first[1]);
  assert.notEqual(read(logs, paths[0] ?? '').list, first[0]);
  // It has taken the place of the one that was not read for longest.
  assert.equal(read(logs, paths[1] ?? '').list, first[1]);
  assert.notEqual(read(logs, paths[2] ?? '').list, first[2]);
});

test('unusually long logs are not cached', () => {
  const logs = new RecentLogs();
  const path = logOf('long', spec({ command: 'x'.repeat(20_000) }));
  const { list, text } = read(logs, path);
  assert.equal(text, null);
  assert.notEqual(read(logs, path).list, list);
});
