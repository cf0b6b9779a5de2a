import { ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { OutliveError } from '../errors/error.ts';
import { isEnded } from '../model/words.ts';
import { yieldToOthers } from '../util/wait.ts';
import { callResult } from './call-result.ts';
import { Desk } from './desk.ts';
import { logEnds } from './log-ends.ts';
import { withProgress } from './progress.ts';
import { jsonSchema } from './schemas.ts';
import { asProtocolError, deskFor, invalidParams, type Serving, tellWith } from './serving.ts';
import { createTask2025 } from './tasks-2025.ts';
import { createTask2026, declaresTasks } from './tasks-2026.ts';
import { allTools } from './tools/all.ts';
import type { Tool, ToolAnswer } from './tools/tool.ts';

const callParams = z.object({
  name: z.string(),
  arguments: z.unknown().optional(),
  task: z.unknown().optional(),
});

/** Serves `tools/list` and `tools/call`. */
export function serveTools(serving: Serving): void {
  serving.server.setRequestHandler('tools/list', () => ({ tools: listings() }));
  serving.server.setRequestHandler('tools/call', { params: callParams }, async (params, ctx) =>
    callTool(serving, params, ctx),
  );
}

let known: ReturnType<typeof listing>[] | undefined;

function listings(): ReturnType<typeof listing>[] {
  known ??= allTools.map(listing);
  return known;
}

function listing(tool: Tool) {
  const { name, title, description, annotations } = tool;
  const schemas = { inputSchema: jsonSchema(tool.input), outputSchema: jsonSchema(tool.output) };
  const taskSupport = takesTasks(tool) ? ('optional' as const) : ('forbidden' as const);
  return { name, title, description, annotations, ...schemas, execution: { taskSupport } };
}

/** Of generation 1: only what starts a command can be called as a task. */
function takesTasks(tool: Tool): boolean {
  return tool.name === 'run';
}

async function callTool(serving: Serving, params: z.infer<typeof callParams>, ctx: ServerContext) {
  const tool = allTools.find(({ name }) => name === params.name);
  if (tool === undefined) throw unknownTool(params.name);
  const asTask = serving.era === 'legacy' && params.task !== undefined;
  if (asTask && !takesTasks(tool)) {
    throw new ProtocolError(
      ProtocolErrorCode.MethodNotFound,
      `the tool ${tool.name} cannot be called as a task`,
    );
  }
  const desk = await openDesk(serving, ctx);
  if (!(desk instanceof Desk)) return callResult(desk);
  const stopLogging = logEnds(ctx, desk);
  const work = callAndCatch(serving, tool, params.arguments, { desk, ctx, asTask });
  const answer = await withProgress(ctx, tool.name, work).finally(stopLogging);
  if (asTask && answer.started !== undefined) return createTask2025(serving, desk, answer.started);
  const live = answer.started !== undefined && !isEnded(answer.started.status) ? answer.started : undefined;
  if (live !== undefined && serving.era === 'modern' && declaresTasks(ctx)) {
    return createTask2026(serving, desk, live);
  }
  return await answered(serving, ctx, desk, answer);
}

/** The result of a call, with what the client is owed on it. */
async function answered(serving: Serving, ctx: ServerContext, desk: Desk, answer: ToolAnswer) {
  const riders = serving.peer.riders(desk, answer.tells);
  tellWith(serving, ctx, desk, [...answer.tells, ...riders.found.map(({ taskId }) => taskId)]);
  // What the client has sent already is read before the answer is written, so that it is no proof of its receipt.
  await yieldToOthers();
  return callResult(answer, riders);
}

/** The session of a call, or the answer that says why it cannot be had. */
async function openDesk(serving: Serving, ctx: ServerContext): Promise<Desk | ToolAnswer> {
  try {
    return await deskFor(serving, ctx);
  } catch (error) {
    return failure(error);
  }
}

interface Caller {
  readonly desk: Desk;
  readonly ctx: ServerContext;
  readonly asTask: boolean;
}

async function callAndCatch(
  serving: Serving,
  tool: Tool,
  args: unknown,
  caller: Caller,
): Promise<ToolAnswer> {
  const { desk, ctx, asTask } = caller;
  try {
    return await tool.call(args, {
      desk,
      abortSignal: ctx.mcpReq.signal,
      atOnce: asTask,
      untold: (taskId) => serving.peer.untold(desk, taskId),
    });
  } catch (error) {
    if (asTask) throw asProtocolError(error);
    return failure(error);
  }
}

/** Our own failure as an answer, which a model can read; another error is none of the model's business. */
function failure(error: unknown): ToolAnswer {
  if (!(error instanceof OutliveError)) throw error;
  return { text: `${error.code}: ${error.message}`, structured: {}, isError: true, tells: [] };
}

function unknownTool(name: string): ProtocolError {
  const names = allTools.map((tool) => tool.name).join(', ');
  return invalidParams(`expected the name of a tool, one of ${names}; found ${JSON.stringify(name)}.`);
}
