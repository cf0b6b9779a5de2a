import { type Api, textIn } from './exchange.ts';

interface Part {
  readonly text?: string;
  readonly functionResponse?: { readonly response?: { readonly output?: unknown; readonly error?: unknown } };
}

interface Body {
  readonly tools?: readonly {
    readonly functionDeclarations?: readonly { readonly name: string; readonly description?: string }[];
  }[];
  readonly contents: readonly { readonly role?: string; readonly parts?: readonly Part[] }[];
}

/** Google's generateContent and streamGenerateContent. */
export const gemini: Api = {
  takes: (path) => /:(?:streamG|g)enerateContent$/.test(path),
  read: (body) => {
    const { tools = [], contents } = body as Body;
    const parts = contents.filter(({ role }) => role !== 'model').flatMap(({ parts = [] }) => parts);
    return {
      tools: tools
        .flatMap(({ functionDeclarations = [] }) => functionDeclarations)
        .map(({ name, description = '' }) => ({ name, description })),
      said: parts.filter(({ text }) => text !== undefined).map(textIn),
      answers: parts.flatMap(({ functionResponse }) => {
        if (functionResponse === undefined) return [];
        const { output, error, ...rest } = functionResponse.response ?? {};
        return [textIn(output ?? error) || JSON.stringify(rest)];
      }),
    };
  },
  write: (reply, id) => {
    const said = reply.say === undefined ? [] : [{ text: reply.say }];
    const called = (reply.calls ?? []).map(({ tool, input }, index) => ({
      functionCall: { id: `call_${id}_${index}`, name: tool, args: input },
    }));
    const content = { role: 'model', parts: [...said, ...called] };
    const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20 };
    const data = { candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata };
    return { events: [{ data }] };
  },
};
