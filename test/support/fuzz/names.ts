import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { checkSessionId } from '../../../src/engine/session/validate.ts';
import { OutliveError } from '../../../src/errors/error.ts';
import { outputUri, parseUri, taskUri } from '../../../src/mcp/resources/uris.ts';
import { chooseSession } from '../../../src/mcp/session-choice.ts';
import { bounds } from '../../../src/model/limits.ts';
import { cutWriter, sessionPaths, taskIdOfFile, taskIdOfRemoved } from '../../../src/tasklog/paths.ts';
import {
  encodeSessionRecord,
  parseSessionRecord,
  parseStoreRecord,
  storeVersion,
} from '../../../src/tasklog/records.ts';
import type { Properties } from './properties.ts';
import { hostileText } from './texts.ts';

const name = fc.oneof(
  hostileText,
  fc.string({ unit: 'grapheme', maxLength: 2_000 }),
  fc.constantFrom('../..', '/', '.', '..', '\0', 'a/../../b', '~', '-rf', 'con', 'A', 'a', '\u0130', 'ﬀ'),
);
const taskId = fc.stringMatching(/^bgb-[0-9a-f]{12}$/);
const like = fc
  .tuple(
    fc.constantFrom('', 'outlive://tasks/', 'OUTLIVE://tasks/', 'outlive:tasks/'),
    fc.oneof(taskId, name),
    fc.constantFrom('', '/output', '/output/', '//', '/..', '?a', '#b'),
  )
  .map((parts) => parts.join(''));
const anything = fc.oneof(fc.anything(), name);

/** Whether a text has no halves of characters. */
function isWhole(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Properties of ids, file names, addresses and records. */
export const nameProperties: Properties = {
  'the folder of a session is a direct child of the folder of sessions, whatever its id': fc.property(
    name,
    name,
    (one, other) => {
      const { dir, record } = sessionPaths('/store', one);
      assert.equal(dirname(dir), join('/store', 'sessions'));
      assert.match(dir, /[\\/][a-z0-9-]{1,60}$/);
      assert.equal(record, join(dir, 'session.json'));
      if (isWhole(one) && isWhole(other) && one !== other)
        assert.notEqual(sessionPaths('/store', other).dir, dir);
    },
  ),
  'the record of a session gives its id back': fc.property(name, fc.nat(), (id, createdAt) => {
    assert.deepEqual(parseSessionRecord(encodeSessionRecord(id, createdAt)), {
      version: storeVersion,
      sessionId: id,
      createdAt,
    });
  }),
  'records that are anything are no records': fc.property(fc.oneof(name, fc.json()), (text) => {
    parseStoreRecord(text);
    parseSessionRecord(text);
  }),
  'an id is taken as it is or refused': fc.property(anything, (id) => {
    try {
      assert.equal(checkSessionId(id), id);
    } catch (error) {
      assert.ok(error instanceof OutliveError, String(error));
    }
  }),
  'a session is found for any client, and its id can be used': fc.property(
    fc.record({
      named: fc.constant(null),
      env: fc.dictionary(fc.constantFrom('CLAUDE_CODE_SESSION_ID', 'CODEX_THREAD_ID', 'PI_SESSION_ID'), name),
      clientName: fc.option(name),
      cwd: name,
      meta: fc.option(
        fc.dictionary(
          fc.constantFrom('threadId', 'x-codex-turn-metadata', 'vscode.conversationId'),
          anything,
        ),
        { nil: undefined },
      ),
    }),
    (traits) => {
      const id = chooseSession(traits);
      assert.ok(Buffer.byteLength(id) <= bounds.sessionIdBytes && !id.includes('\0') && id !== '');
      if (isWhole(id)) assert.equal(checkSessionId(id), id);
    },
  ),
  'an address of a task is read back, and nothing else is one': fc.property(taskId, like, (id, text) => {
    assert.deepEqual(parseUri(taskUri(id)), { taskId: id, isOutput: false });
    assert.deepEqual(parseUri(outputUri(id)), { taskId: id, isOutput: true });
    const parsed = parseUri(text);
    if (parsed !== null)
      assert.equal(parsed.isOutput ? outputUri(parsed.taskId) : taskUri(parsed.taskId), text);
  }),
  'the names of files give ids or nothing': fc.property(
    fc.oneof(
      name,
      taskId.map((id) => `${id}.jsonl`),
      taskId.map((id) => `${id}.removed`),
    ),
    (file) => {
      for (const id of [taskIdOfFile(file), taskIdOfRemoved(file)])
        assert.match(id ?? 'bgb-000000000000', /^bgb-[0-9a-f]{12}$/);
      cutWriter(file);
    },
  ),
};
