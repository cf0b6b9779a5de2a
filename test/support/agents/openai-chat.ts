import { type Api, type Reply, textIn } from './exchange.ts';

interface Body {
  readonly stream?: boolean;
  readonly model: string;
  readonly tools?: readonly { readonly function: { readonly name: string; readonly description?: string } }[];
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** OpenAI's chat completions, which most other makers of models speak as well. */
export const openaiChat: Api = {
  takes: (path) => path.endsWith('/chat/completions'),
  read: (body) => {
    const { tools = [], messages } = body as Body;
    return {
      tools: tools.map((tool) => ({
        name: tool.function.name,
        description: tool.function.description ?? '',
      })),
      said: messages.filter(({ role }) => role === 'user').map(({ content }) => textIn(content)),
      answers: messages.filter(({ role }) => role === 'tool').map(({ content }) => textIn(content)),
    };
  },
  write: (reply, id, body) => {
    const { stream = false, model } = body as Body;
    const head = { id: `chatcmpl-${id}`, created: 0, model };
    const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
    const finish_reason = reply.calls === undefined ? 'stop' : 'tool_calls';
    const message = messageOf(reply, id);
    if (!stream) {
      const choices = [{ index: 0, message, finish_reason }];
      return { json: { ...head, object: 'chat.completion', choices, usage } };
    }
    const chunk = { ...head, object: 'chat.completion.chunk' };
    return {
      events: [
        { data: { ...chunk, choices: [{ index: 0, delta: message, finish_reason: null }] } },
        { data: { ...chunk, choices: [{ index: 0, delta: {}, finish_reason }], usage } },
        { data: '[DONE]' },
      ],
    };
  },
};

function messageOf({ say = null, calls }: { say?: string | null } & Omit<Reply, 'say'>, id: string): object {
  const message = { role: 'assistant', content: say };
  if (calls === undefined) return message;
  const tool_calls = calls.map(({ tool, input }, index) => ({
    index,
    id: `call_${id}_${index}`,
    type: 'function',
    function: { name: tool, arguments: JSON.stringify(input) },
  }));
  return { ...message, tool_calls };
}
