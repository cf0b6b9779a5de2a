import { type Api, type Reply, textIn, type Written } from './exchange.ts';

interface Body {
  readonly stream?: boolean;
  readonly model: string;
  readonly tools?: readonly { readonly name: string; readonly description?: string }[];
  readonly messages: readonly { readonly role: string; readonly content: string | readonly Block[] }[];
}

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly content?: unknown;
}

/** Anthropic's Messages. */
export const anthropic: Api = {
  takes: (path) => /\/v1\/messages$/.test(path),
  read: (body) => {
    const { tools = [], messages } = body as Body;
    const blocks = messages
      .filter(({ role }) => role !== 'assistant')
      .flatMap(({ content }) =>
        typeof content === 'string' ? [{ type: 'text', text: content } satisfies Block] : content,
      );
    return {
      tools: tools.map(({ name, description = '' }) => ({ name, description })),
      said: blocks.filter(({ type }) => type === 'text').map(textIn),
      answers: blocks.filter(({ type }) => type === 'tool_result').map(({ content }) => textIn(content)),
    };
  },
  write: (reply, id, body) => {
    const { stream = false, model } = body as Body;
    return stream ? streamed(reply, id, model) : { json: { ...head(id, model), ...whole(reply, id) } };
  },
};

function head(id: string, model: string): object {
  const usage = { input_tokens: 10, output_tokens: 10 };
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, usage };
}

function whole(reply: Reply, id: string): { content: object[]; stop_reason: string; stop_sequence: null } {
  const calls = reply.calls ?? [];
  const said = reply.say === undefined ? [] : [{ type: 'text', text: reply.say }];
  const called = calls.map(({ tool, input }, index) => ({
    type: 'tool_use',
    id: `toolu_${id}_${index}`,
    name: tool,
    input,
  }));
  const stop_reason = calls.length > 0 ? 'tool_use' : 'end_turn';
  return { content: [...said, ...called], stop_reason, stop_sequence: null };
}

function streamed(reply: Reply, id: string, model: string): Written {
  const { content, ...stop } = whole(reply, id);
  const blocks = content.flatMap((block, index) => {
    const { text, input, ...rest } = block as { text?: string; input?: unknown };
    const start = text === undefined ? { ...rest, input: {} } : { ...rest, text: '' };
    const delta =
      text === undefined
        ? { type: 'input_json_delta', partial_json: JSON.stringify(input) }
        : { type: 'text_delta', text };
    return [
      { type: 'content_block_start', index, content_block: start },
      { type: 'content_block_delta', index, delta },
      { type: 'content_block_stop', index },
    ];
  });
  const begun = { ...head(id, model), content: [], stop_reason: null, stop_sequence: null };
  const events = [
    { type: 'message_start', message: begun },
    ...blocks,
    { type: 'message_delta', delta: stop, usage: { output_tokens: 10 } },
    { type: 'message_stop' },
  ];
  return { events: events.map((data) => ({ event: data.type, data })) };
}
