import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversationOf } from '../../../src/engine/session/conversation.ts';
import { type ClientTraits, chooseSession } from '../../../src/mcp/session-choice.ts';

const plain: ClientTraits = { named: null, env: {}, meta: undefined, clientName: 'agent', cwd: '/project' };

test('the session of the operator comes first, then OUTLIVE_SESSION, the conversation in the request, Claude Code', () => {
  const all = {
    ...plain,
    named: 'named',
    env: { OUTLIVE_SESSION: 'from-env', CLAUDE_CODE_SESSION_ID: 'claude' },
    meta: { threadId: 'thread' },
  };
  assert.equal(chooseSession(all), 'named');
  assert.equal(chooseSession({ ...all, named: null }), 'from-env');
  const withoutEnv = { ...all, named: null, env: { CLAUDE_CODE_SESSION_ID: 'claude' } };
  assert.equal(chooseSession(withoutEnv), 'thread');
  assert.equal(chooseSession({ ...withoutEnv, meta: {} }), 'claude');
});

test('the conversation is found in the requests of Codex and VS Code', () => {
  const choose = (meta: Record<string, unknown>) => chooseSession({ ...plain, meta });
  assert.equal(choose({ 'x-codex-turn-metadata': { thread_id: 't', session_id: 's' } }), 't');
  assert.equal(choose({ 'x-codex-turn-metadata': { session_id: 's' } }), 's');
  assert.equal(choose({ 'vscode.conversationId': 'v' }), 'v');
});

test('without any id there is one session for each client program and working directory', () => {
  assert.equal(chooseSession(plain), 'mcp:agent:/project');
  assert.equal(chooseSession({ ...plain, clientName: null }), 'mcp:client:/project');
  assert.notEqual(chooseSession({ ...plain, cwd: '/other' }), chooseSession(plain));
});

test('an id that cannot name a session is ignored', () => {
  for (const bad of ['', 'a\0b', 'x'.repeat(1025), 5, null, {}]) {
    assert.equal(chooseSession({ ...plain, meta: { threadId: bad } }), 'mcp:agent:/project');
  }
  for (const bad of ['', 'a\uFFFD', 'x'.repeat(1025)]) {
    const env = { CLAUDE_CODE_SESSION_ID: bad, PI_SESSION_ID: 'pi' };
    assert.equal(chooseSession({ ...plain, env }), 'pi');
  }
  assert.equal(chooseSession({ ...plain, env: { OUTLIVE_SESSION: '' } }), 'mcp:agent:/project');
});

test('an OUTLIVE_SESSION that cannot name a session is refused, since somebody set it', () => {
  for (const bad of ['a\uFFFD', 'x'.repeat(1025)])
    assert.throws(() => chooseSession({ ...plain, env: { OUTLIVE_SESSION: bad } }), /OUTLIVE_SESSION/);
});

test('the ids that agents give to their shells are those of their conversations', () => {
  for (const name of ['CLAUDE_CODE_SESSION_ID', 'CODEX_THREAD_ID', 'PI_SESSION_ID']) {
    const env = { [name]: 'conversation' };
    assert.equal(chooseSession({ ...plain, env }), 'conversation');
    assert.equal(conversationOf({ env }), 'conversation');
    assert.equal(conversationOf({ env, meta: { threadId: 'thread' } }), 'thread');
  }
  assert.equal(conversationOf({ env: { OUTLIVE_SESSION: 'named' } }), null);
});

test('a very long name or folder still gives a separate session', () => {
  const [one, other] = ['a', 'b'].map((end) =>
    chooseSession({ ...plain, cwd: `/${'x'.repeat(2000)}${end}` }),
  );
  assert.match(one ?? '', /^mcp:[0-9a-f]{64}$/);
  assert.notEqual(one, other);
});
