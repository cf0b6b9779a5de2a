// An agent of the Claude Agent SDK starts a build and is idle. The end of the build wakes it.
import { query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { openStore } from 'outlive';
import { claudeTools } from 'outlive/claude';

await using store = await openStore();
const outlive = await claudeTools(store, await store.session('conversation-42'));
let hangUp: () => void = () => undefined;
const over = new Promise<void>((resolve) => {
  hangUp = resolve;
});

/** What the user says. The conversation goes on until this ends. */
async function* user(): AsyncGenerator<SDKUserMessage> {
  const message = { role: 'user' as const, content: 'Start the build, and tell me when it is done.' };
  yield { type: 'user', message, parent_tool_use_id: null };
  await over;
}

const { CLAUDE_CODE: pathToClaudeCodeExecutable } = process.env;
const options = { ...outlive.options, ...(pathToClaudeCodeExecutable && { pathToClaudeCodeExecutable }) };
let turns = 0;
for await (const message of outlive.follow(query({ prompt: outlive.prompt(user()), options }))) {
  if (message.type !== 'result') continue;
  turns += 1;
  console.log(message.subtype === 'success' ? message.result : message.subtype);
  if (turns === 2) hangUp(); // the first turn has started the build, the second one was its end
}
outlive.close();
