/** A tool that a fake model calls, by the name and with the input that the agent knows. */
export interface ToolCall {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What a fake model answers: words, calls of tools, or both. */
export interface Reply {
  readonly say?: string;
  readonly calls?: readonly ToolCall[];
}

/** A tool as an agent describes it to its model. */
interface ToolShown {
  readonly name: string;
  readonly description: string;
}

/** What the model of an agent sees with one request, whatever the API. */
export interface Seen {
  readonly tools: readonly ToolShown[];
  /** What was said to the model that is no answer of a tool: prompts, and what the agent adds by itself. */
  readonly said: readonly string[];
  /** The answers of tools, oldest first, as text. */
  readonly answers: readonly string[];
}

/** One API of a model: how its requests are read, and how a reply is written. */
export interface Api {
  /** Whether a request for the model comes to this path. */
  readonly takes: (path: string) => boolean;
  readonly read: (body: unknown) => Seen;
  /** The reply as the API sends it. `id` is another one for each reply. */
  readonly write: (reply: Reply, id: string, body: unknown) => Written;
}

/** A reply as JSON, or as the events of a stream. */
export type Written =
  | { readonly json: unknown }
  | { readonly events: readonly { readonly event?: string; readonly data: unknown }[] };

/** The text in a part of a message, in whichever of the common forms it comes. */
export function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(textIn).filter(Boolean).join('\n');
  if (content === null || typeof content !== 'object') return '';
  const { text, content: inner, output } = content as Record<string, unknown>;
  return textIn(text ?? inner ?? output);
}
