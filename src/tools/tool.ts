import type { z } from 'zod';
import type { BindTo } from '../engine/spawn/spawn-request.ts';
import type { RemoteTask } from '../fleet/wire/operations.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { ToolAnnotations } from './annotations.ts';
import { type Arguments, argumentsMeant, checkArguments } from './check-arguments.ts';
import type { CallOf } from './delivery/tool-call.ts';
import type { RemoteCalls } from './fleet/remote-delivery.ts';

/** The caller of a tool, and how to reach it during the call. */
export interface ToolCall extends CallOf {
  /** The client has withdrawn the call, or is gone. What was started goes on. */
  readonly abortSignal: AbortSignal;
  /** Do not wait: the client has asked for a task. */
  readonly atOnce: boolean;
  /** The tasks that run in this folder in sessions that nobody has open. */
  leftRunning(): Promise<readonly TaskSnapshot[]>;
  /**
   * What to bind a task to that must end with this client: the client's process, or the session if it has none here.
   */
  readonly bindTo: BindTo;
  /** The tasks on other hosts; null: this server has no fleet. */
  readonly remote: RemoteCalls | null;
  /** Says which task the call waits for: progress messages tell the last line of its output. */
  follows(taskId: string): void;
}

/** What a tool answers. */
export interface ToolAnswer {
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
  /** Outlive itself has failed. The end of a command is a result, whatever its exit code. */
  readonly isError?: boolean;
  /** Tasks whose end this answer tells: a client that receives the answer is told. */
  readonly tells: readonly string[];
  /** The same for tasks on other hosts. @default none */
  readonly tellsRemote?: readonly RemoteTask[];
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
  readonly annotations: ToolAnnotations;
  /** Models should see it from the start: without it the other tools are of no use. */
  readonly isAlwaysLoaded?: boolean;
  /** The arguments that a client sent, as they are clearly meant. */
  read(args: unknown): unknown;
  /** @param args as they were read; checked before anything else happens. */
  call(args: unknown, call: ToolCall): Promise<ToolAnswer>;
}

/** A tool whose call gets the arguments that its schema describes. */
export function defineTool<Input extends z.ZodObject>(
  tool: Omit<Tool, 'input' | 'read' | 'call'> & {
    readonly input: Input;
    /** Translates the arguments of other tools that agents have. */
    meant?(args: Arguments): Arguments;
    call(args: z.infer<Input>, call: ToolCall): Promise<ToolAnswer>;
  },
): Tool {
  return {
    ...tool,
    read: (args) => argumentsMeant(tool.input.shape, args, tool.meant),
    call: async (args, call) => await tool.call(checkArguments(tool, args), call),
  };
}
