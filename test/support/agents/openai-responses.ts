import { type Api, textIn } from './exchange.ts';

interface Tool {
  readonly type: string;
  readonly name?: string;
  readonly description?: string;
  /** Of a namespace. */
  readonly tools?: readonly Tool[];
}

interface Body {
  readonly stream?: boolean;
  readonly tools?: readonly Tool[];
  readonly input:
    | string
    | readonly { readonly type?: string; readonly role?: string; readonly content?: unknown }[];
}

const separator = '/';

/** OpenAI's Responses. A tool in a namespace has both names, with a slash between. */
export const openaiResponses: Api = {
  takes: (path) => path.endsWith('/responses'),
  read: (body) => {
    const { tools = [], input } = body as Body;
    const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    return {
      tools: tools.flatMap((tool) => shown(tool)),
      said: items.filter(({ role }) => role === 'user').map(({ content }) => textIn(content)),
      answers: items.filter(({ type = '' }) => /_call_output$/.test(type)).map(textIn),
    };
  },
  write: (reply, id, body) => {
    const said = reply.say === undefined ? [] : [messageOf(reply.say, id)];
    const called = (reply.calls ?? []).map(({ tool, input }, index) => {
      const parts = tool.split(separator);
      const name = parts.pop();
      const namespace = parts.length > 0 ? { namespace: parts.join(separator) } : {};
      const call_id = `call_${id}_${index}`;
      return {
        type: 'function_call',
        id: `fc_${id}_${index}`,
        call_id,
        name,
        ...namespace,
        arguments: JSON.stringify(input),
      };
    });
    const output = [...said, ...called];
    const response = { id: `resp_${id}`, object: 'response', status: 'in_progress', output: [] };
    const usage = {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 10,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 20,
    };
    const completed = { ...response, status: 'completed', output, usage };
    if ((body as Body).stream !== true) return { json: completed };
    const events = [
      { type: 'response.created', response },
      ...output.flatMap((item, output_index) => [
        { type: 'response.output_item.added', output_index, item },
        { type: 'response.output_item.done', output_index, item },
      ]),
      { type: 'response.completed', response: completed },
    ];
    return { events: events.map((data) => ({ event: data.type, data })) };
  },
};

function shown({
  type,
  name = type,
  description = '',
  tools,
}: Tool): { name: string; description: string }[] {
  if (tools === undefined) return [{ name, description }];
  return tools.flatMap(shown).map((tool) => ({ ...tool, name: `${name}${separator}${tool.name}` }));
}

function messageOf(text: string, id: string): object {
  const content = [{ type: 'output_text', text, annotations: [] }];
  return { type: 'message', id: `msg_${id}`, role: 'assistant', status: 'completed', content };
}
