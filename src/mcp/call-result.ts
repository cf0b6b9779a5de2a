import type { TaskSnapshot } from '../model/snapshot.ts';
import { presentCompletions, sayCompletions } from './present.ts';
import type { ToolAnswer } from './tools/tool.ts';

/** The result of a tool call, as both generations of the protocol have it. */
export interface CallResult {
  readonly [key: string]: unknown;
  readonly content: { readonly type: 'text'; readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
}

/** An answer and the completions that ride on it, for people in text and for programs in structure. */
export function callResult(
  answer: ToolAnswer,
  riders: { readonly found: readonly TaskSnapshot[]; readonly left: number } = { found: [], left: 0 },
): CallResult {
  const { found, left } = riders;
  const content = [{ type: 'text' as const, text: answer.text }];
  if (found.length > 0) content.push({ type: 'text', text: sayCompletions(found, left) });
  const riding = {
    ...(found.length > 0 && { completions: presentCompletions(found) }),
    ...(left > 0 && { moreCompletions: left }),
  };
  // Our own failure has no structure of its own, and none is asked of it.
  const failed = answer.isError === true && Object.keys(answer.structured).length === 0;
  return {
    content,
    ...(!failed && { structuredContent: { ...answer.structured, ...riding } }),
    ...(answer.isError === true && { isError: true }),
  };
}
