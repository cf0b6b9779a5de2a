import { type Riders, sayRiders } from '../../tools/answer.ts';
import { presentRemoteEnds } from '../../tools/fleet/remote-text.ts';
import { presentCompletions, presentLines } from '../../tools/text/present.ts';
import type { ToolAnswer } from '../../tools/tool.ts';

/** The result of a tool call, as both generations of the protocol have it. */
export interface CallResult {
  readonly [key: string]: unknown;
  readonly content: { readonly type: 'text'; readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
}

const nothing: Riders = { found: [], left: 0, notes: [], lines: { found: [], more: false, outcome: null } };

/**
 * An answer and what rides on it.
 * @param structured whether it comes as structure, too: clients show models that instead of the text.
 */
export function callResult(answer: ToolAnswer, structured: boolean, riders: Riders = nothing): CallResult {
  const { found, lines, remote } = riders;
  const completions = [...presentCompletions(found), ...presentRemoteEnds(remote?.found ?? [])];
  const left = riders.left + (remote?.left ?? 0);
  const texts = [answer.text, ...sayRiders(riders)];
  const riding = {
    ...(completions.length > 0 && { completions }),
    ...(left > 0 && { moreCompletions: left }),
    ...(lines.found.length > 0 && { lines: presentLines(lines), moreLines: lines.more }),
  };
  // Our own failure has no structure of its own, and none is asked of it.
  const failed = answer.isError === true && Object.keys(answer.structured).length === 0;
  return {
    content: texts.map((text) => ({ type: 'text', text })),
    ...(structured && !failed && { structuredContent: { ...answer.structured, ...riding } }),
    ...(answer.isError === true && { isError: true }),
  };
}
