import type { McpProcess, ProcessOptions, ToolResult } from './mcp-process.ts';
import { fixturePath } from './world.ts';

const id = /bgb-[0-9a-f]{12}/g;

/** What an answer says beside what it was asked for: the ids that are told again, and those that it reminds of. */
export function notesIn(result: ToolResult): { again: string[]; reminders: string[] } {
  const texts = result.content.map(({ text }) => text);
  const idsAfter = (begin: string): string[] =>
    texts
      .filter((text) => text.startsWith(begin))
      .flatMap((text) => [...text.matchAll(id)].map(([found]) => found));
  return { again: idsAfter('Told again'), reminders: idsAfter('Told before, unless') };
}

/** The ids of the ends that ride on an answer, as its text has them. */
export function riderIdsIn(result: ToolResult): string[] {
  const riding = result.content.filter(({ text }) => text.startsWith('Ended since you were last told:'));
  return riding.flatMap(({ text }) => [...text.matchAll(/^- (bgb-[0-9a-f]{12})/gm)].map(([, id = '']) => id));
}

/** The lines of what has ended lately. */
export function latelyIn(result: ToolResult): string[] {
  const [, list] = (result.content[0]?.text ?? '').split('Ended lately:\n');
  return list === undefined ? [] : list.split('\n');
}

/** A server whose parent is an agent of its own, and not the process of the test. */
export const ofAnotherAgent: ProcessOptions = {
  program: [fixturePath('parent.mjs'), fixturePath('mcp-server.mjs')],
};

/** Calls a tool, and gives the number of the request beside the answer. */
export async function callWithId(
  server: McpProcess,
  name: string,
  args: Record<string, unknown> = {},
): Promise<{ id: number; result: ToolResult }> {
  const { id: requestId, answer } = server.send('tools/call', { name, arguments: args });
  return { id: requestId, result: (await answer).result as unknown as ToolResult };
}
