import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hookAnswer, parseHookEvent } from '../../../src/cli/hook-event.ts';

test('the event of a hook says its name, the conversation, and whether a subagent has called', () => {
  const event = { hook_event_name: 'PostToolUse', session_id: 'c', tool_name: 'Bash', tool_response: {} };
  assert.deepEqual(parseHookEvent(JSON.stringify(event)), {
    name: 'PostToolUse',
    conversation: 'c',
    isOfSubagent: false,
  });
  assert.equal(parseHookEvent(JSON.stringify({ ...event, agent_id: 'a' })).isOfSubagent, true);
});

test('what is no event is refused', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '"PostToolUse"',
    '{"hook_event_name":"x"}',
    '{"hook_event_name":7,"session_id":"s"}',
  ])
    assert.throws(
      () => parseHookEvent(text),
      { code: 'USAGE', message: /the event of a hook on stdin/ },
      text,
    );
});

test('the answer to a hook is one line of JSON with the texts for the model', () => {
  const event = { name: 'PostToolUse', conversation: 'c', isOfSubagent: false };
  const answer = hookAnswer(event, { ends: ['a\n', 'b\n'], lines: [] });
  assert.match(answer, /^[^\n]+\n$/);
  const { hookSpecificOutput } = JSON.parse(answer);
  assert.equal(hookSpecificOutput.hookEventName, 'PostToolUse');
  assert.match(hookSpecificOutput.additionalContext, /^outlive: ended in the background .*:\na\nb\n$/);
  const withLines = JSON.parse(hookAnswer(event, { ends: ['a\n'], lines: ['l\n'] })).hookSpecificOutput;
  assert.match(withLines.additionalContext, /^outlive: lines .*:\nl\noutlive: ended .*:\na\n$/);
});
