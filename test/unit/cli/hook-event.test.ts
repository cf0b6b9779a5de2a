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

test('an event with raw control characters, or with a byte order mark, is read', () => {
  const expected = { name: 'UserPromptSubmit', conversation: 'c', isOfSubagent: false };
  for (const prompt of ['two\nlines', 'a\ttab', '\u0000', '\u001b[1m', '\r\n\u0007', '\u0085'])
    assert.deepEqual(
      parseHookEvent(`{"session_id":"c","hook_event_name":"UserPromptSubmit","prompt":"${prompt}"}`),
      expected,
      JSON.stringify(prompt),
    );
  const text = JSON.stringify({ session_id: 'c', hook_event_name: 'UserPromptSubmit' }, null, '\t');
  assert.deepEqual(parseHookEvent(`\uFEFF${text}\r\n`), expected);
});

test('an invalid event is refused', () => {
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
