import type { z } from 'zod';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { Desk } from '../desk.ts';
import { checkArguments } from './check-arguments.ts';

/** Who calls a tool, and how to reach him meanwhile. */
export interface ToolCall {
  readonly desk: Desk;
  /** The client has withdrawn the call, or is gone. What was started goes on. */
  readonly abortSignal: AbortSignal;
  /** Do not wait: the client has asked for a task. */
  readonly atOnce: boolean;
  /** Whether a completion is still to be told to this client. */
  untold(taskId: string): boolean;
}

/** What a tool answers. */
export interface ToolAnswer {
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
  readonly isError?: boolean;
  /** Tasks whose end this answer tells: to receive it is to be told. */
  readonly tells: readonly string[];
  /** The task that the call has started; a client that knows MCP tasks can have it as one. */
  readonly started?: TaskSnapshot;
}

/** One tool: what the model reads of it, and what it does. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
  /** @param args as the client sent them; checked before anything else happens. */
  call(args: unknown, call: ToolCall): Promise<ToolAnswer>;
}

/** A tool whose call gets the arguments that its schema describes. */
export function defineTool<Input extends z.ZodObject>(
  tool: Omit<Tool, 'input' | 'call'> & {
    readonly input: Input;
    call(args: z.infer<Input>, call: ToolCall): Promise<ToolAnswer>;
  },
): Tool {
  return { ...tool, call: async (args, call) => await tool.call(checkArguments(tool, args), call) };
}
